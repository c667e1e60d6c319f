//! Whole courses of overload, in time that is handed in.

use std::{collections::HashMap, time::Duration};

use kad::{Multiaddr, PeerId, message::MessageType};
use proptest::prelude::*;

use super::*;

const LOOK: Duration = Duration::from_millis(50);

fn control(ladder: &str) -> LoadControl {
    LoadControl::new(LoadConfig { ladder: ladder.parse().unwrap(), ..LoadConfig::default() })
}

fn waiting(waiting: usize) -> Measures {
    Measures { waiting, ..Measures::default() }
}

fn address(number: u8) -> Multiaddr {
    format!("/ip4/10.{number}.0.1/tcp/1").parse().unwrap()
}

/// Looks once a [`LOOK`] for so long at measures that stay as they are; the rung at the end.
fn look(control: &LoadControl, measures: Measures, now: &mut Duration, lasts: Duration) -> Rung {
    let end = *now + lasts;
    while *now < end {
        *now += LOOK;
        control.note(&measures, *now);
    }
    control.rung()
}

#[test]
fn a_rung_is_in_force_at_once_and_left_only_after_a_calm_time() {
    let control = control("cached=waiting:100,calm:250ms");
    let mut now = Duration::ZERO;
    assert_eq!(look(&control, waiting(99), &mut now, LOOK), Rung::Belly);
    assert_eq!(control.note(&waiting(100), now).map(|change| change.to), Some(Rung::Cached));
    // Nearly too much is not calm, and a moment of calm is none.
    assert_eq!(look(&control, waiting(95), &mut now, Duration::from_secs(5)), Rung::Cached);
    assert_eq!(look(&control, waiting(10), &mut now, LOOK * 4), Rung::Cached);
    assert_eq!(look(&control, waiting(90), &mut now, LOOK), Rung::Cached);
    assert_eq!(look(&control, waiting(10), &mut now, LOOK * 5), Rung::Cached);
    assert_eq!(look(&control, waiting(10), &mut now, LOOK), Rung::Belly);
}

#[test]
fn all_rungs_are_left_within_a_second_after_a_stall() {
    let control = LoadControl::new(LoadConfig::default());
    let mut now = Duration::ZERO;
    let stalled = Measures {
        waiting: 5_000,
        age: Duration::from_secs(5),
        lag: Duration::from_millis(500),
        memory_percent: 92,
    };
    assert_eq!(look(&control, stalled, &mut now, Duration::from_secs(10)), Rung::CloserPeers);
    assert_eq!(look(&control, Measures::default(), &mut now, Duration::from_millis(500)), Rung::Belly);
    assert_eq!(control.share(), None);
}

#[test]
fn service_is_declined_only_when_it_has_been_too_much_for_long() {
    let control = LoadControl::new(LoadConfig::default());
    let mut now = Duration::ZERO;
    let full = Measures { memory_percent: 99, ..Measures::default() };
    assert_eq!(look(&control, full, &mut now, Duration::from_secs(9)), Rung::Refuse);
    assert_eq!(look(&control, full, &mut now, Duration::from_secs(2)), Rung::Decline);
    assert!(!control.allowed().serves());
    assert_eq!(look(&control, Measures::default(), &mut now, Duration::from_secs(29)), Rung::Decline);
    assert_eq!(look(&control, Measures::default(), &mut now, Duration::from_secs(2)), Rung::Belly);
}

#[test]
fn the_order_of_rungs_is_the_ladders() {
    let control = control("near=waiting:10;cached=waiting:100");
    control.note(&waiting(10), LOOK);
    assert!(control.allowed().reads() && !control.allowed().names_far());
    control.note(&waiting(100), LOOK * 2);
    assert!(!control.allowed().reads() && !control.allowed().names_far());
    assert_eq!(control.rung(), Rung::Cached);
}

#[test]
fn what_is_to_be_kept_is_shed_where_there_are_no_records() {
    let control = control("closer_peers=waiting:10");
    let (peer, remote) = (PeerId::random(), address(1));
    assert!(control.admit(MessageType::AddProvider, &peer, &remote).is_ok());
    control.note(&waiting(10), LOOK);
    assert_eq!(control.admit(MessageType::AddProvider, &peer, &remote), Err(ShedReason::Refused));
    assert_eq!(control.admit(MessageType::PutValue, &peer, &remote), Err(ShedReason::Refused));
    let allowed = control.admit(MessageType::GetProviders, &peer, &remote).unwrap();
    assert_eq!((allowed.rung(), allowed.has_records()), (Rung::CloserPeers, false));
}

