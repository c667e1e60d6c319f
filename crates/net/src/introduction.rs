//! What we say of ourselves: the answer to identify, and the protocols that peers may open streams for.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use kad::{
    Multiaddr,
    fabric::OtherProtocol,
    identify::{
        IDENTIFY_PROTOCOL, IDENTIFY_PUSH_PROTOCOL, Identify, MAX_IDENTIFY_BYTES, append_observed_addr,
    },
};
use multiaddr::Protocol as Part;

use crate::{
    identity::Identity,
    session::{Framing, Protocol},
};

/// The protocol that echoes 32 bytes.
pub(crate) const PING_PROTOCOL: &str = "/ipfs/ping/1.0.0";

/// A ping, in bytes (libp2p specification, `ping/ping.md`).
const PING_BYTES: usize = 32;

/// The longest request that is accepted from a peer, in bytes. Requests carry a key, a record or a few addresses.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// The family of protocols that is announced.
const PROTOCOL_VERSION: &str = "ipfs/0.1.0";

/// What a stream that a peer opened is for: the position in the list of protocols says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamPurpose {
    Identify,
    Ping,
    Push,
    /// A protocol that a service answers on: by its position among those beside kad, or behind them among those of kad.
    Service(usize),
}

impl StreamPurpose {
    pub(crate) const fn of(position: usize) -> Self {
        match position {
            0 => Self::Identify,
            1 => Self::Ping,
            2 => Self::Push,
            service => Self::Service(service - 3),
        }
    }
}

/// The protocols that are served: identify, ping, identify's push, then those beside kad, which never change, then kad's.
pub(crate) fn protocols(others: &[OtherProtocol], kad: &[&str]) -> Arc<[Protocol]> {
    let prefixed = |name: &str, max| Protocol { name: name.into(), framing: Framing::Prefixed(max) };
    let own = [
        prefixed(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES),
        Protocol { name: PING_PROTOCOL.into(), framing: Framing::Fixed(PING_BYTES) },
        prefixed(IDENTIFY_PUSH_PROTOCOL, MAX_IDENTIFY_BYTES),
    ];
    let others = others.iter().map(|other| prefixed(&other.name, other.max_message_bytes));
    own.into_iter().chain(others).chain(kad.iter().map(|name| prefixed(name, MAX_REQUEST_BYTES))).collect()
}

/// The answer to identify but for the address where the asker is seen.
#[derive(Debug)]
pub(crate) struct Introduction(Box<[u8]>);

impl Introduction {
    pub(crate) fn new(identity: &Identity, agent: &str, protocols: &[Protocol], addrs: &[Multiaddr]) -> Self {
        let message = Identify {
            public_key: identity.public_key().to_vec(),
            listen_addrs: addrs.to_vec(),
            protocols: protocols.iter().map(|protocol| protocol.name.to_string()).collect(),
            protocol_version: Some(PROTOCOL_VERSION.to_owned()),
            agent_version: Some(agent.to_owned()),
            ..Identify::default()
        };
        Self(message.encode().into_boxed_slice())
    }

    /// The answer to a peer that is seen at this address.
    pub(crate) fn to_observed(&self, observed: &Multiaddr) -> Vec<u8> {
        let mut message = Vec::with_capacity(self.0.len() + 32);
        message.extend_from_slice(&self.0);
        append_observed_addr(&mut message, observed);
        message
    }
}

/// The multiaddress of a TCP socket.
pub fn tcp_multiaddr(addr: SocketAddr) -> Multiaddr {
    ip_multiaddr(addr.ip()).with(Part::Tcp(addr.port()))
}

/// The multiaddress of a TCP socket that speaks WebSocket.
pub fn ws_multiaddr(addr: SocketAddr) -> Multiaddr {
    tcp_multiaddr(addr).with(Part::Ws("/".into()))
}

/// The multiaddress of a TCP socket that speaks WebSocket over TLS.
pub fn wss_multiaddr(addr: SocketAddr) -> Multiaddr {
    tcp_multiaddr(addr).with(Part::Tls).with(Part::Ws("/".into()))
}

/// The multiaddress of a UDP socket that speaks QUIC version 1.
pub fn quic_multiaddr(addr: SocketAddr) -> Multiaddr {
    ip_multiaddr(addr.ip()).with(Part::Udp(addr.port())).with(Part::QuicV1)
}

fn ip_multiaddr(ip: IpAddr) -> Multiaddr {
    Multiaddr::empty().with(match ip {
        IpAddr::V4(ip) => Part::Ip4(ip),
        IpAddr::V6(ip) => Part::Ip6(ip),
    })
}
