//! What a lookup came to.

use libp2p_identity::PeerId;

use super::{Lookup, LookupKind, Origin, PeerState, Termination};

/// What a lookup came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupOutcome {
    /// What was looked for.
    pub kind: LookupKind,
    /// Why the search ended.
    pub termination: Termination,
    /// Whether it went to its end: the search to one of its own making, and the follow-up to everybody.
    pub is_complete: bool,
    /// The k closest peers that were not unreachable when the search ended, the closest first.
    pub closest: Vec<ClosestPeer>,
    /// The k closest peers that were heard of, whether they could be reached or not, the closest first.
    pub nearest: Vec<PeerId>,
    /// The providers, in the order in which they were heard of.
    pub providers: Vec<FoundProvider>,
    /// How many values that hold came.
    pub values: usize,
    /// Whether there was a connection to the peer looked for.
    pub is_connected: bool,
    /// How many peers were heard of.
    pub known: usize,
    /// How many requests were made, a second one to the same peer included.
    pub asked: usize,
    /// The most answers that led to one of the closest peers that answered; `None` if none did.
    pub hops: Option<u8>,
}

impl LookupOutcome {
    /// Those of the closest peers that answered, the closest first.
    pub fn answered(&self) -> impl Iterator<Item = &PeerId> {
        let answered = self.closest.iter().filter(|closest| closest.state == PeerState::Queried);
        answered.map(|closest| &closest.peer)
    }
}

/// One of the closest peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosestPeer {
    /// Its id.
    pub peer: PeerId,
    /// How the lookup stands with it, what came after the search included.
    pub state: PeerState,
    /// Where it was heard of.
    pub origin: Origin,
}

/// A provider that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundProvider {
    /// Its id.
    pub peer: PeerId,
    /// Whether addresses came with it.
    pub has_addresses: bool,
}

impl Lookup {
    /// What it came to. A lookup that is not over is given up.
    pub fn outcome(mut self) -> LookupOutcome {
        self.cancel();
        let ending = self.ending.take();
        let closest: Vec<ClosestPeer> = ending
            .iter()
            .flat_map(|ending| &ending.closest)
            .filter_map(|&candidate| {
                let (peer, origin) = (self.peer(candidate)?, self.origin(candidate)?);
                let later = self.requests.get(candidate.0 as usize).and_then(|request| request.later);
                let state = match later {
                    None => self.state(candidate)?,
                    Some(true) => PeerState::Queried,
                    Some(false) => PeerState::Unreachable,
                };
                Some(ClosestPeer { peer, state, origin })
            })
            .collect();
        let answered = closest.iter().filter(|peer| peer.state == PeerState::Queried);
        LookupOutcome {
            kind: self.kind,
            termination: ending.as_ref().map_or(Termination::Cancelled, |ending| ending.termination),
            is_complete: ending.is_some_and(|ending| ending.is_complete),
            hops: answered.map(|peer| peer.origin.hop).max(),
            closest,
            nearest: self.candidates.nearest(self.rules.k).filter_map(|peer| self.peer(peer)).collect(),
            providers: self.found_providers().collect(),
            values: self.values,
            is_connected: self.is_connected,
            known: self.candidates.len(),
            asked: self.asked,
        }
    }

    /// The providers that were found so far, in the order in which they were heard of.
    pub fn found_providers(&self) -> impl Iterator<Item = FoundProvider> {
        self.providers.iter().filter_map(|(id, has_addresses)| {
            let peer = PeerId::from_bytes(id).ok()?;
            Some(FoundProvider { peer, has_addresses })
        })
    }
}
