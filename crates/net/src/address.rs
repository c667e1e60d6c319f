//! Which addresses may be dialled, and how: decided from the address alone, before any socket exists.
//!
//! Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (as of 2025) and the multiaddr protocol table.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use kad::{Multiaddr, PeerId, failure::SkipReason, network::Transport};
use multiaddr::Protocol;

/// Which addresses may be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// Those that are reachable from everywhere.
    Public,
    /// Those of private networks and links.
    Private,
    /// Those of this machine.
    Loopback,
    /// All that can be dialled: public, private and loopback.
    Any,
}

/// From where an IP address can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// From everywhere.
    Public,
    /// Within a private network, a carrier's network or a link (RFC 1918, RFC 4193, RFC 6598, link-local).
    Private,
    /// From the machine itself.
    Loopback,
    /// From nowhere: documentation, benchmarks, multicast, reserved and unallocated ranges.
    SpecialPurpose,
}

/// What to dial for an address: a socket, and what is spoken there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// TCP to this socket.
    Tcp(SocketAddr),
    /// QUIC version 1 to this socket.
    Quic(SocketAddr),
    /// WebSocket over TCP to this socket.
    Ws(SocketAddr),
    /// WebSocket over TLS over TCP to this socket.
    Wss(SocketAddr),
}

impl Target {
    const fn new(transport: Transport, addr: SocketAddr) -> Self {
        match transport {
            Transport::Tcp => Self::Tcp(addr),
            Transport::Quic => Self::Quic(addr),
            Transport::Ws => Self::Ws(addr),
            Transport::Wss => Self::Wss(addr),
        }
    }

    /// The socket's address.
    pub const fn addr(self) -> SocketAddr {
        match self {
            Self::Tcp(addr) | Self::Quic(addr) | Self::Ws(addr) | Self::Wss(addr) => addr,
        }
    }

    /// The transport.
    pub const fn transport(self) -> Transport {
        match self {
            Self::Tcp(_) => Transport::Tcp,
            Self::Quic(_) => Transport::Quic,
            Self::Ws(_) => Transport::Ws,
            Self::Wss(_) => Transport::Wss,
        }
    }
}

impl Addresses {
    /// What to dial for this address of this peer, or why it is not dialled.
    pub fn target(self, addr: &Multiaddr, peer: &PeerId) -> Result<Target, SkipReason> {
        if is_relayed(addr) {
            return Err(SkipReason::Relayed);
        }
        if names_other(addr, peer) {
            return Err(SkipReason::OtherPeer);
        }
        self.socket(addr)
    }

    /// What to dial for this address, whoever is there, or why it is not dialled. A name that could be resolved is
    /// [`SkipReason::Name`].
    pub fn socket(self, addr: &Multiaddr) -> Result<Target, SkipReason> {
        if is_relayed(addr) {
            return Err(SkipReason::Relayed);
        }
        let mut parts = addr.iter();
        let ip = match parts.next().ok_or(SkipReason::TransportUnknown)? {
            Protocol::Ip4(ip) => IpAddr::V4(ip),
            Protocol::Ip6(ip) => ip.to_canonical(),
            // What it resolves to says how it is dialled.
            Protocol::Dnsaddr(_) => return Err(SkipReason::Name),
            Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) => {
                transport(parts)?;
                return Err(SkipReason::Name);
            }
            Protocol::P2p(_) => return Err(SkipReason::TransportUnknown),
            _ => return Err(SkipReason::TransportNotSupported),
        };
        self.admits(scope(ip))?;
        let (transport, port) = transport(parts)?;
        Ok(Target::new(transport, SocketAddr::new(ip, port)))
    }

    fn admits(self, scope: Scope) -> Result<(), SkipReason> {
        match (self, scope) {
            (_, Scope::SpecialPurpose) => Err(SkipReason::SpecialPurpose),
            (Self::Any, _)
            | (Self::Public, Scope::Public)
            | (Self::Private, Scope::Private)
            | (Self::Loopback, Scope::Loopback) => Ok(()),
            (_, Scope::Public) => Err(SkipReason::Public),
            (_, Scope::Private) => Err(SkipReason::Private),
            (_, Scope::Loopback) => Err(SkipReason::Loopback),
        }
    }
}

