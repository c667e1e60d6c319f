//! Which keys are not looked up, since they were not long ago: bounded, and pure.

use std::{collections::VecDeque, time::Duration};

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use kad::Key;

use super::{PrefetchConfig, PrefetchOutcome, PrefetchRefusal};

/// For how long nobody asks again for what nobody had (hydra-booster, the negative cache).
pub(super) const FAILED_FOR: Duration = Duration::from_secs(3600);

/// For how long nobody asks again where it was the network that failed; until then a lookup that failed counts as one that did
/// lately.
pub(super) const FAILED_LATELY: Duration = Duration::from_secs(300);

/// A pause after what was found has expired doubles as often as this at most.
const MAX_DOUBLINGS: u32 = 5;

/// What is remembered of a key.
#[derive(Debug, Clone, Copy)]
struct Remembered {
    outcome: PrefetchOutcome,
    at: Duration,
    /// How many times in a row it was found.
    times: u32,
}

/// The keys that were looked up, and those that are being.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pending: HashSet<Key, RandomState>,
    known: HashMap<Key, Remembered, RandomState>,
    /// In the order in which they were looked up; who was again since stands here twice.
    order: VecDeque<(Duration, Key)>,
}

impl Ledger {
    /// Begins to look a key up; or says why it is not.
    pub(super) fn begin(
        &mut self,
        key: &Key,
        config: &PrefetchConfig,
        now: Duration,
    ) -> Result<(), PrefetchRefusal> {
        if self.pending.contains(key) {
            return Err(PrefetchRefusal::Pending);
        }
        if let Some(refusal) = self.known.get(key).and_then(|known| known.refusal(config.lifetime, now)) {
            return Err(refusal);
        }
        self.pending.insert(*key);
        Ok(())
    }

    /// It was not begun after all.
    pub(super) fn withdraw(&mut self, key: &Key) {
        self.pending.remove(key);
    }

    /// A lookup is over.
    pub(super) fn end(&mut self, key: &Key, outcome: PrefetchOutcome, (now, most): (Duration, usize)) {
        self.pending.remove(key);
        let before = self.known.get(key).filter(|known| known.outcome == PrefetchOutcome::Found);
        let times = before.map_or(0, |known| known.times);
        self.known.insert(*key, Remembered { outcome, at: now, times: times.saturating_add(1) });
        self.order.push_back((now, *key));
        while self.order.len() > most.max(1)
            && let Some((then, oldest)) = self.order.pop_front()
        {
            if self.known.get(&oldest).is_some_and(|known| known.at == then) {
                self.known.remove(&oldest);
            }
        }
    }

    /// How many keys are being looked up, or wait for it.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// How many keys are remembered that were looked up.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

impl Remembered {
    fn refusal(&self, lifetime: Duration, now: Duration) -> Option<PrefetchRefusal> {
        let age = now.saturating_sub(self.at);
        match self.outcome {
            PrefetchOutcome::Found => (age < self.left_alone(lifetime)).then_some(PrefetchRefusal::Fetched),
            PrefetchOutcome::Nobody | PrefetchOutcome::Failed if age < FAILED_LATELY => {
                Some(PrefetchRefusal::FailedLately)
            }
            PrefetchOutcome::Nobody if age < FAILED_FOR => Some(PrefetchRefusal::FailedBefore),
            PrefetchOutcome::Nobody | PrefetchOutcome::Failed => None,
        }
    }

    /// For how long what was found is not looked up again: while it lives, and then for longer each time. Else two hydras that ask
    /// each other would keep alive for ever what its provider has given up.
    fn left_alone(&self, lifetime: Duration) -> Duration {
        lifetime + lifetime * (1 << self.times.saturating_sub(1).min(MAX_DOUBLINGS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn config() -> PrefetchConfig {
        PrefetchConfig { lifetime: 30 * MINUTE, ..PrefetchConfig::default() }
    }

    #[test]
    fn a_failure_is_remembered_by_two_ages_and_the_networks_for_a_shorter_time() {
        for (outcome, later) in
            [(PrefetchOutcome::Nobody, Err(PrefetchRefusal::FailedBefore)), (PrefetchOutcome::Failed, Ok(()))]
        {
            let (mut ledger, key) = (Ledger::default(), Key::of(b"key"));
            assert_eq!(ledger.begin(&key, &config(), MINUTE), Ok(()));
            assert_eq!(ledger.begin(&key, &config(), MINUTE), Err(PrefetchRefusal::Pending));
            ledger.end(&key, outcome, (MINUTE, 10));
            assert_eq!(ledger.begin(&key, &config(), 5 * MINUTE), Err(PrefetchRefusal::FailedLately));
            assert_eq!(ledger.begin(&key, &config(), 7 * MINUTE), later);
            ledger.withdraw(&key);
            assert_eq!(ledger.begin(&key, &config(), 61 * MINUTE), Ok(()));
        }
    }

    #[test]
    fn what_was_found_is_left_alone_for_longer_each_time() {
        let (mut ledger, key) = (Ledger::default(), Key::of(b"key"));
        let (mut now, mut pauses) = (Duration::ZERO, Vec::new());
        for _ in 0..8 {
            ledger.end(&key, PrefetchOutcome::Found, (now, 10));
            let mut pause = Duration::ZERO;
            while ledger.begin(&key, &config(), now + pause) == Err(PrefetchRefusal::Fetched) {
                pause += 30 * MINUTE;
            }
            pauses.push(pause.as_secs() / 1_800);
            now += pause;
        }
        assert_eq!(pauses, [2, 3, 5, 9, 17, 33, 33, 33]);
    }

    #[test]
    fn it_does_not_grow_and_forgets_the_oldest() {
        let mut ledger = Ledger::default();
        for n in 0..1_000_u32 {
            let key = Key::of(&n.to_be_bytes());
            assert_eq!(ledger.begin(&key, &config(), MINUTE), Ok(()));
            ledger.end(&key, PrefetchOutcome::Nobody, (Duration::from_secs(n.into()), 100));
        }
        assert_eq!((ledger.len(), ledger.order.len(), ledger.pending()), (100, 100, 0));
        let now = Duration::from_secs(1_000);
        assert_eq!(ledger.begin(&Key::of(&899_u32.to_be_bytes()), &config(), now), Ok(()));
        let last = ledger.begin(&Key::of(&999_u32.to_be_bytes()), &config(), now);
        assert_eq!(last, Err(PrefetchRefusal::FailedLately));
    }
}
