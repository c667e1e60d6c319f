//! Fills a node's table and keeps it true, at the times at which go-libp2p-kad-dht does: begins with the bootstrap peers while
//! the table is empty, tests who has been silent for long, and looks up one key of each prefix.

use std::{sync::Arc, time::Duration};

use kad::{
    Contact, Key,
    lookup::LookupKind,
    message::K,
    network::Network,
    preimage::target_among,
    table::{REFRESH_LOOKUP_TIMEOUT, Refresh, RefreshStep, answer_grace},
};
use tokio::{
    pin,
    sync::{Mutex, watch},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::Seeker;

/// How long a node that knows nobody waits until it tries its bootstrap peers again (go-libp2p-kad-dht,
/// `periodicBootstrapInterval`). A shorter refresh interval is kept here, too.
const BOOTSTRAP_PAUSE: Duration = Duration::from_secs(120);

/// How many bootstrap peers are tried at a time (go-libp2p-kad-dht, `maxNBoostrappers`).
const BOOTSTRAPPERS: usize = 2;

/// How many silent peers are tested at a time.
const MAX_TESTS: usize = 64;

/// Tends the table until the node leaves.
#[derive(Debug)]
pub(super) struct Upkeep<M> {
    seeker: Seeker<M>,
    interval: Duration,
    seed: u64,
    /// How many keys were chosen.
    choices: u64,
    /// How many refreshes are over.
    done: watch::Sender<u64>,
    /// Held as long as it is at it.
    pub(super) undisturbed: Arc<Mutex<()>>,
}

impl<M: Network> Upkeep<M> {
    pub(super) fn new(seeker: Seeker<M>, interval: Duration, seed: u64, done: watch::Sender<u64>) -> Self {
        Self { seeker, interval, seed, choices: 0, done, undisturbed: Arc::default() }
    }

    pub(super) async fn run(mut self) {
        loop {
            let begun = Instant::now();
            let at_it = Arc::clone(&self.undisturbed).lock_owned().await;
            if self.is_lonely() {
                self.bootstrap().await;
            }
            self.test_silent().await;
            let is_due = self.refresh().await;
            drop(at_it);
            self.done.send_modify(|done| *done += 1);
            if !is_due {
                self.pause(begun).await;
            }
        }
    }

    fn is_lonely(&self) -> bool {
        self.seeker.state.knowledge().table.is_empty()
    }

    /// Waits until the next refresh is due, or there is somebody in a table that was empty.
    async fn pause(&self, begun: Instant) {
        let now = Instant::now();
        let next =
            if self.is_lonely() { now + self.interval.min(BOOTSTRAP_PAUSE) } else { begun + self.interval };
        tokio::select! {
            () = sleep_until(next) => {}
            () = self.seeker.state.woken.notified() => {}
        }
    }

    /// Tries the bootstrap peers, a few at a time, until one is in the table.
    async fn bootstrap(&self) {
        for some in self.seeker.bootstrap.chunks(BOOTSTRAPPERS) {
            let mut tests = JoinSet::new();
            for contact in some.iter().filter(|contact| self.seeker.state.begin_test(&contact.peer)) {
                let (seeker, contact) = (self.seeker.clone(), contact.clone());
                tests.spawn(async move {
                    let named = seeker.named(&contact).await;
                    seeker.state.end_test(contact, named);
                });
            }
            tests.join_all().await;
            if !self.is_lonely() {
                return;
            }
        }
    }

    /// Asks those who have not answered for too long: who does not answer now goes.
    async fn test_silent(&self) {
        let grace = answer_grace(K, self.seeker.rules.alpha, self.interval);
        let mut tests = JoinSet::new();
        for contact in self.seeker.state.overdue(grace) {
            if tests.len() >= MAX_TESTS {
                tests.join_next().await;
            }
            tests.spawn(judge(self.seeker.clone(), contact));
        }
        tests.join_all().await;
    }

    /// Looks up the node itself and one key of each prefix that is due. `true` if another refresh is due at once.
    async fn refresh(&mut self) -> bool {
        let is_first = *self.done.borrow() == 0;
        let mut refresh = Refresh::new(self.interval, is_first);
        let mut is_done = false;
        while let Some(step) = self.seeker.state.next_step(&mut refresh, is_done) {
            let key = match step {
                RefreshStep::Own => Some(self.seeker.finder.terms().own.to_bytes()),
                RefreshStep::Prefix(shared) => {
                    let choice = self.choose();
                    target_among(self.seeker.state.key(), shared, choice).map(Vec::from)
                }
            };
            is_done = match key {
                Some(key) => self.look_up(key).await,
                None => false,
            };
        }
        self.seeker.state.refreshed(&refresh)
    }

    /// Whether it was brought to an end: it was not if there was nobody to ask.
    async fn look_up(&self, key: Vec<u8>) -> bool {
        let cancel = CancellationToken::new();
        let search = self.seeker.find(LookupKind::Closest, key, &cancel);
        pin!(search);
        let found = tokio::select! {
            biased;
            found = &mut search => found,
            () = sleep(REFRESH_LOOKUP_TIMEOUT) => {
                cancel.cancel();
                search.await
            }
        };
        !found.trace.rpcs.is_empty()
    }

    /// The next random choice.
    fn choose(&mut self) -> u16 {
        self.choices += 1;
        let drawn = [self.seed.to_be_bytes(), self.choices.to_be_bytes()].concat();
        Key::of(&drawn).prefix16()
    }
}

async fn judge<M: Network>(seeker: Seeker<M>, contact: Contact) {
    let named = seeker.named(&contact).await;
    seeker.state.judge(&contact.peer, named);
}
