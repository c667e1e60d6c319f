//! Where the peers of a world live: on loopback, each at its own address in 127.0.0.0/8, or on public addresses, as the
//! hosts of the internet do: of IPv4, IPv6 or both, in the ranges of countries and networks, several of them at one
//! address.
//!
//! Either way one listening socket a port serves all of them: the address at which it was reached says who is meant.

mod internet;
mod layout;
mod loopback;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use kad::network::Transport;

pub use self::internet::{Internet, Prefix, Purpose, Range};
pub(crate) use self::layout::{Layout, Wish, layout};

/// How many peers can share an address: each has a slot, and a slot has ports of its own.
pub const SLOTS: u8 = 4;

/// How far the ports of one slot are from those of the next.
const SLOT_STEP: u16 = 10;

/// The ports of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Where peers listen, TCP and UDP.
    pub listen: u16,
    /// Where they listen for WebSocket.
    pub ws: u16,
    /// And for WebSocket over TLS.
    pub wss: u16,
    /// Where nobody listens, but peers that come and go while they are up: the kernel refuses.
    pub dead: u16,
    /// Where attempts to connect are dropped without a word.
    pub dropping: u16,
}

impl Ports {
    /// The ports where all are free: in a world of its own, or without sockets. They are taken at every address of it, and
    /// so none that programs use which are not told another: Kubo's is 4001.
    pub const STANDARD: Self = Self { listen: 14001, ws: 14002, wss: 14003, dead: 14004, dropping: 14005 };

    /// Where the peers of a slot listen by this transport.
    pub const fn of(self, transport: Transport, slot: u8) -> u16 {
        let base = match transport {
            Transport::Tcp | Transport::Quic => self.listen,
            Transport::Ws => self.ws,
            Transport::Wss => self.wss,
        };
        base + SLOT_STEP * slot as u16
    }

    /// Whose slot a port is by this transport; `None` for the port of nobody.
    pub fn slot(self, transport: Transport, port: u16) -> Option<u8> {
        (0..SLOTS).find(|&slot| self.of(transport, slot) == port)
    }
}

/// Where a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Location {
    /// Its IPv4 address; `None` for a host without one.
    pub ip4: Option<Ipv4Addr>,
    /// Its IPv6 address.
    pub ip6: Option<Ipv6Addr>,
    /// Which of the peers at these addresses it is, below [`SLOTS`].
    pub slot: u8,
    /// Whether it is announced by a name instead of by these addresses.
    pub named: bool,
}

impl Location {
    /// A place with an address of IPv4 for itself.
    pub(crate) const fn at(ip: Ipv4Addr) -> Self {
        Self { ip4: Some(ip), ip6: None, slot: 0, named: false }
    }

    /// Its addresses.
    pub fn ips(self) -> impl Iterator<Item = IpAddr> {
        self.ip4.map(IpAddr::V4).into_iter().chain(self.ip6.map(IpAddr::V6))
    }
}

/// Where all peers of a world live.
#[derive(Debug)]
pub(crate) enum Ground {
    Loopback,
    Public(Box<Layout>),
}

impl Ground {
    /// Where a peer is.
    pub(crate) fn location(&self, peer: u32) -> Location {
        match self {
            Self::Loopback => Location::at(loopback::ip(peer)),
            Self::Public(layout) => layout.location(peer),
        }
    }

    /// Where a peer was that some still announce there.
    pub(crate) fn former(&self, peer: u32) -> Location {
        match self {
            Self::Loopback => Location::at(loopback::former(peer)),
            Self::Public(layout) => layout.former(peer),
        }
    }

    /// Whether anybody is, or ever will be, at an IPv6 address.
    pub(crate) fn has_v6(&self) -> bool {
        match self {
            Self::Loopback => false,
            Self::Public(layout) => layout.has_v6(),
        }
    }

    /// The first peer in a slot of an address that `accept` takes.
    pub(crate) fn find(&self, ip: IpAddr, slot: u8, accept: impl Fn(u32) -> bool) -> Option<u32> {
        match (self, ip) {
            (Self::Loopback, IpAddr::V4(ip)) => {
                loopback::peer_at(ip).filter(|&peer| slot == 0 && accept(peer))
            }
            (Self::Loopback, IpAddr::V6(_)) => None,
            (Self::Public(layout), ip) => layout.at(ip, slot).find(|&peer| accept(peer)),
        }
    }

    /// An address at which there never was anybody, one of 2^20.
    pub(crate) fn nowhere(&self, random: u32) -> Ipv4Addr {
        match self {
            Self::Loopback => loopback::nowhere(random),
            Self::Public(_) => internet::nowhere(random),
        }
    }

    /// Whether there is no route to an address.
    pub(crate) fn is_unrouted(&self, ip: IpAddr) -> bool {
        match self {
            Self::Loopback => false,
            Self::Public(_) => Internet::get().of(ip).is_none_or(|range| range.purpose == Purpose::Unrouted),
        }
    }
}

#[cfg(test)]
mod tests;
