//! How right an observer was of peers that come and go: what it says of each must have held at some moment of its visit.
//!
//! | number | wrong |
//! |---|---|
//! | `wrong_outcomes` | visits that ended in a way that was possible at no moment of the visit |
//! | `edges_never_listed` | entries that a peer is said to have named, and named at no moment of the visit |
//! | `edges_missed` | entries that a peer named throughout its visit, and that are missing from it |
//! | `peers_missed` | peers that nobody heard of, though they could be found at every moment of the crawl |
//! | `peers_invented` | peers that exist nowhere |

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use multiaddr::Multiaddr;
use serde::Serialize;

use super::{
    MAX_LISTED, ObservedPeer, Truth,
    judge::{Place as Known, place},
    moments::{Outcomes, outcomes},
};
use crate::life::{History, Moment, Naming};

/// What an observer says of a world whose peers come and go.
#[derive(Debug, Clone, Default)]
pub struct ObservedDuring {
    /// Every visit, and every peer that it heard of and did not visit. A peer that was visited twice is here twice.
    pub visits: Vec<VisitDuring>,
}

/// One visit, or a peer that was only heard of.
#[derive(Debug, Clone)]
pub struct VisitDuring {
    /// What came of it. Neighbors are positions in [`ObservedDuring::visits`].
    pub peer: ObservedPeer,
    /// From when until when the visit lasted; `None` if there was none.
    pub during: Option<(Moment, Moment)>,
    /// The addresses that were dialled. Empty if the observer does not keep them: then any of the peer's may have been.
    pub dialled: Vec<Multiaddr>,
}

/// How right such an observer was.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DuringVerdict {
    /// Visits that were judged.
    pub visits: u64,
    /// Visits that were not, because the history does not reach as far.
    pub visits_beyond: u64,
    /// Visits that came to what was possible at no moment.
    pub wrong_outcomes: u64,
    /// Entries that peers are said to have named.
    pub edges: u64,
    /// How many of these the peer named at no moment of its visit.
    pub edges_never_listed: u64,
    /// Entries that peers named throughout their visits, of visits that were answered in full.
    pub edges_expected: u64,
    /// How many of these are missing.
    pub edges_missed: u64,
    /// Entries that lying peers announced.
    pub edges_of_liars: u64,
    /// Peers that could be found at every moment.
    pub peers_expected: u64,
    /// How many of these were not heard of.
    pub peers_missed: u64,
    /// Peers that exist nowhere and that nobody announced.
    pub peers_invented: u64,
    /// The first wrong ones: at most [`MAX_LISTED`].
    pub wrong: Vec<WrongDuring>,
}

/// Something wrong that was said of a visit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WrongDuring {
    /// Who was visited, or was not heard of.
    pub id: String,
    /// The number of the verdict that counts it.
    pub counted_as: &'static str,
    /// When the visit began, in seconds of life; the crawl, for a peer that was not heard of.
    pub from_s: f64,
    /// When it ended.
    pub to_s: f64,
    /// What was said, and what would have been right.
    pub what: String,
}

impl DuringVerdict {
    /// Whether nothing was wrong.
    pub const fn is_right(&self) -> bool {
        self.wrong_outcomes == 0
            && self.edges_never_listed == 0
            && self.edges_missed == 0
            && self.peers_missed == 0
            && self.peers_invented == 0
    }

    fn list(&mut self, judge: &Judge<'_>, visit: &VisitDuring, counted_as: &'static str, what: String) {
        if self.wrong.len() < MAX_LISTED {
            let (from, to) = visit.during.unwrap_or(judge.crawl);
            let id = visit.peer.id.to_base58();
            self.wrong.push(WrongDuring { id, counted_as, from_s: from.seconds(), to_s: to.seconds(), what });
        }
    }
}

/// What one judgement is based on.
struct Judge<'a> {
    truth: &'a Truth,
    history: &'a History,
    visits: &'a [VisitDuring],
    /// Who each of the visits was to.
    places: Vec<Known>,
    slack: Duration,
    /// From the first visit until the last.
    crawl: (Moment, Moment),
}

pub(super) fn judge(
    truth: &Truth,
    history: &History,
    observed: &ObservedDuring,
    slack: Duration,
) -> DuringVerdict {
    let slack = slack.saturating_add(history.late());
    let visits = observed.visits.as_slice();
    let times = || visits.iter().filter_map(|visit| visit.during);
    let begun = times().map(|(from, _)| from).min().unwrap_or(Moment::START);
    let ended = times().map(|(_, to)| to).max().unwrap_or(begun);
    let judge = Judge {
        truth,
        history,
        visits,
        places: visits.iter().map(|visit| place(truth, &visit.peer.id)).collect(),
        slack,
        crawl: (begun.before(slack), ended.after(slack)),
    };
    let mut verdict = DuringVerdict::default();
    // First, since a peer that is missed is one line, and its edges are many.
    judge.heard(&mut verdict);
    for (visit, place) in visits.iter().zip(&judge.places) {
        match (*place, visit.during) {
            (Known::Nowhere, _) => verdict.peers_invented += 1,
            (Known::Peer(_), Some((_, to))) if to > history.until() => verdict.visits_beyond += 1,
            (Known::Peer(number), Some((from, to))) => {
                let during = (from.before(slack), to.after(slack));
                judge.visit(visit, number, during, &mut verdict);
            }
            _ => {}
        }
    }
    verdict
}