/// How many of its requests were answered in full, of each asker that asks so many a second, at the end of some seconds of
/// load.
fn answered(control: &LoadControl, askers: &[(PeerId, Multiaddr, u32)], measures: Measures) -> Vec<f64> {
    let mut now = Duration::ZERO;
    let mut full: HashMap<PeerId, (u32, u32)> = HashMap::new();
    for look in 0..200 {
        now += LOOK;
        control.note(&measures, now);
        for (peer, remote, per_s) in askers {
            let asked = per_s * (look + 1) / 20 - per_s * look / 20;
            for _ in 0..asked {
                let allowed = control.admit(MessageType::GetProviders, peer, remote);
                let counts = full.entry(*peer).or_default();
                // The last five of ten seconds.
                if look >= 100 {
                    counts.1 += 1;
                    counts.0 += u32::from(allowed.is_ok_and(Allowed::has_records));
                }
            }
        }
    }
    askers.iter().map(|(peer, ..)| f64::from(full[peer].0) / f64::from(full[peer].1)).collect()
}

#[test]
fn who_asks_little_is_answered_when_others_ask_much() {
    let askers: Vec<_> = [5_000, 500, 10, 4]
        .into_iter()
        .zip(1..)
        .map(|(per_s, group)| (PeerId::random(), address(group), per_s))
        .collect();
    let shares = answered(&control("cached=waiting:100"), &askers, waiting(100));
    assert!(shares[0] < 0.02 && shares[1] < 0.2, "{shares:?}");
    assert_eq!(shares[2..], [1.0, 1.0]);
    // Without overload nobody is held to a share.
    assert_eq!(answered(&control("cached=waiting:100"), &askers, waiting(99)), [1.0; 4]);
}

#[test]
fn many_peers_in_one_group_have_the_share_of_the_group() {
    let mut askers: Vec<_> = (0..400).map(|_| (PeerId::random(), address(1), 20)).collect();
    askers.push((PeerId::random(), address(2), 10));
    let shares = answered(&control("cached=waiting:100"), &askers, waiting(100));
    let (alone, together) = shares.split_last().unwrap();
    assert!((*alone - 1.0).abs() < f64::EPSILON, "{alone}");
    assert!(together.iter().sum::<f64>() / 400.0 < 0.1, "{together:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_request_is_answered_on_a_rung_or_shed_for_a_reason(
        steps in proptest::collection::vec((0..6_usize, 0..7_u64, 0..4_u8, any::<bool>()), 1..400),
    ) {
        let control = LoadControl::new(LoadConfig {
            ladder: "cached=waiting:1;near=waiting:2;closer_peers=waiting:3;refuse=waiting:4;decline=waiting:5,calm:0s"
                .parse()
                .unwrap(),
            shares: ShareConfig { least_per_s: 2, most_per_s: 10 },
            ..LoadConfig::default()
        });
        let peers: Vec<_> = (0..4).map(|_| PeerId::random()).collect();
        let mut now = Duration::ZERO;
        let (mut answered, mut shed) = (0, 0);
        for (measured, kind, peer, has_fallen) in &steps {
            now += LOOK;
            control.note(&waiting(*measured), now);
            let kind = match kind {
                0 => MessageType::PutValue,
                1 => MessageType::GetValue,
                2 => MessageType::AddProvider,
                3 => MessageType::GetProviders,
                4 => MessageType::FindNode,
                5 => MessageType::Ping,
                _ => MessageType::Unknown(99),
            };
            match control.admit(kind, &peers[usize::from(*peer)], &address(*peer)) {
                Ok(allowed) => {
                    answered += 1;
                    if *has_fallen {
                        control.fell(kind, allowed.rung());
                    }
                }
                Err(_) => shed += 1,
            }
        }
        let counts = control.counts();
        let all = counts.all();
        prop_assert_eq!((all.asked, all.accounted()), (steps.len() as u64, steps.len() as u64));
        prop_assert_eq!(Rung::ALL.iter().map(|rung| all.answered(*rung)).sum::<u64>(), answered);
        prop_assert_eq!(ShedReason::ALL.iter().map(|reason| all.shed(*reason)).sum::<u64>(), shed);
        for kind in AskedType::ALL {
            let counts = counts.of(*kind);
            prop_assert_eq!(counts.asked, counts.accounted());
        }
    }
}
