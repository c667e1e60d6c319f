//! A network that a scenario and its seed determine: who is in it, where, in which state, and who knows whom.

mod calls;
mod places;
mod regions;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

use kad::{
    Key,
    autonat::{v1::AUTONAT_PROTOCOL, v2::DIAL_REQUEST_PROTOCOL},
    identify::{IDENTIFY_PROTOCOL, IDENTIFY_PUSH_PROTOCOL, Identify},
    network::Transport,
    policy::Addresses,
};
use libp2p_identity::{Keypair, PeerId};
use multiaddr::{Multiaddr, Protocol};
use net::session::Securities;

pub(crate) use self::places::Places;
use crate::{
    address::{self, Door},
    carrier::TransportSet,
    fake::Forger,
    ground::{Ground, Location, Ports},
    id::{self, Id},
    life::{Cast, HostPlace},
    scenario::{Agent, Scenario},
    secrets::{KeyType, Secret, Secrets},
    state::State,
    tables::Tables,
};

/// What peers run in a scenario without agents.
const DEFAULT_AGENT: &str = concat!("kadscope-testnet/", env!("CARGO_PKG_VERSION"));

/// The protocol that echoes 32 bytes.
pub(crate) const PING_PROTOCOL: &str = "/ipfs/ping/1.0.0";

/// What is spoken by who tells others whether they can be reached.
const AUTONAT: [&str; 2] = [AUTONAT_PROTOCOL, DIAL_REQUEST_PROTOCOL];

/// A network. Peers are numbered from 0 in the order of their places in the key space; departed peers are numbered
/// among the others.
#[derive(Debug)]
pub struct World {
    pub(crate) scenario: Scenario,
    pub(crate) ports: Ports,
    pub(crate) ground: Ground,
    pub(crate) secrets: Secrets,
    pub(crate) peers: Vec<PeerRecord>,
    /// The first 64 bits of each peer's key, ascending.
    pub(crate) prefixes: Vec<u64>,
    pub(crate) tables: Tables,
    pub(crate) entries: Entries,
    pub(crate) bootstrap: Vec<u32>,
    pub(crate) forger: Forger,
    /// Who comes and goes.
    pub(crate) cast: Cast,
    pub(crate) places: Places,
    /// Whose store each kind of holders has that shares one.
    pub(crate) stores: Vec<Option<u32>>,
}

/// What is kept of one peer beside its table.
#[derive(Debug, Clone)]
pub(crate) struct PeerRecord {
    pub(crate) id: Id,
    pub(crate) secret: Secret,
    pub(crate) state: State,
    pub(crate) agent: u8,
    pub(crate) region: u8,
    pub(crate) carrier: TransportSet,
    pub(crate) securities: Securities,
    /// How it holds records, by a number; `None` for one that does as most do.
    pub(crate) holder: Option<u8>,
}

/// How each peer stands in the answers of others, encoded once.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Vec<usize>,
    /// The other entry of a peer that is announced in two ways.
    pub(crate) former: HashMap<u32, Box<[u8]>, foldhash::fast::FixedState>,
}

impl Entries {
    fn of(&self, peer: u32) -> &[u8] {
        let index = peer as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[index]]
    }
}

