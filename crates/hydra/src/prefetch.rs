//! Prefetching: a question for a key that the belly does not have begins a lookup in the background, for those who ask next. The
//! answer never waits for it.
//!
//! Which keys are looked up, and how much of a core that may take, is decided here, without IO and without a clock. The lookups
//! themselves are driven by the heads' tasks, over their one dialler.

mod budget;
mod ledger;

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::Histogram;
use kad::Key;
use tokio::sync::mpsc::{self, error::TrySendError};

pub(crate) use self::budget::Budget;
pub use self::budget::LookupCost;
use self::ledger::Ledger;

/// Upper bounds of how long lookups took, in milliseconds (hydra-booster, `metrics.coarseMillisecondsDistribution`).
const TOOK_MS: [u64; 14] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

kad::named! {
    /// What a lookup for a key that the belly did not have came to.
    pub enum PrefetchOutcome {
        /// Somebody provides it.
        Found = "found",
        /// Those closest to it answered, and have no record.
        Nobody = "nobody",
        /// The network did not answer, or not in time.
        Failed = "failed",
    }
}

kad::named! {
    /// Why a key that the belly did not have was not looked up.
    pub enum PrefetchRefusal {
        /// It is being looked up.
        Pending = "pending",
        /// It was, in vain, within the last 5 minutes.
        FailedLately = "failed_within_5_minutes",
        /// It was, in vain, within the last hour.
        FailedBefore = "failed_within_an_hour",
        /// As many keys wait as may.
        QueueFull = "queue_full",
        /// It was found not long ago, and has expired since: were it fetched again at once, it might be from somebody who has it from us.
        Fetched = "fetched",
    }
}

/// How long lookups took, before there was any.
pub(crate) fn no_times() -> Histogram {
    Histogram::of_times(&TOOK_MS.map(Duration::from_millis))
}

/// How much is fetched beforehand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrefetchConfig {
    /// How many keys may wait. Default 1,000, as hydra-booster's.
    pub queue: usize,
    /// How many are looked up at a time at most. Default 64.
    pub workers: usize,
    /// How long one lookup may take. Default 5 s: those that found something took 2 s (hydra-booster).
    pub deadline: Duration,
    /// How many keys are remembered that were looked up. Default 65,536.
    pub remembered: usize,
    /// How long what was found is kept. Default 30 minutes: its provider is not asked again meanwhile whether it is still there.
    pub lifetime: Duration,
    /// The share of a core that lookups may take. Default a tenth.
    pub cpu_share: f64,
    /// What they cost.
    pub cost: LookupCost,
}

impl Default for PrefetchConfig {
    fn default() -> Self {
        Self {
            queue: 1_000,
            workers: 64,
            deadline: Duration::from_secs(5),
            remembered: 1 << 16,
            lifetime: Duration::from_secs(30 * 60),
            cpu_share: 0.1,
            cost: LookupCost::default(),
        }
    }
}

/// A key on its way to be looked up.
#[derive(Debug)]
pub(crate) struct WantedKey {
    pub(crate) place: Key,
    pub(crate) key: Box<[u8]>,
}

/// What is fetched beforehand, and what came of it.
#[derive(Debug)]
pub struct Prefetch {
    config: PrefetchConfig,
    ledger: Mutex<Ledger>,
    queue: mpsc::Sender<WantedKey>,
    begun: AtomicU64,
    refused: [AtomicU64; PrefetchRefusal::ALL.len()],
    took: [Histogram; PrefetchOutcome::ALL.len()],
}

impl Prefetch {
    /// With the end at which keys come out that are to be looked up.
    pub(crate) fn new(config: PrefetchConfig) -> (Self, mpsc::Receiver<WantedKey>) {
        let (queue, wanted) = mpsc::channel(config.queue.max(1));
        let prefetch = Self {
            config,
            ledger: Mutex::default(),
            queue,
            begun: AtomicU64::new(0),
            refused: Default::default(),
            took: std::array::from_fn(|_| no_times()),
        };
        (prefetch, wanted)
    }

    /// How much is fetched.
    pub const fn config(&self) -> &PrefetchConfig {
        &self.config
    }

    /// How many keys have been taken to be looked up.
    pub fn begun(&self) -> u64 {
        self.begun.load(Relaxed)
    }

    /// How many were not looked up, for a reason.
    pub fn refused(&self, reason: PrefetchRefusal) -> u64 {
        self.refused.get(reason as usize).map_or(0, |count| count.load(Relaxed))
    }

    /// How long those lookups took, in nanoseconds, that came to this.
    pub const fn took(&self, outcome: PrefetchOutcome) -> &Histogram {
        &self.took[outcome as usize]
    }

    /// How many keys are being looked up, or wait for it.
    pub fn pending(&self) -> usize {
        self.ledger().pending()
    }

    /// How many keys are remembered that were looked up.
    pub fn remembered(&self) -> usize {
        self.ledger().len()
    }

    /// Somebody asked for a key that the belly does not have. Never waits.
    pub(crate) fn want(&self, place: &Key, key: &[u8], now: Duration) {
        let mut ledger = self.ledger();
        let begun = ledger.begin(place, &self.config, now).and_then(|()| {
            let wanted = WantedKey { place: *place, key: key.into() };
            self.queue.try_send(wanted).map_err(|error| match error {
                TrySendError::Full(_) | TrySendError::Closed(_) => {
                    ledger.withdraw(place);
                    PrefetchRefusal::QueueFull
                }
            })
        });
        drop(ledger);
        let count = match begun {
            Ok(()) => Some(&self.begun),
            Err(reason) => self.refused.get(reason as usize),
        };
        if let Some(count) = count {
            count.fetch_add(1, Relaxed);
        }
    }

    /// A lookup is over.
    pub(crate) fn end(&self, place: &Key, outcome: PrefetchOutcome, (took, now): (Duration, Duration)) {
        self.took(outcome).observe_time(took);
        self.ledger().end(place, outcome, (now, self.config.remembered));
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_variant() {
        assert!(PrefetchOutcome::ALL.iter().all(|&o| PrefetchOutcome::from_name(o.name()) == Some(o)));
        assert!(PrefetchRefusal::ALL.iter().all(|&r| PrefetchRefusal::from_name(r.name()) == Some(r)));
    }

    #[test]
    fn what_finds_no_room_is_counted_and_may_come_again() {
        let (prefetch, mut wanted) = Prefetch::new(PrefetchConfig { queue: 3, ..PrefetchConfig::default() });
        let want = |n: u8| prefetch.want(&Key::of(&[n]), &[n], Duration::ZERO);
        (0..10).for_each(want);
        want(0);
        let refused = |reason| prefetch.refused(reason);
        assert_eq!((prefetch.begun(), prefetch.pending()), (3, 3));
        assert_eq!((refused(PrefetchRefusal::QueueFull), refused(PrefetchRefusal::Pending)), (7, 1));
        let first = wanted.try_recv().unwrap();
        prefetch.end(&first.place, PrefetchOutcome::Nobody, (Duration::ZERO, Duration::ZERO));
        want(9);
        want(0);
        assert_eq!((prefetch.begun(), refused(PrefetchRefusal::FailedLately)), (4, 1));
        assert_eq!(prefetch.took(PrefetchOutcome::Nobody).distribution(1e9).count(), 1);
    }
}
