//! Guests: servers that are no part of the world, and have asked its peers something.
//!
//! A real server puts into its routing table who asks it and is a server too. Virtual peers do the same: whoever asked
//! one of them, and says that it speaks the network's protocol, stands in that peer's answers from then on, if there is
//! room for it. A real server also dials who is in its table, to see whether it is still there; virtual peers dial nobody, and so forget
//! whom they have not heard of for [`HEARD_FOR`].
//!
//! Without IO and without a clock: times are those since the testnet began. Who says what is others' to find out, and
//! which addresses are kept is decided before.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use kad::{
    Key, PeerId,
    answer::Known,
    message::{ConnectionType, write_peer},
};
use multiaddr::Multiaddr;

/// How long a peer lists a guest of whom it hears nothing more. Servers of go-libp2p-kad-dht refresh their tables every
/// ten minutes, which takes some requests to whom they know: six rounds without one are no accident.
pub const HEARD_FOR: Duration = Duration::from_secs(3600);

/// The most guests that are known of at once. One more, and the one that was not heard of for longest is forgotten.
pub const MAX_GUESTS: usize = 4096;

/// The most guests that one peer knows. One more, and it forgets the one that it has not heard of for longest.
pub const MAX_GUESTS_OF_PEER: usize = 64;

/// The most addresses that are kept of a guest: the first ones.
pub const MAX_GUEST_ADDRESSES: usize = 16;

/// The most protocols that are kept of a guest: the first ones, after the network's.
pub const MAX_GUEST_PROTOCOLS: usize = 64;

/// How long who has said that it is a client is not asked again. A crawler that visits thousands of peers of one world
/// is asked a few times, not at every visit.
const CLIENT_FOR: Duration = Duration::from_secs(60);

/// The most clients that are remembered for that. While there are more, the others are asked at every visit.
const MAX_CLIENTS: usize = 1024;

/// A server that is no part of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Who it is, authenticated.
    pub id: PeerId,
    /// Where it says that it listens, as far as the world has such addresses: at most [`MAX_GUEST_ADDRESSES`].
    pub addresses: Vec<Multiaddr>,
    /// What it says that it speaks: at most [`MAX_GUEST_PROTOCOLS`].
    pub protocols: Vec<String>,
    /// What it says that it runs; `None` if it does not say.
    pub agent: Option<String>,
    /// When it first said who it is, since the testnet began.
    pub first_seen: Duration,
    /// When a peer last heard of it, since the testnet began.
    pub last_seen: Duration,
}

/// What somebody says of itself. What is empty was not said, and stays as it was.
#[derive(Debug, Clone)]
pub(crate) struct GuestSaid {
    pub(crate) id: PeerId,
    pub(crate) addresses: Vec<Multiaddr>,
    pub(crate) protocols: Vec<String>,
    pub(crate) agent: Option<String>,
}

/// How a guest stands in an answer.
#[derive(Debug)]
pub(crate) struct Listed {
    id: Box<[u8]>,
    /// The first bits of its key.
    prefix: u64,
    entry: Box<[u8]>,
    has_addresses: bool,
}

/// All guests, and which peer knows whom.
#[derive(Debug)]
pub(crate) struct Guests {
    /// The network's protocol: who speaks it is a server.
    protocol: String,
    /// By the number of their coming.
    all: BTreeMap<u64, (Guest, Arc<Listed>)>,
    next: u64,
    /// The numbers, by the bytes of the id.
    numbers: HashMap<Vec<u8>, u64>,
    /// Whom each peer knows, and when it last heard of them. A number may be of one that is forgotten.
    known: HashMap<u32, Vec<(u64, Duration)>>,
    /// Who said when that it is a client.
    clients: HashMap<PeerId, Duration>,
}

impl Guests {
    /// Nobody yet. `protocol` is the network's.
    pub(crate) fn new(protocol: &str) -> Self {
        Self {
            protocol: protocol.to_owned(),
            all: BTreeMap::new(),
            next: 0,
            numbers: HashMap::new(),
            known: HashMap::new(),
            clients: HashMap::new(),
        }
    }

    /// Whether somebody who asks should be asked who it is.
    pub(crate) fn is_of_interest(&self, id: &PeerId, now: Duration) -> bool {
        self.clients.get(id).is_none_or(|&then| now.saturating_sub(then) >= CLIENT_FOR)
    }

    /// Somebody who has asked a peer says who it is. Whether it is a guest.
    pub(crate) fn met(&mut self, peer: u32, said: GuestSaid, now: Duration) -> bool {
        let id = said.id.to_bytes();
        let before = self.numbers.get(&id).and_then(|number| self.all.get(number));
        let guest = merged(before.map(|(guest, _)| guest), said, &self.protocol, now);
        if !guest.protocols.contains(&self.protocol) {
            self.is_client(&guest.id, now);
            return false;
        }
        self.clients.remove(&guest.id);
        let number = match self.numbers.get(&id) {
            Some(&number) => number,
            None => self.admit(id, now),
        };
        let listed = Arc::new(Listed::of(&guest));
        self.all.insert(number, (guest, listed));
        self.link(peer, number, now);
        true
    }

