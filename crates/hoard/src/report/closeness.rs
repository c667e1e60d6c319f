//! The closest peers of an arm's keys: how much they differ from lookup to lookup without any churn, how far lookups went, and how
//! they compare with a crawl's.

use std::collections::HashSet;

use estimate::{ClusterSum, Mean, clustered_mean, clustered_quantile};
use kad::{Key, PeerId, fullrt::SortedKeys};
use schema::{HoardLookup, Timestamp};

use super::{
    counts::Counts,
    looks::{self, PeerBook, first},
    numbers::{CrawlNumbers, HopCountNumbers, HopNumbers, NoiseNumbers},
    shares::Shares,
};
use crate::study::{StudyKey, StudyLookup, StudyPeer, StudyRound};

/// Shares are told apart by so much.
const PARTS: u32 = 1000;

/// Why a draw of samples hangs on nothing but the study: each has this seed.
const SEED: u64 = 17;

/// How much the closest peers of a key differ, as they come.
#[derive(Debug, Default)]
pub(super) struct NoiseTally {
    pairs: u64,
    apart_s: Vec<f64>,
    /// The mean of each key.
    back_to_back: Vec<f64>,
    next_round: Vec<f64>,
    first_round: Vec<f64>,
}

impl NoiseTally {
    /// Takes the lookups of one key.
    pub(super) fn take(&mut self, key: &StudyKey, k: usize) {
        let pairs: Vec<(&StudyLookup, &StudyLookup)> = key.rounds.iter().filter_map(back_to_back).collect();
        self.pairs += pairs.len() as u64;
        self.apart_s.extend(pairs.iter().map(|(one, other)| apart_s(one, other)));
        let back_to_back =
            pairs.iter().map(|(one, other)| missing(first(&one.closest, k), first(&other.closest, k)));
        self.back_to_back.extend(mean(back_to_back));
        let found: Vec<&[StudyPeer]> = key
            .rounds
            .iter()
            .filter(|round| round.round > 0)
            .filter_map(|round| looks::closest(round, k).filter(|closest| !closest.is_empty()))
            .collect();
        self.next_round.extend(mean(found.windows(2).map(|pair| missing(pair[0], pair[1]))));
        let holders: Vec<StudyPeer> = key.holders.iter().map(|holder| holder.peer).collect();
        if let (Some(found), false) = (found.first(), holders.is_empty()) {
            self.first_round.push(missing(&holders, found));
        }
    }

    pub(super) fn numbers(mut self) -> NoiseNumbers {
        self.apart_s.sort_by(f64::total_cmp);
        NoiseNumbers {
            pairs: self.pairs,
            back_to_back: Mean::of(self.back_to_back),
            apart_s: self.apart_s.get(self.apart_s.len() / 2).copied(),
            next_round: Mean::of(self.next_round),
            first_round: Mean::of(self.first_round),
        }
    }
}

/// Two lookups of one round that went on to their end and found somebody.
fn back_to_back(round: &StudyRound) -> Option<(&StudyLookup, &StudyLookup)> {
    let of_kind = |kind| round.lookup(kind).filter(|lookup| !lookup.closest.is_empty());
    of_kind(HoardLookup::Closest).zip(of_kind(HoardLookup::Exhaustive))
}

/// How many seconds lie between the beginnings of two lookups.
fn apart_s(one: &StudyLookup, other: &StudyLookup) -> f64 {
    one.began_at.0.abs_diff(other.began_at.0) as f64 / 1e6
}

