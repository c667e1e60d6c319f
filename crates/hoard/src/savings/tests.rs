//! Savings worked out by hand on walks made by hand.

use std::time::Duration;

use kad::PeerId;

use super::{replay::Outcome, *};
use crate::{PeerSetRule, Policy};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn peer(number: u8) -> PeerId {
    PeerId::from_bytes(&[&[0x12, 0x20][..], &[number; 32]].concat()).unwrap()
}

/// A walk of ten requests, one each 100 ms from the start on, and of two seconds; the answers name the provider, or not at all.
fn walk(key: u32, age: Option<Duration>, answers: &[(u64, bool)]) -> RetrievalWalk {
    RetrievalWalk {
        key,
        provider: peer(1),
        age,
        took: s(2),
        asked: (0..10).map(|number| ms(number * 100)).collect(),
        answers: answers
            .iter()
            .map(|&(after, has_addresses)| WalkAnswer {
                after: ms(after),
                providers: vec![(peer(1), has_addresses)],
            })
            .collect(),
        second: Some(SecondWalk { took: s(1), requests: 30 }),
        place: ProviderPlace::Assumed,
    }
}

fn section(walks: &[RetrievalWalk], terms: SavingsTerms) -> SavingsSection {
    let mut rows = SavingsRows::new(terms);
    for walk in walks {
        rows.add(walk);
    }
    rows.section()
}

fn change<'a>(section: &'a SavingsSection, policy: &str, lifetime: Option<u64>) -> &'a ChangeNumbers {
    let is_it = |change: &&ChangeNumbers| change.policy == policy && change.address_lifetime_s == lifetime;
    section.changes.iter().find(is_it).unwrap()
}

fn way(numbers: &SavingsNumbers, look_again: LookAgain) -> &WayNumbers {
    numbers.ways.iter().find(|way| way.look_again == look_again).unwrap()
}

/// One key whose first answer has no addresses, one with, one whose provider nobody names.
fn three() -> Vec<RetrievalWalk> {
    vec![
        walk(0, Some(s(1200)), &[(250, false), (650, true), (700, true)]),
        walk(1, Some(s(1200)), &[(450, true)]),
        walk(2, Some(s(90_000)), &[]),
    ]
}

#[test]
fn the_first_answer_alone_needs_a_second_walk_that_waiting_saves() {
    let section = section(&three(), SavingsTerms::default());
    assert_eq!((section.retrievals, section.keys, section.assumed_there), (3, 3, 3));
    let first = &change(&section, "first_answer", None).all;
    assert_eq!((first.nothing.hits, first.id_only.hits, first.with_addresses.hits), (1, 1, 1));
    // 250 ms: requests at 0, 100 and 200; 450 ms: five; all ten of the walk that brought nothing.
    assert_eq!(first.requests.value, Some((3.0 + 5.0 + 10.0) / 3.0));
    assert_eq!(first.settled_s.value, Some((0.25 + 0.45 + 2.0) / 3.0));
    let (never, again) = (way(first, LookAgain::Never), way(first, LookAgain::WithoutAddresses));
    assert_eq!((never.second_walk.hits, never.reached.unwrap().hits), (0, 1));
    assert_eq!((again.second_walk.hits, again.reached.unwrap().hits), (1, 2));
    assert_eq!(again.requests.unwrap().value, Some((33.0 + 5.0 + 10.0) / 3.0));
    assert_eq!(again.mean_s.unwrap().value, Some(f64::midpoint(1.25, 0.45)));
    assert_eq!(again.median_s.unwrap().value, Some(1.25), "who never has them is later than anything");

    let told_again = &change(&section, "peer_set_after", None).all;
    assert_eq!((told_again.id_only.hits, told_again.with_addresses.hits), (0, 2));
    let again = way(told_again, LookAgain::WithoutAddresses);
    assert_eq!(again.mean_s.unwrap().value, Some(f64::midpoint(0.65, 0.45)));
    assert_eq!(again.requests.unwrap().value, Some((7.0 + 5.0 + 10.0) / 3.0));
    let waits = &change(&section, "wait_for_addresses", None).all;
    assert_eq!(waits.id_only.hits, 0);
    assert_eq!(change(&section, "peer_set_before", None).all, *first, "of one provider, Go's rule before");
}

#[test]
fn differences_are_between_the_same_walks() {
    let section = section(&three(), SavingsTerms::default());
    let is_it = |found: &&SavingsDifference| {
        found.policy == "peer_set_after"
            && found.address_lifetime_s.is_none()
            && found.look_again == LookAgain::WithoutAddresses
    };
    let found = section.differences.iter().find(is_it).unwrap();
    assert_eq!(found.second_walks.value, Some(-1.0 / 3.0));
    assert_eq!(found.requests.unwrap().value, Some((7.0 - 33.0) / 3.0));
    // Only of the two that come to addresses both ways.
    let seconds = found.seconds.unwrap();
    assert!((seconds.value.unwrap() + 0.3).abs() < 1e-12 && seconds.n == 2);
}

