//! How far a crawl is: one line on a terminal, or a line of log.

mod estimate;

use std::time::Duration;

use crawl::Progress;
use tokio::sync::watch;

use self::estimate::Estimator;
use super::Tell;
use crate::render::text::{bar, columns, counted, duration, grouped, left};

/// The width of the bar, in columns.
pub(super) const BAR_COLUMNS: usize = 20;

/// How far a crawl is.
#[derive(Debug)]
pub(crate) struct CrawlProgress {
    /// It is looked at, never awaited: being woken by each visit costs more than it shows.
    progress: watch::Receiver<Progress>,
    estimator: Estimator,
}

impl CrawlProgress {
    /// Of a crawl that stops after `limit` visits, if there is a limit.
    pub(crate) fn new(progress: watch::Receiver<Progress>, limit: Option<u64>) -> Self {
        Self { progress, estimator: Estimator::new(limit) }
    }

    fn state(&mut self, elapsed: Duration) -> State {
        self.estimator.update(State { elapsed, left: None, rate: 0.0, progress: *self.progress.borrow() })
    }
}

impl Tell for CrawlProgress {
    fn line(&mut self, elapsed: Duration, room: usize) -> String {
        line(&self.state(elapsed), room)
    }

    fn log_line(&mut self, elapsed: Duration) -> String {
        log_line(&self.state(elapsed))
    }
}

/// What one line shows.
#[derive(Debug, Clone, Copy)]
struct State {
    elapsed: Duration,
    /// How long it will probably take; `None` while that cannot be told.
    left: Option<Duration>,
    /// Visits per second, lately.
    rate: f64,
    progress: Progress,
}

/// What there is to say, as much of it as there is room for; nothing is cut.
fn line(state: &State, room: usize) -> String {
    let Progress { discovered, reachable, turned_away, unreachable, under_way, .. } = state.progress;
    let done = reachable + turned_away + unreachable;
    let share = if discovered == 0 { 0.0 } else { done as f64 / discovered as f64 };
    let time = match (state.progress.second_chances, state.left) {
        (true, _) => ", second chances".to_owned(),
        (false, Some(left)) => format!(", about {} left", duration(left.as_secs_f64().ceil())),
        (false, None) => String::new(),
    };
    let part = |shown: String, rank| (shown, rank);
    // Each with its rank: what has a higher one goes first where room is short.
    let parts = [
        part(format!("{:>4.0} %", share * 100.0), 0),
        part(format!(" ▕{}▏", left(&bar(share, BAR_COLUMNS), BAR_COLUMNS)), 3),
        part(format!(" {} of {}", grouped(done), counted(discovered, "peer", "peers")), 1),
        part(format!(", {} reached", grouped(reachable)), 4),
        part(format!(", {} under way", grouped(under_way)), 6),
        part(format!(", {}/s", grouped(round(state.rate))), 5),
        part(time, 2),
    ];
    fitting(&parts, room)
}

/// As many of these parts as there is room for: those of the highest ranks are left out first.
pub(super) fn fitting(parts: &[(String, usize)], room: usize) -> String {
    let with = |rank: usize| -> String {
        parts.iter().filter(|(_, own)| *own <= rank).map(|(shown, _)| shown.as_str()).collect()
    };
    (0..parts.len()).rev().map(with).find(|line| columns(line) <= room).unwrap_or_default()
}

fn log_line(state: &State) -> String {
    let Progress { discovered, reachable, unreachable, waiting, under_way, edges, second_chances, .. } =
        state.progress;
    let repeats = if second_chances { ", second chances" } else { "" };
    let left = state.left.map(|left| format!(", about {} left", duration(left.as_secs_f64().ceil())));
    format!(
        "after {}: {}, {reachable} reached, {unreachable} unreachable, {waiting} waiting, \
         {under_way} under way, {edges} edges, {} visits/s{repeats}{}",
        duration(state.elapsed.as_secs_f64().round()),
        if discovered == 1 { "1 peer".to_owned() } else { format!("{discovered} peers") },
        round(state.rate),
        left.unwrap_or_default(),
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is small and not negative"
)]
fn round(rate: f64) -> u64 {
    rate.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            elapsed: Duration::from_secs(12),
            left: Some(Duration::from_millis(72_300)),
            rate: 780.4,
            progress: Progress {
                discovered: 10_000,
                reachable: 5031,
                unreachable: 412,
                turned_away: 0,
                waiting: 4057,
                under_way: 500,
                visits: 5443,
                edges: 501_234,
                second_chances: false,
                walks: 0,
            },
        }
    }

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        insta::assert_snapshot!(line(&state(), 117), @"  54 % ▕██████████▉         ▏ 5,443 of 10,000 peers, 5,031 reached, 500 under way, 780/s, about 1 min 13 s left");
        insta::assert_snapshot!(log_line(&state()), @"after 12 s: 10000 peers, 5031 reached, 412 unreachable, 4057 waiting, 500 under way, 501234 edges, 780 visits/s, about 1 min 13 s left");
    }

    #[test]
    fn where_room_is_short_parts_are_left_out_and_none_is_cut() {
        insta::assert_snapshot!(line(&state(), 77), @"  54 % ▕██████████▉         ▏ 5,443 of 10,000 peers, about 1 min 13 s left");
        insta::assert_snapshot!(line(&state(), 57), @"  54 % 5,443 of 10,000 peers, about 1 min 13 s left");
        let whole = line(&state(), 200);
        for room in 0..200 {
            let line = line(&state(), room);
            assert!(columns(&line) <= room, "{room}: {line}");
            let numbers = line.split(' ').filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
            for number in numbers {
                let number = number.trim_end_matches(',');
                assert!(whole.split(' ').any(|word| word.trim_end_matches(',') == number), "{room}: {line}");
            }
        }
    }

    #[test]
    fn what_is_over_is_not_about_nothing() {
        let over = State {
            left: Some(Duration::ZERO),
            progress: Progress { discovered: 1, ..state().progress },
            ..state()
        };
        let said = [line(&over, 200), log_line(&over)].concat();
        assert!(said.contains(" 1 peer,") && !said.contains("µs") && !said.contains("1 peers"), "{said}");
    }
}