/// The share of the longer list whose peers are not in the other.
fn missing(one: &[StudyPeer], other: &[StudyPeer]) -> f64 {
    let both = one.iter().filter(|peer| other.contains(peer)).count();
    1.0 - both as f64 / one.len().max(other.len()).max(1) as f64
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// How far lookups of the closest peers went, as they come.
#[derive(Debug, Default)]
pub(super) struct HopTally {
    lookups: u64,
    keys: u32,
    contacted: HopValues,
    depth: HopValues,
    to_closest: HopValues,
}

/// One count of many lookups: those of one key are one cluster.
#[derive(Debug, Default)]
struct HopValues {
    values: Vec<(/* key */ u32, Option<f64>)>,
    sums: Vec<ClusterSum>,
    shares: Shares<u32>,
}

impl HopTally {
    /// Takes the lookups of one key.
    pub(super) fn take(&mut self, key: &StudyKey) {
        let lookups = key.rounds.iter().flat_map(|round| &round.lookups);
        let lookups: Vec<&StudyLookup> =
            lookups.filter(|lookup| lookup.lookup == HoardLookup::Closest).collect();
        self.lookups += lookups.len() as u64;
        self.contacted.take(self.keys, lookups.iter().map(|lookup| lookup.contacted));
        self.depth.take(self.keys, lookups.iter().map(|lookup| u32::from(lookup.tree_depth)));
        self.to_closest
            .take(self.keys, lookups.iter().filter_map(|lookup| lookup.hops_to_closest).map(u32::from));
        self.keys += 1;
    }

    /// `None` without a lookup.
    pub(super) fn numbers(&self) -> Option<HopNumbers> {
        (self.lookups > 0).then(|| HopNumbers {
            lookups: self.lookups,
            contacted: self.contacted.numbers(),
            depth: self.depth.numbers(),
            to_closest: self.to_closest.numbers(),
        })
    }
}

impl HopValues {
    fn take(&mut self, key: u32, values: impl Iterator<Item = u32> + Clone) {
        let mut sum = ClusterSum::default();
        values.clone().for_each(|value| sum.add(f64::from(value)));
        self.sums.push(sum);
        self.values.extend(values.clone().map(|value| (key, Some(f64::from(value)))));
        self.shares.take(values.clone().count(), values);
    }

    fn numbers(&self) -> HopCountNumbers {
        HopCountNumbers {
            mean: clustered_mean(&self.sums, SEED),
            median: clustered_quantile(&self.values, self.sums.len(), 0.5, SEED),
            shares: self.shares.numbers().collect(),
        }
    }
}

/// Who was there when a crawl looked: the truth that holders and lookups are held against.
#[derive(Debug)]
pub struct CrawlTruth {
    keys: SortedKeys,
    /// The middle of the crawl.
    at: Timestamp,
}

impl CrawlTruth {
    /// The peers that a crawl reached, and the middle of the time that it took.
    pub fn new<'a>(reached: impl IntoIterator<Item = &'a PeerId>, at: Timestamp) -> Self {
        Self { keys: SortedKeys::new(reached.into_iter().map(Key::of_peer).collect()), at }
    }
}

/// The closest peers of an arm's keys beside a crawl's, as they come.
pub(super) struct CrawlTally<'a> {
    truth: &'a CrawlTruth,
    peers: &'a PeerBook,
    apart_s: Vec<f64>,
    placed: Counts,
    recall: Counts,
    lookup_recall: Counts,
    unknown: Counts,
}

impl<'a> CrawlTally<'a> {
    pub(super) fn new(truth: &'a CrawlTruth, peers: &'a PeerBook) -> Self {
        let [recall, lookup_recall] = [0; 2].map(|_| Counts::in_parts(PARTS));
        Self {
            truth,
            peers,
            apart_s: Vec::new(),
            placed: Counts::default(),
            recall,
            lookup_recall,
            unknown: Counts::default(),
        }
    }

    pub(super) fn take(&mut self, key: &StudyKey, k: usize) {
        let all = self.truth.keys.keys();
        let nearest = self.truth.keys.nearest(&Key::of(&key.key)).take(k);
        let closest: HashSet<Key> = nearest.filter_map(|position| all.get(position)).copied().collect();
        if closest.is_empty() {
            return;
        }
        let peers = self.peers;
        let is_among = |peer: &StudyPeer| peers.key(*peer).is_some_and(|key| closest.contains(key));
        let is_crawled =
            |peer: &StudyPeer| peers.key(*peer).is_some_and(|key| self.truth.keys.position(key).is_some());
        let holders = || key.holders.iter().map(|holder| &holder.peer);
        let placed = holders().filter(|peer| is_among(peer)).count();
        self.unknown.count(holders().filter(|peer| !is_crawled(peer)).count());
        self.placed.count(placed);
        self.recall.add(placed as f64 / closest.len() as f64);
        self.apart_s.push((key.published_at.0 - self.truth.at.0) as f64 / 1e6);
        let first_round = key.rounds.iter().find(|round| round.round > 0);
        if let Some(found) = first_round.and_then(|round| looks::closest(round, k)) {
            let found = found.iter().filter(|peer| is_among(peer)).count();
            self.lookup_recall.add(found as f64 / closest.len() as f64);
        }
    }

    pub(super) fn numbers(mut self) -> CrawlNumbers {
        self.apart_s.sort_by(f64::total_cmp);
        CrawlNumbers {
            peers: self.truth.keys.keys().len() as u64,
            apart_s: self.apart_s.get(self.apart_s.len() / 2).copied().unwrap_or_default(),
            placed: self.placed.numbers(),
            recall: self.recall.numbers(),
            lookup_recall: self.lookup_recall.numbers(),
            unknown: self.unknown.numbers(),
        }
    }
}
