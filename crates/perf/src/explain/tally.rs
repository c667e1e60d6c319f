//! Who holds up most, over many operations.

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{Culprit, PathPart, PathWait};
use crate::{AcceptedShare, Operation, accepted_shares};

/// The most peers, and the most programs, that are told apart.
const MAX_NAMES: usize = 10_000;

/// So many of those that held up most are named.
const MOST: usize = 10;

/// What program a peer has that did not say.
const UNKNOWN: &str = "(unknown)";

/// Adds operations up.
#[derive(Debug, Default)]
pub struct ExplainTally {
    operations: u64,
    took: Duration,
    explained: u64,
    waits: BTreeMap<(PathPart, PathWait), Duration>,
    peers: BTreeMap<String, HeldUp>,
    agents: BTreeMap<String, HeldUp>,
    reasons: BTreeMap<String, HeldUp>,
    accepted: Vec<Operation>,
}

/// How often somebody or something held operations up, and for how long.
#[derive(Debug, Clone, Copy, Default)]
struct HeldUp {
    operations: u64,
    held: Duration,
}

/// What many operations waited for, and for whom.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainSummary {
    /// How many they are.
    pub operations: u64,
    /// How long they took together, in seconds.
    pub took_s: f64,
    /// In how many somebody stands out who held them up.
    pub held_up: u64,
    /// What they waited for: the longest first.
    pub waits: Vec<WaitShare>,
    /// Which peers held them up: those that did so longest.
    pub peers: Vec<HeldUpBy>,
    /// Which programs.
    pub agents: Vec<HeldUpBy>,
    /// What took so long, and what came of it.
    pub reasons: Vec<HeldUpBy>,
    /// Who keeps records, as far as they were read back.
    pub accepted: Vec<AcceptedShare>,
}

/// How long operations waited for something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaitShare {
    /// In which part of them.
    pub part: PathPart,
    /// For what.
    pub wait: PathWait,
    /// How long, in seconds.
    pub took_s: f64,
    /// As a share of all time, 0 to 1.
    pub share: f64,
}

/// Somebody or something that held operations up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeldUpBy {
    /// Who or what.
    pub name: String,
    /// How many operations.
    pub operations: u64,
    /// For how long, in seconds.
    pub held_s: f64,
}

impl ExplainTally {
    /// Adds one.
    pub fn add(&mut self, operation: &Operation) {
        self.operations += 1;
        self.took += operation.took;
        for piece in &operation.critical_path {
            *self.waits.entry((piece.part, piece.wait)).or_default() += piece.took();
        }
        if let Some(culprit) = &operation.culprit {
            self.blame(operation, culprit);
        }
        let mut read = operation.clone();
        read.requests.retain(|request| request.read_back_after.is_some() || request.is_gift());
        if read.requests.iter().any(|request| request.read_back_after.is_some())
            && self.accepted.len() < MAX_NAMES
        {
            read.critical_path.clear();
            self.accepted.push(read);
        }
    }

    /// What they come to.
    pub fn summary(&self) -> ExplainSummary {
        let all = self.took.as_secs_f64();
        let share = |(&(part, wait), took): (&(PathPart, PathWait), &Duration)| {
            let took_s = took.as_secs_f64();
            WaitShare { part, wait, took_s, share: if all > 0.0 { took_s / all } else { 0.0 } }
        };
        let mut waits: Vec<WaitShare> = self.waits.iter().map(share).collect();
        waits.sort_by(|a, b| b.took_s.total_cmp(&a.took_s));
        ExplainSummary {
            operations: self.operations,
            took_s: all,
            held_up: self.explained,
            waits,
            peers: most(&self.peers),
            agents: most(&self.agents),
            reasons: most(&self.reasons),
            accepted: accepted_shares(&self.accepted),
        }
    }

    fn blame(&mut self, operation: &Operation, culprit: &Culprit) {
        self.explained += 1;
        let mut asked = operation.requests.iter().filter(|request| request.peer == culprit.peer);
        let agent = asked.find_map(|request| request.agent.as_deref());
        let held = culprit.held;
        count(&mut self.peers, culprit.peer.to_string(), held);
        count(&mut self.agents, agent.unwrap_or(UNKNOWN).to_owned(), held);
        count(&mut self.reasons, culprit.reason(), held);
    }
}

fn count(names: &mut BTreeMap<String, HeldUp>, name: String, held: Duration) {
    if names.len() >= MAX_NAMES && !names.contains_key(&name) {
        return;
    }
    let entry = names.entry(name).or_default();
    entry.operations += 1;
    entry.held += held;
}

fn most(names: &BTreeMap<String, HeldUp>) -> Vec<HeldUpBy> {
    let mut all: Vec<_> = names.iter().collect();
    all.sort_by_key(|(_, held_up)| Reverse(held_up.held));
    let row = |(name, held_up): (&String, &HeldUp)| HeldUpBy {
        name: name.clone(),
        operations: held_up.operations,
        held_s: held_up.held.as_secs_f64(),
    };
    all.into_iter().take(MOST).map(row).collect()
}
