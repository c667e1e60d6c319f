//! What a scheduler has done so far: counted where it is kept, read by metrics, progress and the summary alike.

use std::{collections::BTreeMap, time::Duration};

use schema::{OperationKind, OperationOutcome};
use serde::Serialize;
use tokio::sync::watch;

use super::{lead::Lead, seat::Seat};
use crate::CallAttempt;

/// Rounds, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RoundCounts {
    /// Begun.
    pub begun: u64,
    /// Come to their end.
    pub ended: u64,
    /// Begun late, since they had to wait for others.
    pub late: u64,
    /// Skipped, since as many as may be were under way.
    pub skipped: u64,
    /// Shed, since as many as may wait did: each is a row.
    pub shed: u64,
    /// Not planned, since no two servers could meet.
    pub alone: u64,
    /// Cut off, since the scheduler was to end or somebody else leads.
    pub cut_off: u64,
}

/// What became of one round.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoundReport {
    /// Its number, from 0.
    pub number: u64,
    /// Who published.
    pub publisher: Seat,
    /// What came of that.
    pub provided: OperationOutcome,
    /// How long it took, in seconds.
    pub provide_s: f64,
    /// How many looked for it, or for nothing.
    pub asked: usize,
    /// How many of those found it, or that there is nothing.
    pub as_expected: usize,
    /// How long it took half of those that found it at most, in seconds; `None` if nobody did.
    pub median_s: Option<f64>,
}

/// How many attempts of a kind had an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AttemptCount {
    /// What was to be done.
    pub kind: OperationKind,
    /// What came of it.
    pub outcome: OperationOutcome,
    /// How often.
    pub count: u64,
}

/// Calls that servers answered, and those that they did not: what Parsec counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct IssuedCounts {
    /// Answered, whatever the answer says.
    pub answered: u64,
    /// Not answered.
    pub failed: u64,
}

/// How a scheduler stands.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SchedulerNow {
    /// Whether it leads its fleets.
    pub leads: bool,
    /// Who else does; `None` if nobody that is known.
    pub led_by: Option<String>,
    /// How many servers can be measured.
    pub servers: usize,
    /// Whether the register is away, and the servers are those that it knew.
    pub register_is_away: bool,
    /// Rounds.
    pub rounds: RoundCounts,
    /// Rounds that wait for others.
    pub rounds_waiting: usize,
    /// Rounds that are under way.
    pub rounds_under_way: usize,
    /// Attempts, by kind and outcome; those that never were are left out.
    pub attempts: Vec<AttemptCount>,
    /// Retrievals that were not made since nothing was published.
    pub not_asked: u64,
    /// Publications that were asked of servers.
    pub issued_provides: IssuedCounts,
    /// Lookups that were asked of servers.
    pub issued_retrievals: IssuedCounts,
    /// The round that ended last; `None` if none did.
    pub last: Option<RoundReport>,
}

/// Shows how a scheduler stands. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SchedulerWatch(watch::Sender<Tally>);

#[derive(Debug, Default)]
struct Tally {
    now: SchedulerNow,
    attempts: BTreeMap<(OperationKind, OperationOutcome), u64>,
}

impl Default for SchedulerWatch {
    fn default() -> Self {
        Self(watch::Sender::new(Tally::default()))
    }
}

impl SchedulerWatch {
    /// How it stands.
    pub fn now(&self) -> SchedulerNow {
        let tally = self.0.borrow();
        let counts = tally.attempts.iter();
        let attempts =
            counts.map(|(&(kind, outcome), &count)| AttemptCount { kind, outcome, count }).collect();
        SchedulerNow { attempts, ..tally.now.clone() }
    }

    /// Waits until it leads and two servers can be measured.
    pub async fn until_it_can(&self) {
        let can = |tally: &Tally| tally.now.leads && tally.now.servers >= 2;
        // Whoever asks holds what it waits for.
        drop(self.0.subscribe().wait_for(can).await.map(drop));
    }

    /// How often an attempt of a kind had an outcome.
    pub fn attempts(&self, kind: OperationKind, outcome: OperationOutcome) -> u64 {
        self.0.borrow().attempts.get(&(kind, outcome)).copied().unwrap_or(0)
    }

    pub(super) fn lead(&self, lead: &Lead) {
        self.with(|Tally { now, .. }| match lead {
            Lead::Ours(_) => (now.leads, now.led_by) = (true, None),
            Lead::Others(who) => (now.leads, now.led_by) = (false, who.clone()),
        });
    }

    pub(super) fn servers(&self, count: usize, is_away: bool) {
        self.with(|Tally { now, .. }| (now.servers, now.register_is_away) = (count, is_away));
    }

    pub(super) fn under_way(&self, running: usize, waiting: usize) {
        self.with(|Tally { now, .. }| (now.rounds_under_way, now.rounds_waiting) = (running, waiting));
    }

    pub(super) fn rounds(&self, count: impl FnOnce(&mut RoundCounts)) {
        self.with(|Tally { now, .. }| count(&mut now.rounds));
    }

    pub(super) fn not_asked(&self, count: u64) {
        self.with(|Tally { now, .. }| now.not_asked += count);
    }

    pub(super) fn ended(&self, report: RoundReport) {
        self.with(|Tally { now, .. }| {
            now.rounds.ended += 1;
            now.last = Some(report);
        });
    }

    /// Counts an attempt. No outcome is left out.
    pub(super) fn attempt(&self, attempt: &CallAttempt) {
        self.with(|tally| {
            *tally.attempts.entry((attempt.kind, attempt.outcome())).or_default() += 1;
            if attempt.asked_at.is_none() {
                return;
            }
            let issued = match attempt.kind {
                OperationKind::Provide => &mut tally.now.issued_provides,
                _ => &mut tally.now.issued_retrievals,
            };
            match attempt.result {
                Ok(_) => issued.answered += 1,
                Err(_) => issued.failed += 1,
            }
        });
    }

    fn with(&self, what: impl FnOnce(&mut Tally)) {
        self.0.send_modify(what);
    }
}

/// The middle one of some durations, in seconds; `None` without any. Of an even number the lower one.
pub(super) fn median_s(mut all: Vec<Duration>) -> Option<f64> {
    all.sort_unstable();
    let middle = all.len().checked_sub(1)? / 2;
    all.get(middle).map(Duration::as_secs_f64)
}
