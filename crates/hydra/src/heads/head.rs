//! A head as others see it: who it is, and what came to it.

use std::sync::{
    PoisonError, RwLock,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use kad::{Contact, Key, Multiaddr, PeerId, message::MessageType};

use crate::load::AskedType;

/// A head that has joined.
#[derive(Debug)]
pub struct HydraHead {
    index: u64,
    peer: PeerId,
    key: Key,
    /// The bytes of its id.
    id: Box<[u8]>,
    /// Where it listens and where it says that it is: nowhere, until it has joined.
    places: RwLock<Places>,
    connections: AtomicUsize,
    requests: [AtomicU64; AskedType::ALL.len()],
    is_known: AtomicBool,
}

#[derive(Debug, Default)]
struct Places {
    listens: Vec<Multiaddr>,
    announced: Vec<Multiaddr>,
}

impl HydraHead {
    pub(super) fn new(index: u64, peer: PeerId) -> Self {
        Self {
            index,
            peer,
            key: Key::of_peer(&peer),
            id: peer.to_bytes().into(),
            places: RwLock::default(),
            connections: AtomicUsize::new(0),
            requests: Default::default(),
            is_known: AtomicBool::new(false),
        }
    }

    /// Its number over the whole fleet.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Who it is.
    pub const fn peer(&self) -> PeerId {
        self.peer
    }

    /// Where it is among keys.
    pub const fn key(&self) -> &Key {
        &self.key
    }

    pub(super) const fn id(&self) -> &[u8] {
        &self.id
    }

    /// Where it listens, with the ports that the system chose.
    pub fn listens(&self) -> Vec<Multiaddr> {
        self.places.read().unwrap_or_else(PoisonError::into_inner).listens.clone()
    }

    /// Who it is, and where it says that it can be dialled.
    pub fn contact(&self) -> Contact {
        let places = self.places.read().unwrap_or_else(PoisonError::into_inner);
        Contact { peer: self.peer, addrs: places.announced.clone() }
    }

    /// How many connections it has, whoever opened them.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How many requests of a type came to it.
    pub fn requests(&self, kind: AskedType) -> u64 {
        self.requests.get(kind as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Whether some server of the network has answered it under its own identity, so that it may be in its table.
    pub fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Relaxed)
    }

    pub(super) fn settle(&self, listens: Vec<Multiaddr>, announced: Vec<Multiaddr>) {
        *self.places.write().unwrap_or_else(PoisonError::into_inner) = Places { listens, announced };
    }

    pub(super) fn asked(&self, kind: MessageType) {
        if let Some(count) = self.requests.get(AskedType::from(kind) as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether it was not known before.
    pub(super) fn becomes_known(&self) -> bool {
        !self.is_known.swap(true, Ordering::Relaxed)
    }

    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn disconnected(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
