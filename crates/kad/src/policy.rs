//! Which addresses may be dialled, and how: decided from the address alone, before any socket exists. Who asked not to
//! be dialled is left to [`opt_out`](crate::opt_out), in which order addresses are tried to [`plan`](crate::plan).
//!
//! Source: the multiaddr protocol table.

use core::net::{IpAddr, SocketAddr};

use libp2p_identity::PeerId;
use multiaddr::{Multiaddr, Protocol};

use crate::{
    failure::SkipReason,
    named,
    network::Transport,
    scope::{Scope, scope},
};

named! {
    /// Which addresses may be dialled.
    pub enum Addresses {
        /// Those that are reachable from everywhere.
        Public = "public",
        /// Those of private networks and links.
        Private = "private",
        /// Those of this machine.
        Loopback = "loopback",
        /// All that can be dialled: public, private and loopback.
        Any = "any",
    }
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

/// Whether an address names another peer than this one.
pub fn names_other(addr: &Multiaddr, peer: &PeerId) -> bool {
    addr.iter().any(|part| matches!(part, Protocol::P2p(other) if other != *peer))
}

/// Whether an address leads to its peer through another one (`/p2p-circuit`).
pub fn is_relayed(addr: &Multiaddr) -> bool {
    addr.iter().any(|part| matches!(part, Protocol::P2pCircuit))
}

#[cfg(test)]
mod tests;