/// What is spoken at a host, and on which port: what an address says after the host.
fn transport<'a>(mut parts: impl Iterator<Item = Protocol<'a>>) -> Result<(Transport, u16), SkipReason> {
    let (transport, port) = match parts.next() {
        Some(Protocol::Tcp(port)) => (Transport::Tcp, port),
        Some(Protocol::Udp(port)) => match parts.next() {
            Some(Protocol::QuicV1) => (Transport::Quic, port),
            None | Some(Protocol::P2p(_)) => return Err(SkipReason::TransportUnknown),
            Some(_) => return Err(SkipReason::TransportNotSupported),
        },
        None | Some(Protocol::P2p(_)) => return Err(SkipReason::TransportUnknown),
        Some(_) => return Err(SkipReason::TransportNotSupported),
    };
    let mut next = parts.next();
    let transport = match (transport, &next) {
        (Transport::Tcp, Some(Protocol::Ws(_))) => Transport::Ws,
        (Transport::Tcp, Some(Protocol::Wss(_))) => Transport::Wss,
        (Transport::Tcp, Some(Protocol::Tls)) => match parts.find(|part| !matches!(part, Protocol::Sni(_))) {
            Some(Protocol::Ws(_)) => Transport::Wss,
            _ => return Err(SkipReason::TransportNotSupported),
        },
        (transport, _) => transport,
    };
    if matches!(transport, Transport::Ws | Transport::Wss) {
        next = parts.next();
    }
    match next {
        // Port 0 is reserved.
        None | Some(Protocol::P2p(_)) if port == 0 => Err(SkipReason::SpecialPurpose),
        None | Some(Protocol::P2p(_)) => Ok((transport, port)),
        Some(_) => Err(SkipReason::TransportNotSupported),
    }
}

/// Whether an address names another peer.
pub(crate) fn names_other(addr: &Multiaddr, peer: &PeerId) -> bool {
    addr.iter().any(|part| matches!(part, Protocol::P2p(other) if other != *peer))
}

pub(crate) fn is_relayed(addr: &Multiaddr) -> bool {
    addr.iter().any(|part| matches!(part, Protocol::P2pCircuit))
}

/// From where an IP address can be reached. An IPv4 address inside an IPv6 address counts as itself.
pub fn scope(ip: IpAddr) -> Scope {
    match ip.to_canonical() {
        IpAddr::V4(ip) => scope_v4(ip),
        IpAddr::V6(ip) => scope_v6(ip),
    }
}

fn scope_v4(ip: Ipv4Addr) -> Scope {
    match ip.octets() {
        [127, ..] => Scope::Loopback,
        [10, ..] | [192, 168, ..] | [169, 254, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] => {
            Scope::Private
        }
        // 192.0.0.0/24 but for the two anycast addresses that are reachable from everywhere.
        [192, 0, 0, last] if last != 9 && last != 10 => Scope::SpecialPurpose,
        // "This network", documentation, the former 6to4 relays, benchmarks, multicast and reserved.
        [0 | 224..=255, ..]
        | [192, 0, 2, _]
        | [192, 88, 99, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [198, 18..=19, ..] => Scope::SpecialPurpose,
        _ => Scope::Public,
    }
}

fn scope_v6(ip: Ipv6Addr) -> Scope {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Scope::Loopback,
        // NAT64 and 6to4 reach what the IPv4 address inside them reaches.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            match scope_v4(Ipv4Addr::new(a, b, c, d)) {
                Scope::Public => Scope::Public,
                _ => Scope::SpecialPurpose,
            }
        }
        // Local NAT64, unique local, link-local and the former site-local.
        [0x64, 0xff9b, 1, ..] | [0xfc00..=0xfdff | 0xfe80..=0xfeff, ..] => Scope::Private,
        // Within 2001::/23 the registry names what is reachable: anycast services, AMT, AS112, ORCHIDv2 and DRIP.
        [0x2001, 1, 0, 0, 0, 0, 0, 1..=3] | [0x2001, 3 | 0x20..=0x3f, ..] | [0x2001, 4, 0x112, ..] => {
            Scope::Public
        }
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Scope::SpecialPurpose,
        // Only 2000::/3 is given out as global unicast.
        [0x2000..=0x3fff, ..] => Scope::Public,
        _ => Scope::SpecialPurpose,
    }
}

#[cfg(test)]
mod tests;
