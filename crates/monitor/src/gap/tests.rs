//! Outages and departures of which it is known which they are.

use kad::failure::{Failure, FailureClass, Phase};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::*;

fn look(seconds: i64, is_up: bool) -> PeerLook {
    let evidence = if is_up { UptimeEvidence::Up } else { UptimeEvidence::Down };
    PeerLook {
        started_at: Timestamp(seconds * 1_000_000),
        ended_at: Timestamp((seconds + 1) * 1_000_000),
        evidence,
        failure: (!is_up).then(|| Failure::new(Phase::Connect, FailureClass::Timeout)),
        is_answered: is_up,
        is_sure: false,
    }
}

/// What comes of 2,000 looks, one a second at a new peer each, of which those `from` the second until `until` fail with a
/// probability and the others one time in twenty: the gaps, and how many looks at peers that failed in that time say that they are down.
fn watched(seed: u64, (from, until, share): (i64, i64, f64)) -> (Vec<ObserverGap>, usize) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut watch = OutageWatch::new(OutageRules::default(), Timestamp(0));
    let (mut gaps, mut looks) = (Vec::new(), Vec::new());
    for second in 0..2_000 {
        let fails = if (from..until).contains(&second) { share } else { 0.05 };
        let is_up = !rng.random_bool(fails);
        let decided = watch.looked(second, look(second, is_up), 0.05);
        gaps.extend(decided.gap);
        looks.extend(decided.looks);
    }
    looks.extend(watch.over(Timestamp(2_001_000_000)).looks);
    assert_eq!(looks.len(), 2_000, "every look is decided");
    assert!(looks.windows(2).all(|pair| pair[0].0 < pair[1].0), "in their order");
    let in_time = |(second, look): &&(i64, PeerLook)| {
        (from..until).contains(second) && look.evidence == UptimeEvidence::Down
    };
    (gaps, looks.iter().filter(in_time).count())
}

#[test]
fn an_outage_is_a_gap_and_nobodys_downtime() {
    let missed = (0..1_000).filter(|&seed| {
        let (gaps, downs) = watched(seed, (500, 800, 1.0));
        let is_found = gaps.len() == 1
            && gaps[0].from <= Timestamp(501_000_000)
            && gaps[0].until >= Timestamp(800_000_000)
            && gaps[0].length() < Duration::from_secs(320);
        !is_found || downs > 0
    });
    assert_eq!(missed.count(), 0, "of 1,000");
}

#[test]
fn an_outage_in_which_there_is_no_way_out_is_a_gap_too() {
    for silences in
        [[FailureClass::NetworkUnreachable; 2], [FailureClass::Timeout, FailureClass::NetworkUnreachable]]
    {
        let mut watch = OutageWatch::new(OutageRules::default(), Timestamp(0));
        assert!(watch.looked(0, look(0, true), 0.01).gap.is_none());
        let mut downs = 0;
        for second in 1_i64..=100 {
            let class = silences[usize::from(second % 2 == 0)];
            let evidence =
                if class == FailureClass::Timeout { UptimeEvidence::Down } else { UptimeEvidence::Unclear };
            let failure = Some(Failure::new(Phase::Connect, class));
            let decided = watch.looked(second, PeerLook { evidence, failure, ..look(second, false) }, 0.01);
            downs += decided.looks.iter().filter(|(_, look)| look.evidence == UptimeEvidence::Down).count();
        }
        let gap = watch.looked(200, look(101, true), 0.01).gap.unwrap();
        assert_eq!((gap.cause, downs), (GapCause::NetworkGone, 0), "{silences:?}");
        assert_eq!((gap.from, gap.until), (Timestamp(1_000_000), Timestamp(102_000_000)));
    }
}

