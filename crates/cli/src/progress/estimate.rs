//! How fast a crawl is, and how long it will take.

use std::{collections::VecDeque, time::Duration};

use super::State;

/// How far back the rate looks.
const WINDOW: Duration = Duration::from_secs(3);

/// The most moments that are remembered; older ones go first.
const MOMENTS: usize = 64;

/// What was known at one moment.
#[derive(Debug, Clone, Copy)]
struct Moment {
    elapsed: Duration,
    visits: u64,
    discovered: u64,
}

/// Remembers the last seconds.
#[derive(Debug)]
pub(super) struct Estimator {
    moments: VecDeque<Moment>,
    limit: Option<u64>,
}

impl Estimator {
    pub(super) const fn new(limit: Option<u64>) -> Self {
        Self { moments: VecDeque::new(), limit }
    }

    /// Fills the rate and the time left in. The queue shrinks by what is visited and grows by what is found: while it
    /// grows, nobody knows how long it will take.
    pub(super) fn update(&mut self, state: State) -> State {
        let State { elapsed, progress, .. } = state;
        let now = Moment { elapsed, visits: progress.visits, discovered: progress.discovered };
        let is_old = |moment: &Moment| elapsed.saturating_sub(moment.elapsed) > WINDOW;
        // One moment before the window stays, so that there is always something to compare with.
        while self.moments.len() > MOMENTS || self.moments.get(1).is_some_and(is_old) {
            self.moments.pop_front();
        }
        let since = self.moments.front().copied().unwrap_or(Moment {
            elapsed: Duration::ZERO,
            visits: 0,
            discovered: now.discovered,
        });
        self.moments.push_back(now);
        let seconds = elapsed.saturating_sub(since.elapsed).as_secs_f64();
        if seconds <= 0.0 {
            return state;
        }
        let rate = now.visits.saturating_sub(since.visits) as f64 / seconds;
        let growth = now.discovered.saturating_sub(since.discovered) as f64 / seconds;
        let queue = (progress.waiting + progress.under_way) as f64;
        let until_limit = self.limit.map(|limit| limit.saturating_sub(progress.visits) as f64);
        let by_queue = (rate > growth).then(|| queue / (rate - growth));
        let by_limit = until_limit.filter(|_| rate > 0.0).map(|visits| visits / rate);
        let left = [by_queue, by_limit].into_iter().flatten().reduce(f64::min);
        State { rate, left: left.and_then(|left| Duration::try_from_secs_f64(left).ok()), ..state }
    }
}

#[cfg(test)]
mod tests {
    use crawl::Progress;

    use super::*;

    fn state(seconds: u64, visits: u64, discovered: u64) -> State {
        let progress = Progress { discovered, visits, waiting: discovered - visits, ..Progress::default() };
        State { elapsed: Duration::from_secs(seconds), left: None, rate: 0.0, progress }
    }

    #[test]
    fn while_more_is_found_than_visited_nothing_is_promised() {
        let mut estimator = Estimator::new(None);
        estimator.update(state(1, 100, 1000));
        let growing = estimator.update(state(2, 200, 2000));
        assert_eq!((growing.rate, growing.left), (100.0, None));
        let shrinking = estimator.update(state(10, 1800, 2000));
        assert_eq!((shrinking.rate, shrinking.left), (200.0, Some(Duration::from_secs(1))));
    }

    #[test]
    fn a_limit_ends_it_earlier() {
        let mut estimator = Estimator::new(Some(300));
        estimator.update(state(1, 100, 10_000));
        assert_eq!(estimator.update(state(2, 200, 10_000)).left, Some(Duration::from_secs(1)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut estimator = Estimator::new(None);
        for _ in 0..1000 {
            estimator.update(state(1, 1, 1));
        }
        assert!(estimator.moments.len() <= MOMENTS + 1);
    }
}
