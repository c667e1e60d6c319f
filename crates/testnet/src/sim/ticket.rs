//! The places of connections among those of a peer of ours: each is given up by its drop, which tells of that.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use kad::{
    fabric::{CloseReason, Closed, Connected, ConnectionId, Direction, Notice},
    failure::Failure,
    network::Traffic,
    policy::Target,
};
use libp2p_identity::PeerId;
use multiaddr::Multiaddr;
use tokio::time::Instant;

use super::{line::End, ours::Ours};

/// An open connection.
#[derive(Debug)]
pub(super) struct Entry {
    peer: PeerId,
    pub(super) other: Other,
    /// Whether the peer has asked who we are.
    is_interested: AtomicBool,
    pub(super) remote: Multiaddr,
}

/// What is at the other end of a connection.
#[derive(Debug, Clone)]
pub(super) enum Other {
    /// A peer of the world, which is reached over this transport.
    Virtual(u32, Target),
    /// A peer of ours: our end of what is between them.
    Ours(Arc<End>),
}

impl Entry {
    /// Whether the peer has asked who we are, and so hears what we say of ourselves later.
    pub(super) fn is_interested(&self) -> bool {
        self.is_interested.load(Ordering::Relaxed)
    }
}

/// The place of a connection among those of a peer of ours. Its drop gives it up, and tells of that.
#[derive(Debug)]
pub(super) struct Ticket {
    ours: Arc<Ours>,
    id: u64,
    entry: Arc<Entry>,
    direction: Direction,
    since: Instant,
    traffic: Traffic,
    end: Option<(CloseReason, Option<Failure>)>,
}

impl Ticket {
    /// A connection stands with `peer`, which is seen at `remote`.
    pub(super) fn new(
        (ours, id): (&Arc<Ours>, u64),
        direction: Direction,
        (peer, remote): (PeerId, Multiaddr),
        other: Other,
    ) -> Self {
        let is_interested = AtomicBool::new(false);
        let entry = Arc::new(Entry { peer, other, is_interested, remote: remote.clone() });
        ours.register(id, &entry);
        let connected = Connected { id: ConnectionId(id), peer, remote, direction };
        ours.service().notice(Notice::Connected(connected));
        let traffic = Traffic::default();
        Self { ours: Arc::clone(ours), id, entry, direction, since: Instant::now(), traffic, end: None }
    }

    /// Its number, and who is at the other end and where.
    pub(super) fn ends(&self) -> (ConnectionId, PeerId, Multiaddr) {
        (ConnectionId(self.id), self.entry.peer, self.entry.remote.clone())
    }

    /// The peer has asked who we are.
    pub(super) fn is_asked(&self) {
        self.entry.is_interested.store(true, Ordering::Relaxed);
    }

    /// What went over the connection so far.
    pub(super) const fn note(&mut self, traffic: Traffic) {
        self.traffic = traffic;
    }

    /// Why it is over: the first reason counts.
    pub(super) fn end(&mut self, reason: CloseReason, failure: &Failure) {
        let failure = (reason == CloseReason::Failed).then(|| failure.clone());
        self.end.get_or_insert((reason, failure));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let (reason, failure) = self.end.take().unwrap_or((CloseReason::HungUp, None));
        self.ours.forget(self.id);
        let closed = Closed {
            id: ConnectionId(self.id),
            peer: self.entry.peer,
            direction: self.direction,
            lasted: self.since.elapsed(),
            traffic: self.traffic,
            reason,
            failure,
        };
        self.ours.service().notice(Notice::Closed(closed));
    }
}
