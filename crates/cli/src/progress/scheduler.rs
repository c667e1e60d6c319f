//! How a scheduler stands: its last round, and who can be measured.

use std::time::Duration;

use perf::{OperationOutcome, RoundReport, SchedulerNow, SchedulerWatch};

use super::Tell;
use crate::render::text::{counted, duration, escaped, fit};

/// How a scheduler stands.
#[derive(Debug)]
pub(crate) struct SchedulerProgress(pub(crate) SchedulerWatch);

impl Tell for SchedulerProgress {
    fn line(&mut self, _elapsed: Duration, room: usize) -> String {
        fit(&line(&self.0.now()), room)
    }

    fn log_line(&mut self, elapsed: Duration) -> String {
        format!("after {}: {}", duration(elapsed.as_secs_f64().floor()), line(&self.0.now()))
    }
}

fn line(now: &SchedulerNow) -> String {
    let servers = counted(now.servers as u64, "server", "servers");
    let away = if now.register_is_away { ", the register is away: these are those that it knew" } else { "" };
    let who = match (now.leads, &now.led_by) {
        (true, _) => match &now.last {
            Some(report) => round(report),
            None => "no round has ended yet".to_owned(),
        },
        (false, Some(other)) => {
            format!("another scheduler ({}) measures these fleets; waiting", escaped(other))
        }
        (false, None) => "waiting for the fleets' leases".to_owned(),
    };
    let under_way = counted(now.rounds_under_way as u64, "round", "rounds");
    let skipped = match now.rounds.skipped {
        0 => String::new(),
        count => format!(", {count} skipped"),
    };
    format!("{who} │ {under_way} under way{skipped} │ {servers}{away}")
}

/// One round: who published, and what came of it.
fn round(report: &RoundReport) -> String {
    let at = format!("{} ({})", report.publisher.http, escaped(&report.publisher.fleet));
    let published = match report.provided {
        OperationOutcome::Done => format!("{at} published in {}", duration(report.provide_s)),
        outcome => format!("{at}: {outcome}"),
    };
    let median = report.median_s.map_or_else(String::new, |median| format!(", median {}", duration(median)));
    format!(
        "round {}: {published}; {} of {} as expected{median}",
        report.number, report.as_expected, report.asked
    )
}

#[cfg(test)]
mod tests {
    use perf::Seat;

    use super::*;

    fn report() -> RoundReport {
        let seat = Seat { fleet: "a".into(), region: "r".into(), http: ([127, 0, 0, 1], 7070).into() };
        RoundReport {
            number: 12,
            publisher: seat,
            provided: OperationOutcome::Done,
            provide_s: 1.2,
            asked: 3,
            as_expected: 2,
            median_s: Some(0.4),
        }
    }

    #[test]
    fn a_round_says_who_published_and_what_others_found() {
        let now = SchedulerNow { leads: true, servers: 4, last: Some(report()), ..SchedulerNow::default() };
        let expected = "round 12: 127.0.0.1:7070 (a) published in 1.2 s; 2 of 3 as expected, median 400 ms │ 0 rounds under way │ 4 servers";
        assert_eq!(line(&now), expected);
        let failed = RoundReport {
            provided: OperationOutcome::TimedOut,
            asked: 0,
            as_expected: 0,
            median_s: None,
            ..report()
        };
        assert_eq!(round(&failed), "round 12: 127.0.0.1:7070 (a): timed_out; 0 of 0 as expected");
    }

    #[test]
    fn who_waits_says_for_whom() {
        let now = SchedulerNow {
            led_by: Some("another".into()),
            register_is_away: true,
            ..SchedulerNow::default()
        };
        let line = line(&now);
        assert!(line.starts_with("another scheduler (another) measures these fleets; waiting"), "{line}");
        assert!(line.ends_with("the register is away: these are those that it knew"), "{line}");
    }
}