    /// A peer was asked something. If the asker is a guest, the peer knows it from now on.
    pub(crate) fn heard(&mut self, peer: u32, asker: &[u8], now: Duration) {
        let Some(&number) = self.numbers.get(asker) else { return };
        if let Some((guest, _)) = self.all.get_mut(&number) {
            guest.last_seen = now;
            self.link(peer, number, now);
        }
    }

    /// Whom a peer lists.
    pub(crate) fn of_peer(&self, peer: u32, now: Duration) -> Vec<Arc<Listed>> {
        let known = self.known.get(&peer).map_or(&[][..], Vec::as_slice);
        let fresh = known.iter().filter(|(_, heard)| is_fresh(*heard, now));
        fresh.filter_map(|(number, _)| self.all.get(number)).map(|(_, listed)| Arc::clone(listed)).collect()
    }

    /// Where one of them listens; `None` if nobody lists it.
    pub(crate) fn addresses(&self, id: &[u8], now: Duration) -> Option<Vec<Multiaddr>> {
        let (guest, _) = self.all.get(self.numbers.get(id)?)?;
        is_fresh(guest.last_seen, now).then(|| guest.addresses.clone())
    }

    /// All of them, in the order in which they came.
    pub(crate) fn all(&self, now: Duration) -> Vec<Guest> {
        let fresh = self.all.values().filter(|(guest, _)| is_fresh(guest.last_seen, now));
        fresh.map(|(guest, _)| guest.clone()).collect()
    }

    fn is_client(&mut self, id: &PeerId, now: Duration) {
        if let Some(number) = self.numbers.remove(id.to_bytes().as_slice()) {
            self.all.remove(&number);
        }
        if self.clients.len() >= MAX_CLIENTS {
            self.clients.retain(|_, &mut then| now.saturating_sub(then) < CLIENT_FOR);
        }
        if self.clients.len() < MAX_CLIENTS {
            self.clients.insert(*id, now);
        }
    }

    /// Makes room for one more, and gives it a number.
    fn admit(&mut self, id: Vec<u8>, now: Duration) -> u64 {
        self.all.retain(|_, (guest, _)| is_fresh(guest.last_seen, now));
        if self.all.len() >= MAX_GUESTS
            && let Some((&oldest, _)) = self.all.iter().min_by_key(|(_, (guest, _))| guest.last_seen)
        {
            self.all.remove(&oldest);
        }
        self.numbers.retain(|_, number| self.all.contains_key(number));
        let number = self.next;
        self.next += 1;
        self.numbers.insert(id, number);
        number
    }

    fn link(&mut self, peer: u32, number: u64, now: Duration) {
        let known = self.known.entry(peer).or_default();
        if let Some((_, heard)) = known.iter_mut().find(|(other, _)| *other == number) {
            *heard = now;
            return;
        }
        known.retain(|&(other, heard)| is_fresh(heard, now) && self.all.contains_key(&other));
        if known.len() >= MAX_GUESTS_OF_PEER
            && let Some(oldest) = (0..known.len()).min_by_key(|&position| known[position].1)
        {
            known.swap_remove(oldest);
        }
        known.push((number, now));
    }
}

impl Listed {
    fn of(guest: &Guest) -> Self {
        let id = guest.id.to_bytes();
        let mut entry = Vec::new();
        let addrs = guest.addresses.iter().map(AsRef::as_ref);
        write_peer(&mut entry, &id, addrs, ConnectionType::NotConnected);
        let prefix = Key::of(&id).prefix64();
        Self { id: id.into(), prefix, entry: entry.into(), has_addresses: !guest.addresses.is_empty() }
    }

    /// The first 64 bits of its key: they say to which bucket it belongs.
    pub(crate) const fn prefix(&self) -> u64 {
        self.prefix
    }

    /// The same as a peer of an answer.
    pub(crate) fn known(&self) -> Known<'_> {
        Known { id: &self.id, entry: &self.entry, has_addresses: self.has_addresses }
    }
}

fn is_fresh(heard: Duration, now: Duration) -> bool {
    now.saturating_sub(heard) <= HEARD_FOR
}

/// What is known of somebody who was known before, or was not, and says this.
fn merged(before: Option<&Guest>, said: GuestSaid, protocol: &str, now: Duration) -> Guest {
    let GuestSaid { id, mut addresses, mut protocols, agent } = said;
    addresses.truncate(MAX_GUEST_ADDRESSES);
    protocols.sort_by_key(|other| other != protocol);
    protocols.truncate(MAX_GUEST_PROTOCOLS);
    let Some(before) = before else {
        return Guest { id, addresses, protocols, agent, first_seen: now, last_seen: now };
    };
    Guest {
        id,
        addresses: if addresses.is_empty() { before.addresses.clone() } else { addresses },
        protocols: if protocols.is_empty() { before.protocols.clone() } else { protocols },
        agent: agent.or_else(|| before.agent.clone()),
        first_seen: before.first_seen,
        last_seen: now,
    }
}

#[cfg(test)]
mod tests;
