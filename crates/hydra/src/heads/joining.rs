//! Brings each head into the tables of others: it dials those who should know it, under its own identity, and asks them for itself,
//! which is when servers look at who asks.
//!
//! Whom it dials is read off what all heads know: the peers closest to it, and some of each bucket. Nobody is dialled again as long
//! as it stays in that view. All heads together dial at a bounded pace.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use dht::{Conversation, Meter, TalkLimits};
use hashbrown::HashMap;
use kad::{Contact, Key, fabric::Member, network::Dial};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{Seeker, config::JoiningConfig, head::HydraHead, state::Progress};

/// How many peers a head dials before the next one has its turn.
const AT_A_TIME: usize = 4;

/// Brings the heads into the tables of others, until they leave.
#[derive(Debug)]
pub(super) struct Joining<M> {
    seeker: Seeker<M>,
    config: JoiningConfig,
    interval: Duration,
    room: Arc<Semaphore>,
    meter: Arc<Meter>,
    /// Whom each head has dialled, by the first bits of its key, and whether it answered.
    told: HashMap<Key, HashMap<u64, bool>>,
    dials: JoinSet<Told>,
    next_dial: Instant,
}

/// What came of a head's dial.
#[derive(Debug)]
struct Told {
    head: Key,
    peer: u64,
    has_answered: bool,
}

impl<M: Member> Joining<M> {
    pub(super) fn new(seeker: Seeker<M>, config: JoiningConfig, interval: Duration) -> Self {
        Self {
            seeker,
            config,
            interval,
            room: Arc::new(Semaphore::new(config.parallel.get().min(Semaphore::MAX_PERMITS))),
            meter: Arc::default(),
            told: HashMap::new(),
            dials: JoinSet::new(),
            next_dial: Instant::now(),
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let Progress { refreshes, .. } = *self.seeker.state.progress.borrow();
            self.begin();
            while self.tell_some().await {}
            while let Some(told) = self.dials.join_next().await {
                self.note(told.ok().as_ref());
            }
            self.seeker.state.progress.send_modify(|progress| progress.announced = refreshes);
            tokio::select! {
                () = self.seeker.state.learned.notified() => {}
                () = sleep(self.interval) => {}
            }
        }
    }

    /// Forgets who does not matter any more, and who did not answer the last time.
    fn begin(&mut self) {
        let mut before = std::mem::take(&mut self.told);
        for head in self.seeker.state.heads() {
            let told = before.remove(head.key()).unwrap_or_default();
            let view = self.view(&head);
            let still = view.iter().map(prefix).filter(|peer| told.get(peer) == Some(&true));
            self.told.insert(*head.key(), still.map(|peer| (peer, true)).collect());
        }
    }

    /// Lets each head dial a few more of those who should know it; whether any did.
    async fn tell_some(&mut self) -> bool {
        let mut has_dialled = false;
        for head in self.seeker.state.heads() {
            for contact in self.upcoming(&head) {
                self.told.entry(*head.key()).or_default().insert(prefix(&contact), false);
                self.tell(Arc::clone(&head), contact).await;
                has_dialled = true;
            }
        }
        has_dialled
    }

    /// The next of those who should know a head, the closest first.
    fn upcoming(&self, head: &HydraHead) -> Vec<Contact> {
        let told = self.told.get(head.key());
        let is_told = |contact: &Contact| told.is_some_and(|told| told.contains_key(&prefix(contact)));
        self.view(head).into_iter().filter(|contact| !is_told(contact)).take(AT_A_TIME).collect()
    }

    fn view(&self, head: &HydraHead) -> Vec<Contact> {
        self.seeker.state.commons().view(head.key(), self.config.per_bucket)
    }

    /// Has a head dial a peer as soon as its turn has come.
    async fn tell(&mut self, head: Arc<HydraHead>, contact: Contact) {
        sleep_until(self.next_dial).await;
        let pace = Duration::from_secs(1).div_f64(self.config.per_s.get() as f64);
        self.next_dial = self.next_dial.max(Instant::now()) + pace;
        // The semaphore is never closed.
        let permit = Arc::clone(&self.room).acquire_owned().await.ok();
        while let Some(told) = self.dials.try_join_next() {
            self.note(told.ok().as_ref());
        }
        let Some(member) = self.seeker.finder.pool().network().at(head.key()) else { return };
        let (seeker, linger, meter) = (self.seeker.clone(), self.config.linger, Arc::clone(&self.meter));
        self.dials.spawn(async move {
            let peer = prefix(&contact);
            let has_answered = seeker.introduce((&head, member), contact, (linger, meter, permit)).await;
            Told { head: *head.key(), peer, has_answered }
        });
    }

    /// A dial is over; `None` if its task did not come to its end.
    fn note(&mut self, told: Option<&Told>) {
        let Some(&Told { head, peer, has_answered }) = told else { return };
        let counters = &self.seeker.state.counters;
        let count = if has_answered { &counters.announced } else { &counters.announcements_failed };
        count.fetch_add(1, Relaxed);
        if let Some(before) = self.told.get_mut(&head).and_then(|told| told.get_mut(&peer)) {
            *before = has_answered;
        }
    }
}

impl<M: Member> Seeker<M> {
    /// Dials a peer as this head and asks it for the head; whether it answered. The connection is held for a while.
    async fn introduce(
        &self,
        (head, member): (&HydraHead, M),
        to: Contact,
        (linger, meter, permit): (Duration, Arc<Meter>, Option<OwnedSemaphorePermit>),
    ) -> bool {
        let Dial { connection, .. } = member.connect(to.peer, to.addrs).await;
        let Some(connection) = connection else { return false };
        let limits = TalkLimits { idle: linger, ..TalkLimits::default() };
        let talk = Conversation::begin(connection, limits, meter, ());
        let begun = Instant::now();
        let ask = self.find_node(&head.peer(), self.finder.terms().patience);
        let has_answered = talk.ask(ask).await.is_ok();
        // Who is waited for after that costs nothing: the next one may be dialled.
        drop(permit);
        self.state.counters.tested(has_answered.then(|| begun.elapsed()));
        if has_answered {
            if head.becomes_known() {
                self.state.counters.bootstrapped.fetch_add(1, Relaxed);
            }
            sleep(linger).await;
        }
        has_answered
    }
}

/// The first bits of a peer's key, by which it is remembered.
fn prefix(contact: &Contact) -> u64 {
    Key::of_peer(&contact.peer).prefix64()
}
