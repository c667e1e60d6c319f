//! Row by row, what a caller is told under each rule.

use super::*;

const BEFORE: PeerSetRule = PeerSetRule::Before;
const AFTER: PeerSetRule = PeerSetRule::After;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What each mention in turn comes to: provider, whether with addresses, whether the caller is told.
type Rows = &'static [(char, bool, bool)];

#[test]
fn a_peer_set_tells_what_go_tells_row_by_row() {
    let cases: &[(&str, PeerSetRule, usize, Rows)] = &[
        ("before, a provider is told of once", BEFORE, 0, &[('a', false, true), ('a', false, false)]),
        ("before, addresses that come later are lost", BEFORE, 0, &[('a', false, true), ('a', true, false)]),
        (
            "after, they are told of, and no others",
            AFTER,
            0,
            &[('a', false, true), ('a', false, false), ('a', true, true), ('a', true, false)],
        ),
        (
            "whoever came with addresses is never told of again",
            AFTER,
            0,
            &[('a', true, true), ('a', false, false), ('a', true, false)],
        ),
        (
            "all there are has no bound",
            AFTER,
            0,
            &[
                ('a', false, true),
                ('b', false, true),
                ('c', true, true),
                ('a', true, true),
                ('b', true, true),
            ],
        ),
        (
            "of one the change can never act",
            AFTER,
            1,
            &[('a', false, true), ('a', true, false), ('b', true, false)],
        ),
        (
            "telling again uses up no place",
            AFTER,
            2,
            &[('a', false, true), ('a', true, true), ('b', false, true), ('c', true, false)],
        ),
        (
            "once as many are known as are wanted, addresses are no news",
            AFTER,
            2,
            &[('a', false, true), ('b', false, true), ('a', true, false), ('b', true, false)],
        ),
        (
            "before, a place is a place",
            BEFORE,
            2,
            &[('a', false, true), ('b', true, true), ('c', true, false)],
        ),
    ];
    for (what, rule, count, rows) in cases {
        let mut set = PeerSet::new(*rule, *count);
        for (row, &(provider, has_addresses, is_told)) in rows.iter().enumerate() {
            assert_eq!(set.try_add(provider, has_addresses), is_told, "{what}, row {row}");
        }
    }
}

/// Answers a second apart, from the first second on.
fn read(policy: Policy, answers: &[&[(char, bool)]]) -> (Option<u64>, Option<u64>, u64) {
    let timed = (1..).map(s).zip(answers.iter().map(|mentions| mentions.iter().copied()));
    let reading = policy.read('a', timed, s(10));
    let seconds = |after: Option<Duration>| after.map(|after| after.as_secs());
    (seconds(reading.named_after), seconds(reading.addresses_after), reading.settled_after.as_secs())
}

const ID: &[(char, bool)] = &[('a', false)];
const BOTH: &[(char, bool)] = &[('a', true)];
const OTHER: &[(char, bool)] = &[('b', true)];
const NONE: &[(char, bool)] = &[];

#[test]
fn the_first_answer_that_names_the_provider_is_the_last() {
    let first = Policy::FirstAnswer;
    assert_eq!(read(first, &[NONE, ID, BOTH]), (Some(2), None, 2));
    assert_eq!(read(first, &[OTHER, BOTH, ID]), (Some(2), Some(2), 2));
    assert_eq!(read(first, &[NONE, OTHER]), (None, None, 10));
}

#[test]
fn a_caller_after_the_change_goes_on_as_long_as_addresses_may_come() {
    let peer_set = |rule, count| Policy::PeerSet { rule, count };
    assert_eq!(read(peer_set(BEFORE, 0), &[NONE, ID, BOTH]), (Some(2), None, 2));
    assert_eq!(read(peer_set(AFTER, 0), &[NONE, ID, NONE, BOTH, BOTH]), (Some(2), Some(4), 4));
    assert_eq!(read(peer_set(AFTER, 0), &[ID, ID]), (Some(1), None, 10));
    assert_eq!(read(peer_set(AFTER, 1), &[ID, BOTH]), (Some(1), None, 1));
    // Others fill the places: the walk is over, and with it what is known of the provider.
    assert_eq!(read(peer_set(AFTER, 2), &[ID, OTHER, BOTH]), (Some(1), None, 2));
    assert_eq!(read(peer_set(AFTER, 1), &[OTHER, BOTH]), (None, None, 1));
    // Within one answer, too.
    assert_eq!(read(peer_set(AFTER, 1), &[&[('b', true), ('a', true)]]), (None, None, 1));
    assert_eq!(read(peer_set(AFTER, 2), &[&[('a', false), ('a', true)]]), (Some(1), Some(1), 1));
}

#[test]
fn a_caller_that_waits_waits_so_long_and_no_longer() {
    let wait = |seconds| Policy::WaitForAddresses { at_most: s(seconds) };
    assert_eq!(read(wait(2), &[ID, NONE, BOTH]), (Some(1), Some(3), 3));
    assert_eq!(read(wait(1), &[ID, NONE, BOTH]), (Some(1), None, 2));
    assert_eq!(read(wait(100), &[ID, NONE]), (Some(1), None, 10));
    assert_eq!(read(wait(2), &[NONE, BOTH]), (Some(2), Some(2), 2));
    assert_eq!(read(wait(2), &[NONE]), (None, None, 10));
}

#[test]
fn the_result_is_counted_as_the_study_of_addresses_counted_it() {
    let combo = |policy: Policy, answers: &[&[(char, bool)]]| {
        let timed = (1..).map(s).zip(answers.iter().map(|mentions| mentions.iter().copied()));
        policy.read('a', timed, s(10)).combo()
    };
    let after = Policy::PeerSet { rule: AFTER, count: 20 };
    assert_eq!([combo(after, &[NONE]), combo(after, &[ID]), combo(after, &[ID, BOTH])], [0, 1, 2]);
    assert_eq!(combo(Policy::FirstAnswer, &[ID, BOTH]), 1);
}
