//! Who lives where on public addresses.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use foldhash::fast::FixedState;
use rand::{Rng, RngExt};

use super::{
    Internet, Location, SLOTS,
    internet::{Range, RangePurpose},
};
use crate::{
    random::{Stream, stream},
    scenario::AddressShares,
};

/// Spreads consecutive hosts over a range: an odd number, so that no two of them meet (2^32 over the golden ratio).
const SPREAD: u32 = 0x9e37_79b1;

/// How many bits the addresses of a neighbourhood share: what is routed and limited as one.
const NEIGHBOURHOOD_BITS: u8 = 24;

/// The locations of all peers.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    locations: Vec<Location>,
    /// Where peers with a stale address used to be.
    former: HashMap<u32, Location, FixedState>,
    /// Who is, was or will be at an address: at most a few peers a slot.
    at: HashMap<IpAddr, Vec<u32>, FixedState>,
}

impl Layout {
    /// Where a peer is.
    pub(super) fn location(&self, peer: u32) -> Location {
        self.locations.get(peer as usize).copied().unwrap_or_default()
    }

    /// Where a peer was.
    pub(super) fn former(&self, peer: u32) -> Location {
        self.former.get(&peer).copied().unwrap_or_default()
    }

    /// Whether any site has an IPv6 address, those that hosts move to among them.
    pub(super) fn has_v6(&self) -> bool {
        self.locations.iter().any(|location| location.ip6.is_some())
    }

    /// Who lives in this slot of an address.
    pub(super) fn at(&self, ip: IpAddr, slot: u16) -> impl Iterator<Item = u32> {
        let there = self.at.get(&ip).into_iter().flatten().copied();
        there.filter(move |&peer| self.location(peer).slot == slot)
    }

    fn settle(&mut self, location: Location) {
        let peer = u32::try_from(self.locations.len()).unwrap_or(u32::MAX);
        for ip in location.ips() {
            self.at.entry(ip).or_default().push(peer);
        }
        self.locations.push(location);
    }
}

/// What decides on the place of a peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    /// On which continents; anywhere if this is empty.
    pub(crate) continents: &'a [String],
    /// Whether it needs a second place, for those that announce where it was.
    pub(crate) has_moved: bool,
    /// Whether its addresses are for it alone, without a name: it may move.
    pub(crate) is_alone: bool,
}

/// Gives peers locations, one after the other.
pub(crate) struct Surveyor<'a, R> {
    rng: R,
    addresses: &'a AddressShares,
    lots: Vec<Lot>,
    /// For each list of continents and each family the host that has room for one more: where, and its next slot.
    open: HashMap<(&'a [String], Family), (Location, u16), FixedState>,
}

/// A range, and how many hosts of it are taken.
struct Lot {
    range: &'static Range,
    next: u32,
}

/// Which addresses a host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Family {
    V4,
    V6,
    Both,
}

/// Lays all peers out, in their order.
pub(crate) fn layout<'a>(
    seed: u64,
    addresses: &'a AddressShares,
    wishes: impl Iterator<Item = Wish<'a>>,
) -> Layout {
    let lots = Internet::get().with(RangePurpose::Peers).map(|range| Lot { range, next: 0 }).collect();
    let rng = stream(seed, Stream::Locations, 0);
    let mut surveyor = Surveyor { rng, addresses, lots, open: HashMap::default() };
    let mut layout = Layout::default();
    for (peer, wish) in (0..).zip(wishes) {
        let location = surveyor.location(wish);
        layout.settle(location);
        if wish.has_moved {
            layout.former.insert(peer, surveyor.host(wish, Family::V4));
        }
    }
    layout
}

