//! What a lookup tells of peers: who answers belongs into the table, who fails out of it.

use std::time::Duration;

use kad::{
    Key,
    lookup::{Rpc, RpcFate},
};

use super::state::NodeState;
use crate::finder::Found;

/// A peer that a lookup began with was useful if it answered in less than so many times what the quickest of them took
/// (go-libp2p-kad-dht, `recordValuablePeers`).
const USEFUL_FACTOR: u32 = 2;

impl NodeState {
    /// Takes in what a lookup showed of peers.
    pub(super) fn learn(&self, found: &Found) {
        for rpc in &found.trace.rpcs {
            let Some(peer) = found.trace.peer(rpc.peer) else { continue };
            match rpc.fate {
                RpcFate::Answered => self.insert(found.contact(peer)),
                RpcFate::Failed => self.remove(&peer),
                RpcFate::Open | RpcFate::Unconfirmed | RpcFate::Cancelled => {}
            }
        }
        self.note_useful(found);
        self.size.track(found, |shared| self.knowledge().table.len_at(shared));
        // Where nobody answers, as in an empty table, nothing is refreshed.
        let is_answered = found.trace.rpcs.iter().any(|rpc| rpc.fate == RpcFate::Answered);
        if found.outcome.is_complete && is_answered {
            let now = self.now();
            self.knowledge().table.note_lookup(&Key::of(&found.trace.preimage), now);
        }
    }

    fn note_useful(&self, found: &Found) {
        let now = self.now();
        let asked = |rpc: &&Rpc| rpc.fate == RpcFate::Answered && rpc.heard_by.is_none();
        let seeds = || found.trace.rpcs.iter().filter(asked);
        let Some(quickest) = seeds().filter_map(took).min() else { return };
        let table = &mut self.knowledge().table;
        for rpc in seeds().filter(|rpc| took(rpc).is_some_and(|took| took < quickest * USEFUL_FACTOR)) {
            if let Some(peer) = found.trace.peer(rpc.peer) {
                table.note_use(&Key::of_peer(&peer), now);
            }
        }
    }
}

/// From the question, the dial included, to the answer.
fn took(rpc: &Rpc) -> Option<Duration> {
    Some(rpc.ended?.saturating_sub(rpc.asked))
}
