//! Who keeps the records that it is given: the share of those that have them, by program and by time, from what was read back.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use estimate::Proportion;
use serde::Serialize;

use crate::Operation;

/// The most programs that are told apart; the records of further ones count together.
const MAX_AGENTS: usize = 256;

/// What further programs are called.
const FURTHER: &str = "(others)";

/// How many of those that were sent a record have it when they are asked so long after its publication.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AcceptedShare {
    /// What the peers call their program; `None` of those that did not say.
    pub agent: Option<String>,
    /// How long after the publication, in seconds.
    pub after_s: f64,
    /// How many were asked.
    pub asked: u64,
    /// How many of those that answered have it; `None` if nobody did.
    pub kept: Option<Proportion>,
}

/// How many records and answers.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    asked: u64,
    answered: u64,
    kept: u64,
}

/// The shares of all programs at all times, by program and time. Who was sent nothing does not count; nor does, in what was kept, who did not
/// answer: it may have the record. A peer that is asked about several records counts with each, so that the intervals are of records, not of
/// peers.
pub fn accepted_shares<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Vec<AcceptedShare> {
    let mut all: BTreeMap<Option<&str>, BTreeMap<Duration, Counts>> = BTreeMap::new();
    for operation in operations {
        let given = operation.requests.iter().filter(|request| request.is_gift() && request.has_left());
        let sent: HashSet<_> = given.map(|given| given.peer).collect();
        for request in &operation.requests {
            let Some(after) = request.read_back_after.filter(|_| sent.contains(&request.peer)) else {
                continue;
            };
            let agent = request.agent.as_deref();
            let is_further = all.len() >= MAX_AGENTS && !all.contains_key(&agent);
            let counts = all.entry(if is_further { Some(FURTHER) } else { agent }).or_default();
            let counts = counts.entry(after).or_default();
            counts.asked += 1;
            counts.answered += u64::from(request.has_record.is_some());
            counts.kept += u64::from(request.has_record == Some(true));
        }
    }
    let share = |agent: Option<&str>, after: Duration, counts: Counts| AcceptedShare {
        agent: agent.map(str::to_owned),
        after_s: after.as_secs_f64(),
        asked: counts.asked,
        kept: Proportion::of(counts.kept, counts.answered),
    };
    let by_time = all.into_iter().flat_map(|(agent, times)| times.into_iter().map(move |time| (agent, time)));
    by_time.map(|(agent, (after, counts))| share(agent, after, counts)).collect()
}