impl<'a, R: Rng> Surveyor<'a, R> {
    /// The location of the next peer: at an address of its own, or at one that it shares with others of its continent.
    fn location(&mut self, wish: Wish<'a>) -> Location {
        let family = self.family();
        let is_shared = self.rng.random_bool(self.addresses.shared.get()) && !wish.is_alone;
        let named = self.rng.random_bool(self.addresses.named.get()) && !wish.is_alone;
        if !is_shared {
            return Location { named, ..self.host(wish, family) };
        }
        let key = (wish.continents, family);
        let (host, slot) = match self.open.remove(&key) {
            Some(open) => open,
            None => (self.host(wish, family), 0),
        };
        if slot + 1 < u16::from(self.addresses.per_ip.min(SLOTS)) {
            self.open.insert(key, (host, slot + 1));
        }
        Location { slot, named, ..host }
    }

    fn family(&mut self) -> Family {
        let drawn: f64 = self.rng.random();
        let (ip4, dual) = (self.addresses.ip4.get(), self.addresses.dual.get());
        match drawn {
            drawn if drawn < ip4 => Family::V4,
            drawn if drawn < ip4 + dual => Family::Both,
            _ => Family::V6,
        }
    }

    /// A host at addresses that nobody else has.
    fn host(&mut self, wish: Wish<'_>, family: Family) -> Location {
        let mut location = Location::default();
        if family != Family::V6 {
            location.ip4 = self.address(wish, true).and_then(as_v4);
        }
        if family != Family::V4 || location.ip4.is_none() {
            location.ip6 = self.address(wish, false).and_then(as_v6);
        }
        location
    }

    /// The next free address of a range that is drawn by weight; of any continent where those wished for are full.
    fn address(&mut self, wish: Wish<'_>, v4: bool) -> Option<IpAddr> {
        let anywhere = Wish { continents: &[], ..wish };
        let index = self.lot(wish, v4).or_else(|| self.lot(anywhere, v4))?;
        self.lots.get_mut(index).map(Lot::take)
    }

    fn lot(&mut self, wish: Wish<'_>, v4: bool) -> Option<usize> {
        let fits = |lot: &Lot| {
            let there = wish.continents.is_empty() || wish.continents.contains(&lot.range.continent);
            there && lot.range.prefix.ip.is_ipv4() == v4 && lot.has_room()
        };
        let total: u32 = self.lots.iter().filter(|lot| fits(lot)).map(|lot| lot.range.weight).sum();
        if total == 0 {
            return None;
        }
        let mut drawn = self.rng.random_range(0..total);
        self.lots.iter().position(|lot| {
            fits(lot)
                && match drawn.checked_sub(lot.range.weight) {
                    Some(rest) => {
                        drawn = rest;
                        false
                    }
                    None => true,
                }
        })
    }
}

impl Lot {
    fn has_room(&self) -> bool {
        u64::from(self.next) + 1 < self.capacity()
    }

    /// How many hosts it takes: of a range of one neighbourhood a quarter, since nowhere are all hosts of one peers of the
    /// same network, and who dials politely takes its time in each.
    fn capacity(&self) -> u64 {
        let all = 1_u64 << self.range.prefix.host_bits();
        let is_neighbourhood = self.range.prefix.ip.is_ipv4() && self.range.prefix.bits >= NEIGHBOURHOOD_BITS;
        if is_neighbourhood { (all / 4).max(2) } else { all }
    }

    /// The next host. Those of IPv4 do not end in 0 or 255, which look like networks and broadcasts.
    fn take(&mut self) -> IpAddr {
        let bits = self.range.prefix.host_bits();
        let mask = u32::try_from((1_u64 << bits) - 1).unwrap_or(u32::MAX);
        loop {
            self.next = self.next.saturating_add(1);
            let number = self.next.wrapping_mul(SPREAD) & mask;
            let address = self.range.prefix.host(number);
            let is_odd = matches!(address, IpAddr::V4(ip) if matches!(ip.octets()[3], 0 | 255));
            if !is_odd || !self.has_room() {
                return address;
            }
        }
    }
}

fn as_v4(ip: IpAddr) -> Option<Ipv4Addr> {
    if let IpAddr::V4(ip) = ip { Some(ip) } else { None }
}

fn as_v6(ip: IpAddr) -> Option<Ipv6Addr> {
    if let IpAddr::V6(ip) = ip { Some(ip) } else { None }
}
