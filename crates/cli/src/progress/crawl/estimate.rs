//! How fast a crawl is, and how long it will take.
//!
//! The end of a crawl is spent waiting for hosts that do not answer, and nobody knows how long. So nothing is promised
//! unless what is waiting takes much longer than that, and unless the promises of the last while agree with each other.

use std::{collections::VecDeque, time::Duration};

use super::State;

/// How far back the rate looks.
const WINDOW: Duration = Duration::from_secs(3);

/// The most moments that are remembered; older ones go first.
const MOMENTS: usize = 64;

/// What the queue must take at least: as long again is spent waiting after it, with the timeouts at their defaults.
const LEAST: Duration = Duration::from_secs(40);

/// A promise is told after the same was said for this share of the time that has passed.
const STEADY_SHARE: f64 = 0.1;

/// How far the promises of that time may be from the last one, as a share of it.
const TOLERANCE: f64 = 0.25;

/// What was known at one moment.
#[derive(Debug, Clone, Copy)]
struct ProgressSample {
    elapsed: Duration,
    visits: u64,
    discovered: u64,
}

/// An end that was foreseen.
#[derive(Debug, Clone, Copy)]
struct Foreseen {
    at: Duration,
    end: Duration,
}

/// Remembers the last seconds, and what was foreseen in the last while.
#[derive(Debug)]
pub(super) struct Estimator {
    moments: VecDeque<ProgressSample>,
    foreseen: VecDeque<Foreseen>,
    limit: Option<u64>,
}

impl Estimator {
    pub(super) const fn new(limit: Option<u64>) -> Self {
        Self { moments: VecDeque::new(), foreseen: VecDeque::new(), limit }
    }

