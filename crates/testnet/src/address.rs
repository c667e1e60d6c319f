//! Where virtual peers live: each has its own IP address in 127.0.0.0/8, and shares ports with those of its kind.

use std::net::Ipv4Addr;

use multiaddr::{Multiaddr, Protocol};

use crate::{state::State, world::Carrier};

/// The ports of a world. Peers differ by their IP address, so that one listening socket can serve them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Where peers listen, TCP and UDP.
    pub listen: u16,
    /// Where nobody listens, but peers that come and go while they are up: the kernel refuses.
    pub dead: u16,
    /// Where attempts to connect are dropped without a word.
    pub dropping: u16,
}

impl Ports {
    /// The ports of a world without sockets.
    pub const VIRTUAL: Self = Self { listen: 4001, dead: 4002, dropping: 4003 };
}

/// Peer 0's address; the others follow.
const PEERS: u32 = 0x7f01_0000;

/// Where peers with a stale address used to be: peer 0's, the others follow.
const FORMER: u32 = 0x7f80_0000;

/// Addresses at which there never was anybody: the first of 2^20.
const NOWHERE: u32 = 0x7fd0_0000;

/// The address of a peer.
pub(crate) fn ip(peer: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(PEERS + peer)
}

/// The peer at an address, if the address is one of the range; whether there is such a peer is not said.
pub(crate) fn peer_at(ip: Ipv4Addr) -> Option<u32> {
    (PEERS..FORMER).contains(&ip.to_bits()).then(|| ip.to_bits() - PEERS)
}

/// An address at which there never was anybody, one of 2^20.
pub(crate) fn nowhere(random: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(NOWHERE + (random & 0xf_ffff))
}

/// The addresses of a host that listens on a port by its transports.
pub(crate) fn listening(ip: Ipv4Addr, port: u16, carrier: Carrier) -> Vec<Multiaddr> {
    let tcp = || Multiaddr::empty().with(Protocol::Ip4(ip)).with(Protocol::Tcp(port));
    let quic = || Multiaddr::empty().with(Protocol::Ip4(ip)).with(Protocol::Udp(port)).with(Protocol::QuicV1);
    match carrier {
        Carrier::Tcp => vec![tcp()],
        Carrier::Quic => vec![quic()],
        Carrier::Both => vec![tcp(), quic()],
    }
}

/// What peer number `peer` is announced with. `relay` is the address of a relay, with its peer id.
pub(crate) fn announced(
    peer: u32,
    state: State,
    carrier: Carrier,
    ports: Ports,
    relay: impl FnOnce() -> Multiaddr,
) -> Vec<Multiaddr> {
    let [_, high, middle, low] = peer.to_be_bytes();
    match state {
        State::Refusing | State::Departed => listening(ip(peer), ports.dead, carrier),
        State::Dropping | State::Firewalled => listening(ip(peer), ports.dropping, carrier),
        State::PrivateOnly => [Ipv4Addr::new(10, high, middle, low), Ipv4Addr::new(192, 168, middle, low)]
            .into_iter()
            .flat_map(|ip| listening(ip, ports.listen, carrier))
            .collect(),
        State::SpecialPurposeOnly => {
            let ip = match peer % 4 {
                0 => Ipv4Addr::new(192, 0, 2, low),
                1 => Ipv4Addr::new(198, 51, 100, low),
                2 => Ipv4Addr::new(203, 0, 113, low),
                _ => Ipv4Addr::new(240, high, middle, low),
            };
            listening(ip, ports.listen, carrier)
        }
        State::RelayedOnly => vec![relay().with(Protocol::P2pCircuit)],
        State::Crowded(count) => {
            let mut addresses = listening(ip(peer), ports.listen, carrier);
            let more = usize::from(count).saturating_sub(addresses.len());
            let ips = (0..).map(|n: u32| nowhere(peer.wrapping_mul(5_003).wrapping_add(n)));
            addresses.extend(ips.take(more).flat_map(|ip| listening(ip, ports.dead, Carrier::Tcp)));
            addresses
        }
        _ => listening(ip(peer), ports.listen, carrier),
    }
}

/// What half of its neighbors still announce for a peer with a stale address: a host that refuses.
pub(crate) fn former(peer: u32, carrier: Carrier, ports: Ports) -> Vec<Multiaddr> {
    listening(Ipv4Addr::from_bits(FORMER + peer), ports.dead, carrier)
}
