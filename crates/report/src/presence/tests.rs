//! Peers whose histories are known, labelled from these alone: every look of the period written as a letter.

use proptest::prelude::*;
use schema::Timestamp;

use super::*;
use crate::{
    period::Watched,
    stay::{SeenStay, StayEnd},
};

/// Looks are a quarter of an hour apart, each of a second.
const APART: i64 = 900;
/// How many looks the period has, and how many there are before and after it.
const LOOKS: i64 = 96;
const AROUND: i64 = 12;

fn at(look: i64) -> Timestamp {
    Timestamp(look * APART * 1_000_000)
}

fn ended(look: i64) -> Timestamp {
    Timestamp((look * APART + 1) * 1_000_000)
}

/// The look at the beginning is the first of the period, that at the end the last.
const fn watched() -> Watched {
    Watched {
        from: Timestamp(APART * 1_000_000 / 2),
        until: Timestamp((LOOKS * APART + APART / 2) * 1_000_000),
    }
}

/// What a monitor that tolerates no failure makes of looks.
fn stays(is_up: &[bool]) -> Vec<SeenStay> {
    let mut stays: Vec<SeenStay> = Vec::new();
    let mut down: Option<i64> = None;
    for (look, up) in (-AROUND..).zip(is_up) {
        let open = stays.last_mut().filter(|stay| stay.end.is_none());
        match (open, up) {
            (Some(stay), true) => stay.last_up = at(look),
            (Some(stay), false) => stay.end = Some(StayEnd::GoneBy(ended(look))),
            (None, true) => stays.push(SeenStay {
                came_after: down.map(at),
                first_up: at(look),
                came_by: ended(look),
                last_up: at(look),
                end: None,
            }),
            (None, false) => {}
        }
        if !up {
            down = Some(look);
        }
    }
    stays
}

/// By the letters of looks, from the last one before the period on, without repetitions.
fn labelled(is_up: &[bool]) -> PresenceClass {
    let skipped = usize::try_from(AROUND).unwrap();
    let of_period = is_up.iter().skip(skipped).take(usize::try_from(LOOKS).unwrap() + 1);
    let mut letters: Vec<char> = of_period.map(|up| if *up { 'U' } else { 'D' }).collect();
    letters.dedup();
    match &*letters.iter().collect::<String>() {
        "D" => PresenceClass::Offline,
        "U" => PresenceClass::Online,
        "UD" => PresenceClass::Left,
        "DU" => PresenceClass::Entered,
        "DUD" => PresenceClass::Oneoff,
        _ => PresenceClass::Dangling,
    }
}

/// Stretches of up and down, longer and shorter than the period.
fn histories() -> impl Strategy<Value = Vec<bool>> {
    let stretches = prop::collection::vec(prop_oneof![1_usize..8, 20_usize..200], 1..12);
    (any::<bool>(), stretches).prop_map(|(first, stretches)| {
        let all = usize::try_from(2 * AROUND + LOOKS + 1).unwrap();
        let mut history = Vec::with_capacity(all);
        let mut up = first;
        for stretch in stretches.into_iter().chain([all]) {
            history.extend(std::iter::repeat_n(up, stretch));
            up = !up;
        }
        history.truncate(all);
        history
    })
}

proptest! {
    #[test]
    fn each_peer_is_in_the_class_that_its_history_says(history in histories()) {
        prop_assert_eq!(partition(&stays(&history), watched()), labelled(&history));
    }

    #[test]
    fn the_share_of_time_lies_within_what_looks_leave_open(history in histories()) {
        let share = UpShare::of(&stays(&history), watched()).unwrap();
        // A look stands for what is half-way to its neighbors: the first and the last for half as much.
        let skipped = usize::try_from(AROUND).unwrap();
        let looks = history.iter().skip(skipped).take(usize::try_from(LOOKS).unwrap() + 1);
        let up = looks.filter(|up| **up).count() as f64 / (LOOKS + 1) as f64;
        let half = 0.5 / LOOKS as f64;
        prop_assert!(share.at_least <= up + half, "{share:?} {up}");
        prop_assert!(up <= share.at_most + 2.0 * half, "{share:?} {up}");
        prop_assert!(share.at_least <= share.share && share.share <= share.at_most);
    }
}

fn history(stretches: &[(bool, usize)]) -> Vec<bool> {
    stretches.iter().flat_map(|(up, looks)| std::iter::repeat_n(*up, *looks)).collect()
}

/// Where the SQL of the weekly report says something else, and what.
#[test]
fn the_weekly_report_has_other_classes_for_some() {
    let (u, d) = (true, false);
    for (stretches, ours, weekly) in [
        (&[(u, 121)][..], PresenceClass::Online, Some(PresenceClass::Online)),
        (&[(d, 121)], PresenceClass::Offline, Some(PresenceClass::Offline)),
        (&[(u, 40), (d, 81)], PresenceClass::Left, Some(PresenceClass::Left)),
        (&[(d, 40), (u, 81)], PresenceClass::Entered, Some(PresenceClass::Entered)),
        (&[(d, 40), (u, 20), (d, 61)], PresenceClass::Oneoff, Some(PresenceClass::Oneoff)),
        (
            &[(d, 20), (u, 20), (d, 20), (u, 20), (d, 41)],
            PresenceClass::Dangling,
            Some(PresenceClass::Dangling),
        ),
        // Went and came: the words of RFM 2 have no name for it but that of several times; so does the SQL.
        (&[(u, 40), (d, 20), (u, 61)], PresenceClass::Dangling, Some(PresenceClass::Dangling)),
        // Twice, of which one stay lies wholly within the period.
        (&[(u, 40), (d, 10), (u, 20), (d, 51)], PresenceClass::Dangling, Some(PresenceClass::Oneoff)),
        (&[(d, 40), (u, 10), (d, 20), (u, 51)], PresenceClass::Dangling, Some(PresenceClass::Oneoff)),
    ] {
        let stays = stays(&history(stretches));
        assert_eq!(
            (partition(&stays, watched()), weekly_sql(&stays, watched())),
            (ours, weekly),
            "{stretches:?}"
        );
    }
    // Online all the time, and the report is made before anybody looked again.
    let mut unfinished = stays(&history(&[(u, 121)]));
    for stay in &mut unfinished {
        stay.last_up = at(LOOKS - 1);
    }
    assert_eq!(partition(&unfinished, watched()), PresenceClass::Online);
    assert_eq!(weekly_sql(&unfinished, watched()), None);
}

#[test]
fn a_peer_that_was_lost_from_sight_counts_as_gone_from_then_on() {
    let mut stays = stays(&history(&[(true, 60)]));
    stays[0].end = Some(StayEnd::LostSight);
    assert_eq!(partition(&stays, watched()), PresenceClass::Left);
    let share = UpShare::of(&stays, watched()).unwrap();
    assert!((share.at_most - 47.0 / 96.0).abs() < 0.02, "{share:?}");
}

#[test]
fn probelabs_classes_begin_where_it_says() {
    for (share, class) in [
        (1.0, AvailabilityClass::Online),
        (0.8, AvailabilityClass::Online),
        (0.799, AvailabilityClass::MostlyOnline),
        (0.4, AvailabilityClass::MostlyOnline),
        (0.399, AvailabilityClass::MostlyOffline),
        (0.1, AvailabilityClass::MostlyOffline),
        (0.099, AvailabilityClass::Offline),
    ] {
        assert_eq!(AvailabilityClass::of(share), class, "{share}");
    }
}
