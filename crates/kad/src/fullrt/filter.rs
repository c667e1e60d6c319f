//! Whom a table of the whole network takes in, and how many of one network stand among the closest.

use std::collections::{BTreeMap, BTreeSet};

use libp2p_identity::PeerId;
use multiaddr::{Multiaddr, Protocol};

use crate::{
    contact::Contact,
    policy::is_relayed,
    scope::{Scope, scope},
    table::AddressGroup,
};

/// What a table of the whole network leaves out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableFilter {
    /// Whether only peers are taken in that have a public address, a relay's not counted (`PublicRoutingTableFilter`).
    pub public_only: bool,
    /// The most peers among the closest to a key with an address of one [group](AddressGroup), the closest of them; `None` for any
    /// number.
    pub per_group: Option<usize>,
}

impl TableFilter {
    /// Takes in everybody.
    pub const NONE: Self = Self { public_only: false, per_group: None };

    /// What go-libp2p-kad-dht's `fullrt` means to apply on the Amino DHT: public peers, and 3 of a group
    /// (`amino.DefaultMaxPeersPerIPGroup`). In v0.42 the second number never arrives where it is used: its tables are those of
    /// [`go_as_released`](Self::go_as_released).
    pub const fn go() -> Self {
        Self { public_only: true, per_group: Some(3) }
    }

    /// What v0.42 of that library really applies: public peers, any number of a group.
    pub const fn go_as_released() -> Self {
        Self { public_only: true, per_group: None }
    }

    /// Whether a peer is taken in.
    pub fn admits(&self, contact: &Contact) -> bool {
        !self.public_only || contact.addrs.iter().any(is_public)
    }

    /// Begins to count the groups among the closest to one key.
    pub const fn tally(&self) -> GroupTally {
        GroupTally { limit: self.per_group, seen: BTreeMap::new() }
    }
}

/// How many of the closest to one key have addresses of each group.
#[derive(Debug, Clone)]
pub struct GroupTally {
    limit: Option<usize>,
    seen: BTreeMap<AddressGroup, BTreeSet<PeerId>>,
}

impl GroupTally {
    /// Whether the next closest may stand among them. It is counted with the groups of its addresses up to the first that has its
    /// number, as Go counts.
    pub fn admits(&mut self, contact: &Contact) -> bool {
        let Some(limit) = self.limit else { return true };
        contact.addrs.iter().filter_map(group).all(|group| {
            let seen = self.seen.entry(group).or_default();
            let has_room = seen.len() < limit;
            if has_room {
                seen.insert(contact.peer);
            }
            has_room
        })
    }
}

fn ip(addr: &Multiaddr) -> Option<core::net::IpAddr> {
    match addr.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

fn group(addr: &Multiaddr) -> Option<AddressGroup> {
    ip(addr).map(AddressGroup::of_ip)
}

fn is_public(addr: &Multiaddr) -> bool {
    !is_relayed(addr) && ip(addr).is_some_and(|ip| scope(ip) == Scope::Public)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(addrs: &[&str]) -> Contact {
        Contact { peer: PeerId::random(), addrs: addrs.iter().map(|addr| addr.parse().unwrap()).collect() }
    }

    #[test]
    fn public_peers_are_told_from_others() {
        let relay = format!("/ip4/1.1.1.1/tcp/1/p2p/{}/p2p-circuit", PeerId::random());
        let (public, all) = (TableFilter::go(), TableFilter::NONE);
        for (addrs, is_taken) in [
            (&["/ip4/10.0.0.1/tcp/1", "/ip4/1.1.1.1/tcp/1"][..], true),
            (&["/ip6/2a00::1/udp/1/quic-v1"], true),
            (&["/ip4/127.0.0.1/tcp/1"], false),
            (&["/dns4/a.b/tcp/1"], false),
            (&[&relay], false),
            (&[], false),
        ] {
            assert_eq!(public.admits(&contact(addrs)), is_taken, "{addrs:?}");
            assert!(all.admits(&contact(addrs)));
        }
    }

    #[test]
    fn three_of_a_group_are_enough() {
        let mut tally = TableFilter::go().tally();
        let admits = |tally: &mut GroupTally, addrs: &[&str]| tally.admits(&contact(addrs));
        for n in 0..3 {
            assert!(admits(&mut tally, &[&format!("/ip4/1.2.{n}.1/tcp/1"), "/dns4/a.b/tcp/1"]));
        }
        assert!(!admits(&mut tally, &["/ip4/1.2.9.1/tcp/1"]));
        assert!(!admits(&mut tally, &["/ip4/5.5.9.1/tcp/1", "/ip4/1.2.9.1/tcp/1"]));
        assert!(admits(&mut tally, &["/ip4/1.3.9.1/tcp/1"]));
        let mut any = TableFilter::go_as_released().tally();
        assert!((0..9).all(|_| admits(&mut any, &["/ip4/1.2.9.1/tcp/1"])));
    }
}
