//! What virtual peers answer to requests: the rules of `kad::answer` over their routing tables, and the lies of some.
//!
//! Both faces of a testnet answer with these bytes.

mod server;

pub(crate) use self::server::Watched;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use kad::{
    Key,
    answer::{Answer, Findings, Known},
    message::{ConnectionType, K, MAX_MESSAGE_BYTES, Message, MessageType, MessageView, Peer, Record},
};

use crate::{
    address::{self, Door},
    carrier::TransportSet,
    ground::Location,
    id::Id,
    life::HostPlace,
    living::Living,
    memory::Memory,
    state::{Stage, State},
    world::World,
};

/// What is sent instead of an answer: no protobuf, since the first varint never ends.
const GARBAGE: [u8; 64] = [0xff; 64];

/// Answers for all peers of a world.
#[derive(Debug)]
pub(crate) struct Answers {
    world: Arc<World>,
    pub(crate) memory: Memory,
    /// How many peers were invented so far.
    invented: AtomicU64,
    /// Who is there at the time; `None` in a world where everyone always is.
    living: Option<Arc<Living>>,
}

impl Answers {
    pub(crate) fn new(world: Arc<World>) -> Self {
        let memory = Memory::new(&world.scenario().protocol, world.admitted());
        Self { world, memory, invented: AtomicU64::new(0), living: None }
    }

    /// The same, for a world in which peers come and go.
    pub(crate) fn living(self, living: Option<Arc<Living>>) -> Self {
        Self { living, ..self }
    }

    /// What `peer` answers to `asker` (the bytes of its id). Whether it answers at all, and when, is not asked here.
    pub(crate) fn answer(&self, peer: u32, asker: &[u8], request: &[u8]) -> Answer {
        match self.world.state(peer) {
            State::Inventing(count) => self.invent(count, request),
            State::Oversize => Answer::Message(oversize()),
            State::Garbage(Stage::Request) => Answer::Message(GARBAGE.to_vec()),
            _ => self.serve(peer, asker, request),
        }
    }

    fn find(&self, peer: u32, asker: &[u8], kind: MessageType, key: &[u8]) -> Findings<'_> {
        let key = Key::of(key);
        let mut closest = self.closest(peer, &key, K);
        let target = match kind {
            MessageType::FindNode => self.target(peer, &key, closest.first().map(|&(place, _)| place)),
            _ => None,
        };
        // The rules leave both of them out of the K.
        if target.is_some() || closest.iter().any(|(_, known)| known.id == asker) {
            closest = self.closest(peer, &key, K + 2);
        }
        let closest = closest.into_iter().map(|(_, known)| known).collect();
        Findings { target, closest, providers: Vec::new(), record: None }
    }

    fn closest(&self, peer: u32, key: &Key, count: usize) -> Vec<((u32, HostPlace), Known<'_>)> {
        let known = |other| (other, self.known(peer, other));
        if let Some(living) = &self.living {
            return living.closest(peer, key.prefix64(), count).into_iter().map(known).collect();
        }
        let all = self.world.tables.closest(&self.world.prefixes, peer, key.prefix64(), count);
        all.into_iter().map(|other| known((other, HostPlace::default()))).collect()
    }

    /// The peer with this key, if it is `peer` itself or in its table: then it is the closest there is.
    fn target(&self, peer: u32, key: &Key, closest: Option<(u32, HostPlace)>) -> Option<Known<'_>> {
        let place = || self.living.as_ref().map_or(HostPlace::default(), |living| living.place(peer));
        let is_meant = |other: u32| {
            self.world.prefixes[other as usize] == key.prefix64() && self.world.key(other) == *key
        };
        let found = closest.filter(|&(other, _)| is_meant(other));
        let found = found.or_else(|| is_meant(peer).then(|| (peer, place())))?;
        Some(self.known(peer, found))
    }

    /// How `announcer` says where a peer is.
    fn known(&self, announcer: u32, (peer, place): (u32, HostPlace)) -> Known<'_> {
        let id = self.world.peers[peer as usize].id.as_bytes();
        Known { id, entry: self.world.entry_at(announcer, peer, place), has_addresses: true }
    }

    /// Peers that nobody has heard of before, at addresses where nobody is.
    fn invent(&self, count: u16, request: &[u8]) -> Answer {
        let Ok(request) = MessageView::decode(request) else { return Answer::Reset };
        let mut message = Message::new(request.kind, request.key.to_vec());
        let first = self.invented.fetch_add(count.into(), Ordering::Relaxed);
        let forged = (first..first + u64::from(count)).map(|number| {
            let public = self.world.forger.public_key(number);
            let [a, b, c, d, ..] = public;
            let ip = self.world.ground.nowhere(u32::from_be_bytes([a, b, c, d]));
            let addresses = address::at(Location::at(ip), Door::Dead, TransportSet::Tcp, self.world.ports);
            Peer {
                id: Id::of_ed25519(&public).as_bytes().to_vec(),
                addrs: addresses.iter().map(multiaddr::Multiaddr::to_vec).collect(),
                connection: ConnectionType::NotConnected,
            }
        });
        message.closer_peers = forged.collect();
        Answer::Message(message.encode())
    }
}

/// A message that is well-formed, and longer than any may be.
fn oversize() -> Vec<u8> {
    let mut message = Message::new(MessageType::FindNode, Vec::new());
    message.record = Some(Record { value: vec![0; MAX_MESSAGE_BYTES], ..Record::default() });
    message.encode()
}

#[cfg(test)]
mod tests;
