//! Where the peers of a world live: on loopback, each at its own address in 127.0.0.0/8, or on public addresses, as the
//! hosts of the internet do: of IPv4, IPv6 or both, in the ranges of countries and networks, several of them at one
//! address. Either way one listening socket a port serves all of them: the address at which it was reached says who is
//! meant.
//!
//! Where a system has no more of loopback than 127.0.0.1, all are there, each on ports of its own.

mod internet;
mod layout;
mod loopback;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use kad::network::Transport;

pub use self::internet::{Internet, Prefix, Range, RangePurpose};
pub(crate) use self::layout::{Layout, Wish, layout};

/// The first of the ranges that programs choose addresses from to be in a region: in a world the second byte of 18.0.0.0/8 or the
/// third group of `2a01:e00::/32`, on loopback the third byte of 127.0.0.0/16. The region's number follows.
const FIRST_OF_REGIONS: u8 = 128;

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
    /// How peers share these.
    pub sharing: Sharing,
}

/// How the peers of a world share addresses and ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// An address is one peer's, or up to [`SLOTS`] share it; all use the same few ports.
    Slots,
    /// All are at 127.0.0.1, each in a slot of its own: its ports are so far from those of the one before.
    OneAddress {
        /// 1, or 3 where anybody speaks WebSocket.
        step: u16,
    },
}

impl Ports {
    /// The ports where all are free: in a world of its own, or without sockets. They are taken at every address of it, and
    /// so none that programs use which are not told another: Kubo's is 4001.
    pub const STANDARD: Self =
        Self { listen: 14001, ws: 14002, wss: 14003, dead: 14004, dropping: 14005, sharing: Sharing::Slots };

    /// Ports for so many peers at one address, from the first on, with or without WebSocket. `None` if there are not so
    /// many.
    pub fn of_one_address(first: u16, sites: u32, websocket: bool) -> Option<Self> {
        let step = if websocket { 3 } else { 1 };
        let dead = u16::try_from(u32::from(first).checked_add(sites.checked_mul(step)?)?).ok()?;
        let dropping = dead.checked_add(1)?;
        let [ws, wss] = if websocket { [first + 1, first + 2] } else { [first; 2] };
        let sharing = Sharing::OneAddress { step: u16::try_from(step).ok()? };
        Some(Self { listen: first, ws, wss, dead, dropping, sharing })
    }

    /// Where the peers of a slot listen by this transport.
    pub const fn of(self, transport: Transport, slot: u16) -> u16 {
        self.first(transport).saturating_add(self.step().saturating_mul(slot))
    }

    /// Whose slot a port is by this transport; `None` for the port of nobody.
    pub fn slot(self, transport: Transport, port: u16) -> Option<u16> {
        let beyond = port.checked_sub(self.first(transport))?;
        let slot = beyond / self.step();
        let is_one = beyond.is_multiple_of(self.step()) && slot < self.slots();
        is_one.then_some(slot)
    }

    /// The ports of the first slot.
    const fn first(self, transport: Transport) -> u16 {
        match transport {
            Transport::Tcp | Transport::Quic => self.listen,
            Transport::Ws => self.ws,
            Transport::Wss => self.wss,
        }
    }

    const fn step(self) -> u16 {
        match self.sharing {
            Sharing::Slots => SLOT_STEP,
            Sharing::OneAddress { step } => step,
        }
    }

    /// How many slots there may be.
    const fn slots(self) -> u16 {
        match self.sharing {
            Sharing::Slots => SLOTS as u16,
            Sharing::OneAddress { .. } => u16::MAX,
        }
    }
}

/// Where a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Location {
    /// Its IPv4 address; `None` for a host without one.
    pub ip4: Option<Ipv4Addr>,
    /// Its IPv6 address.
    pub ip6: Option<Ipv6Addr>,
    /// Which of the peers at these addresses it is.
    pub slot: u16,
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
    /// Each at an address of its own.
    Loopback,
    /// All at one address.
    OneAddress,
    Public(Box<Layout>),
}

