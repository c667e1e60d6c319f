//! How much of a core prefetching may take: a bucket that fills with CPU time. Pure: times are given.

use std::time::Duration;

/// What a lookup costs, as far as its price is known beforehand: figures of the order that `docs/benchmarks.md` has for a lookup
/// of 16 requests and for a dial. A machine of another speed takes another share than the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookupCost {
    /// CPU time of a request over a connection that stands. Default 60 us.
    pub per_request: Duration,
    /// CPU time of a dial. Default 400 us.
    pub per_dial: Duration,
}

impl Default for LookupCost {
    fn default() -> Self {
        Self { per_request: Duration::from_micros(60), per_dial: Duration::from_micros(400) }
    }
}

impl LookupCost {
    /// What so many requests and dials cost.
    pub fn of(&self, requests: usize, dials: u64) -> Duration {
        let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        self.per_request.saturating_mul(count(requests as u64)) + self.per_dial.saturating_mul(count(dials))
    }
}

/// What is left of the share of a core. All numbers are seconds of CPU time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// The share of a core that it may take.
    share: f64,
    /// What is there to be spent; below zero while what was spent is to be waited for.
    left: f64,
    /// About what one lookup costs.
    expected: f64,
    filled: Duration,
}

/// A bucket holds what comes in so many seconds.
const DEPTH_S: f64 = 1.0;

/// How much the last lookup counts in what the next is expected to cost.
const WEIGHT: f64 = 1.0 / 16.0;

/// What the first is expected to cost: 40 requests, half of them with a dial.
const FIRST: f64 = 0.01;

/// A pause in which nobody needs to ask again.
const LONG: Duration = Duration::from_secs(60);

impl Budget {
    /// A full one, for a share of a core: 0 is none, 1 is all of it, 2 are two.
    pub(crate) const fn new(share: f64, now: Duration) -> Self {
        Self { share, left: share * DEPTH_S, expected: FIRST, filled: now }
    }

    /// Takes what a lookup is expected to cost, which is given back for what it has cost in truth; or says for how long there will be
    /// nothing to take.
    pub(crate) fn take(&mut self, now: Duration) -> Result<f64, Duration> {
        let passed = now.saturating_sub(self.filled).as_secs_f64();
        self.filled = self.filled.max(now);
        self.left = (self.left + passed * self.share).min(self.share * DEPTH_S);
        if self.left > 0.0 {
            self.left -= self.expected;
            return Ok(self.expected);
        }
        let wait = (self.left.abs() + f64::EPSILON) / self.share;
        Err(Duration::try_from_secs_f64(wait).unwrap_or(LONG).clamp(Duration::from_millis(1), LONG))
    }

    /// What was taken has cost this.
    pub(crate) fn settle(&mut self, taken: f64, cost: Duration) {
        let cost = cost.as_secs_f64();
        self.left += taken - cost;
        self.expected += (cost - self.expected) * WEIGHT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_long_run_the_share_is_what_is_spent_whatever_lookups_cost() {
        for (share, cost_ms) in [(0.1, 4), (0.1, 40), (0.5, 1), (2.0, 300)] {
            let mut budget = Budget::new(share, Duration::ZERO);
            let (mut now, mut spent) = (Duration::ZERO, Duration::ZERO);
            let cost = Duration::from_millis(cost_ms);
            while now < Duration::from_secs(100) {
                match budget.take(now) {
                    Ok(taken) => {
                        budget.settle(taken, cost);
                        spent += cost;
                    }
                    Err(wait) => now += wait,
                }
            }
            let seen = spent.as_secs_f64() / now.as_secs_f64();
            assert!((seen / share - 1.0).abs() < 0.03, "{share} {cost_ms}: {seen}");
        }
    }

    #[test]
    fn what_is_under_way_is_spent_already_and_nothing_is_saved_up_for_long() {
        let mut budget = Budget::new(0.1, Duration::ZERO);
        let begun = (0..1_000).take_while(|_| budget.take(Duration::from_secs(3600)).is_ok()).count();
        assert!(begun <= 11, "{begun}");
    }

    #[test]
    fn no_share_is_nothing() {
        assert_eq!(Budget::new(0.0, Duration::ZERO).take(Duration::from_secs(9)), Err(LONG));
    }
}
