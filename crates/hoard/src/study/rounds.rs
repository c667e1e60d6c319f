//! Rounds of a key, with their lookups and what came of each request.

use std::{sync::Arc, time::Duration};

use kad::{
    failure::FailureClass,
    lookup::{RpcFate, Termination},
    retrieval::RetrievalVerdict,
};
use schema::{HoardLookup, RoundEnd, Timestamp};

use super::StudyPeer;

/// One round of a key that came to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyRound {
    /// Which.
    pub round: u32,
    /// When it was to begin.
    pub planned_after: Duration,
    /// When it began; of one that was missed, when that was known.
    pub began_after: Duration,
    /// When it was over.
    pub ended_after: Duration,
    /// How it ended.
    pub end: RoundEnd,
    /// Other rounds under way when it began.
    pub rounds_in_flight: u32,
    /// Requests of others under way when it began.
    pub requests_in_flight: u32,
    /// Its lookups, in the order in which they were made.
    pub lookups: Vec<StudyLookup>,
    /// What came of dialling those who provide the key; none where nobody was dialled.
    pub dials: Vec<StudyDial>,
}

/// What came of dialling somebody who provides a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StudyDial {
    /// Who.
    pub provider: StudyPeer,
    /// What came of it.
    pub verdict: RetrievalVerdict,
}

/// One lookup of a round.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyLookup {
    /// Which.
    pub lookup: HoardLookup,
    /// When it began, by the clock of the run.
    pub began_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Why its search ended.
    pub ending: Termination,
    /// Requests that it decided on: so many of them are kept.
    pub asked: u32,
    /// Those of them that answered.
    pub answered: u32,
    /// Those of them that could not be asked, or did not answer.
    pub failed: u32,
    /// Peers whose end it awaited, whether they could be reached or not.
    pub contacted: u32,
    /// Answers that led to the farthest peer that it heard of.
    pub tree_depth: u16,
    /// Answers that led to all of the closest; `None` if there are none.
    pub hops_to_closest: Option<u16>,
    /// Providers that it found.
    pub providers: u32,
    /// What it has of the provider by the first answer that names it: 0 nothing, 1 its id, 2 its addresses too.
    pub first_combo: u8,
    /// The same where addresses that a later answer brings are taken.
    pub upgraded_combo: u8,
    /// The closest that it found, the nearest to the key first; lookups that follow one another share the list as long as it is the same.
    pub closest: Arc<[StudyPeer]>,
    /// Its requests, in the order in which they were decided on; empty where they were not asked for.
    pub responses: Vec<StudyResponse>,
}

/// One request of a lookup, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyResponse {
    /// Who was asked.
    pub from: StudyPeer,
    /// When that was decided.
    pub asked_after: Duration,
    /// When the answer came; `None` if none did.
    pub answered_after: Option<Duration>,
    /// How many answers led to the peer: 0 if the lookup began with it.
    pub hop: u8,
    /// What became of it.
    pub fate: RpcFate,
    /// Why it failed; `None` if it did not.
    pub failure: Option<FailureClass>,
    /// Closer peers in the answer.
    pub closer: u32,
    /// Who provides the key by it.
    pub providers: Vec<StudyProvider>,
}

/// A provider in one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StudyProvider {
    /// Who.
    pub peer: StudyPeer,
    /// How many addresses came with it.
    pub addresses: u32,
}

impl StudyRound {
    /// One that was made as planned, at that time, and of which nothing else is known.
    pub const fn made(round: u32, after: Duration) -> Self {
        Self {
            round,
            planned_after: after,
            began_after: after,
            ended_after: after,
            end: RoundEnd::Whole,
            rounds_in_flight: 0,
            requests_in_flight: 0,
            lookups: Vec::new(),
            dials: Vec::new(),
        }
    }

    /// How much later it began than it was to.
    pub fn lag(&self) -> Duration {
        self.began_after.saturating_sub(self.planned_after)
    }

    /// One of its lookups; `None` if it had none of that kind.
    pub fn lookup(&self, lookup: HoardLookup) -> Option<&StudyLookup> {
        self.lookups.iter().find(|made| made.lookup == lookup)
    }
}

impl StudyLookup {
    /// One that began then, and of which nothing else is known.
    pub fn begun(lookup: HoardLookup, began_at: Timestamp) -> Self {
        Self {
            lookup,
            began_at,
            took: Duration::ZERO,
            ending: Termination::Completed,
            asked: 0,
            answered: 0,
            failed: 0,
            contacted: 0,
            tree_depth: 0,
            hops_to_closest: None,
            providers: 0,
            first_combo: 0,
            upgraded_combo: 0,
            closest: Arc::default(),
            responses: Vec::new(),
        }
    }
}
