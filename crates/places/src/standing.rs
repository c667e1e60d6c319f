//! What stands in an address, by the address alone: an IP and what kind of, a name, or nothing that has a place.

use std::net::IpAddr;

use kad::{
    Address, Multiaddr,
    policy::is_relayed,
    scope::{Scope, scope},
};
use multiaddr::Protocol;
use schema::AddressKind;

/// What stands in an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// An IP, and what kind of address that makes it: public, private, of loopback or for special purposes.
    Ip(IpAddr, AddressKind),
    /// A name, which is resolved to IPs by somebody else.
    Name,
    /// The address leads over a relay: the IP in it is the relay's, and says nothing of the peer.
    Relayed,
    /// Neither an IP nor a name: onion addresses, memory, bare peers.
    Placeless,
    /// Bytes that are no address.
    Malformed,
}

impl Standing {
    /// Of an address as it was seen.
    pub fn of(address: &Address) -> Self {
        address.multiaddr().map_or(Self::Malformed, Self::of_multiaddr)
    }

    fn of_multiaddr(address: &Multiaddr) -> Self {
        if is_relayed(address) {
            return Self::Relayed;
        }
        for part in address {
            match part {
                Protocol::Ip4(ip) => return Self::of_ip(ip.into()),
                Protocol::Ip6(ip) => return Self::of_ip(ip.into()),
                Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) | Protocol::Dnsaddr(_) => {
                    return Self::Name;
                }
                // The zone of the IPv6 address behind it.
                Protocol::Ip6zone(_) => {}
                _ => return Self::Placeless,
            }
        }
        Self::Placeless
    }

    /// Of an IP; an IPv4 address inside an IPv6 address counts as itself.
    pub fn of_ip(ip: IpAddr) -> Self {
        let ip = ip.to_canonical();
        let kind = match scope(ip) {
            Scope::Public => AddressKind::Public,
            Scope::Private => AddressKind::Private,
            Scope::Loopback => AddressKind::Loopback,
            Scope::SpecialPurpose => AddressKind::SpecialPurpose,
        };
        Self::Ip(ip, kind)
    }

    /// Its kind, as it is kept.
    pub const fn kind(self) -> AddressKind {
        match self {
            Self::Ip(_, kind) => kind,
            Self::Name => AddressKind::Name,
            Self::Relayed => AddressKind::Relayed,
            Self::Placeless => AddressKind::Placeless,
            Self::Malformed => AddressKind::Malformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    #[test]
    fn every_address_is_of_one_kind() {
        for (text, kind) in [
            ("/ip4/1.1.1.1/tcp/4001", AddressKind::Public),
            ("/ip6/2a00::1/udp/4001/quic-v1", AddressKind::Public),
            ("/ip6/::ffff:1.1.1.1/tcp/1", AddressKind::Public),
            ("/ip6zone/eth0/ip6/fe80::1/tcp/1", AddressKind::Private),
            ("/ip4/100.64.0.1/tcp/1", AddressKind::Private),
            ("/ip4/127.0.0.1/tcp/1", AddressKind::Loopback),
            ("/ip4/192.0.2.1/tcp/1", AddressKind::SpecialPurpose),
            ("/ip4/0.0.0.0/tcp/1", AddressKind::SpecialPurpose),
            ("/dns4/example.org/tcp/1", AddressKind::Name),
            ("/dnsaddr/example.org", AddressKind::Name),
            ("/ip4/1.1.1.1/tcp/1/p2p/PEER/p2p-circuit", AddressKind::Relayed),
            ("/dns/example.org/tcp/1/p2p/PEER/p2p-circuit/p2p/PEER", AddressKind::Relayed),
            ("/p2p/PEER", AddressKind::Placeless),
            ("/unix/socket", AddressKind::Placeless),
        ] {
            let address: Multiaddr = text.replace("PEER", PEER).parse().unwrap();
            assert_eq!(Standing::of(&address.into()).kind(), kind, "{text}");
        }
        assert_eq!(Standing::of(&Address::from_bytes(&[4, 1])), Standing::Malformed);
        assert_eq!(Standing::of(&Multiaddr::empty().into()), Standing::Placeless);
    }

    #[test]
    fn an_ipv4_address_within_an_ipv6_address_is_that() {
        let address: Multiaddr = "/ip6/::ffff:8.8.8.8/tcp/1".parse().unwrap();
        let ip = "8.8.8.8".parse().unwrap();
        assert_eq!(Standing::of(&address.into()), Standing::Ip(ip, AddressKind::Public));
    }
}
