//! The connections of a fabric: who is at the other end, since when, how much went over them and why they ended.
//!
//! How many there may be is decided by [`admission`](crate::admission); which of them are closed when there are too many
//! is decided here: the longest idle of those that nobody protects.

mod entry;
mod ticket;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kad::{
    Multiaddr, PeerId,
    fabric::{CloseReason, ConnectionId, Direction, Refusal},
    network::Traffic,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::entry::Entry;
pub(crate) use self::{
    entry::Order,
    ticket::{HalfOpen, Peered, Ticket},
};
use crate::admission::{Admission, Bounds};

/// The most peers that are protected, over all peers of ours.
const MAX_PROTECTED: usize = 64 * 1024;

/// A connection, as the registry knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Its number.
    pub id: ConnectionId,
    /// Which peer of ours has it.
    pub member: PeerId,
    /// Who is at the other end.
    pub peer: PeerId,
    /// Where the peer is seen.
    pub remote: Multiaddr,
    /// Who opened it.
    pub direction: Direction,
    /// How long it has stood.
    pub lasted: Duration,
    /// How long nothing has come on it.
    pub idle: Duration,
    /// What went over it.
    pub traffic: Traffic,
    /// Whether it is spared when there are too many.
    pub protected: bool,
}

/// What the registry has counted since it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// How many connections there are now.
    pub open: usize,
    /// How many are being opened by peers now.
    pub half_open: usize,
    /// How many were over by now, by the reason.
    pub closed: Vec<(CloseReason, u64)>,
    /// How many were not let in, by the reason.
    pub refused: Vec<(Refusal, u64)>,
}

/// All connections of one fabric.
#[derive(Debug)]
pub(crate) struct Registry {
    began: Instant,
    /// What all connections hold together, in bytes.
    held_bytes: AtomicUsize,
    max_held_bytes: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    admission: Admission,
    /// Those who prove who they are, by their numbers there: how to tell them to go.
    half_open: BTreeMap<u64, CancellationToken>,
    next: u64,
    /// By the number of our peer and that of the connection.
    entries: BTreeMap<(u64, u64), Arc<Entry>>,
    /// How many were told to close because there were too many, and have not closed.
    trimming: usize,
    protected: BTreeSet<(u64, PeerId)>,
    closed: BTreeMap<CloseReason, u64>,
    refused: BTreeMap<Refusal, u64>,
}

impl Registry {
    pub(crate) fn new(bounds: Bounds) -> Arc<Self> {
        let state = State {
            admission: Admission::new(bounds),
            half_open: BTreeMap::new(),
            next: 0,
            entries: BTreeMap::new(),
            trimming: 0,
            protected: BTreeSet::new(),
            closed: BTreeMap::new(),
            refused: BTreeMap::new(),
        };
        Arc::new(Self {
            began: Instant::now(),
            held_bytes: AtomicUsize::new(0),
            max_held_bytes: bounds.held_bytes,
            state: Mutex::new(state),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody connects from there: a place for as long as it proves who it is, if it is let in.
    pub(crate) fn arrive(self: &Arc<Self>, from: IpAddr) -> Option<HalfOpen> {
        let mut state = self.lock();
        match state.admission.arrive(from) {
            Ok(arrival) => {
                if let Some(replaced) = arrival.instead_of.and_then(|other| state.half_open.remove(&other)) {
                    replaced.cancel();
                    state.refuse(Refusal::HalfOpen);
                }
                let half_open = HalfOpen::new(Arc::clone(self), from, arrival);
                state.half_open.insert(arrival.number, half_open.replaced());
                Some(half_open)
            }
            Err(refusal) => {
                state.refuse(refusal);
                None
            }
        }
    }

    /// A connection holds so many bytes, and held so many before. If all together hold too much, those that hold most
    /// are told to close.
    fn weigh(&self, before: usize, now: usize) {
        if now <= before {
            self.held_bytes.fetch_sub(before - now, Ordering::Relaxed);
            return;
        }
        let held = self.held_bytes.fetch_add(now - before, Ordering::Relaxed) + (now - before);
        if held > self.max_held_bytes {
            self.lock().unload(held - self.max_held_bytes);
        }
    }

    /// Whether so many prove who they are that whoever comes should first prove where it is.
    pub(crate) fn is_crowded(&self) -> bool {
        self.lock().admission.is_crowded()
    }

    /// Gives all connections of one of our peers an order.
    pub(crate) fn order_all(&self, member: u64, order: Order) {
        let state = self.lock();
        for entry in state.of(member) {
            entry.order(order);
        }
    }

    /// Whether our peer's connections with another one are spared.
    pub(crate) fn protect(&self, member: u64, peer: PeerId, spared: bool) {
        let mut state = self.lock();
        if !spared {
            state.protected.remove(&(member, peer));
        } else if state.protected.len() < MAX_PROTECTED {
            state.protected.insert((member, peer));
        }
        for entry in state.of(member).filter(|entry| entry.peer == peer) {
            entry.protect(spared);
        }
    }

    /// Forgets what was asked for by a peer of ours that has left.
    pub(crate) fn forget(&self, member: u64) {
        let mut state = self.lock();
        state.protected.retain(|(of, _)| *of != member);
    }

    /// All connections.
    pub(crate) fn all(&self) -> Vec<Registered> {
        let now = Instant::now();
        self.lock().entries.values().map(|entry| entry.registered(self.began, now)).collect()
    }

    pub(crate) fn counted(&self) -> Counted {
        let state = self.lock();
        let (open, half_open) = state.admission.count();
        let closed = state.closed.iter().map(|(&reason, &count)| (reason, count)).collect();
        let refused = state.refused.iter().map(|(&reason, &count)| (reason, count)).collect();
        Counted { open, half_open, closed, refused }
    }
}

impl State {
    fn refuse(&mut self, why: Refusal) {
        *self.refused.entry(why).or_default() += 1;
    }

    /// Tells as many connections to close as hold the bytes that are too many, and that none holds which is closing.
    fn unload(&self, surplus: usize) {
        let closing = self.entries.values().filter(|entry| entry.is_unloaded());
        let mut surplus = surplus.saturating_sub(closing.map(|entry| entry.held_bytes()).sum());
        let mut heavy: Vec<&Arc<Entry>> =
            self.entries.values().filter(|entry| !entry.is_protected() && !entry.is_unloaded()).collect();
        heavy.sort_by_key(|entry| std::cmp::Reverse(entry.held_bytes()));
        for entry in heavy {
            if surplus == 0 {
                return;
            }
            surplus = surplus.saturating_sub(entry.held_bytes());
            entry.order(Order::Unload);
        }
    }

    fn of(&self, member: u64) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.range((member, 0)..=(member, u64::MAX)).map(|(_, entry)| entry)
    }

    /// Tells as many connections to close as there are too many.
    fn trim(&mut self) {
        let excess = self.admission.excess(self.trimming);
        if excess == 0 {
            return;
        }
        let mut idle: Vec<&Arc<Entry>> =
            self.entries.values().filter(|entry| !entry.is_protected() && !entry.is_trimmed()).collect();
        idle.sort_by_key(|entry| (entry.active_ms(), entry.id));
        for entry in idle.into_iter().take(excess) {
            entry.order(Order::Trim);
            self.trimming += 1;
        }
    }
}

#[cfg(test)]
mod tests;
