//! What every change comes to on each walk, in little room: on one walk most changes come to the same.

use super::replay::Outcome;
use std::time::Duration;

/// What is kept of an outcome: a study has millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeptOutcome {
    settled_us: u32,
    requests: u16,
    combo: u8,
}

impl KeptOutcome {
    /// A walk of more than an hour, or of more than 65,535 requests, is as one of so many.
    fn keep(outcome: Outcome) -> Self {
        Self {
            settled_us: u32::try_from(outcome.settled.as_micros()).unwrap_or(u32::MAX),
            requests: u16::try_from(outcome.requests).unwrap_or(u16::MAX),
            combo: outcome.combo,
        }
    }

    fn get(self) -> Outcome {
        let Self { settled_us, requests, combo } = self;
        Outcome { combo, settled: Duration::from_micros(settled_us.into()), requests: requests.into() }
    }
}

/// The outcomes of all walks.
#[derive(Debug, Clone)]
pub(super) struct Outcomes {
    /// How many changes there are.
    changes: usize,
    /// The outcomes that differ, walk by walk.
    distinct: Vec<KeptOutcome>,
    /// Where those of each walk begin.
    firsts: Vec<u32>,
    /// Of each walk, by change: which of its outcomes.
    picks: Vec<u8>,
}

impl Outcomes {
    /// Of so many changes, no more than [`MAX_CHANGES`](super::terms::MAX_CHANGES).
    pub(super) const fn of_changes(changes: usize) -> Self {
        Self { changes, distinct: Vec::new(), firsts: Vec::new(), picks: Vec::new() }
    }

    /// The outcomes of one more walk, by change.
    pub(super) fn add(&mut self, outcomes: impl Iterator<Item = Outcome>) {
        let first = self.distinct.len();
        self.firsts.push(u32::try_from(first).unwrap_or(u32::MAX));
        for kept in outcomes.map(KeptOutcome::keep) {
            let known = self.distinct[first..].iter().position(|known| *known == kept);
            let pick = known.unwrap_or_else(|| {
                self.distinct.push(kept);
                self.distinct.len() - first - 1
            });
            self.picks.push(u8::try_from(pick).unwrap_or(u8::MAX));
        }
    }

    /// What a change comes to on a walk, by their numbers; `None` for a number of neither.
    pub(super) fn get(&self, walk: usize, change: usize) -> Option<Outcome> {
        let pick = self.picks.get(walk * self.changes + change).filter(|_| change < self.changes)?;
        let first = usize::try_from(*self.firsts.get(walk)?).ok()?;
        self.distinct.get(first + usize::from(*pick)).map(|kept| kept.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_once_comes_back_for_every_change() {
        let outcome = |combo, ms| Outcome { combo, settled: Duration::from_millis(ms), requests: 7 };
        let walks = [
            [outcome(1, 200), outcome(2, 300), outcome(1, 200)],
            [outcome(2, 300), outcome(2, 300), outcome(2, 300)],
        ];
        let mut all = Outcomes::of_changes(3);
        for walk in walks {
            all.add(walk.into_iter());
        }
        for (number, walk) in walks.iter().enumerate() {
            let read: Vec<_> = (0..3).filter_map(|change| all.get(number, change)).collect();
            assert_eq!(read, walk);
        }
        assert_eq!((all.distinct.len(), all.get(0, 3), all.get(2, 0)), (3, None, None));
        assert_eq!(size_of::<KeptOutcome>(), 8);
    }
}
