//! What goes on at once in a study: events of arms, rounds that are due, rounds that end. One task, which alone tells what happens, so that
//! it is told in order.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use crawl::Clock;
use kad::{PeerId, fabric::Member};
use schema::{PublisherEnd, Timestamp};
use tokio::{
    sync::mpsc,
    task::{Id, JoinError, JoinSet},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::{HoardEnd, HoardOutlets, HoardSummary};
use crate::{
    HoardError, HoardFact, HoardPlan, InFlight, KeyPublished, KeyRound, Observer, PublisherLeft, Resumed,
    RoundOrder, RoundParts, WatchedKey,
    publishing::{ArmEvent, now},
    schedule::{DueRound, Schedule},
    watch::{HoardWatch, eta},
};

/// How long at most until the picture of the study is made anew.
const SHOWN_EVERY: Duration = Duration::from_secs(1);

/// A study under way.
pub(super) struct Driver<M: Member> {
    plan: Arc<HoardPlan>,
    clock: Clock,
    observers: Vec<Observer<M>>,
    in_flight: Arc<InFlight>,
    facts: mpsc::Sender<HoardFact>,
    cancel: CancellationToken,
    over: CancellationToken,
    leave: CancellationToken,
    schedule: Schedule,
    keys: HashMap<u64, Watching>,
    rounds: JoinSet<KeyRound>,
    /// The key of each round under way.
    of: HashMap<Id, u64>,
    watch: HoardWatch,
    /// Keys that were given to an observer so far: the next one has its turn.
    turns: usize,
    /// Arms that are not ready yet.
    unready: usize,
    /// Arms that still publish.
    publishing: usize,
    ends_at: Timestamp,
    failure: Option<HoardError>,
    is_kept: bool,
}

/// A key that is watched, and by which observer.
struct Watching {
    key: Arc<WatchedKey>,
    observer: usize,
}

/// Something that the study waited for.
enum Happened {
    Cancelled,
    Round(Result<(Id, KeyRound), JoinError>),
    Arm(Option<ArmEvent>),
    Due,
}

impl<M: Member> Driver<M> {
    pub(super) fn new(
        (plan, clock): (Arc<HoardPlan>, Clock),
        (observers, in_flight): (Vec<Observer<M>>, Arc<InFlight>),
        outlets: HoardOutlets,
        (over, leave): (CancellationToken, CancellationToken),
    ) -> Self {
        let HoardOutlets { facts, now: shown, cancel } = outlets;
        let schedule = Schedule::new(plan.rounds.offsets(), plan.observing.at_once);
        let watch = HoardWatch::new(shown);
        watch.change(|shown| {
            (shown.all_keys, shown.all_rounds) = (plan.publications(), plan.rounds_in_all());
        });
        let (unready, publishing) = (plan.arms.len(), plan.arms.len());
        Self {
            clock,
            observers,
            in_flight,
            facts,
            cancel,
            over,
            leave,
            schedule,
            keys: HashMap::new(),
            rounds: JoinSet::new(),
            of: HashMap::new(),
            watch,
            turns: 0,
            unready,
            publishing,
            ends_at: clock.start(),
            failure: None,
            is_kept: true,
            plan,
        }
    }

    /// Goes on until all is over, or until it is stopped.
    pub(super) async fn run(
        mut self,
        resumed: Resumed,
        mut events: mpsc::Receiver<ArmEvent>,
    ) -> Result<HoardSummary, HoardError> {
        self.resume(resumed).await;
        let is_done = self.drive(&mut events).await;
        self.wind_down(&mut events).await;
        self.show();
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let end = match (self.is_kept, is_done) {
            (false, _) => HoardEnd::NotKept,
            (true, true) => HoardEnd::Done,
            (true, false) => HoardEnd::Stopped,
        };
        let times = (self.clock.start(), now(self.clock));
        Ok(HoardSummary::of(&self.watch.now(), end, times))
    }

    /// Goes on where a run before has ended. Who published then and is not known to have left has: its process is gone.
    async fn resume(&mut self, resumed: Resumed) {
        let Resumed { keys, left, last_seen } = resumed;
        let ours = keys.iter().map(|key| (key.watched.provider, key.watched.arm));
        let is_ours = |arm: u16| self.plan.arm(arm).is_some_and(|arm| arm.end != PublisherEnd::Foreign);
        let gone: BTreeSet<(PeerId, u16)> =
            ours.filter(|(peer, arm)| !left.contains(peer) && is_ours(*arm)).collect();
        for (peer, arm) in gone {
            self.tell(HoardFact::PublisherLeft(PublisherLeft { peer, arm, closed_at: last_seen })).await;
        }
        for key in keys {
            let number = number(key.watched.arm, key.position);
            let watched = Arc::new(key.watched);
            self.watch.change(|shown| shown.keys += 1);
            if !key.is_read_back && !self.plan.readings.is_empty() {
                let at = now(self.clock);
                let planned_at = watched.published_at;
                let order = RoundOrder { round: 0, planned_at, parts: RoundParts::Holders };
                self.tell(HoardFact::Round(Box::new(KeyRound::missed(&watched, &order, at)))).await;
            }
            self.take_in(number, watched, key.done);
        }
    }

    /// Whether it went on until all was over.
    async fn drive(&mut self, events: &mut mpsc::Receiver<ArmEvent>) -> bool {
        loop {
            self.begin_due().await;
            self.show();
            if self.cancel.is_cancelled() || self.failure.is_some() || !self.is_kept {
                return false;
            }
            if self.publishing == 0 && self.schedule.keys() == 0 && self.rounds.is_empty() {
                return true;
            }
            match self.next(events).await {
                Happened::Cancelled => return false,
                Happened::Round(round) => self.round_ended(round).await,
                Happened::Arm(Some(event)) => self.arm(event).await,
                // All arms have ended, and said so before.
                Happened::Arm(None) => self.publishing = 0,
                Happened::Due => {}
            }
        }
    }

    /// Waits for what happens next.
    async fn next(&mut self, events: &mut mpsc::Receiver<ArmEvent>) -> Happened {
        let at = now(self.clock);
        let due = self.schedule.next_at(at).map_or(SHOWN_EVERY, |next| next.since(at).min(SHOWN_EVERY));
        let is_publishing = !events.is_closed() || !events.is_empty();
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Happened::Cancelled,
            Some(round) = self.rounds.join_next_with_id() => Happened::Round(round),
            event = events.recv(), if is_publishing => Happened::Arm(event),
            () = sleep(due) => Happened::Due,
        }
    }

    /// Everything is given up; what was under way is told, and whoever is still there leaves.
    async fn wind_down(&mut self, events: &mut mpsc::Receiver<ArmEvent>) {
        self.over.cancel();
        self.leave.cancel();
        loop {
            tokio::select! {
                biased;
                Some(round) = self.rounds.join_next_with_id() => self.round_ended(round).await,
                event = events.recv() => match event {
                    Some(event) => self.arm(event).await,
                    None => break,
                },
            }
        }
        while let Some(round) = self.rounds.join_next_with_id().await {
            self.round_ended(round).await;
        }
    }

    /// Begins every round whose time has come, as far as so many may be under way; those that are missed are told.
    async fn begin_due(&mut self) {
        while !self.cancel.is_cancelled() {
            let at = now(self.clock);
            let Some(due) = self.schedule.take(at) else { return };
            let DueRound { key, round, planned, is_missed, is_last } = due;
            let Some(Watching { key: watched, observer }) = self.keys.get(&key) else {
                self.schedule.ended(key);
                continue;
            };
            let order = RoundOrder { round, planned_at: planned, parts: self.plan.parts };
            let watched = Arc::clone(watched);
            if is_missed {
                let missed = KeyRound::missed(&watched, &order, at);
                self.watch.round(key, &missed);
                self.tell(HoardFact::Round(Box::new(missed))).await;
                if is_last {
                    self.forget(key);
                }
            } else if let Some(observer) = self.observers.get(*observer).cloned() {
                let over = self.over.clone();
                self.spawn(key, async move { observer.round(&watched, &order, &over).await });
            }
        }
    }

    fn spawn(&mut self, key: u64, round: impl Future<Output = KeyRound> + Send + 'static) {
        let task = self.rounds.spawn(round);
        self.of.insert(task.id(), key);
    }

    /// A round is over, or the readings after a publication are.
    async fn round_ended(&mut self, ended: Result<(Id, KeyRound), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let key = self.of.remove(&id);
        let round = match ended {
            Ok((_, round)) => Some(round),
            // A round is made of total functions; one that panics after all has no row, and the next one has its turn.
            Err(error) => {
                tracing::error!(%error, "a round did not come to its end");
                None
            }
        };
        let is_reading = round.as_ref().is_some_and(|round| round.round == 0);
        if let (Some(key), false) = (key, is_reading) {
            self.schedule.ended(key);
        }
        let Some(round) = round else { return };
        if let Some(key) = key {
            self.watch.round(key, &round);
            if !self.schedule.has(key) && !is_reading {
                self.forget(key);
            }
        }
        self.tell(HoardFact::Round(Box::new(round))).await;
    }

    /// An arm has something to say.
    async fn arm(&mut self, event: ArmEvent) {
        match event {
            ArmEvent::Ready => {
                self.unready = self.unready.saturating_sub(1);
                let is_ready = self.unready == 0;
                self.watch.change(|shown| {
                    (shown.is_ready, shown.publishers) = (is_ready, shown.publishers + 1);
                });
            }
            ArmEvent::Published(published) => self.published(*published).await,
            ArmEvent::Left(left) => {
                self.tell(HoardFact::PublisherLeft(left)).await;
            }
            ArmEvent::Done => self.publishing = self.publishing.saturating_sub(1),
            ArmEvent::Failed(failure) => {
                self.publishing = self.publishing.saturating_sub(1);
                self.failure.get_or_insert(failure);
            }
        }
    }

    /// A key was published: its holders are asked for it right away, and then as the schedule says.
    async fn published(&mut self, published: KeyPublished) {
        self.watch.published(&published);
        let number = number(published.watched.arm, published.position);
        let watched = Arc::new(published.watched.clone());
        self.tell(HoardFact::Published(Box::new(published))).await;
        let observer = self.take_in(number, Arc::clone(&watched), 0);
        let (after, over) = (self.plan.readings.clone(), self.over.clone());
        if let Some(observer) = self.observers.get(observer).cloned() {
            self.spawn(number, async move { observer.read_back(&watched, &after, &over).await });
        }
    }

    /// Watches a key whose rounds until `done` were done; says by which observer.
    fn take_in(&mut self, number: u64, key: Arc<WatchedKey>, done: u32) -> usize {
        let observer = self.turns % self.observers.len().max(1);
        self.turns += 1;
        let published = key.published_at;
        if self.schedule.take_in(number, published, done) {
            self.ends_at = self.ends_at.max(published.after(self.plan.rounds.last()));
            self.keys.insert(number, Watching { key, observer });
        }
        observer
    }

    fn forget(&mut self, key: u64) {
        self.keys.remove(&key);
        self.watch.done_with(key);
    }

    /// Tells what happened, as soon as there is room: meanwhile nothing else is begun.
    async fn tell(&mut self, fact: HoardFact) {
        self.is_kept &= self.facts.send(fact).await.is_ok();
    }

    fn show(&self) {
        let at = now(self.clock);
        let left = self.plan.publications().map(|all| all.saturating_sub(self.watch.now().keys));
        let publishing = left.filter(|left| *left > 0).map(|left| {
            let of_an_arm =
                u32::try_from(left.div_ceil(self.plan.arms.len().max(1) as u64)).unwrap_or(u32::MAX);
            self.plan.pace.gap.saturating_mul(of_an_arm) + self.plan.rounds.last()
        });
        let eta = self.plan.publications().map(|_| eta(self.ends_at, at, publishing));
        let next_round = self.schedule.next_planned().map(|due| due.since(at));
        let waiting = self.facts.max_capacity() - self.facts.capacity();
        self.watch.change(|shown| {
            shown.watched = self.keys.len() as u64;
            shown.in_flight = self.in_flight.now();
            shown.eta = eta;
            shown.next_round = next_round;
            shown.facts_waiting = waiting as u64;
        });
    }
}

/// The number of a key in the study: by its arm and its place there.
const fn number(arm: u16, position: u32) -> u64 {
    (arm as u64) << 32 | position as u64
}
