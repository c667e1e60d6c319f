//! Which rung is in force: by what was measured and by what was before, so that it does not flap. Pure: times are given.

use std::time::Duration;

use super::{Allowed, Ladder, RungRule};

/// What was measured at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measures {
    /// How many reads wait for the belly's backend.
    pub waiting: usize,
    /// How long the oldest of them has waited.
    pub age: Duration,
    /// By how much later than planned the executor ran what was due.
    pub lag: Duration,
    /// How much of the memory that there is for us is in use, in percent; 0 where there is no limit.
    pub memory_percent: u32,
}

/// The rungs, and since when each is exceeded or calm.
#[derive(Debug)]
pub(super) struct Climb(Vec<Hold>);

#[derive(Debug)]
struct Hold {
    rule: RungRule,
    is_held: bool,
    /// Since when its thresholds have been exceeded without a break; where it is held, since when they have not been.
    since: Option<Duration>,
}

impl Climb {
    pub(super) fn new(ladder: Ladder) -> Self {
        let hold = |rule| Hold { rule, is_held: false, since: None };
        Self(ladder.into_rules().into_iter().map(hold).collect())
    }

    /// Looks at what was measured at `now`: what is allowed from now on.
    pub(super) fn note(&mut self, measures: &Measures, now: Duration) -> Allowed {
        for hold in &mut self.0 {
            hold.note(measures, now);
        }
        let held = self.0.iter().rposition(|hold| hold.is_held).map_or(0, |last| last + 1);
        self.0.iter().take(held).fold(Allowed::ALL, |allowed, hold| allowed.and(hold.rule.rung))
    }
}

impl Hold {
    fn note(&mut self, measures: &Measures, now: Duration) {
        let RungRule { thresholds, after, calm, .. } = &self.rule;
        let (is_other, patience) = if self.is_held {
            (!thresholds.is_near(measures), *calm)
        } else {
            (thresholds.is_exceeded(measures), *after)
        };
        if !is_other {
            self.since = None;
            return;
        }
        let since = *self.since.get_or_insert(now);
        if now.saturating_sub(since) >= patience {
            (self.is_held, self.since) = (!self.is_held, None);
        }
    }
}
