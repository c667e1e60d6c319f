//! The places of connections in the registry: while they are opened, and while they stand. Each is given up by its drop.

use std::{
    net::IpAddr,
    sync::Arc,
    task::{Context, Poll},
};

use kad::{
    Multiaddr, PeerId,
    fabric::{CloseReason, Closed, Connected, ConnectionId, Direction, Notice},
    failure::Failure,
    network::Traffic,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Registry,
    entry::{Entry, Order},
};
use crate::{admission::Arrival, persona::Persona};

/// The two ends of a connection.
#[derive(Debug)]
pub(crate) struct Peered {
    /// The number of our peer.
    pub(crate) member: u64,
    pub(crate) persona: Arc<Persona>,
    pub(crate) peer: PeerId,
    pub(crate) remote: Multiaddr,
}

/// The place of a peer that has not proved who it is.
#[derive(Debug)]
pub(crate) struct HalfOpen {
    registry: Arc<Registry>,
    from: IpAddr,
    number: u64,
    has_replaced: bool,
    replaced: CancellationToken,
    is_over: bool,
}

impl HalfOpen {
    /// Of one among those who arrived.
    pub(super) fn new(registry: Arc<Registry>, from: IpAddr, arrival: Arrival) -> Self {
        let (number, has_replaced) = (arrival.number, arrival.instead_of.is_some());
        Self { registry, from, number, has_replaced, replaced: CancellationToken::new(), is_over: false }
    }

    /// Whether somebody else has to go for it, and may not have gone yet.
    pub(crate) const fn has_replaced(&self) -> bool {
        self.has_replaced
    }

    /// Cancelled when somebody else has the place.
    pub(crate) fn replaced(&self) -> CancellationToken {
        self.replaced.clone()
    }

    /// The peer has proved who it is: the place of its connection, if it may have one more.
    pub(crate) fn establish(mut self, ends: Peered) -> Option<Ticket> {
        self.is_over = true;
        let mut state = self.registry.lock();
        // Who was replaced was counted then.
        state.half_open.remove(&self.number)?;
        if let Err(refusal) = state.admission.establish(self.number, (ends.member, ends.peer)) {
            state.refuse(refusal);
            return None;
        }
        drop(state);
        Some(Ticket::new(Arc::clone(&self.registry), ends, self.from, Direction::Inbound))
    }
}

impl Drop for HalfOpen {
    fn drop(&mut self) {
        if !self.is_over {
            let mut state = self.registry.lock();
            state.half_open.remove(&self.number);
            state.admission.give_up(self.number);
        }
    }
}

/// The place of a connection.
#[derive(Debug)]
pub(crate) struct Ticket {
    registry: Arc<Registry>,
    entry: Arc<Entry>,
    persona: Arc<Persona>,
    end: Option<(CloseReason, Option<Failure>)>,
}

impl Ticket {
    /// The place of a connection that we opened.
    pub(crate) fn dialled(registry: &Arc<Registry>, ends: Peered, to: IpAddr) -> Self {
        registry.lock().admission.open(to, (ends.member, ends.peer));
        Self::new(Arc::clone(registry), ends, to, Direction::Outbound)
    }

    fn new(registry: Arc<Registry>, ends: Peered, ip: IpAddr, direction: Direction) -> Self {
        let Peered { member, persona, peer, remote } = ends;
        let now = Instant::now();
        let active_ms = milliseconds(&registry, now);
        let mut state = registry.lock();
        let id = state.next;
        state.next += 1;
        let is_protected = state.protected.contains(&(member, peer));
        let numbers = (id, (member, persona.peer_id()));
        let entry =
            Entry::new(numbers, (peer, direction), (remote.clone(), ip), (now, active_ms), is_protected);
        let entry = Arc::new(entry);
        // Whoever has just come is not the longest idle.
        state.trim();
        state.entries.insert((member, id), Arc::clone(&entry));
        drop(state);
        let connected = Connected { id: ConnectionId(id), peer, remote, direction };
        persona.service().notice(Notice::Connected(connected));
        Self { registry, entry, persona, end: None }
    }

    /// The connection's number.
    pub(crate) fn id(&self) -> ConnectionId {
        ConnectionId(self.entry.id)
    }

    /// Who is at the other end.
    pub(crate) fn peer(&self) -> PeerId {
        self.entry.peer
    }

    /// Where the peer is seen.
    pub(crate) fn remote(&self) -> Multiaddr {
        self.entry.remote.clone()
    }

    /// What the connection is to do.
    pub(crate) fn poll_order(&self, cx: &Context<'_>) -> Poll<Order> {
        self.entry.poll_order(cx)
    }

    /// Whether it is spared when there are too many.
    pub(crate) fn is_protected(&self) -> bool {
        self.entry.is_protected()
    }

    /// What went over it, when something came last, and how many bytes it holds.
    pub(crate) fn note(&self, traffic: Traffic, active: Instant, held_bytes: usize) {
        self.entry.note(traffic, milliseconds(&self.registry, active));
        self.hold(held_bytes);
    }

    fn hold(&self, bytes: usize) {
        let before = self.entry.hold(bytes);
        if before != bytes {
            self.registry.weigh(before, bytes);
        }
    }

    /// Why it is over.
    pub(crate) fn end(&mut self, reason: CloseReason, failure: &Failure) {
        let failure = (reason == CloseReason::Failed).then(|| failure.clone());
        self.end.get_or_insert((reason, failure));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let (reason, failure) = self.end.take().unwrap_or((CloseReason::HungUp, None));
        self.hold(0);
        let entry = &self.entry;
        let (member, _) = entry.member;
        let mut state = self.registry.lock();
        state.entries.remove(&(member, entry.id));
        state.admission.close(entry.ip, (member, entry.peer));
        if entry.is_trimmed() {
            state.trimming -= 1;
        }
        *state.closed.entry(reason).or_default() += 1;
        drop(state);
        let closed = Closed {
            id: ConnectionId(entry.id),
            peer: entry.peer,
            direction: entry.direction,
            lasted: entry.since.elapsed(),
            traffic: entry.traffic(),
            reason,
            failure,
        };
        self.persona.service().notice(Notice::Closed(closed));
    }
}

fn milliseconds(registry: &Registry, then: Instant) -> u64 {
    let since = then.saturating_duration_since(registry.began);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
