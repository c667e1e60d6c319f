//! Nebula's rule, row by row.

use kad::failure::{Failure, Phase};

use super::*;

/// The page that has the table.
const PAGE: &str = include_str!("../../../../docs/methodology/sessions.md");

const S: i64 = 1_000_000;

fn look(at_s: i64, class: Option<FailureClass>) -> PeerLook {
    PeerLook {
        started_at: Timestamp((at_s - 1) * S),
        ended_at: Timestamp(at_s * S),
        evidence: if class.is_none() { UptimeEvidence::Up } else { UptimeEvidence::Down },
        failure: class.map(|class| Failure::new(Phase::Connect, class)),
        is_answered: false,
        is_sure: false,
    }
}

#[test]
fn the_next_visit_is_as_in_the_table() {
    // Seconds since the last success, seconds until the next visit.
    for (since, until) in [(0, 60), (50, 60), (60, 72), (100, 120), (750, 900), (751, 900), (100_000, 900)] {
        let (last, now) = (Timestamp(0), Timestamp(since * S));
        assert_eq!(nebula_next_visit(now, Some(last)).since(now), Duration::from_secs(until), "{since}");
    }
    assert_eq!(nebula_next_visit(Timestamp(0), None), Timestamp(60 * S));
}

#[test]
fn tolerated_failures_are_as_in_the_table() {
    let section = PAGE.lines().skip_while(|line| *line != "### Failures that Nebula tolerates").skip(4);
    let cells = section.take_while(|line| line.starts_with("| ")).map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        (cells[1].parse::<f64>().unwrap(), cells[2].parse::<u32>().unwrap())
    });
    let rows: Vec<_> = cells.collect();
    assert_eq!(rows.len(), 4);
    let before = rows.windows(2).map(|pair| (pair[1].0 - 0.01, pair[0].1));
    for (hours, most) in rows.iter().copied().chain(before).chain([(900.0, 3)]) {
        let uptime = HOUR.mul_f64(hours);
        assert_eq!(nebula_max_failed(uptime, FailureClass::Timeout), most, "{hours}");
        for fatal in [FailureClass::NoAddress, FailureClass::HostUnreachable, FailureClass::PeerIdMismatch] {
            assert_eq!(nebula_max_failed(uptime, fatal), 0);
        }
    }
}

#[test]
fn pauses_are_as_in_the_table() {
    let seconds = |class, failed| nebula_retry_pause(class, failed).map(|pause| pause.as_secs());
    for failed in 1..=3 {
        assert_eq!(seconds(FailureClass::Timeout, failed), Some(10 * u64::from(failed)));
        assert_eq!(seconds(FailureClass::PeerIdMismatch, failed), None);
        assert_eq!(seconds(FailureClass::NoAddress, failed), None);
    }
    assert_eq!(seconds(FailureClass::ConnectionRefused, 1), Some(70));
    assert_eq!(seconds(FailureClass::ConnectionRefused, 2), None);
}

#[test]
fn transitions_are_as_in_the_table() {
    let silent = Some(FailureClass::Timeout);
    let mut peer = NebulaUptime::default();
    // none, error: nothing.
    assert_eq!((peer.looked(&look(1, silent)), peer.next_visit()), (None, None));
    // none, ok: open, next in a minute.
    peer.looked(&look(10, None));
    assert_eq!(peer.next_visit(), Some(Timestamp(70 * S)));
    // open, ok: by the time since the last success.
    peer.looked(&look(3 * 3600 + 10, None));
    assert_eq!(peer.next_visit(), Some(Timestamp((3 * 3600 + 10 + 900) * S)));
    // open, error, max 1: pending, next in max minutes.
    assert_eq!(peer.looked(&look(12_000, silent)), None);
    assert_eq!((peer.session().unwrap().failed, peer.next_visit()), (1, Some(Timestamp(12_060 * S))));
    // pending, ok: open, recovered.
    peer.looked(&look(12_060, None));
    let open = *peer.session().unwrap();
    assert_eq!((open.recovered, open.failed, open.reason, open.successes), (1, 0, None, 3));
    // pending, error, failed < max: once more, by the time since the last success.
    peer.looked(&look(30_000, None));
    peer.looked(&look(30_100, silent));
    assert_eq!(peer.next_visit(), Some(Timestamp((30_100 + 120) * S)));
    assert_eq!(peer.looked(&look(30_220, Some(FailureClass::ConnectionRefused))), None);
    assert_eq!(peer.next_visit(), Some(Timestamp((30_220 + 264) * S)));
    // otherwise, error: closed, with the first error and the last success.
    let closed = peer.looked(&look(30_484, silent)).unwrap();
    assert_eq!((closed.first_success, closed.last_success), (Timestamp(9 * S), Timestamp(30_000 * S)));
    assert_eq!((closed.reason, peer.next_visit()), (silent, None));
}

#[test]
fn a_young_session_ends_with_the_first_error() {
    let mut peer = NebulaUptime::default();
    peer.looked(&look(10, None));
    peer.looked(&look(70, None));
    assert!(peer.looked(&look(140, Some(FailureClass::Timeout))).is_some());
}