    /// Fills the rate and the time left in. The queue shrinks by what is visited and grows by what is found: while it
    /// grows, nobody knows how long it will take.
    pub(super) fn update(&mut self, state: State) -> State {
        let State { elapsed, progress, .. } = state;
        let now = ProgressSample { elapsed, visits: progress.visits, discovered: progress.discovered };
        let is_old = |moment: &ProgressSample| elapsed.saturating_sub(moment.elapsed) > WINDOW;
        // One moment before the window stays, so that there is always something to compare with.
        while self.moments.len() > MOMENTS || self.moments.get(1).is_some_and(is_old) {
            self.moments.pop_front();
        }
        let since = self.moments.front().copied().unwrap_or(ProgressSample {
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
        let left = self.promised(elapsed, self.queue_takes(&state, rate, growth));
        State { left, rate, ..state }
    }

    /// How long what is waiting takes, with a second visit for those that failed; `None` while it grows, and once the
    /// second visits are made: what is left of them is not known.
    fn queue_takes(&self, state: &State, rate: f64, growth: f64) -> Option<Duration> {
        let progress = state.progress;
        if progress.second_chances {
            return None;
        }
        let queue = (progress.waiting + progress.under_way + progress.unreachable) as f64;
        let until_limit = self.limit.map(|limit| limit.saturating_sub(progress.visits) as f64);
        let by_queue = (rate > growth).then(|| queue / (rate - growth));
        let by_limit = until_limit.filter(|_| rate > 0.0).map(|visits| visits / rate);
        let left = [by_queue, by_limit].into_iter().flatten().reduce(f64::min)?;
        Duration::try_from_secs_f64(left).ok()
    }

    /// What is told: the last promise, if those of the last while foresaw the same end.
    fn promised(&mut self, now: Duration, left: Option<Duration>) -> Option<Duration> {
        let Some(left) = left.filter(|&left| left >= LEAST) else {
            self.foreseen.clear();
            return None;
        };
        let end = now + left;
        let spacing = now / u32::try_from(MOMENTS).unwrap_or(u32::MAX);
        if self.foreseen.back().is_none_or(|last| now.saturating_sub(last.at) >= spacing) {
            self.foreseen.push_back(Foreseen { at: now, end });
        }
        let while_s = now.mul_f64(STEADY_SHARE).max(WINDOW);
        // One that is older stays: it says that the while is covered.
        while self.foreseen.get(1).is_some_and(|next| now.saturating_sub(next.at) > while_s)
            || self.foreseen.len() > MOMENTS
        {
            self.foreseen.pop_front();
        }
        let covers = self.foreseen.front().is_some_and(|first| now.saturating_sub(first.at) >= while_s);
        let agrees = |foreseen: &Foreseen| foreseen.end.abs_diff(end) <= left.mul_f64(TOLERANCE);
        (covers && self.foreseen.iter().all(agrees)).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use crawl::Progress;

    use super::*;

    /// What is told in each tenth of a second of a crawl whose progress is known, beside what is true.
    fn told(limit: Option<u64>, length_s: f64, progress: impl Fn(f64) -> Progress) -> Vec<(f64, f64)> {
        let mut estimator = Estimator::new(limit);
        let mut told = Vec::new();
        let mut now = 0.1;
        while now < length_s {
            let elapsed = Duration::from_secs_f64(now);
            let state = State { elapsed, left: None, rate: 0.0, progress: progress(now) };
            told.extend(estimator.update(state).left.map(|left| (now, left.as_secs_f64())));
            now += 0.1;
        }
        told
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of a test")]
    fn whole(count: f64) -> u64 {
        count as u64
    }

    /// Peers are found ever more slowly and visited at a rate; a share of them does not answer, is visited again, and at
    /// the end is waited for.
    fn crawl(peers: f64, rate: f64, dead: f64, found_in_s: f64) -> impl Fn(f64) -> Progress {
        move |now| {
            let discovered = (peers * (1.0 - (-now / found_in_s).exp())).max(now.min(1.0) * 20.0);
            let visits = (rate * now).min(discovered).min(peers * (1.0 + dead));
            let first = visits.min(peers);
            let second = rate.mul_add(now, -peers).clamp(0.0, peers * dead);
            Progress {
                turned_away: 0,
                discovered: whole(discovered),
                reachable: whole(first * (1.0 - dead)),
                unreachable: whole(first * dead),
                waiting: whole((discovered - first).max(0.0)),
                under_way: 0,
                visits: whole(first + second),
                edges: 0,
                second_chances: first >= peers,
                walks: 0,
            }
        }
    }

    #[test]
    fn what_is_told_after_the_first_fifth_is_right_within_a_factor_of_two() {
        let mut all = 0;
        for (peers, rate, dead, found_in_s, waits_s) in [
            (30_000.0, 100.0, 0.0, 10.0, 2.0),
            (30_000.0, 100.0, 0.3, 10.0, 15.0),
            (30_000.0, 100.0, 0.5, 40.0, 30.0),
            (10_000.0, 1000.0, 0.5, 1.0, 15.0),
            (20_000.0, 400.0, 0.1, 2.0, 20.0),
            (100_000.0, 300.0, 0.4, 60.0, 30.0),
        ] {
            let length_s = peers * (1.0 + dead) / rate + waits_s;
            let told = told(None, length_s, crawl(peers, rate, dead, found_in_s));
            all += told.len();
            for (now, left) in told.into_iter().filter(|(now, _)| *now >= length_s / 5.0) {
                let truth = length_s - now;
                let factor = (left / truth).max(truth / left);
                assert!(
                    factor <= 2.0,
                    "{peers} peers, after {now:.1} s of {length_s}: {left:.1} s for {truth:.1} s"
                );
            }
        }
        assert!(all > 1000, "something is told: {all}");
    }

    #[test]
    fn while_more_is_found_than_visited_and_while_it_changes_nothing_is_promised() {
        let growing = |now: f64| Progress {
            discovered: whole(now * 1000.0),
            visits: whole(now * 100.0),
            waiting: whole(now * 900.0),
            ..Progress::default()
        };
        assert_eq!(told(None, 60.0, growing), []);
        // The rate halves every five seconds: each promise breaks the one before.
        let slower = |now: f64| {
            let visits = 50_000.0 * (1.0 - (0.5_f64).powf(now / 5.0));
            Progress {
                discovered: 100_000,
                visits: whole(visits),
                waiting: whole(100_000.0 - visits),
                ..Progress::default()
            }
        };
        assert_eq!(told(None, 60.0, slower), []);
    }

    #[test]
    fn a_limit_ends_it_earlier() {
        let steady = |now: f64| Progress {
            discovered: 1_000_000,
            visits: whole(now * 100.0),
            waiting: 1_000_000 - whole(now * 100.0),
            ..Progress::default()
        };
        let told = told(Some(20_000), 200.0, steady);
        assert!(told.len() > 500 && told.iter().all(|(now, left)| (now + left - 200.0).abs() < 2.0));
    }

    #[test]
    fn memory_is_bounded() {
        let mut estimator = Estimator::new(None);
        for n in 0..10_000_u64 {
            let progress =
                Progress { discovered: 1_000_000, visits: n, waiting: 1_000_000 - n, ..Progress::default() };
            let elapsed = Duration::from_millis(n);
            estimator.update(State { elapsed, left: None, rate: 0.0, progress });
        }
        assert!(estimator.moments.len() <= MOMENTS + 1 && estimator.foreseen.len() <= MOMENTS + 1);
    }
}