#[test]
fn a_look_that_overlaps_another_gap_says_nothing_of_who_was_down() {
    let mut watch = OutageWatch::new(OutageRules::default(), Timestamp(0));
    watch.gap(ObserverGap {
        cause: GapCause::Stopped,
        from: Timestamp(5_000_000),
        until: Timestamp(605_000_000),
    });
    let stopped = PeerLook { started_at: Timestamp(4_000_000), ..look(606, false) };
    watch.looked(1, stopped, 0.01);
    watch.looked(2, look(607, false), 0.01);
    let evidence: Vec<_> =
        watch.looked(3, look(609, true), 0.01).looks.into_iter().map(|(_, look)| look.evidence).collect();
    assert_eq!(evidence, [UptimeEvidence::Unclear, UptimeEvidence::Down, UptimeEvidence::Up]);
}

#[test]
fn a_mass_departure_is_no_gap() {
    for share in [0.05, 0.3, 0.5, 0.8] {
        let alarms = (0..1_000).filter(|&seed| !watched(seed, (500, 2_000, share)).0.is_empty()).count();
        // 1,500 looks, of which one in five begins a run: 3 in 10,000 are expected at the largest share.
        assert!(alarms <= 3, "{alarms} of 1,000 with a share of {share}");
    }
}

#[test]
fn an_outage_too_short_to_be_told_is_believed_and_left_to_doubt() {
    let (gaps, downs) = watched(7, (500, 540, 1.0));
    assert_eq!((gaps.len(), downs), (0, 40));
}

#[test]
fn silence_of_the_same_peer_or_of_peers_that_are_down_is_no_outage() {
    let mut watch = OutageWatch::new(OutageRules::default(), Timestamp(0));
    for second in 0..500 {
        watch.looked(1, look(second, false), 0.05);
        watch.looked(second + 2, look(second, false), 1.0);
    }
    assert!(!watch.is_gone() && !watch.is_suspected());
}

#[test]
fn what_is_held_is_bounded() {
    let rules = OutageRules { most_held: 10, ..OutageRules::default() };
    let mut watch = OutageWatch::new(rules, Timestamp(0));
    let decided: usize = (0..1_000).map(|n| watch.looked(n, look(n, false), 1.0).looks.len()).sum();
    assert!(decided >= 990 && watch.held.len() <= 10 && watch.silent.len() <= 10);
}

#[test]
fn a_look_that_began_in_an_outage_says_nothing_when_it_ends_after_it() {
    let mut watch = OutageWatch::new(OutageRules::default(), Timestamp(0));
    for second in 0..100 {
        watch.looked(second, look(second, false), 0.01);
    }
    assert!(watch.is_gone());
    assert!(watch.looked(1_000, look(100, true), 0.01).gap.is_some());
    let late = PeerLook { started_at: Timestamp(99_000_000), ..look(104, false) };
    watch.looked(1_001, late, 0.01);
    let decided = watch.looked(1_002, look(106, true), 0.01);
    assert_eq!(decided.looks[0].1.evidence, UptimeEvidence::Unclear);
}

#[test]
fn beats_that_are_far_apart_are_a_gap() {
    let at = |seconds: i64| Timestamp(seconds * 1_000_000);
    let mut heart = Heartbeat::new(at(0), Duration::from_secs(5));
    assert_eq!(heart.beat(at(5)), None);
    let gap = ObserverGap { cause: GapCause::Stopped, from: at(5), until: at(605) };
    assert_eq!(heart.beat(at(605)), Some(gap));
    assert_eq!(heart.beat(at(606)), None);
}

#[test]
fn only_sleep_is_a_gap_of_a_clock_that_stepped_and_time_between_runs_is_one() {
    let of =
        |cause| ClockStep { noticed_at: Timestamp(5), expected: Timestamp(5), wall: Timestamp(50), cause };
    assert_eq!(sleep(&of(StepCause::Set)), None);
    assert_eq!(sleep(&of(StepCause::Suspended)).map(|gap| gap.length()), Some(Duration::from_micros(45)));
    assert_eq!(between_runs(Timestamp(9), Timestamp(9)), None);
    assert_eq!(between_runs(Timestamp(9), Timestamp(12)).map(|gap| gap.cause), Some(GapCause::NotRunning));
}
