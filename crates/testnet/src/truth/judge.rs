//! How right an observer was: what it says beside what is true.
//!
//! | number | right | of |
//! |---|---|---|
//! | `peer_recall` | discoverable peers that it heard of | discoverable peers |
//! | `peer_precision` | peers that it heard of and that exist | peers that it heard of, announced fakes left out |
//! | `edge_recall` | edges that it saw | edges of honest, reachable, discoverable peers |
//! | `edge_precision` | edges that it saw and that exist | edges that it saw, those of liars left out |
//! | `reachability_accuracy` | peers whose reachability it got right | peers of the world and fakes that it heard of |
//!
//! What it says of a peer's agent, protocols and addresses is judged in [`said`].
//!
//! A fake that a liar announced is a true claim of a lying peer: to have heard of it is neither right nor wrong and is
//! counted apart; to call it reachable is wrong. A peer that nobody announced is invented by the observer.

use std::{borrow::Cow, collections::BTreeMap};

use libp2p_identity::PeerId;
use serde::Serialize;

use super::{
    Expected, Truth,
    said::{self, Said},
};

/// The most wrong classes that a verdict lists; all are counted.
pub const MAX_LISTED: usize = 100;

/// What an observer says.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Every peer that it heard of.
    pub peers: Vec<ObservedPeer>,
}

/// What an observer says of one peer.
#[derive(Debug, Clone)]
pub struct ObservedPeer {
    /// Who.
    pub id: PeerId,
    /// Whether a connection came about.
    pub reachable: bool,
    /// The name of the failure class of the visit: of the connection if there was none, of the requests else; where
    /// nothing was dialled, of the skip reason. `None` if nothing went wrong.
    pub class: Option<Cow<'static, str>>,
    /// Whom it named in its answers, as positions in [`Observed::peers`]; `None` if the observer does not keep that.
    pub neighbors: Option<Vec<u32>>,
    /// What else is known of it; `None` if the observer does not keep that.
    pub said: Option<Box<Said>>,
}

impl ObservedPeer {
    /// A peer that was heard of, and no more.
    pub const fn heard_of(id: PeerId) -> Self {
        Self { id, reachable: false, class: None, neighbors: None, said: None }
    }
}

/// How right an observer was. Shares are from 0 to 1, and 1 where there was nothing to be wrong about.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// The share of discoverable peers that were found.
    pub peer_recall: f64,
    /// The share of named peers that exist.
    pub peer_precision: f64,
    /// The share of visible edges that were found; `None` if the observer keeps no edges.
    pub edge_recall: Option<f64>,
    /// The share of named edges that exist; `None` if the observer keeps no edges.
    pub edge_precision: Option<f64>,
    /// The share of peers heard of that were rightly called reachable or not.
    pub reachability_accuracy: f64,
    /// Peers that could be found, and how many of them were found and missed.
    pub peers: Count,
    /// Peers that exist and were heard of, though no honest peer that can be read announces them.
    pub peers_beyond: u64,
    /// Peers that exist nowhere and that nobody announced.
    pub peers_invented: u64,
    /// Peers that exist nowhere but were announced by lying peers.
    pub announced_fakes: u64,
    /// How many of those were called reachable.
    pub fakes_called_reachable: u64,
    /// Edges that could be seen, and how many of them were found and missed.
    pub edges: Count,
    /// Edges of honest peers, or of nobody, that exist nowhere.
    pub edges_invented: u64,
    /// Edges that lying peers announced.
    pub edges_of_liars: u64,
    /// Unreachable peers that were called reachable, fakes included.
    pub wrongly_reachable: u64,
    /// Reachable peers that were called unreachable.
    pub wrongly_unreachable: u64,
    /// Peers whose agent version or protocols are not theirs, or are missing though they answered.
    pub wrong_identities: u64,
    /// Peers that are known by an address that nobody announces, or not by one that is announced.
    pub wrong_addresses: u64,
    /// Peers of the world for which another class was reported than any of those that fit.
    pub wrong_classes: u64,
    /// The first of the peers with a wrong class or reachability: at most [`MAX_LISTED`].
    pub wrong: Vec<Wrong>,
    /// By what peers do, the most frequent first.
    pub states: Vec<StateCount>,
}

