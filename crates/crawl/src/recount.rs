//! The numbers of a crawl once more, from its rows alone: what its summary should say.
//!
//! Whoever reads a store hands the rows over one by one; a few bytes of each peer are kept. What only the crawl itself could see
//! is not recounted: what was left out, what attempts cost that became no connection, and what the run took.

use std::collections::HashSet;

use estimate::{Capture, Completeness, Evidence};
use kad::{Key, PeerId};
use schema::{CrawlWalk, PeerInDegree, PeerNumber, RunStart, RunState, Visit};
use serde_json::{Map, Value};

use crate::{strategy::CrawlStrategyName, tally::Tally, walked::RandomWalkTally};

/// The fields of a [`Summary`](crate::Summary) that need all visits of a run.
const OF_VISITS: [&str; 20] = [
    "peers",
    "visits",
    "requests",
    "errors",
    "turned_away",
    "nat",
    "request_errors",
    "crawl_errors",
    "longer_tables",
    "identify_errors",
    "addresses",
    "agents",
    "protocols",
    "transports",
    "security",
    "certificates",
    "ip_versions",
    "rtt_ms",
    "kept_visits",
    "completeness",
];

/// Counts the rows of one crawl.
#[derive(Debug, Default)]
pub struct Recount {
    tally: Tally,
    peers: Vec<PeerId>,
    reached: HashSet<PeerNumber>,
    heard: Vec<PeerInDegree>,
    edges: u64,
    walks: RandomWalkTally,
}

/// What the rows come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Recounted {
    /// Fields of a summary, as its JSON has them.
    pub numbers: Map<String, Value>,
    /// The names of those that can no longer be recounted.
    pub missing: Vec<&'static str>,
}

/// A number that a summary says otherwise than the rows do.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Difference {
    /// Which: `completeness.estimate.missed`.
    pub name: String,
    /// What the summary says; `None` if nothing.
    pub summary: Option<Value>,
    /// What the rows say, likewise.
    pub rows: Option<Value>,
}

impl Recount {
    /// Takes the next peer in, by its number: they come in order, before all other rows.
    pub fn peer(&mut self, peer: PeerId) {
        self.peers.push(peer);
    }

    /// Takes a visit in; they come in the order in which they were written.
    pub fn visit(&mut self, visit: &Visit) {
        self.tally.add(visit);
        if visit.is_reachable() {
            self.reached.insert(visit.peer);
        }
    }

    /// Takes in what was heard of a peer.
    pub fn in_degree(&mut self, heard: PeerInDegree) {
        self.edges += u64::from(heard.tables);
        self.heard.push(heard);
    }

    /// Takes a walk in; they come in the order in which they were written.
    pub fn walk(&mut self, walk: &CrawlWalk) {
        let key_of = |peer: PeerNumber| self.peers.get(peer.0 as usize).map(Key::of_peer);
        self.walks.add(walk, key_of);
    }

    /// What they come to. `pruned` is how many visits are there no more.
    pub fn finish(
        mut self,
        (start, state): (&RunStart, RunState),
        pruned: u64,
    ) -> serde_json::Result<Recounted> {
        let is_heard = self.heard.len() == self.peers.len();
        let mut numbers = Map::new();
        let mut missing = Vec::new();
        let walk = has_walked(start).then(|| self.walks.summary());
        numbers.insert("walk".to_owned(), serde_json::to_value(walk)?);
        if is_heard {
            numbers.insert("edges".to_owned(), self.edges.into());
        } else {
            missing.push("edges");
        }
        if pruned > 0 {
            missing.extend(OF_VISITS);
            return Ok(Recounted { numbers, missing });
        }
        let completeness = is_heard.then(|| self.completeness(start, state));
        match completeness {
            Some(completeness) => {
                numbers.insert("completeness".to_owned(), serde_json::to_value(completeness)?);
            }
            None => missing.push("completeness"),
        }
        let mut counted = self.tally.counted(self.peers.len() as u64);
        counted.edges = self.edges;
        numbers.insert("kept_visits".to_owned(), counted.visits.all().into());
        if let Value::Object(mut counted) = serde_json::to_value(counted)? {
            counted.remove("edges");
            numbers.extend(counted);
        }
        Ok(Recounted { numbers, missing })
    }

    fn completeness(&mut self, start: &RunStart, state: RunState) -> Completeness {
        self.heard.sort_unstable_by_key(|heard| heard.named);
        // A walk reads no table.
        let tables = if has_walked(start) { 0 } else { self.tally.crawled };
        let tables = usize::try_from(tables).unwrap_or(usize::MAX);
        let evidence = Evidence {
            captures: self.heard.iter().map(|heard| self.capture(heard)).collect(),
            growth: &growth(&self.heard, tables),
            cut_short: !matches!(state, RunState::Succeeded | RunState::Failed),
            left_out: max_peers(start).is_some_and(|most| self.peers.len() as u64 >= most),
        };
        evidence.weigh(|number| self.peers.get(number).map_or(0, |peer| Key::of_peer(peer).as_bytes()[0]))
    }

    fn capture(&self, heard: &PeerInDegree) -> Capture {
        let reached =
            if self.reached.contains(&heard.named) { Some(true) } else { self.tally.stands(heard.named) };
        Capture { in_degree: heard.tables, reached, given: heard.given }
    }
}

/// How many peers were known after each table was read.
fn growth(heard: &[PeerInDegree], tables: usize) -> Vec<u32> {
    let mut growth = vec![0_u32; tables];
    for heard in heard {
        let after = usize::try_from(heard.heard_after).unwrap_or(usize::MAX);
        if let Some(first) = growth.get_mut(after) {
            *first += 1;
        }
    }
    let mut known = 0;
    for first in &mut growth {
        known += *first;
        *first = known;
    }
    growth
}

/// How many peers the crawl could keep in mind.
fn max_peers(start: &RunStart) -> Option<u64> {
    start.parameters.get("max_peers")?.as_u64()
}

/// Whether it was a crawl that walks.
fn has_walked(start: &RunStart) -> bool {
    start.parameters.get("strategy").and_then(Value::as_str) == Some(CrawlStrategyName::RandomWalk.name())
}

impl Recounted {
    /// What a summary says otherwise, by name, in the order of the names.
    pub fn differences(&self, summary: &Value) -> Vec<Difference> {
        let mut found = Vec::new();
        for (name, rows) in &self.numbers {
            compare(name, (summary.get(name), Some(rows)), &mut found);
        }
        found
    }
}

fn compare(name: &str, (summary, rows): (Option<&Value>, Option<&Value>), found: &mut Vec<Difference>) {
    match (summary, rows) {
        (Some(Value::Object(said)), Some(Value::Object(counted))) => {
            let names: std::collections::BTreeSet<_> = said.keys().chain(counted.keys()).collect();
            for part in names {
                compare(&format!("{name}.{part}"), (said.get(part), counted.get(part)), found);
            }
        }
        (summary, rows) if summary == rows => {}
        (summary, rows) => {
            found.push(Difference { name: name.to_owned(), summary: summary.cloned(), rows: rows.cloned() });
        }
    }
}
