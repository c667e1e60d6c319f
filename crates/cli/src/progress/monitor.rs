//! How a monitor stands: who is up, what looks say, and how late they are.

use std::time::Duration;

use monitor::running::MonitorNow;
use tokio::sync::watch;

use super::Tell;
use crate::render::text::{duration, fit, grouped};

/// How a monitor stands.
#[derive(Debug)]
pub(crate) struct MonitorProgress(watch::Receiver<MonitorNow>);

impl MonitorProgress {
    /// Of this monitor.
    pub(crate) const fn new(now: watch::Receiver<MonitorNow>) -> Self {
        Self(now)
    }
}

impl Tell for MonitorProgress {
    fn line(&mut self, _elapsed: Duration, room: usize) -> String {
        fit(&line(&self.0.borrow()), room)
    }

    fn log_line(&mut self, elapsed: Duration) -> String {
        format!("after {}: {}", duration(elapsed.as_secs_f64().floor()), line(&self.0.borrow()))
    }
}

/// The most important first: what does not fit is cut off.
fn line(now: &MonitorNow) -> String {
    if now.known == 0 {
        return "nobody is known yet; the first crawl is under way".to_owned();
    }
    let doubtful =
        if now.doubtful == 0 { String::new() } else { format!(" ({} in doubt)", grouped(now.doubtful)) };
    let up = format!("{} of {} peers up{doubtful}", grouped(now.up), grouped(now.known));
    let sessions = format!("{} came, {} went", grouped(now.began), grouped(now.ended));
    let looks = format!("{} looks, late by {}", grouped(now.looks.all()), duration(now.lag.as_secs_f64()));
    let crawls =
        if now.is_crawling { "crawling".to_owned() } else { format!("{} crawls", grouped(now.crawls)) };
    let gaps = if now.gaps == 0 { String::new() } else { format!(" │ {} gaps of ours", grouped(now.gaps)) };
    let stretch =
        if now.stretch > 1.05 { format!(" │ intervals x{:.1}", now.stretch) } else { String::new() };
    format!("{up} │ {sessions} │ {looks} │ {crawls}{stretch}{gaps}")
}

#[cfg(test)]
mod tests {
    use monitor::running::LookCounts;

    use super::*;

    #[test]
    fn a_monitor_says_who_is_up_what_changed_and_how_late_it_is() {
        assert_eq!(line(&MonitorNow::default()), "nobody is known yet; the first crawl is under way");
        let now = MonitorNow {
            known: 21_000,
            up: 9_800,
            doubtful: 12,
            looks: LookCounts { up: 1_000, down: 20, unclear: 3 },
            began: 60,
            ended: 50,
            crawls: 4,
            stretch: 1.0,
            ..MonitorNow::default()
        };
        assert_eq!(
            line(&now),
            "9,800 of 21,000 peers up (12 in doubt) │ 60 came, 50 went │ 1,023 looks, late by 0 s │ 4 crawls"
        );
        let late = MonitorNow { gaps: 1, stretch: 2.5, is_crawling: true, ..now };
        assert!(line(&late).ends_with("│ crawling │ intervals x2.5 │ 1 gaps of ours"));
    }
}