/// Peers in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateCount {
    /// The state, with the stage at which its fault strikes.
    pub state: String,
    /// Peers in it that a crawl can hear of.
    pub peers: u64,
    /// How many of these were heard of.
    pub found: u64,
    /// And of which the right thing was said: reachable or not, and by the right class.
    pub right: u64,
    /// Whether such peers are reachable; where it depends on the peer, of the first one.
    pub reachable: bool,
    /// The classes of which one is right; empty if nothing goes wrong.
    pub classes: &'static [&'static str],
}

/// What could be found, and what of it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What could be found.
    pub expected: u64,
    /// What was.
    pub found: u64,
    /// What was not.
    pub missed: u64,
}

/// A peer of which the observer said something wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// Who.
    pub id: String,
    /// Its state, with its stage.
    pub state: String,
    /// Whether it was reachable.
    pub reachable: bool,
    /// Whether it was called so.
    pub called_reachable: bool,
    /// The classes that would have been right.
    pub expected: &'static [&'static str],
    /// The class that was reported.
    pub reported: Option<String>,
}

/// Where a peer that the observer named is in the world.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Peer(u32),
    Fake,
    Nowhere,
}

impl Place {
    /// The number of a peer of the world.
    pub(super) const fn number(self) -> Option<u32> {
        match self {
            Self::Peer(number) => Some(number),
            Self::Fake | Self::Nowhere => None,
        }
    }
}

pub(super) fn judge(truth: &Truth, observed: &Observed) -> Verdict {
    let places: Vec<Place> = observed.peers.iter().map(|peer| place(truth, &peer.id)).collect();
    let mut verdict = Verdict::default();
    judge_peers(truth, observed, &places, &mut verdict);
    let keeps_edges = observed.peers.iter().any(|peer| peer.neighbors.is_some());
    if keeps_edges {
        judge_edges(truth, observed, &places, &mut verdict);
        let seen = verdict.edges.found + verdict.edges_invented;
        verdict.edge_recall = Some(share(verdict.edges.found, verdict.edges.expected));
        verdict.edge_precision = Some(share(verdict.edges.found, seen));
    }
    let real = verdict.peers.found + verdict.peers_beyond;
    let judged = real + verdict.announced_fakes;
    verdict.peer_recall = share(verdict.peers.found, verdict.peers.expected);
    verdict.peer_precision = share(real, real + verdict.peers_invented);
    let wrong = verdict.wrongly_reachable + verdict.wrongly_unreachable;
    verdict.reachability_accuracy = share(judged.saturating_sub(wrong), judged);
    verdict
}

pub(super) fn place(truth: &Truth, id: &PeerId) -> Place {
    match truth.world.find(id) {
        Some(peer) => Place::Peer(peer),
        None if truth.world.is_fake(id) => Place::Fake,
        None => Place::Nowhere,
    }
}

fn judge_peers(truth: &Truth, observed: &Observed, places: &[Place], verdict: &mut Verdict) {
    let mut seen = vec![false; truth.world.len()];
    let mut states = States::of(truth);
    for (peer, place) in observed.peers.iter().zip(places) {
        match *place {
            Place::Nowhere => verdict.peers_invented += 1,
            Place::Fake => {
                verdict.announced_fakes += 1;
                verdict.fakes_called_reachable += u64::from(peer.reachable);
                verdict.wrongly_reachable += u64::from(peer.reachable);
            }
            // Named twice under the same id: heard of once.
            Place::Peer(number) if std::mem::replace(&mut seen[number as usize], true) => {}
            Place::Peer(number) => {
                let found = truth.is_discoverable(number);
                verdict.peers.found += u64::from(found);
                verdict.peers_beyond += u64::from(!found);
                let is_right = judge_peer(truth, number, peer, verdict);
                states.count(truth, number, is_right);
                if let Some(said) = &peer.said {
                    let doubts = said::doubts(truth, number, peer.reachable, said);
                    verdict.wrong_identities += u64::from(doubts.identity);
                    verdict.wrong_addresses += u64::from(doubts.addresses);
                }
            }
        }
    }
    verdict.states = states.sorted();
    let expected = truth.world.peers().filter(|&peer| truth.is_discoverable(peer)).count() as u64;
    verdict.peers = Count { expected, missed: expected - verdict.peers.found, ..verdict.peers };
}

