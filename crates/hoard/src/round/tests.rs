//! What is read off traces, of lookups whose answers are made by hand.

use kad::{
    failure::{Failure, FailureClass, Phase},
    lookup::{Lookup, LookupKind, LookupTarget, Rules, Start, Step, Trace},
};

use super::*;

/// The hash of a key, as any of RSA has.
fn peer(number: u8) -> PeerId {
    PeerId::from_bytes(&[&[0x12, 0x20][..], &[number; 32]].concat()).expect("an id")
}

/// A lookup in which each peer names these others, or does not answer. It begins with the first one.
fn walked(tree: &[(PeerId, Option<Vec<PeerId>>)]) -> (Trace, Lookup) {
    let (own, key) = (peer(99).to_bytes(), [0x12, 0x20, 1]);
    let first = tree[0].0.to_bytes();
    let rules = Rules { alpha: 1, ..Rules::specification() };
    let target = LookupTarget { kind: LookupKind::Closest, preimage: &key };
    let mut lookup = Lookup::new(target, Start { own: &own, peers: &[&first] }, rules);
    let (mut trace, mut now) = (Trace::new(&lookup), Duration::ZERO);
    while let Step::Ask(candidate) = lookup.step() {
        let rpc = trace.ask(&lookup, candidate, now).expect("a request");
        now += Duration::from_millis(1);
        let asked = lookup.peer(candidate).expect("a peer");
        let named = tree.iter().find(|(other, _)| *other == asked).and_then(|(_, named)| named.as_ref());
        let Some(named) = named else {
            trace.failed(rpc, now, Failure::new(Phase::Connect, FailureClass::ConnectionRefused));
            lookup.failed(candidate);
            continue;
        };
        let ids: Vec<Vec<u8>> = named.iter().map(|peer| peer.to_bytes()).collect();
        trace.answered(rpc, now, ids.iter().map(|id| (id.as_slice(), true)), []);
        lookup.answered(candidate, ids.iter().map(Vec::as_slice));
    }
    trace.searched(now);
    (trace, lookup)
}

#[test]
fn hops_to_the_closest_are_those_of_a_tree_that_is_known_and_not_zero() {
    let [start, near, far, last, dead, other] = [1, 2, 3, 4, 5, 6].map(peer);
    let (trace, _) = walked(&[
        (start, Some(vec![near, dead])),
        (near, Some(vec![far, start])),
        (far, Some(vec![last])),
        (last, Some(vec![other])),
        (dead, None),
        (other, None),
    ]);
    let hops = hop_counts(&trace, &[start, near, far, last]);
    assert_eq!(hops.hops_to_closest, Some(4), "the original's is always 0");
    assert_eq!(hops.tree_depth, 5, "who was heard of counts, whether it answers or not");
    assert_eq!((hops.contacted, hops.total_hops), (6, 7), "the original counts its beginning, too");
    assert_eq!(hop_counts(&trace, &[start]).hops_to_closest, Some(1), "known at the beginning");
    assert_eq!(hop_counts(&trace, &[]).hops_to_closest, None);
    assert_eq!(hop_counts(&trace, &[peer(98)]).hops_to_closest, None);
}

#[test]
fn the_first_answer_that_names_a_peer_is_how_far_it_is() {
    let [start, left, right, end] = [1, 2, 3, 4].map(peer);
    let (trace, _) = walked(&[
        (start, Some(vec![left, right, end])),
        (left, Some(vec![right, end])),
        (right, Some(vec![end])),
        (end, Some(Vec::new())),
    ]);
    let hops = hop_counts(&trace, &[start, left, right, end]);
    assert_eq!((hops.hops_to_closest, hops.tree_depth), (Some(2), 2));
}
