//! How far a lookup went, by its trace: how many peers it took, and how many answers led to whom.

use std::collections::{BTreeMap, BTreeSet};

use kad::{
    PeerId,
    lookup::{Rpc, RpcFate, Trace},
};

/// How far a lookup went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HopCounts {
    /// Peers that it decided to ask, each once, the follow-up included.
    pub contacted: u32,
    /// What CID Hoarder calls `total_hops`: one for what the lookup began with, and one for each request whose end its search saw,
    /// whether it was answered or not. The follow-up is none of it.
    pub total_hops: u32,
    /// Steps to the farthest peer that was heard of, asked or not: 1 for a peer that the lookup began with, and one more for each answer
    /// that led to another.
    pub tree_depth: u32,
    /// Steps until the last of these closest peers was heard of, by the same count; `None` if there is none. In CID Hoarder's tables it
    /// is always 0: nothing ever set it.
    pub hops_to_closest: Option<u32>,
}

/// Counts a trace. Of each peer the first answer that named it counts.
pub fn hop_counts(trace: &Trace, closest: &[PeerId]) -> HopCounts {
    let steps = steps(trace);
    let to_closest = closest.iter().filter_map(|peer| steps.get(&trace.number_of(&peer.to_bytes())?)).max();
    let contacted: BTreeSet<u32> = trace.rpcs.iter().map(|rpc| rpc.peer).collect();
    HopCounts {
        contacted: count(contacted.len()),
        total_hops: count(1 + trace.rpcs.iter().filter(|rpc| is_seen_by_search(rpc, trace)).count()),
        tree_depth: steps.values().copied().max().unwrap_or(0),
        hops_to_closest: to_closest.copied(),
    }
}

/// How many steps led to each peer that was heard of while the lookup searched.
fn steps(trace: &Trace) -> BTreeMap<u32, u32> {
    let mut steps: BTreeMap<u32, u32> = trace.seeds.iter().map(|&seed| (seed, 1)).collect();
    let mut answers: Vec<&Rpc> = trace
        .rpcs
        .iter()
        .filter(|rpc| rpc.fate == RpcFate::Answered && is_seen_by_search(rpc, trace))
        .collect();
    answers.sort_by_key(|rpc| rpc.rank);
    for rpc in answers {
        let next = steps.get(&rpc.peer).map_or(1, |step| step + 1);
        for named in rpc.closer.iter().filter(|named| trace.id(named.peer) != Some(&*trace.own)) {
            steps.entry(named.peer).or_insert(next);
        }
    }
    steps
}

/// Whether the search saw the end of a request.
fn is_seen_by_search(rpc: &Rpc, trace: &Trace) -> bool {
    let is_in_time = || match (rpc.ended, trace.searched) {
        (Some(ended), Some(searched)) => ended <= searched,
        (ended, None) => ended.is_some(),
        (None, Some(_)) => false,
    };
    !rpc.is_follow_up && matches!(rpc.fate, RpcFate::Answered | RpcFate::Failed) && is_in_time()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
