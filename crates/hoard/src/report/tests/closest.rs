//! The closest peers: holders among them, without churn and with it, beside a crawl, and how far lookups go.

use kad::Key;
use schema::{HoardLookup, HolderAnswer, Timestamp};

use super::made::{AT, arm, key, lookup, peer, round, study};
use crate::{
    report::{CrawlTruth, HoardArmNumbers, HoardSection, ReportOrder},
    study::{StudyKey, StudyLookup},
};

fn of_one_arm(keys: Vec<StudyKey>, order: &ReportOrder) -> HoardArmNumbers {
    HoardSection::of(&study(vec![arm(0, "k4", 4)], keys), order).arms.remove(0)
}

/// A key held by 0 to 3 that has these lookups in its first rounds.
fn looked_up(number: u8, lookups: Vec<Vec<StudyLookup>>) -> StudyKey {
    let mut key = key(0, number, 0..4);
    for (lookups, number) in lookups.into_iter().zip(1..) {
        round(&mut key, number, 180.0 * f64::from(number), &[HolderAnswer::WithAddresses; 4]);
        if let Some(round) = key.rounds.last_mut() {
            round.lookups = lookups;
        }
    }
    key
}

fn closest(peers: &[u32]) -> Vec<StudyLookup> {
    vec![lookup(HoardLookup::Closest, peers.iter().copied())]
}

/// What an inner join of the two drops is here: the 0 of a lookup that finds no holder in the box, the failed one beside it.
#[test]
fn a_lookup_that_finds_no_holder_is_a_zero_and_one_that_failed_is_counted_apart() {
    let keys = vec![
        looked_up(1, vec![closest(&[0, 1, 2, 3])]),
        looked_up(2, vec![closest(&[1, 0, 9, 8])]),
        looked_up(3, vec![closest(&[5, 6, 7, 8])]),
        looked_up(4, vec![closest(&[])]),
        looked_up(5, vec![vec![]]),
    ];
    let arm = of_one_arm(keys, &ReportOrder::default());
    let found = arm.ages[0].in_degree.as_ref().unwrap();
    assert_eq!((found.failed, found.without_holder), (1, 1));
    assert_eq!((found.overlap.n, found.overlap.mean.unwrap().mean), (3, 2.0));
    // 4 of 4, 2 of 6, 0 of 8.
    let jaccard = found.jaccard.mean.unwrap().mean;
    assert!((jaccard - (1.0 + 0.333 + 0.0) / 3.0).abs() < 1e-9, "{jaccard}");
    // Nobody is displaced in the first, both by one in the second, and of the third there is nobody.
    assert_eq!((found.displacement.n, found.displacement.mean.unwrap().mean), (2, 0.5));
    let bits = |number: u8, last: u32| {
        let distance = Key::of(&[0x12, 0x20, number]).distance(&Key::of_peer(&peer(last))).normed();
        -distance.log2()
    };
    let expected = (bits(1, 3) + bits(2, 8) + bits(3, 8)) / 3.0;
    assert!((found.last_bits.mean.unwrap().mean - expected).abs() < 1e-3);
}

/// Of four closest one differs between two lookups of a round, two from round to round, and one from the holders.
#[test]
fn what_differs_between_two_lookups_of_a_round_is_no_churn() {
    let pair = |one: [u32; 4], other: [u32; 4]| {
        let mut lookups = vec![lookup(HoardLookup::Closest, one), lookup(HoardLookup::Exhaustive, other)];
        lookups[1].began_at.0 += 500_000;
        lookups
    };
    let first = pair([0, 1, 2, 4], [0, 1, 2, 5]);
    let second = pair([0, 1, 7, 8], [0, 1, 7, 9]);
    let noise = of_one_arm(vec![looked_up(1, vec![first, second])], &ReportOrder::default()).noise;
    assert_eq!((noise.pairs, noise.apart_s), (2, Some(0.5)));
    let means =
        [noise.back_to_back, noise.next_round, noise.first_round].map(|mean| mean.map(|mean| mean.mean));
    assert_eq!(means, [Some(0.25), Some(0.5), Some(0.25)]);
}

#[test]
fn hops_are_those_of_lookups_of_the_closest() {
    let mut other = closest(&[0, 1, 2, 3]);
    (other[0].contacted, other[0].tree_depth, other[0].hops_to_closest) = (30, 5, None);
    let keys = vec![looked_up(1, vec![closest(&[0, 1, 2, 3])]), looked_up(2, vec![other])];
    let hops = of_one_arm(keys, &ReportOrder::default()).hops.unwrap();
    assert_eq!(hops.lookups, 2);
    let shares = |counts: &crate::report::HopCountNumbers| {
        counts.shares.iter().map(|(value, share)| (*value, share.hits, share.n)).collect::<Vec<_>>()
    };
    assert_eq!(shares(&hops.contacted), [(24, 1, 2), (30, 1, 2)]);
    assert_eq!(shares(&hops.depth), [(4, 1, 2), (5, 1, 2)]);
    assert_eq!(shares(&hops.to_closest), [(3, 1, 1)]);
    assert_eq!(hops.contacted.mean.unwrap().value, Some(27.0));
}

/// Of the true four closest, three were given the record; one holder is none that the crawl reached.
#[test]
fn holders_stand_beside_the_closest_of_a_crawl() {
    let of = Key::of(&[0x12, 0x20, 1]);
    let mut crawled: Vec<u32> = (0..100).collect();
    crawled.sort_by_key(|number| Key::of_peer(&peer(*number)).distance(&of));
    let holders = [crawled[0], crawled[1], crawled[3], 1000];
    let mut key = key(0, 1, holders);
    round(&mut key, 1, 180.0, &[HolderAnswer::WithAddresses; 4]);
    key.rounds[0].lookups = closest(&[crawled[0], crawled[1], 1000, 1001]);
    let peers: Vec<_> = crawled.iter().map(|number| peer(*number)).collect();
    let truth = CrawlTruth::new(&peers, Timestamp(AT.0 - 60_000_000));
    let order = ReportOrder { crawl: Some(truth), ..ReportOrder::default() };
    let found = of_one_arm(vec![key], &order).against_crawl.unwrap();
    assert_eq!((found.peers, found.apart_s), (100, 60.0));
    assert_eq!((found.placed.mean.unwrap().mean, found.recall.mean.unwrap().mean), (3.0, 0.75));
    assert_eq!((found.lookup_recall.mean.unwrap().mean, found.unknown.mean.unwrap().mean), (0.5, 1.0));
}