impl World {
    /// How many peers there are, departed ones included.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether there is nobody: never so.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// All peers' numbers.
    pub fn peers(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.peers.len()).unwrap_or(u32::MAX)
    }

    /// What the world was made of.
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The ports that its peers are announced at.
    pub const fn ports(&self) -> Ports {
        self.ports
    }

    /// The id that a peer is announced under.
    pub fn peer_id(&self, peer: u32) -> PeerId {
        self.record(peer).id.to_peer_id()
    }

    /// A peer's place in the key space.
    pub fn key(&self, peer: u32) -> Key {
        Key::of(self.record(peer).id.as_bytes())
    }

    /// The key pair whose identity a peer proves: its own, or another one in the state
    /// [`WrongPeerId`](State::WrongPeerId).
    pub fn keypair(&self, peer: u32) -> Keypair {
        let record = self.record(peer);
        match record.state {
            State::WrongPeerId => self.secrets.impostor(record.secret),
            _ => self.secrets.keypair(record.secret),
        }
    }

    /// What a peer does.
    pub fn state(&self, peer: u32) -> State {
        self.record(peer).state
    }

    /// Its transports.
    pub fn carrier(&self, peer: u32) -> TransportSet {
        self.record(peer).carrier
    }

    /// What it runs.
    pub fn agent(&self, peer: u32) -> &str {
        self.agent_of(peer).map_or(DEFAULT_AGENT, |agent| agent.name.as_str())
    }

    /// What it speaks, as it says itself.
    pub fn protocols(&self, peer: u32) -> Vec<&str> {
        let mut protocols = vec![IDENTIFY_PROTOCOL, PING_PROTOCOL, IDENTIFY_PUSH_PROTOCOL];
        let others = if self.dials_back(peer) { &AUTONAT[..] } else { &[] };
        for protocol in others.iter().copied().chain(self.kad_protocols(peer)) {
            if !protocols.contains(&protocol) {
                protocols.push(protocol);
            }
        }
        protocols
    }

    /// What it speaks beside libp2p's own: the network's Kademlia protocol, first if at all, and its agent's others.
    pub(crate) fn kad_protocols(&self, peer: u32) -> Vec<&str> {
        let kad = (self.state(peer) != State::WrongProtocol).then_some(self.scenario.protocol.as_str());
        let others = self.agent_of(peer).map_or(&[][..], |agent| &agent.protocols);
        kad.into_iter().chain(others.iter().map(String::as_str)).collect()
    }

    /// Whether it tells others whether they can be reached: a server that is what it should be, where the scenario says so
    /// and there is more to be told than that all are on one machine.
    pub(crate) fn dials_back(&self, peer: u32) -> bool {
        self.scenario.autonat && self.is_public() && self.state(peer).is_honest_server()
    }

    /// Who is in its routing table, bucket after bucket. Empty for a peer that answers no requests. Where peers come and
    /// go, these are all that can ever be in it: see [`Life::neighbors`](crate::life::Life::neighbors).
    pub fn neighbors(&self, peer: u32) -> &[u32] {
        self.tables.all(peer)
    }

    /// The type of its key.
    pub fn key_type(&self, peer: u32) -> KeyType {
        self.record(peer).secret.key
    }

    /// What secures connections to it over TCP and WebSocket.
    pub fn securities(&self, peer: u32) -> Securities {
        self.record(peer).securities
    }

    /// Where it is, if it is anywhere.
    pub fn location(&self, peer: u32) -> Location {
        self.ground.location(peer)
    }

    /// Whether the peers have public addresses.
    pub const fn is_public(&self) -> bool {
        matches!(self.ground, Ground::Public(_))
    }

    /// The addresses that can be dialled in this world.
    pub const fn admitted(&self) -> Addresses {
        if self.is_public() { Addresses::Public } else { Addresses::Loopback }
    }

    /// The addresses at which a peer is announced, and is in truth if it is anywhere.
    pub fn addresses(&self, peer: u32) -> Vec<Multiaddr> {
        if self.cast.part(peer).is_some() {
            return self.addresses_at(peer, HostPlace::default());
        }
        let PeerRecord { state, carrier, .. } = *self.record(peer);
        let relay = || {
            let relay = self.bootstrap.first().copied().unwrap_or(0);
            let mut addresses =
                address::at(self.ground.location(relay), Door::Open, self.carrier(relay), self.ports);
            let address = self.certified(relay, vec![addresses.swap_remove(0)]).swap_remove(0);
            address.with(Protocol::P2p(self.peer_id(relay)))
        };
        let addresses = address::announced(peer, state, carrier, (&self.ground, self.ports), relay);
        let mut addresses = self.certified(peer, addresses);
        if self.is_named(peer) {
            for address in &mut addresses {
                *address = address::with_name(address, peer);
            }
        }
        addresses
    }

    /// The addresses at which some still announce it though it is there no longer.
    pub fn former_addresses(&self, peer: u32) -> Vec<Multiaddr> {
        match *self.record(peer) {
            PeerRecord { state: State::StaleAddress, carrier, .. } => {
                let addresses = address::at(self.ground.former(peer), Door::Dead, carrier, self.ports);
                self.certified(peer, addresses)
            }
            _ => Vec::new(),
        }
    }

    /// Addresses of a peer with the name that its certificate is for, where it shows one ([`certified_name`]).
    ///
    /// [`certified_name`]: Self::certified_name
    fn certified(&self, peer: u32, addresses: Vec<Multiaddr>) -> Vec<Multiaddr> {
        match self.certified_name(peer) {
            Some(name) => addresses.iter().map(|address| address::with_server_name(address, &name)).collect(),
            None => addresses,
        }
    }

    /// The name that the certificate of a peer is for: on public addresses, of those that speak secure WebSocket. `None`
    /// for all others.
    pub fn certified_name(&self, peer: u32) -> Option<String> {
        let is_certified = self.is_public() && self.carrier(peer).speaks(Transport::Wss);
        is_certified.then(|| address::host_name(peer))
    }

    /// Whether a peer is announced by the name of its host.
    fn is_named(&self, peer: u32) -> bool {
        self.ground.location(peer).named && self.is_at_home(peer)
    }

    /// Whether a peer is announced where its host is, and there alone.
    fn is_at_home(&self, peer: u32) -> bool {
        !matches!(
            self.state(peer),
            State::PrivateOnly
                | State::SpecialPurposeOnly
                | State::RelayedOnly
                | State::Unroutable
                | State::Crowded(_)
        )
    }

    /// The hosts that have names: the name, and the addresses that it stands for. Those of hosts that may move are in
    /// certificates alone.
    pub fn named_hosts(&self) -> impl Iterator<Item = (String, Vec<IpAddr>)> {
        let has_name = |peer| self.is_named(peer) || self.certified_name(peer).is_some();
        let named = self
            .peers()
            .filter(move |&peer| has_name(peer) && self.is_at_home(peer) && self.cast.part(peer).is_none());
        named.map(|peer| (address::host_name(peer), self.ground.location(peer).ips().collect()))
    }

    /// The address that an address with the name of a host stands for; `None` where it has no such name.
    pub(crate) fn resolve(&self, address: &Multiaddr) -> Option<Multiaddr> {
        let known = |peer| {
            if self.peers().contains(&peer) { self.ground.location(peer) } else { Location::default() }
        };
        address::without_name(address, known)
    }

    /// Whether `announcer` gives the former addresses of `peer` rather than the current ones.
    pub fn announces_former(&self, announcer: u32, peer: u32) -> bool {
        self.state(peer) == State::StaleAddress
            && (announcer.wrapping_mul(0x9e37_79b9) ^ peer.wrapping_mul(0x85eb_ca6b)).count_ones() % 2 == 1
    }

    /// Where to begin: online peers, by number.
    pub fn bootstrap(&self) -> &[u32] {
        &self.bootstrap
    }

    /// Where to begin: online peers' addresses, without names, each with its peer id.
    pub fn bootstrap_addresses(&self) -> Vec<Multiaddr> {
        let of = |&peer: &u32| {
            let id = self.peer_id(peer);
            let literal = |address: Multiaddr| self.resolve(&address).unwrap_or(address);
            // What TLS asks for is the name nevertheless.
            let literals = self.certified(peer, self.addresses(peer).into_iter().map(literal).collect());
            literals.into_iter().map(move |address| address.with(Protocol::P2p(id)))
        };
        self.bootstrap.iter().flat_map(of).collect()
    }

    /// Who is always at the address and port of a socket, by this transport.
    pub(crate) fn resident(&self, at: SocketAddr, transport: Transport) -> Option<u32> {
        let slot = self.ports.slot(transport, at.port())?;
        self.ground.find(at.ip(), slot, |peer| self.peers().contains(&peer))
    }

    /// The number of the peer with this id.
    pub fn find(&self, id: &PeerId) -> Option<u32> {
        let found = self.find_key(&Key::of_peer(id))?;
        (self.peer_id(found) == *id).then_some(found)
    }

    /// Whether an inventing peer of this world made this id up.
    pub fn is_fake(&self, id: &PeerId) -> bool {
        let bytes = id.to_bytes();
        id::ed25519_key(&bytes).is_some_and(|public| self.forger.made(public))
    }

    /// What a peer answers to identify, without the address at which it sees the asker. In the state
    /// [`WrongPeerId`](State::WrongPeerId) nobody comes to ask.
    pub fn identify(&self, peer: u32) -> Identify {
        let PeerRecord { id, secret, .. } = self.record(peer);
        let derived = || self.secrets.keypair(*secret).public().encode_protobuf();
        Identify {
            public_key: id.public_key().map_or_else(derived, <[u8]>::to_vec),
            listen_addrs: self.addresses(peer),
            protocols: self.protocols(peer).into_iter().map(str::to_owned).collect(),
            protocol_version: Some("ipfs/0.1.0".to_owned()),
            agent_version: Some(self.agent(peer).to_owned()),
            ..Identify::default()
        }
    }

    /// The number of the peer at this place of the key space.
    pub(crate) fn find_key(&self, key: &Key) -> Option<u32> {
        let index = self.prefixes.binary_search(&key.prefix64()).ok()?;
        u32::try_from(index).ok().filter(|&peer| self.key(peer) == *key)
    }

    /// How `announcer` announces `peer`: the bytes of a `Peer` in a message.
    pub(crate) fn entry(&self, announcer: u32, peer: u32) -> &[u8] {
        if self.announces_former(announcer, peer)
            && let Some(entry) = self.entries.former.get(&peer)
        {
            return entry;
        }
        self.entries.of(peer)
    }

    fn record(&self, peer: u32) -> &PeerRecord {
        &self.peers[peer as usize]
    }

    fn agent_of(&self, peer: u32) -> Option<&Agent> {
        self.scenario.agents.get(usize::from(self.record(peer).agent))
    }
}
