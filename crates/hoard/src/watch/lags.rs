//! How late rounds begin.

use std::time::Duration;

/// How many rounds quantiles are of: the last so many.
const REMEMBERED: usize = 1024;

/// How late rounds begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LagNow {
    /// The median of the last 1,024 rounds.
    pub p50: Duration,
    /// Of them, 99 % began no later.
    pub p99: Duration,
    /// The latest of all.
    pub max: Duration,
}

/// The lags of the last rounds.
#[derive(Debug, Default)]
pub(super) struct Lags {
    last: Vec<Duration>,
    next: usize,
    max: Duration,
}

impl Lags {
    pub(super) fn add(&mut self, lag: Duration) {
        self.max = self.max.max(lag);
        if self.last.len() < REMEMBERED {
            self.last.push(lag);
        } else if let Some(oldest) = self.last.get_mut(self.next) {
            *oldest = lag;
        }
        self.next = (self.next + 1) % REMEMBERED;
    }

    pub(super) fn now(&self) -> LagNow {
        let mut sorted = self.last.clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100);
            sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
        };
        LagNow { p50: at(50), p99: at(99), max: self.max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_last_rounds_and_the_latest_is_of_all() {
        let mut lags = Lags::default();
        assert_eq!(lags.now(), LagNow::default());
        lags.add(Duration::from_secs(100));
        for at in 0..REMEMBERED as u64 {
            lags.add(Duration::from_millis(at));
        }
        let LagNow { p50, p99, max } = lags.now();
        assert_eq!((p50, p99), (Duration::from_millis(511), Duration::from_millis(1013)));
        assert_eq!(max, Duration::from_secs(100));
    }
}
