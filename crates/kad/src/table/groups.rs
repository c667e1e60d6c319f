//! Groups of addresses that are likely to be in one hand, and how many peers of a group a table takes.

use std::{collections::BTreeMap, net::IpAddr};

use multiaddr::{Multiaddr, Protocol};

/// IPv4 ranges of eight bits that were given to one organisation each and count as one group (go-libp2p-kbucket,
/// `peerdiversity.legacyClassA`).
const CLASS_A: [u8; 8] = [12, 17, 19, 38, 48, 53, 56, 73];

/// How many peers of one group a table takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLimits {
    /// The most of them that share one prefix length with the table's owner.
    pub per_prefix: usize,
    /// The most of them in all.
    pub per_table: usize,
}

impl Default for GroupLimits {
    /// Those of Kubo's table of the public network (go-libp2p-kad-dht, `amino.DefaultMaxPeersPerIPGroupPerCpl`, `DefaultMaxPeersPerIPGroup`).
    fn default() -> Self {
        Self { per_prefix: 2, per_table: 3 }
    }
}

/// Addresses that count as one when a table is to have peers of many hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AddressGroup {
    /// IPv4 addresses with the same first 16 bits.
    Ip4([u8; 2]),
    /// One of the IPv4 ranges of eight bits that were given to one organisation.
    ClassA(u8),
    /// IPv6 addresses with the same first 32 bits. Go groups them by autonomous system, for which it carries a list;
    /// an allocation to a network operator is mostly this long.
    Ip6([u8; 4]),
}

impl AddressGroup {
    /// The group of an IP address.
    pub fn of_ip(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => match ip.octets() {
                [first, ..] if CLASS_A.contains(&first) => Self::ClassA(first),
                [first, second, ..] => Self::Ip4([first, second]),
            },
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.octets();
                Self::Ip6([a, b, c, d])
            }
        }
    }

    /// The groups of the addresses over which a peer is connected: one for each. Empty if one of them does not begin
    /// with an IP address, as nothing can be said of such a peer.
    pub fn of(addrs: &[Multiaddr]) -> Vec<Self> {
        let group = |addr: &Multiaddr| match addr.iter().next() {
            Some(Protocol::Ip4(ip)) => Some(Self::of_ip(ip.into())),
            Some(Protocol::Ip6(ip)) => Some(Self::of_ip(ip.into())),
            _ => None,
        };
        addrs.iter().map(group).collect::<Option<_>>().unwrap_or_default()
    }
}

/// How many addresses of each group the peers of a table have.
#[derive(Debug, Clone, Default)]
pub(super) struct GroupCounts {
    in_table: BTreeMap<AddressGroup, usize>,
    at_prefix: BTreeMap<(u32, AddressGroup), usize>,
}

impl GroupCounts {
    /// Whether a peer of these groups may come. One of no group may not.
    pub(super) fn admits(&self, limits: GroupLimits, shared: u32, groups: &[AddressGroup]) -> bool {
        let has_room = |&group: &AddressGroup| {
            self.in_table.get(&group).is_none_or(|&count| count < limits.per_table)
                && self.at_prefix.get(&(shared, group)).is_none_or(|&count| count < limits.per_prefix)
        };
        !groups.is_empty() && groups.iter().all(has_room)
    }

    pub(super) fn add(&mut self, shared: u32, groups: &[AddressGroup]) {
        for &group in groups {
            *self.in_table.entry(group).or_default() += 1;
            *self.at_prefix.entry((shared, group)).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, shared: u32, groups: &[AddressGroup]) {
        for &group in groups {
            count_down(&mut self.in_table, &group);
            count_down(&mut self.at_prefix, &(shared, group));
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.in_table.is_empty() && self.at_prefix.is_empty()
    }
}

fn count_down<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}