/// Says whether all is right.
fn judge_peer(truth: &Truth, number: u32, peer: &ObservedPeer, verdict: &mut Verdict) -> bool {
    let expected = truth.expected(number);
    let fits = match &peer.class {
        None => expected.classes.is_empty(),
        Some(class) => expected.classes.contains(&class.as_ref()),
    };
    match (expected.reachable, peer.reachable) {
        (false, true) => verdict.wrongly_reachable += 1,
        (true, false) => verdict.wrongly_unreachable += 1,
        _ => {}
    }
    verdict.wrong_classes += u64::from(!fits);
    let is_right = fits && expected.reachable == peer.reachable;
    if !is_right && verdict.wrong.len() < MAX_LISTED {
        verdict.wrong.push(Wrong {
            id: peer.id.to_base58(),
            state: truth.world.state(number).to_string(),
            reachable: expected.reachable,
            called_reachable: peer.reachable,
            expected: expected.classes,
            reported: peer.class.as_deref().map(str::to_owned),
        });
    }
    is_right
}

/// Peers by their states, while they are counted.
struct States(BTreeMap<String, StateCount>);

impl States {
    /// Those that a crawl can hear of.
    fn of(truth: &Truth) -> Self {
        let mut states: BTreeMap<String, StateCount> = BTreeMap::new();
        for peer in truth.world.peers().filter(|&peer| truth.is_discoverable(peer)) {
            let Expected { reachable, classes } = truth.expected(peer);
            let state = truth.world.state(peer).to_string();
            let blank =
                || StateCount { state: state.clone(), peers: 0, found: 0, right: 0, reachable, classes };
            states.entry(state.clone()).or_insert_with(blank).peers += 1;
        }
        Self(states)
    }

    fn count(&mut self, truth: &Truth, number: u32, is_right: bool) {
        if let Some(count) = self.0.get_mut(&truth.world.state(number).to_string()) {
            count.found += 1;
            count.right += u64::from(is_right);
        }
    }

    fn sorted(self) -> Vec<StateCount> {
        let mut counts: Vec<StateCount> = self.0.into_values().collect();
        counts.sort_by_key(|count| std::cmp::Reverse(count.peers));
        counts
    }
}

fn judge_edges(truth: &Truth, observed: &Observed, places: &[Place], verdict: &mut Verdict) {
    let readable = truth.world.peers().filter(|&peer| truth.is_read(peer));
    verdict.edges.expected = readable.map(|peer| truth.neighbors(peer).len() as u64).sum();
    let mut table: Vec<u32> = Vec::new();
    let mut named: Vec<u32> = Vec::new();
    for (peer, place) in observed.peers.iter().zip(places) {
        let Some(neighbors) = &peer.neighbors else { continue };
        named.clone_from(neighbors);
        named.sort_unstable();
        named.dedup();
        let count = named.len() as u64;
        match *place {
            Place::Peer(number) if truth.is_read(number) => {
                table.clear();
                table.extend_from_slice(&truth.neighbors(number));
                table.sort_unstable();
                let is_edge = |position: &&u32| match places.get(**position as usize) {
                    Some(Place::Peer(other)) => table.binary_search(other).is_ok(),
                    _ => false,
                };
                let found = named.iter().filter(is_edge).count() as u64;
                verdict.edges.found += found;
                verdict.edges_invented += count - found;
            }
            Place::Peer(number) if !truth.world.state(number).is_honest_server() => {
                verdict.edges_of_liars += count;
            }
            _ => verdict.edges_invented += count,
        }
    }
    verdict.edges.missed = verdict.edges.expected.saturating_sub(verdict.edges.found);
}

fn share(right: u64, of: u64) -> f64 {
    if of == 0 { 1.0 } else { right as f64 / of as f64 }
}
