//! The visits of a crawl as the judge takes them: what the last visit of each peer says, and where peers come and go what
//! each visit said at its time.

use std::collections::BTreeMap;

use libp2p_identity::PeerId;
use schema::{PeerNumber, Visit};

use super::{Observed, ObservedDuring, ObservedPeer, Said, VisitDuring};
use crate::life::Moment;

/// Who was heard of in a crawl, and every visit.
#[derive(Debug, Default)]
pub struct VisitedPeers<'a> {
    ids: BTreeMap<PeerNumber, PeerId>,
    /// Each peer's last visit, which says what it is.
    last: BTreeMap<PeerNumber, &'a Visit>,
    /// The visits before.
    earlier: Vec<&'a Visit>,
}

impl<'a> VisitedPeers<'a> {
    /// Everybody who was heard of, numbered from 0 without gaps, and the visits in the order in which they were made.
    pub fn new(
        ids: impl IntoIterator<Item = (PeerNumber, PeerId)>,
        visits: impl IntoIterator<Item = &'a Visit>,
    ) -> Self {
        let mut peers = Self { ids: ids.into_iter().collect(), ..Self::default() };
        for visit in visits {
            peers.earlier.extend(peers.last.insert(visit.peer, visit));
        }
        peers
    }

    /// What is said of every peer.
    pub fn observed(&self) -> Observed {
        let of = |(number, &id): (&PeerNumber, &PeerId)| observed(id, self.last.get(number).copied());
        Observed { peers: self.ids.iter().map(of).collect() }
    }

    /// What was said of every peer at the time of each visit, which `during` tells. Positions are the peers' numbers: what
    /// was said of a peer before its last visit comes after.
    pub fn observed_during(&self, during: impl Fn(&Visit) -> (Moment, Moment)) -> ObservedDuring {
        let of = |id: PeerId, visit: &Visit| VisitDuring {
            peer: observed(id, Some(visit)),
            during: Some(during(visit)),
            dialled: visit.multiaddrs().cloned().collect(),
        };
        let last = self.ids.iter().map(|(number, &id)| match self.last.get(number) {
            Some(visit) => of(id, visit),
            None => VisitDuring { peer: observed(id, None), during: None, dialled: Vec::new() },
        });
        let earlier = self.earlier.iter().filter_map(|visit| Some(of(*self.ids.get(&visit.peer)?, visit)));
        ObservedDuring { visits: last.chain(earlier).collect() }
    }
}

fn observed(id: PeerId, visit: Option<&Visit>) -> ObservedPeer {
    let Some(visit) = visit else {
        return ObservedPeer::heard_of(id);
    };
    let neighbors = visit.neighbors.as_ref().map(|all| all.iter().map(|peer| peer.0).collect());
    let said = Said {
        agent: visit.met.agent_version.clone(),
        protocols: visit.met.protocols.clone(),
        addresses: visit.multiaddrs().cloned().collect(),
    };
    ObservedPeer {
        id,
        reachable: visit.is_reachable(),
        class: visit.fault().map(Into::into),
        neighbors,
        said: Some(Box::new(said)),
    }
}