#[test]
fn addresses_that_are_kept_longer_come_with_the_record_as_long_as_it_is_no_older() {
    let kept = |lifetime: u64, age: u64, answers: &[(u64, bool)]| {
        let addresses = AddressSource::KeptFor(s(lifetime));
        Change { policy: Policy::FirstAnswer, addresses }.replay(&walk(0, Some(s(age)), answers)).combo
    };
    assert_eq!(kept(1800, 1799, &[(250, false)]), 2);
    assert_eq!(kept(1800, 1799, &[(1000, false)]), 1, "the age at the answer counts");
    assert_eq!(kept(1800, 5000, &[(250, true)]), 1, "shorter than they were kept");
    assert_eq!(kept(1800, 10, &[]), 0, "who does not keep the record has no addresses to give");
    // Addresses of others are as they came.
    let mut other = walk(0, Some(s(10)), &[]);
    other.answers.push(WalkAnswer { after: ms(100), providers: vec![(peer(9), false), (peer(1), false)] });
    let policy = Policy::PeerSet { rule: PeerSetRule::After, count: 1 };
    let outcome = Change { policy, addresses: AddressSource::KeptFor(s(100)) }.replay(&other);
    assert_eq!(outcome.combo, 0);
}

#[test]
fn records_of_unknown_age_are_under_no_change_that_hangs_on_it() {
    let section = section(&[walk(0, None, &[(250, false)])], SavingsTerms::default());
    assert_eq!(change(&section, "first_answer", None).all.n, 1);
    assert!(change(&section, "first_answer", None).ages.is_empty());
    assert!(section.changes.iter().all(|change| change.address_lifetime_s.is_none()));
    assert!(section.differences.iter().all(|found| found.address_lifetime_s.is_none()));
    assert!(section.interactions.is_empty());
}

#[test]
fn both_changes_save_once_what_each_would_save_alone() {
    let section = section(&three()[..1], SavingsTerms::default());
    let found = &section.interactions[0];
    assert_eq!(found.address_lifetime_s, 1800);
    let hits = [found.neither, found.told_again, found.kept_longer, found.both].map(|share| share.hits);
    assert_eq!(hits, [1, 0, 0, 0]);
    assert_eq!(found.overlap.value, Some(1.0));
}

#[test]
fn ages_are_told_apart() {
    let section = section(&three(), SavingsTerms::default());
    let ages = &change(&section, "first_answer", None).ages;
    let bounds: Vec<_> = ages.iter().map(|age| (age.from_s, age.to_s, age.numbers.n)).collect();
    assert_eq!(bounds, [(900, Some(1800), 2), (86_400, Some(172_800), 1)]);
}

#[test]
fn where_the_provider_is_decides_what_its_addresses_are_worth() {
    use LookAgain::{AfterFailedDial, Never, WithoutAddresses};
    use ProviderPlace::{AsShared, Assumed, Elsewhere, Nowhere};
    let outcome = |combo| Outcome { combo, settled: s(3), requests: 7 };
    let second = Some(SecondWalk { took: s(1), requests: 30 });
    let then = |combo, place, again| {
        let retrieved = outcome(combo).then(again, (place, second), s(10));
        (
            retrieved.walked_twice,
            retrieved.requests.unwrap(),
            retrieved.reached.unwrap().map(|at| at.as_secs()),
        )
    };
    for (combo, place, again, expected) in [
        (2, AsShared, Never, (false, 7, Some(3))),
        (2, Assumed, AfterFailedDial, (false, 7, Some(3))),
        // A move: the addresses are stale, and only a backup finds the provider.
        (2, Elsewhere, Never, (false, 7, None)),
        (2, Elsewhere, WithoutAddresses, (false, 7, None)),
        (2, Elsewhere, AfterFailedDial, (true, 37, Some(14))),
        (2, Nowhere, AfterFailedDial, (true, 37, None)),
        (1, AsShared, Never, (false, 7, None)),
        (1, AsShared, WithoutAddresses, (true, 37, Some(4))),
        (1, Elsewhere, AfterFailedDial, (true, 37, Some(4))),
        (1, Nowhere, WithoutAddresses, (true, 37, None)),
        (0, AsShared, AfterFailedDial, (false, 7, None)),
    ] {
        assert_eq!(then(combo, place, again), expected, "{combo} {place} {again}");
    }
    let unknown = outcome(1).then(WithoutAddresses, (AsShared, None), s(10));
    assert!(unknown.walked_twice && unknown.requests.is_none() && unknown.reached.is_err());
}

#[test]
fn what_nobody_knows_is_no_number() {
    let mut walks = three();
    walks[0].second = None;
    let section = section(&walks, SavingsTerms::default());
    assert_eq!(section.unknown_second_walks, 1);
    let first = &change(&section, "first_answer", None).all;
    let again = way(first, LookAgain::WithoutAddresses);
    assert_eq!((again.second_walk.hits, again.requests, again.mean_s, again.reached), (1, None, None, None));
    assert!(way(first, LookAgain::Never).requests.is_some());
}

#[test]
fn a_study_without_walks_is_a_section_without_numbers() {
    let mut rows = SavingsRows::new(SavingsTerms::default());
    rows.add_cut_short();
    let section = rows.section();
    assert_eq!((section.retrievals, section.keys, section.cut_short), (0, 0, 1));
    assert!(section.changes.is_empty() && section.differences.is_empty());
    assert!(section.change_table().rows.is_empty() && section.way_table().rows.is_empty());
    assert!(serde_json::to_string(&section).is_ok());
}

#[test]
fn tables_fit_a_terminal() {
    let walks: Vec<_> =
        (0..40).map(|key| walk(key, Some(s(1200)), &[(250, key % 3 == 0), (650, true)])).collect();
    let section = section(&walks, SavingsTerms::default());
    for table in [section.change_table(), section.way_table(), section.interaction_table()] {
        let columns = 0..table.head.len();
        let width = |column: usize| {
            let cells = table.rows.iter().chain([&table.head]).map(|row| row[column].chars().count());
            cells.max().unwrap() + 2
        };
        assert!(columns.map(width).sum::<usize>() <= 80, "{table:?}");
    }
}
