//! Who has a connection with the heads, and what each of them said of itself.
//!
//! It is as large as there are connections, which the fabric bounds. What many peers say alike is kept once.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kad::{
    Multiaddr, PeerId,
    fabric::{Closed, Connected, ConnectionId, Direction, Introduced},
    identify::Identify,
};

/// How many different things peers say of themselves are kept once for all who say them. More are kept with each of them.
const MAX_SAYINGS: usize = 4096;

/// A peer with connections.
#[derive(Debug, Clone, Default)]
pub struct SwarmPeer {
    /// Its connections with heads, in the order in which they came to stand.
    pub connections: Vec<SwarmConnection>,
    /// What it says of itself; `None` if it was not asked, or has not answered.
    pub saying: Option<Arc<SwarmSaying>>,
}

/// A connection of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwarmConnection {
    /// The head.
    pub head: PeerId,
    /// Where the peer is seen.
    pub remote: Multiaddr,
    /// Who opened it.
    pub direction: Direction,
    id: ConnectionId,
}

/// What a peer says of itself.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SwarmSaying {
    /// Its program; empty if it does not say.
    pub agent: String,
    /// What it speaks.
    pub protocols: Vec<String>,
}

/// Who has a connection with the heads.
#[derive(Debug, Default)]
pub(super) struct Swarm(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    peers: BTreeMap<PeerId, SwarmPeer>,
    sayings: HashSet<Arc<SwarmSaying>>,
}

impl Swarm {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection of a head stands.
    pub(super) fn connected(&self, head: PeerId, connected: &Connected) {
        let Connected { id, peer, remote, direction } = connected;
        let connection = SwarmConnection { head, remote: remote.clone(), direction: *direction, id: *id };
        self.lock().peers.entry(*peer).or_default().connections.push(connection);
    }

    /// A peer says who it is. What it pushed may leave out what has not changed.
    pub(super) fn introduced(&self, introduced: &Introduced) {
        let Introduced { peer, identify, .. } = introduced;
        let Identify { agent_version, protocols, .. } = &**identify;
        let mut inner = self.lock();
        let Some(present) = inner.peers.get(peer) else { return };
        let before = present.saying.as_deref();
        let agent = agent_version.as_ref().or(before.map(|before| &before.agent));
        let spoken = if protocols.is_empty() {
            before.map_or(protocols, |before| &before.protocols)
        } else {
            protocols
        };
        let saying = SwarmSaying { agent: agent.cloned().unwrap_or_default(), protocols: spoken.clone() };
        let saying = inner.kept_once(saying);
        if let Some(present) = inner.peers.get_mut(peer) {
            present.saying = Some(saying);
        }
    }

    /// A connection of a head is over.
    pub(super) fn closed(&self, closed: &Closed) {
        let mut inner = self.lock();
        let Some(present) = inner.peers.get_mut(&closed.peer) else { return };
        present.connections.retain(|connection| connection.id != closed.id);
        if present.connections.is_empty() {
            inner.peers.remove(&closed.peer);
        }
    }

    /// Some of the peers with connections, in the order of their ids, behind the last of those that were asked for before.
    pub(super) fn page(&self, after: Option<&PeerId>, count: usize) -> Vec<(PeerId, SwarmPeer)> {
        let inner = self.lock();
        let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        inner.peers.range(behind).take(count).map(|(peer, present)| (*peer, present.clone())).collect()
    }

    /// How many peers each of these heads has a connection with.
    pub(super) fn peers_of(&self, heads: &[PeerId]) -> Vec<usize> {
        let inner = self.lock();
        let has =
            |present: &SwarmPeer, head| present.connections.iter().any(|connection| connection.head == head);
        heads.iter().map(|head| inner.peers.values().filter(|present| has(present, *head)).count()).collect()
    }
}

impl Inner {
    fn kept_once(&mut self, saying: SwarmSaying) -> Arc<SwarmSaying> {
        if let Some(known) = self.sayings.get(&saying) {
            return Arc::clone(known);
        }
        let saying = Arc::new(saying);
        if self.sayings.len() >= MAX_SAYINGS {
            self.sayings.retain(|known| Arc::strong_count(known) > 1);
        }
        if self.sayings.len() < MAX_SAYINGS {
            self.sayings.insert(Arc::clone(&saying));
        }
        saying
    }
}

