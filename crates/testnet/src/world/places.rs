//! Peers that are not always at the same address: their addresses and entries at each of their places.

use std::collections::HashMap;

use kad::{
    identify::Identify,
    message::{ConnectionType, write_peer},
};
use multiaddr::Multiaddr;

use super::{World, id_bytes};
use crate::{
    address,
    life::Place,
    scenario::life::{Absence, LifeClass},
};

/// How peers stand in the answers of others while they are at another place than their first.
#[derive(Debug, Default)]
pub(crate) struct Places {
    entries: HashMap<(u32, Place), Box<[u8]>, foldhash::fast::FixedState>,
}

impl Places {
    /// Encodes the entries of all peers at all places but the first.
    pub(crate) fn of(world: &World) -> Self {
        let mut entries = HashMap::default();
        for host in world.cast.hosts() {
            let first = host.first_id as usize;
            for &peer in &world.cast.ids()[first..first + usize::from(host.ids)] {
                for place in (1..host.places).map(Place) {
                    let mut entry = Vec::new();
                    let addresses = world.addresses_at(peer, place);
                    let id = id_bytes(&world.record(peer).public);
                    let addresses = addresses.iter().map(AsRef::as_ref);
                    write_peer(&mut entry, &id, addresses, ConnectionType::NotConnected);
                    entries.insert((peer, place), entry.into_boxed_slice());
                }
            }
        }
        Self { entries }
    }
}

impl World {
    /// The addresses of a peer at one of its host's places; those of a peer that is always there are the same at all.
    ///
    /// Peers whose absence is a refusal are on the port where nobody else listens, each with a socket of its own while
    /// it is up.
    pub fn addresses_at(&self, peer: u32, place: Place) -> Vec<Multiaddr> {
        if self.cast.part(peer).is_none() {
            return self.addresses(peer);
        }
        let ip = address::ip(self.cast.site(peer, place));
        address::listening(ip, self.port(peer), self.carrier(peer))
    }

    /// The port at which a peer listens.
    pub(crate) fn port(&self, peer: u32) -> u16 {
        match self.cast.absence(peer) {
            Some(Absence::Refused) => self.ports.dead,
            None | Some(Absence::Dropped | Absence::Unreachable) => self.ports.listen,
        }
    }

    /// What a peer answers to identify at one of its places: see [`identify`](Self::identify).
    pub fn identify_at(&self, peer: u32, place: Place) -> Identify {
        Identify { listen_addrs: self.addresses_at(peer, place), ..self.identify(peer) }
    }

    /// By which law a peer comes and goes; `None` if it is always there.
    pub fn life_class(&self, peer: u32) -> Option<&LifeClass> {
        let host = self.cast.host_of(peer)?;
        Some(self.cast.class(&self.cast.hosts()[host]))
    }

    /// All peers of the host of a peer, itself among them: at most one of them is up. `None` if it is always there.
    pub fn siblings(&self, peer: u32) -> Option<&[u32]> {
        let host = &self.cast.hosts()[self.cast.host_of(peer)?];
        let first = host.first_id as usize;
        Some(&self.cast.ids()[first..first + usize::from(host.ids)])
    }

    /// How many places the host of a peer goes through: 1 for one that never moves.
    pub fn places(&self, peer: u32) -> u8 {
        self.cast.host_of(peer).map_or(1, |host| self.cast.hosts()[host].places)
    }

    /// A peer's table of which only what is `listed` is there: see [`Life::neighbors`](crate::life::Life::neighbors).
    pub(crate) fn neighbors_by(&self, peer: u32, listed: impl Fn(u32) -> Option<Place>) -> Vec<(u32, Place)> {
        self.tables.listed(peer, listed)
    }

    /// How `announcer` announces `peer` when its table has it at a place: the bytes of a `Peer` in a message.
    pub(crate) fn entry_at(&self, announcer: u32, peer: u32, place: Place) -> &[u8] {
        if place == Place::default() {
            return self.entry(announcer, peer);
        }
        self.places.entries.get(&(peer, place)).map_or_else(|| self.entry(announcer, peer), AsRef::as_ref)
    }
}
