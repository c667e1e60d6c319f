//! So many statements in any second, and no more.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// Grants turns, evenly but for a few that may come at once: in no second more than were set.
#[derive(Debug)]
pub(super) struct StatementPace {
    interval: Duration,
    /// How much earlier than evenly a turn may come.
    leeway: Duration,
    next: Mutex<Option<Instant>>,
}

impl StatementPace {
    /// At most so many in a second, and at least one.
    pub(super) fn new(per_s: u32) -> Self {
        let per_s = per_s.max(1);
        // What comes at once is taken off the even ones: together they are as many as were set.
        let at_once = (per_s / 8).max(1);
        let interval = Duration::from_secs(1) / (per_s - at_once).max(1);
        Self { interval, leeway: interval * (at_once - 1), next: Mutex::new(None) }
    }

    /// When the next turn is, which is the caller's from now on.
    fn turn(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let evenly = next.unwrap_or(now).max(now);
        *next = Some(evenly + self.interval);
        evenly.checked_sub(self.leeway).unwrap_or(now).max(now)
    }

    /// Waits for a turn.
    pub(super) async fn wait(&self) {
        let turn = self.turn(Instant::now());
        sleep_until(turn).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The turns that somebody has who always wants one, but for a pause after every hundred.
    fn turns(per_s: u32) -> Vec<Instant> {
        let (pace, start) = (StatementPace::new(per_s), Instant::now());
        let mut turns = vec![pace.turn(start)];
        while let Some(&last) = turns.last().filter(|last| **last - start < Duration::from_secs(5)) {
            let pause = if turns.len() % 100 == 0 { Duration::from_millis(333) } else { Duration::ZERO };
            turns.push(pace.turn(last + pause));
        }
        turns
    }

    #[test]
    fn no_second_has_more_than_were_set() {
        for per_s in [1, 2, 7, 50, 1000] {
            let (turns, most) = (turns(per_s), usize::try_from(per_s).unwrap());
            for (at, first) in turns.iter().enumerate() {
                let within = turns[at..].iter().take_while(|turn| **turn - *first < Duration::from_secs(1));
                assert!(within.count() <= most, "{per_s}");
            }
            // The pauses take more of their time than the turns.
            assert!(turns.len() > most, "{} of {per_s}", turns.len());
        }
    }
}