#[cfg(test)]
mod tests {
    use kad::{fabric::CloseReason, network::Traffic};

    use super::*;

    fn connected(swarm: &Swarm, head: PeerId, peer: PeerId, id: u64) {
        let remote = format!("/ip4/127.0.0.1/tcp/{id}").parse().unwrap();
        let (id, direction) = (ConnectionId(id), Direction::Inbound);
        swarm.connected(head, &Connected { id, peer, remote, direction });
    }

    fn closed(swarm: &Swarm, peer: PeerId, id: u64) {
        swarm.closed(&Closed {
            id: ConnectionId(id),
            peer,
            direction: Direction::Inbound,
            lasted: std::time::Duration::ZERO,
            traffic: Traffic::default(),
            reason: CloseReason::PeerHungUp,
            failure: None,
        });
    }

    fn introduced(swarm: &Swarm, peer: PeerId, agent: Option<&str>, protocols: &[&str]) {
        let identify = Identify {
            agent_version: agent.map(str::to_owned),
            protocols: protocols.iter().map(|&name| name.to_owned()).collect(),
            ..Identify::default()
        };
        let nowhere: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        let identify = Box::new(identify);
        swarm.introduced(&Introduced { peer, remote: nowhere.clone(), local: nowhere, identify });
    }

    #[test]
    fn a_peer_is_there_as_long_as_it_has_a_connection() {
        let swarm = Swarm::default();
        let (heads, peer) = ([PeerId::random(), PeerId::random()], PeerId::random());
        for (id, head) in [(1, 0), (2, 1), (3, 1)] {
            connected(&swarm, heads[head], peer, id);
        }
        assert_eq!(swarm.peers_of(&heads), [1, 1]);
        closed(&swarm, peer, 1);
        assert_eq!(swarm.peers_of(&heads), [0, 1]);
        assert_eq!(swarm.page(None, 10)[0].1.connections.len(), 2);
        closed(&swarm, peer, 2);
        closed(&swarm, peer, 3);
        assert!(swarm.page(None, 10).is_empty());
        introduced(&swarm, peer, Some("late"), &[]);
        assert!(swarm.page(None, 10).is_empty());
    }

    #[test]
    fn pages_are_all_of_it() {
        let swarm = Swarm::default();
        let head = PeerId::random();
        (0..100).for_each(|id| connected(&swarm, head, PeerId::random(), id));
        let mut seen: Vec<PeerId> = Vec::new();
        while let page = swarm.page(seen.last(), 7)
            && !page.is_empty()
        {
            assert!(page.len() <= 7);
            seen.extend(page.iter().map(|(peer, _)| *peer));
        }
        assert_eq!((seen.len(), seen.is_sorted()), (100, true));
    }

    #[test]
    fn what_is_left_out_stays_and_what_is_said_alike_is_kept_once() {
        let swarm = Swarm::default();
        let (head, peers) = (PeerId::random(), [PeerId::random(), PeerId::random()]);
        for (id, peer) in (0..).zip(peers) {
            connected(&swarm, head, peer, id);
            introduced(&swarm, peer, Some("kubo"), &["/ipfs/kad/1.0.0"]);
        }
        introduced(&swarm, peers[0], None, &[]);
        let page = swarm.page(None, 2);
        let [one, other] = [&page[0].1, &page[1].1].map(|peer| peer.saying.clone().unwrap());
        assert!(Arc::ptr_eq(&one, &other));
        introduced(&swarm, peers[0], Some("other"), &[]);
        let first = swarm.page(None, 2).into_iter().find(|(peer, _)| *peer == peers[0]).unwrap();
        let expected =
            SwarmSaying { agent: "other".to_owned(), protocols: vec!["/ipfs/kad/1.0.0".to_owned()] };
        assert_eq!(*first.1.saying.unwrap(), expected);
    }
}
