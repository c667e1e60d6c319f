//! How far a random walk is: one line on a terminal, or a line of log. It ends by the clock, so how long it takes is known.

use std::time::Duration;

use crawl::Progress;
use tokio::sync::watch;

use super::{
    Tell,
    crawl::{BAR_COLUMNS, fitting},
};
use crate::render::text::{bar, counted, duration, grouped, left};

/// How far a random walk is.
#[derive(Debug)]
pub(crate) struct WalkProgress {
    progress: watch::Receiver<Progress>,
    lasts: Duration,
}

impl WalkProgress {
    /// Of one that lasts so long.
    pub(crate) const fn new(progress: watch::Receiver<Progress>, lasts: Duration) -> Self {
        Self { progress, lasts }
    }

    fn left(&self, elapsed: Duration) -> String {
        let left = self.lasts.saturating_sub(elapsed).as_secs_f64().ceil();
        if left > 0.0 { format!(", {} left", duration(left)) } else { ", last visits".to_owned() }
    }
}

impl Tell for WalkProgress {
    fn line(&mut self, elapsed: Duration, room: usize) -> String {
        let Progress { walks, discovered, reachable, under_way, .. } = *self.progress.borrow();
        let share = (elapsed.as_secs_f64() / self.lasts.as_secs_f64()).min(1.0);
        let parts = [
            (format!("{:>4.0} %", share * 100.0), 0),
            (format!(" ▕{}▏", left(&bar(share, BAR_COLUMNS), BAR_COLUMNS)), 3),
            (format!(" {}", counted(walks, "walk", "walks")), 1),
            (format!(", {}", counted(discovered, "peer", "peers")), 2),
            (format!(", {} reached", grouped(reachable)), 4),
            (format!(", {} visits under way", grouped(under_way)), 5),
            (self.left(elapsed), 2),
        ];
        fitting(&parts, room)
    }

    fn log_line(&mut self, elapsed: Duration) -> String {
        let Progress { walks, discovered, reachable, unreachable, waiting, under_way, .. } =
            *self.progress.borrow();
        format!(
            "after {}: {}, {}, {reachable} reached, {unreachable} unreachable, {waiting} waiting, {under_way} under way{}",
            duration(elapsed.as_secs_f64().round()),
            if walks == 1 { "1 walk".to_owned() } else { format!("{walks} walks") },
            if discovered == 1 { "1 peer".to_owned() } else { format!("{discovered} peers") },
            self.left(elapsed),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::columns;

    #[test]
    fn a_line_says_how_much_time_is_left_and_what_was_found() {
        let progress = Progress { walks: 1_234, discovered: 812, reachable: 700, ..Progress::default() };
        let mut walk = WalkProgress::new(watch::channel(progress).1, Duration::from_secs(600));
        let elapsed = Duration::from_secs(150);
        insta::assert_snapshot!(walk.line(elapsed, 120), @"  25 % ▕█████               ▏ 1,234 walks, 812 peers, 700 reached, 0 visits under way, 7 min 30 s left");
        insta::assert_snapshot!(walk.log_line(elapsed), @"after 2 min 30 s: 1234 walks, 812 peers, 700 reached, 0 unreachable, 0 waiting, 0 under way, 7 min 30 s left");
        for room in 0..120 {
            assert!(columns(&walk.line(elapsed, room)) <= room);
        }
        assert!(walk.line(Duration::from_secs(601), 120).contains("last visits"));
    }
}
