//! What a monitor tells, as whoever looks on takes it.

use std::collections::HashMap;

use kad::PeerId;
use schema::PeerNumber;

use super::{VisitSeen, WatchFact, watch_facts};
use crate::running::MonitorFact;

/// How many visits at most are remembered of which it is not known yet what they say: those of a minute without an answer, at a thousand a
/// second.
const MAX_PENDING: usize = 65_536;

/// Turns what a monitor tells in one run into what became known of peers.
#[derive(Debug, Default)]
pub struct WatchFeed {
    names: HashMap<PeerNumber, PeerId>,
    /// What was seen of peers of which it is not known yet what that says.
    pending: HashMap<PeerNumber, VisitSeen>,
}

impl WatchFeed {
    /// What becomes known by something that happened.
    pub fn told(&mut self, fact: &MonitorFact) -> Vec<WatchFact> {
        match fact {
            MonitorFact::Peer(number, peer) => {
                self.names.insert(*number, *peer);
                Vec::new()
            }
            MonitorFact::Visited(visit) => {
                if self.pending.len() < MAX_PENDING {
                    self.pending.insert(visit.peer, VisitSeen::of(visit));
                }
                Vec::new()
            }
            MonitorFact::Looked(looked) => {
                let seen = self.pending.remove(&looked.peer).unwrap_or_default();
                let peer = self.names.get(&looked.peer);
                peer.map(|peer| watch_facts(*peer, seen, &looked.look, &looked.change)).unwrap_or_default()
            }
            MonitorFact::Session(_)
            | MonitorFact::Day(_)
            | MonitorFact::Gap(_)
            | MonitorFact::Crawled { .. } => Vec::new(),
        }
    }
}