impl Ground {
    /// Where a peer is.
    pub(crate) fn location(&self, peer: u32) -> Location {
        match self {
            Self::Loopback => Location::at(loopback::ip(peer)),
            // There are fewer ports than that: who is beyond them was refused before.
            Self::OneAddress => Location {
                slot: u16::try_from(peer).unwrap_or(u16::MAX),
                ..Location::at(Ipv4Addr::LOCALHOST)
            },
            Self::Public(layout) => layout.location(peer),
        }
    }

    /// Where a peer was that some still announce there.
    pub(crate) fn former(&self, peer: u32) -> Location {
        match self {
            Self::Loopback => Location::at(loopback::former(peer)),
            Self::OneAddress => Location::at(Ipv4Addr::LOCALHOST),
            Self::Public(layout) => layout.former(peer),
        }
    }

    /// Whether anybody is, or ever will be, at an IPv6 address.
    pub(crate) fn has_v6(&self) -> bool {
        match self {
            Self::Loopback | Self::OneAddress => false,
            Self::Public(layout) => layout.has_v6(),
        }
    }

    /// The first peer in a slot of an address that `accept` takes.
    pub(crate) fn find(&self, ip: IpAddr, slot: u16, accept: impl Fn(u32) -> bool) -> Option<u32> {
        match (self, ip) {
            (Self::Loopback, IpAddr::V4(ip)) => {
                loopback::peer_at(ip).filter(|&peer| slot == 0 && accept(peer))
            }
            (Self::OneAddress, IpAddr::V4(Ipv4Addr::LOCALHOST)) => {
                Some(u32::from(slot)).filter(|&peer| accept(peer))
            }
            (Self::Loopback | Self::OneAddress, _) => None,
            (Self::Public(layout), ip) => layout.at(ip, slot).find(|&peer| accept(peer)),
        }
    }

    /// Whoever lives, lived or will live at an address; the first in the first slot of those who share it.
    pub(crate) fn anyone_at(&self, ip: IpAddr) -> Option<u32> {
        match (self, ip) {
            (Self::Loopback, IpAddr::V4(ip)) => loopback::peer_at(ip),
            (Self::Loopback | Self::OneAddress, _) => None,
            (Self::Public(layout), ip) => layout.at(ip, 0).next(),
        }
    }

    /// An address at which there never was anybody, one of 2^20.
    pub(crate) fn nowhere(&self, random: u32) -> Ipv4Addr {
        match self {
            Self::Loopback | Self::OneAddress => loopback::nowhere(random),
            Self::Public(_) => internet::nowhere(random),
        }
    }

    /// Whether there is no route to an address.
    pub(crate) fn is_unrouted(&self, ip: IpAddr) -> bool {
        match self {
            Self::Loopback | Self::OneAddress => false,
            Self::Public(_) => {
                Internet::get().of(ip).is_none_or(|range| range.purpose == RangePurpose::Unrouted)
            }
        }
    }
}

/// The region, by its number, that a program is in which dials from an address: there is a range of addresses for each of the
/// first 128. `None` for all other addresses.
pub fn program_region(ip: IpAddr) -> Option<usize> {
    let number = match ip {
        IpAddr::V4(ip) => match ip.octets() {
            [18, second, ..] => second.checked_sub(FIRST_OF_REGIONS),
            [127, 0, third, _] => third.checked_sub(FIRST_OF_REGIONS),
            _ => None,
        },
        IpAddr::V6(ip) => match ip.segments() {
            [0x2a01, 0xe00, third, ..] => {
                let number = third.checked_sub(u16::from(FIRST_OF_REGIONS) << 8);
                number
                    .and_then(|number| u8::try_from(number).ok())
                    .filter(|&number| number < FIRST_OF_REGIONS)
            }
            _ => None,
        },
    };
    number.map(usize::from)
}

#[cfg(test)]
mod tests;
