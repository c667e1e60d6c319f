//! One connection in the registry: what is known of it, and what it is told to do.

use std::{
    net::IpAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use kad::{
    Multiaddr, PeerId,
    fabric::{ConnectionId, Direction},
    network::Traffic,
};
use tokio::time::Instant;

use super::Registered;

/// What a connection is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Our peer left.
    Leave,
    /// There are too many connections.
    Trim,
    /// All connections together hold too much, and this one much of it.
    Unload,
    /// Our peer says something else of itself.
    Push,
}

impl Order {
    /// The most urgent first.
    const ALL: [Self; 4] = [Self::Leave, Self::Trim, Self::Unload, Self::Push];

    const fn bit(self) -> u8 {
        match self {
            Self::Leave => 1,
            Self::Trim => 2,
            Self::Push => 4,
            Self::Unload => 8,
        }
    }
}

/// A connection.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) member: (u64, PeerId),
    pub(super) peer: PeerId,
    pub(super) ip: IpAddr,
    pub(super) remote: Multiaddr,
    pub(super) direction: Direction,
    pub(super) since: Instant,
    sent_bytes: AtomicU64,
    received_bytes: AtomicU64,
    /// When something came last, in milliseconds since the registry began.
    active_ms: AtomicU64,
    /// What waits on it, in bytes.
    held_bytes: AtomicUsize,
    orders: AtomicU8,
    trimmed: AtomicBool,
    unloaded: AtomicBool,
    protected: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Entry {
    pub(super) fn new(
        (id, member): (u64, (u64, PeerId)),
        (peer, direction): (PeerId, Direction),
        (remote, ip): (Multiaddr, IpAddr),
        (since, active_ms): (Instant, u64),
        protected: bool,
    ) -> Self {
        Self {
            id,
            member,
            peer,
            ip,
            remote,
            direction,
            since,
            sent_bytes: AtomicU64::new(0),
            received_bytes: AtomicU64::new(0),
            active_ms: AtomicU64::new(active_ms),
            held_bytes: AtomicUsize::new(0),
            orders: AtomicU8::new(0),
            trimmed: AtomicBool::new(false),
            unloaded: AtomicBool::new(false),
            protected: AtomicBool::new(protected),
            waker: Mutex::new(None),
        }
    }

    /// Tells the connection to do something; it does so when it is looked at next.
    pub(super) fn order(&self, order: Order) {
        match order {
            Order::Trim => self.trimmed.store(true, Ordering::Relaxed),
            Order::Unload => self.unloaded.store(true, Ordering::Relaxed),
            Order::Leave | Order::Push => {}
        }
        self.orders.fetch_or(order.bit(), Ordering::AcqRel);
        if let Some(waker) = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take() {
            waker.wake();
        }
    }

    /// The next thing to do.
    pub(super) fn poll_order(&self, cx: &Context<'_>) -> Poll<Order> {
        if self.orders.load(Ordering::Acquire) == 0 {
            let mut waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
            if waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
                *waker = Some(cx.waker().clone());
            }
        }
        // What was ordered before the waker was in its place woke nobody.
        let orders = self.orders.load(Ordering::Acquire);
        let Some(order) = Order::ALL.into_iter().find(|order| orders & order.bit() != 0) else {
            return Poll::Pending;
        };
        self.orders.fetch_and(!order.bit(), Ordering::AcqRel);
        Poll::Ready(order)
    }

    pub(super) fn note(&self, traffic: Traffic, active_ms: u64) {
        self.sent_bytes.store(traffic.sent_bytes, Ordering::Relaxed);
        self.received_bytes.store(traffic.received_bytes, Ordering::Relaxed);
        self.active_ms.store(active_ms, Ordering::Relaxed);
    }

    /// It holds so many bytes now; how many it held before.
    pub(super) fn hold(&self, bytes: usize) -> usize {
        self.held_bytes.swap(bytes, Ordering::Relaxed)
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn protect(&self, spared: bool) {
        self.protected.store(spared, Ordering::Relaxed);
    }

    pub(super) fn is_protected(&self) -> bool {
        self.protected.load(Ordering::Relaxed)
    }

    pub(super) fn is_trimmed(&self) -> bool {
        self.trimmed.load(Ordering::Relaxed)
    }

    pub(super) fn is_unloaded(&self) -> bool {
        self.unloaded.load(Ordering::Relaxed)
    }

    pub(super) fn active_ms(&self) -> u64 {
        self.active_ms.load(Ordering::Relaxed)
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic {
            sent_bytes: self.sent_bytes.load(Ordering::Relaxed),
            received_bytes: self.received_bytes.load(Ordering::Relaxed),
        }
    }

    /// What is known of it at a time.
    pub(super) fn registered(&self, began: Instant, now: Instant) -> Registered {
        let active = began + Duration::from_millis(self.active_ms());
        Registered {
            id: ConnectionId(self.id),
            member: self.member.1,
            peer: self.peer,
            remote: self.remote.clone(),
            direction: self.direction,
            lasted: now.saturating_duration_since(self.since),
            idle: now.saturating_duration_since(active),
            traffic: self.traffic(),
            protected: self.is_protected(),
        }
    }
}
