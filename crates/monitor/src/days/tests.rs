//! Days of peers whose looks are written down.

use schema::GapCause;

use super::*;
use crate::session::SessionRules;

const HOUR: i64 = 3_600_000_000;

/// A look at this time of hours, which took no time.
fn look(hours: f64, is_up: bool) -> PeerLook {
    let at = Timestamp(0).after(Duration::from_secs_f64(hours * 3600.0));
    PeerLook {
        started_at: at,
        ended_at: at,
        evidence: if is_up { UptimeEvidence::Up } else { UptimeEvidence::Down },
        failure: None,
        is_answered: is_up,
        is_sure: false,
    }
}

fn hours(duration: Duration) -> f64 {
    duration.as_secs_f64() / 3600.0
}

/// The days of a peer that was looked at in these hours.
fn days(book: &mut DayBook, looks: &[(f64, bool)]) -> Vec<PeerDay> {
    let mut uptime = PeerUptime::new();
    for &(at, is_up) in looks {
        let (before, look) = (uptime, look(at, is_up));
        let change = uptime.looked(&look, &SessionRules { tolerated: 1, ..SessionRules::default() });
        book.looked(PeerNumber(0), &before, &look, &change);
    }
    book.take().collect()
}

#[test]
fn time_between_looks_that_agree_is_known_and_the_rest_is_not() {
    let looks = [(20.0, true), (22.0, true), (23.0, false), (23.5, false), (26.0, false), (27.0, true)];
    let days = days(&mut DayBook::default(), &looks);
    let known: Vec<_> = days.iter().map(|day| (day.day.0 / DAY_US, hours(day.up), hours(day.down))).collect();
    assert_eq!(known, [(0, 2.0, 1.0), (1, 0.0, 2.0)]);
    let counted: Vec<_> = days.iter().map(|day| (day.looks, day.begun, day.ended)).collect();
    assert_eq!(counted, [(4, 1, 1), (2, 1, 0)]);
}

#[test]
fn a_stretch_over_midnight_belongs_to_both_days() {
    let days = days(&mut DayBook::default(), &[(23.0, true), (50.0, true)]);
    assert_eq!(days.iter().map(|day| hours(day.up)).collect::<Vec<_>>(), [1.0, 24.0, 2.0]);
}

#[test]
fn what_the_observer_did_not_see_is_neither_up_nor_down() {
    let mut book = DayBook::default();
    for (from, until) in [(2, 5), (3, 6), (30, 31)] {
        let (from, until) = (Timestamp(from * HOUR), Timestamp(until * HOUR));
        book.gap(ObserverGap { cause: GapCause::Stopped, from, until });
    }
    let days = days(&mut book, &[(1.0, true), (10.0, true), (10.5, false), (11.0, false), (12.0, false)]);
    assert_eq!((hours(days[0].up), hours(days[0].down)), (5.0, 1.5));
}

#[test]
fn a_peer_that_was_never_up_is_never_down() {
    let days = days(&mut DayBook::default(), &[(1.0, false), (2.0, false)]);
    assert_eq!((days[0].up, days[0].down, days[0].looks), (Duration::ZERO, Duration::ZERO, 2));
}

#[test]
fn rows_of_one_day_add_up_however_often_they_are_taken() {
    let looks =
        [(1.0, true), (2.0, true), (9.0, true), (10.0, false), (11.0, false), (30.0, false), (31.0, true)];
    let whole = days(&mut DayBook::default(), &looks);
    let (mut book, mut uptime, mut parts) = (DayBook::default(), PeerUptime::new(), Vec::new());
    for (at, is_up) in looks {
        let (before, look) = (uptime, look(at, is_up));
        let change = uptime.looked(&look, &SessionRules { tolerated: 1, ..SessionRules::default() });
        book.looked(PeerNumber(0), &before, &look, &change);
        parts.extend(book.take());
    }
    assert!(parts.len() > whole.len());
    for period in UptimePeriod::ALL {
        assert_eq!(uptimes(&parts, *period), uptimes(&whole, *period));
    }
}

#[test]
fn uptime_is_at_least_and_at_most_of_the_whole_period() {
    let day = |text: &str, up: u64, down: u64| PeerDay {
        peer: PeerNumber(0),
        day: Timestamp::parse(text).unwrap(),
        up: Duration::from_secs(up * 3600),
        down: Duration::from_secs(down * 3600),
        looks: 1,
        begun: 0,
        ended: 0,
    };
    let all = [
        day("2028-02-01T00:00:00.000Z", 12, 6),
        day("2028-02-29T00:00:00.000Z", 24, 0),
        day("2028-12-31T00:00:00.000Z", 0, 24),
    ];
    let lengths = |period| {
        let of = uptimes(&all, period);
        of.iter().map(|(name, of)| (name.clone(), of.length.as_secs() / 86_400)).collect::<Vec<_>>()
    };
    assert_eq!(lengths(UptimePeriod::Year), [("2028".to_owned(), 366)]);
    assert_eq!(lengths(UptimePeriod::Month), [("2028-02".to_owned(), 29), ("2028-12".to_owned(), 31)]);
    let first = uptimes(&all, UptimePeriod::Day)["2028-02-01"];
    assert!((first.at_least() - 0.5).abs() < 1e-9 && (first.at_most() - 0.75).abs() < 1e-9);
}
