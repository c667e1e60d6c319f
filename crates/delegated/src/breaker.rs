//! Leaves alone who fails again and again: decided from outcomes and times that are handed in.
//!
//! After so many failures in a row nothing is asked for a while; then one request is let through, and what comes of it decides. Each
//! time in a row it takes twice as long, up to a bound.

use std::time::Duration;

/// When somebody is left alone, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerRules {
    /// So many failures in a row; 5 by default.
    pub failures: u32,
    /// For so long at first; 5 s by default.
    pub first: Duration,
    /// For so long at most; 5 min by default.
    pub longest: Duration,
}

impl BreakerRules {
    /// Nobody is ever left alone: each failure is a result.
    pub const fn never() -> Self {
        Self { failures: u32::MAX, first: Duration::ZERO, longest: Duration::ZERO }
    }
}

impl Default for BreakerRules {
    fn default() -> Self {
        Self { failures: 5, first: Duration::from_secs(5), longest: Duration::from_secs(300) }
    }
}

/// A request that was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerTurn {
    /// What comes of it decides whether others are.
    decides: bool,
}

/// Whether somebody is asked.
#[derive(Debug, Clone)]
pub struct Breaker {
    rules: BreakerRules,
    failures: u32,
    /// Until when nothing is asked, and how long that took; `None` while all is asked.
    open: Option<(Duration, Duration)>,
    /// The one request that decides is under way.
    is_trying: bool,
}

impl Breaker {
    /// One that lets all through.
    pub const fn new(rules: BreakerRules) -> Self {
        Self { rules, failures: 0, open: None, is_trying: false }
    }

    /// Whether a request is let through at `now`, on any clock that does not go back, and as what; `None` if it is not. What comes of it
    /// is to be said by [`note`](Self::note) or [`forget`](Self::forget).
    pub fn admits(&mut self, now: Duration) -> Option<BreakerTurn> {
        match self.open {
            None => Some(BreakerTurn { decides: false }),
            Some((until, _)) if now < until || self.is_trying => None,
            Some(_) => {
                self.is_trying = true;
                Some(BreakerTurn { decides: true })
            }
        }
    }

    /// What came of a request.
    pub fn note(&mut self, turn: BreakerTurn, is_well: bool, now: Duration) {
        if self.open.is_some() && !turn.decides {
            // It was under way before, and says nothing new.
            return;
        }
        let length = match self.open {
            _ if is_well => {
                (self.failures, self.open, self.is_trying) = (0, None, false);
                return;
            }
            Some((_, length)) => (length * 2).min(self.rules.longest),
            None => {
                self.failures = self.failures.saturating_add(1);
                if self.failures < self.rules.failures {
                    return;
                }
                self.rules.first
            }
        };
        (self.open, self.is_trying) = (Some((now.saturating_add(length), length)), false);
    }

    /// A request that was let through has ended without saying anything.
    pub fn forget(&mut self, turn: BreakerTurn) {
        self.is_trying &= !turn.decides;
    }

    /// Whether nothing is asked at `now`.
    pub fn is_open(&self, now: Duration) -> bool {
        self.open.is_some_and(|(until, _)| now < until || self.is_trying)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn fails(breaker: &mut Breaker, now: Duration) {
        let turn = breaker.admits(now).unwrap();
        breaker.note(turn, false, now);
    }

    fn opened(now: Duration) -> Breaker {
        let mut breaker = Breaker::new(BreakerRules { failures: 3, first: s(10), longest: s(25) });
        for _ in 0..3 {
            fails(&mut breaker, now);
        }
        assert!(breaker.admits(now).is_none() && breaker.is_open(now));
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_does_not() {
        let mut breaker = Breaker::new(BreakerRules { failures: 3, ..BreakerRules::default() });
        for second in 0..100 {
            let turn = breaker.admits(s(second)).unwrap();
            breaker.note(turn, second % 3 == 2, s(second));
        }
        opened(s(0));
    }

    #[test]
    fn who_measures_failures_leaves_nobody_alone() {
        let mut breaker = Breaker::new(BreakerRules::never());
        for second in 0..1000 {
            fails(&mut breaker, s(second));
        }
        assert!(!breaker.is_open(s(1000)));
    }

    #[test]
    fn one_request_decides_when_the_time_is_over() {
        let mut breaker = opened(s(0));
        assert!(breaker.admits(s(9)).is_none());
        let turn = breaker.admits(s(10)).unwrap();
        assert!(breaker.admits(s(10)).is_none(), "one alone");
        breaker.note(turn, true, s(11));
        assert!(
            breaker.admits(s(11)).is_some() && breaker.admits(s(11)).is_some() && !breaker.is_open(s(11))
        );
    }

    #[test]
    fn each_time_in_a_row_it_takes_twice_as_long_up_to_a_bound() {
        let mut breaker = opened(s(0));
        let mut now = s(10);
        for length in [20, 25, 25] {
            fails(&mut breaker, now);
            assert!(breaker.admits(now + s(length - 1)).is_none(), "{length}");
            now += s(length);
        }
        let turn = breaker.admits(now).unwrap();
        breaker.note(turn, true, now);
        for _ in 0..3 {
            fails(&mut breaker, now);
        }
        assert!(breaker.admits(now + s(10)).is_some(), "it begins anew");
    }

    #[test]
    fn who_was_under_way_or_has_gone_does_not_count() {
        let mut breaker = Breaker::new(BreakerRules { failures: 1, first: s(10), longest: s(25) });
        let (early, late) = (breaker.admits(s(0)).unwrap(), breaker.admits(s(0)).unwrap());
        fails(&mut breaker, s(0));
        breaker.note(early, false, s(5));
        let trying = breaker.admits(s(10)).unwrap();
        breaker.forget(late);
        assert!(breaker.admits(s(10)).is_none(), "another one is trying");
        breaker.forget(trying);
        assert!(breaker.admits(s(10)).is_some(), "another one decides");
    }
}