impl Judge<'_> {
    fn visit(&self, visit: &VisitDuring, number: u32, during: (Moment, Moment), verdict: &mut DuringVerdict) {
        verdict.visits += 1;
        let ObservedPeer { reachable, class, neighbors, .. } = &visit.peer;
        let possible = outcomes(self.truth, self.history, number, &visit.dialled, during);
        if !possible.allow(*reachable, class.as_deref()) {
            verdict.wrong_outcomes += 1;
            let said = spoken(*reachable, class.as_deref());
            let what = format!("{said}, which was possible at no moment: {}", described(&possible));
            verdict.list(self, visit, "wrong_outcomes", what);
        }
        let Some(neighbors) = neighbors.as_deref().filter(|_| *reachable) else { return };
        if !self.truth.world().state(number).is_honest_server() {
            verdict.edges_of_liars += neighbors.len() as u64;
            return;
        }
        let named = self.history.named(number, during.0, during.1);
        let mut seen: HashSet<u32> = HashSet::with_capacity(neighbors.len());
        for &position in neighbors {
            verdict.edges += 1;
            let neighbor = self.places.get(position as usize).and_then(|known| known.number());
            seen.extend(neighbor);
            if !neighbor.is_some_and(|neighbor| named.contains_key(&neighbor)) {
                verdict.edges_never_listed += 1;
                let id = self.visits.get(position as usize).map(|visit| visit.peer.id.to_base58());
                let what = format!("is said to have named {}", id.unwrap_or_default());
                verdict.list(self, visit, "edges_never_listed", what);
            }
        }
        if class.is_some() {
            return;
        }
        for (neighbor, _) in named.iter().filter(|(_, naming)| naming.always) {
            verdict.edges_expected += 1;
            if !seen.contains(neighbor) {
                verdict.edges_missed += 1;
                let what = format!("named {} throughout", self.truth.world().peer_id(*neighbor));
                verdict.list(self, visit, "edges_missed", what);
            }
        }
    }

    /// Who must have been heard of: whoever the tables of servers that could be read throughout named throughout.
    fn heard(&self, verdict: &mut DuringVerdict) {
        let world = self.truth.world();
        let (from, to) = self.crawl;
        let is_away = world.outages().any(|away| away.touches(from, to));
        if is_away || to > self.history.until().after(self.slack) || self.visits.is_empty() {
            return;
        }
        let heard: HashSet<u32> = self.places.iter().filter_map(|place| place.number()).collect();
        let mut expected: HashSet<u32> = world.bootstrap().iter().copied().collect();
        let mut queue: VecDeque<u32> = world.bootstrap().iter().copied().collect();
        let mut read: HashSet<u32> = expected.clone();
        while let Some(server) = queue.pop_front() {
            for (peer, naming) in self.history.named(server, self.crawl.0, self.crawl.1) {
                if !naming.always {
                    continue;
                }
                expected.insert(peer);
                if self.is_readable(server, peer, naming) && read.insert(peer) {
                    queue.push_back(peer);
                }
            }
        }
        verdict.peers_expected = expected.len() as u64;
        let mut missed: Vec<u32> = expected.difference(&heard).copied().collect();
        missed.sort_unstable();
        verdict.peers_missed = missed.len() as u64;
        for &peer in missed.iter().take(MAX_LISTED) {
            let id = world.peer_id(peer);
            let peer = ObservedPeer::heard_of(id);
            let visit = VisitDuring { peer, during: None, dialled: Vec::new() };
            verdict.list(self, &visit, "peers_missed", "could be found throughout the crawl".to_owned());
        }
    }

    /// Whether whoever hears of `peer` from `server`, at any moment of the crawl, can read its table.
    fn is_readable(&self, server: u32, peer: u32, naming: Naming) -> bool {
        let world = self.truth.world();
        let (from, to) = self.crawl;
        let is_there = match self.history.presence(peer, from) {
            Some(presence) => {
                self.history.was_up_throughout(peer, from, to) && naming.is_only_at(presence.last.place)
            }
            None => self.truth.expected(peer).reachable && !world.announces_former(server, peer),
        };
        is_there && world.state(peer).is_honest_server()
    }
}

fn spoken(reachable: bool, class: Option<&str>) -> String {
    let reach = if reachable { "reachable" } else { "unreachable" };
    class.map_or_else(|| reach.to_owned(), |class| format!("{reach}, {class}"))
}

fn described(possible: &Outcomes) -> String {
    let connects = match (possible.must_connect, possible.may_connect) {
        (true, _) => "reachable throughout",
        (false, true) => "reachable for a while",
        (false, false) => "never reachable",
    };
    format!("{connects}; dials fail as {:?}, requests as {:?}", possible.refusals, possible.breaks)
}

#[cfg(test)]
mod tests;
