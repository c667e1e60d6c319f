//! What a monitor came to.

use monitor::running::MonitorEnd;

use super::text::{counted, duration, grouped};
use crate::command::Monitored;

/// What was seen, and how it ended.
pub(crate) fn monitored(ended: &Monitored, place: &str) -> String {
    let Monitored { run, summary } = ended;
    let now = &summary.counts;
    let took = duration(summary.finished_at.since(summary.started_at).as_secs_f64());
    let end = match summary.end {
        MonitorEnd::Done => "its time is over",
        MonitorEnd::Stopped => "stopped",
        MonitorEnd::Renewed => "to be gone on with",
        MonitorEnd::NotKept => "nothing could be kept any more",
    };
    let gaps = match now.gaps {
        0 => "no gap of the observer".to_owned(),
        gaps => counted(gaps, "gap of the observer", "gaps of the observer"),
    };
    [
        format!("monitored for {took}: {end} (run {run}, {place})"),
        format!(
            "  {} of {} peers up, {} in doubt",
            grouped(now.up),
            grouped(now.known),
            grouped(now.doubtful)
        ),
        format!(
            "  {} came, {} went, {} were in doubt and up again",
            counted(now.began, "session", "sessions"),
            grouped(now.ended),
            grouped(now.recovered)
        ),
        format!(
            "  {}: {} up, {} down, {} say nothing; none later than {}",
            counted(now.looks.all(), "look", "looks"),
            grouped(now.looks.up),
            grouped(now.looks.down),
            grouped(now.looks.unclear),
            duration(now.worst_lag.as_secs_f64())
        ),
        format!(
            "  {} with {}, {gaps}",
            counted(now.crawls, "crawl", "crawls"),
            counted(now.crawl_visits.all(), "visit", "visits")
        ),
    ]
    .join("\n")
        + "\n"
}
