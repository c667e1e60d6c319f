//! Gifts while a lookup goes on, in what it is told by hand.

use super::*;
use crate::{
    Key,
    lookup::{Candidate, Lookup, LookupKind, LookupTarget, Rules, Start, Step, Termination},
    message::K,
};

const KEY: &[u8] = b"key";
const OWN: &[u8] = b"\x12\x20own id own id own id own id own id";

/// Ids as SHA-256 multihashes of a number, the closest to the key first, of a network of so many.
fn ids(peers: u32) -> Vec<Vec<u8>> {
    let id = |number: u32| [&[0x12, 0x20][..], Key::of(&number.to_be_bytes()).as_bytes()].concat();
    let mut all: Vec<_> = (0..peers).map(id).collect();
    all.sort_by_key(|id| Key::of(id).distance(&Key::of(KEY)));
    all
}

fn lookup(from: &[Vec<u8>], rules: OptimisticRules) -> Lookup {
    let peers: Vec<&[u8]> = from.iter().map(Vec::as_slice).collect();
    let target = LookupTarget { kind: LookupKind::Closest, preimage: KEY };
    Lookup::new(target, Start { own: OWN, peers: &peers }, Rules::go()).giving(rules)
}

/// Whom it asks and gives until it waits or is over, and whether it may return.
fn obey(lookup: &mut Lookup) -> (Vec<Candidate>, Vec<Candidate>, bool) {
    let (mut asked, mut given, mut may_return) = (Vec::new(), Vec::new(), false);
    loop {
        match lookup.step() {
            Step::Ask(candidate) => asked.push(candidate),
            Step::Give(candidate) => given.push(candidate),
            Step::MayReturn => may_return = true,
            Step::Wait | Step::Done => return (asked, given, may_return),
        }
    }
}

#[test]
fn thresholds_of_go() {
    let rules = OptimisticRules::new(1_000, K, Persistence::Go);
    assert!((rules.individual - 0.014_525_26).abs() < 1e-8, "{rules:?}");
    assert!((rules.set - 0.015_406_64).abs() < 1e-8, "{rules:?}");
    assert_eq!(rules.return_after, 15);
    // A number of peers that rounds up.
    assert_eq!(OptimisticRules::new(1_000, 10, Persistence::Go).return_after, 8);
}

#[test]
fn who_knows_the_closest_gives_to_them_without_asking_anybody() {
    let all = ids(1_000);
    let mut lookup = lookup(&all[..K], OptimisticRules::new(1_000, K, Persistence::Go));
    let (asked, given, may_return) = obey(&mut lookup);
    assert_eq!((asked.len(), given.len(), may_return), (0, K, false));
    assert_eq!(lookup.termination(), Some(Termination::Stopped));
    for (done, &peer) in given[..15].iter().enumerate() {
        assert_eq!(obey(&mut lookup), (Vec::new(), Vec::new(), false), "after {done}");
        // Failed or not.
        lookup.gave(peer, done % 2 == 0);
    }
    assert_eq!(obey(&mut lookup), (Vec::new(), Vec::new(), true));
    assert_eq!(lookup.step(), Step::Wait);
    for &peer in &given[15..] {
        lookup.gave(peer, false);
    }
    assert_eq!(lookup.step(), Step::Done);
    assert!(!lookup.outcome().is_complete, "nobody has answered");
}

#[test]
fn who_knows_nobody_close_looks_and_gives_on_the_way() {
    let all = ids(1_000);
    let mut lookup = lookup(&all[500..520], OptimisticRules::new(1_000, K, Persistence::Go));
    let (asked, given, _) = obey(&mut lookup);
    assert_eq!((asked.len(), given.len()), (10, 0));
    // A few of the closest are given the record at once, and the lookup goes on.
    lookup.answered(asked[0], all[..5].iter().map(Vec::as_slice));
    let (more, given, may_return) = obey(&mut lookup);
    assert_eq!((more.len(), given.len(), may_return), (1, 5, false));
    lookup.answered(asked[1], all[..K].iter().map(Vec::as_slice));
    assert_eq!(lookup.termination(), Some(Termination::Stopped));
    // What is under way is waited for, then the rest are given it.
    let close = obey(&mut lookup).1.len();
    assert!((1..15).contains(&close), "{close}");
    for &peer in asked[2..].iter().chain(&more) {
        lookup.failed(peer);
    }
    assert_eq!(obey(&mut lookup).1.len(), K - 5 - close);
}

#[test]
fn go_counts_who_failed_and_thoroughness_looks_for_another() {
    for persistence in Persistence::ALL {
        let all = ids(1_000);
        let mut lookup = lookup(&all[..K + 5], OptimisticRules::new(1_000, K, *persistence));
        let (_, given, _) = obey(&mut lookup);
        assert_eq!(given.len(), K);
        for (&peer, is_taken) in given.iter().zip([false, true].into_iter().cycle()) {
            lookup.gave(peer, is_taken);
        }
        let (_, instead, may_return) = obey(&mut lookup);
        match persistence {
            Persistence::Go => assert!(may_return && instead.is_empty()),
            Persistence::Thorough => {
                assert!(!may_return && lookup.termination().is_none());
                assert_eq!(instead.len(), 5, "all that are known");
            }
        }
    }
}

#[test]
fn a_thorough_publication_goes_on_after_it_returned() {
    let all = ids(1_000);
    let mut lookup = lookup(&all[2..K + 2], OptimisticRules::new(1_000, K, Persistence::Thorough));
    let (asked, given, _) = obey(&mut lookup);
    assert_eq!((asked.len(), given.len()), (10, K));
    for &peer in &given[..15] {
        lookup.gave(peer, true);
    }
    assert!(obey(&mut lookup).2);
    // Who is closer than those that were given it is given it as well.
    lookup.answered(asked[0], all[..2].iter().map(Vec::as_slice));
    let (more, given, may_return) = obey(&mut lookup);
    assert_eq!((more.len(), given.len(), may_return), (1, 2, false));
}

#[test]
fn a_lookup_that_is_given_up_gives_nothing_more() {
    let all = ids(100);
    let mut lookup = lookup(&all, OptimisticRules::new(100, K, Persistence::Go));
    assert!(matches!(lookup.step(), Step::Give(_)));
    lookup.cancel();
    assert_eq!(lookup.step(), Step::Done);
}
