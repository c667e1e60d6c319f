//! Peers that are not always at the same address: their addresses and entries at each of their places.

use std::{collections::HashMap, net::SocketAddr};

use kad::{
    identify::Identify,
    message::{ConnectionType, write_peer},
    network::Transport,
};
use multiaddr::Multiaddr;

use super::World;
use crate::{
    address::{self, Door},
    ground::{Location, Sharing},
    life::HostPlace,
    scenario::life::{Absence, LifeClass},
};

/// How peers stand in the answers of others while they are at another place than their first.
#[derive(Debug, Default)]
pub(crate) struct Places {
    entries: HashMap<(u32, HostPlace), Box<[u8]>, foldhash::fast::FixedState>,
}

impl Places {
    /// Encodes the entries of all peers at all places but the first.
    pub(crate) fn of(world: &World) -> Self {
        let mut entries = HashMap::default();
        for host in world.cast.hosts() {
            let first = host.first_id as usize;
            for &peer in &world.cast.ids()[first..first + usize::from(host.ids)] {
                for place in (1..host.places).map(HostPlace) {
                    let mut entry = Vec::new();
                    let addresses = world.addresses_at(peer, place);
                    let id = world.record(peer).id;
                    let addresses = addresses.iter().map(AsRef::as_ref);
                    write_peer(&mut entry, id.as_bytes(), addresses, ConnectionType::NotConnected);
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
    /// Peers whose absence is a refusal have sockets of their own while they are up: on the port where nobody else
    /// listens, or where each peer has a port, on that.
    pub fn addresses_at(&self, peer: u32, place: HostPlace) -> Vec<Multiaddr> {
        if self.cast.part(peer).is_none() {
            return self.addresses(peer);
        }
        let door = if self.is_apart(peer) { Door::Dead } else { Door::Open };
        let addresses = address::at(self.location_at(peer, place), door, self.carrier(peer), self.ports);
        self.certified(peer, addresses)
    }

    /// Where a peer is while it is at one of its host's places.
    pub fn location_at(&self, peer: u32, place: HostPlace) -> Location {
        self.ground.location(self.cast.site(peer, place))
    }

    /// The host that comes and goes where a socket is, and which of its places that is; `None` at those of others.
    pub(crate) fn host_at(&self, at: SocketAddr, transport: Transport) -> Option<(usize, HostPlace)> {
        let slot = match self.ports.sharing {
            // Who comes and goes shares its addresses with nobody.
            Sharing::Slots => 0,
            Sharing::OneAddress { .. } => self.ports.slot(transport, at.port())?,
        };
        let site = self.ground.find(at.ip(), slot, |site| self.cast.host_at(site).is_some())?;
        self.cast.host_at(site)
    }

    /// The port at which a peer listens by a transport while it is at one of its places.
    pub(crate) fn port(&self, peer: u32, place: HostPlace, transport: Transport) -> u16 {
        if self.is_apart(peer) {
            self.ports.dead
        } else {
            self.ports.of(transport, self.location_at(peer, place).slot)
        }
    }

    /// Whether a peer listens apart from those that are always there, so that the kernel refuses while it is down.
    fn is_apart(&self, peer: u32) -> bool {
        self.ports.sharing == Sharing::Slots && self.cast.absence(peer) == Some(Absence::Refused)
    }

    /// What a peer answers to identify at one of its places: see [`identify`](Self::identify).
    pub fn identify_at(&self, peer: u32, place: HostPlace) -> Identify {
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
    pub(crate) fn neighbors_by(
        &self,
        peer: u32,
        listed: impl Fn(u32) -> Option<HostPlace>,
    ) -> Vec<(u32, HostPlace)> {
        self.tables.listed(peer, listed)
    }

    /// How `announcer` announces `peer` when its table has it at a place: the bytes of a `Peer` in a message.
    pub(crate) fn entry_at(&self, announcer: u32, peer: u32, place: HostPlace) -> &[u8] {
        if place == HostPlace::default() {
            return self.entry(announcer, peer);
        }
        self.places.entries.get(&(peer, place)).map_or_else(|| self.entry(announcer, peer), AsRef::as_ref)
    }
}
