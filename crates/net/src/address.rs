//! Which addresses may be dialled, and how: decided from the address alone, before any socket exists.
//!
//! Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (as of 2025) and the multiaddr protocol table.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use kad::{Multiaddr, PeerId, failure::SkipReason};
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

/// A socket to dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// TCP, then Noise and yamux.
    Tcp(SocketAddr),
    /// QUIC version 1.
    Quic(SocketAddr),
}

impl Target {
    /// The socket's address.
    pub const fn addr(self) -> SocketAddr {
        match self {
            Self::Tcp(addr) | Self::Quic(addr) => addr,
        }
    }
}

impl Addresses {
    /// What to dial for this address of this peer, or why it is not dialled.
    pub fn target(self, addr: &Multiaddr, peer: &PeerId) -> Result<Target, SkipReason> {
        if is_relayed(addr) {
            return Err(SkipReason::Relayed);
        }
        if addr.iter().any(|part| matches!(part, Protocol::P2p(other) if other != *peer)) {
            return Err(SkipReason::OtherPeer);
        }
        self.socket(addr)
    }

    /// What to dial for this address, whoever is there, or why it is not dialled.
    pub fn socket(self, addr: &Multiaddr) -> Result<Target, SkipReason> {
        if is_relayed(addr) {
            return Err(SkipReason::Relayed);
        }
        let mut parts = addr.iter();
        let ip = match parts.next().ok_or(SkipReason::TransportUnknown)? {
            Protocol::Ip4(ip) => IpAddr::V4(ip),
            Protocol::Ip6(ip) => ip.to_canonical(),
            Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) | Protocol::Dnsaddr(_) => {
                return Err(SkipReason::Name);
            }
            Protocol::P2p(_) => return Err(SkipReason::TransportUnknown),
            _ => return Err(SkipReason::TransportNotSupported),
        };
        self.admits(scope(ip))?;
        let target = match parts.next() {
            Some(Protocol::Tcp(port)) => Target::Tcp(SocketAddr::new(ip, port)),
            Some(Protocol::Udp(port)) => match parts.next() {
                Some(Protocol::QuicV1) => Target::Quic(SocketAddr::new(ip, port)),
                None | Some(Protocol::P2p(_)) => return Err(SkipReason::TransportUnknown),
                Some(_) => return Err(SkipReason::TransportNotSupported),
            },
            None | Some(Protocol::P2p(_)) => return Err(SkipReason::TransportUnknown),
            Some(_) => return Err(SkipReason::TransportNotSupported),
        };
        match parts.next() {
            // Port 0 is reserved.
            None | Some(Protocol::P2p(_)) if target.addr().port() == 0 => Err(SkipReason::SpecialPurpose),
            None | Some(Protocol::P2p(_)) => Ok(target),
            Some(_) => Err(SkipReason::TransportNotSupported),
        }
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

fn is_relayed(addr: &Multiaddr) -> bool {
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
mod tests {
    use super::*;

    fn outcome(policy: Addresses, text: &str) -> Result<Target, SkipReason> {
        policy.target(&text.parse().unwrap(), &peer())
    }

    fn peer() -> PeerId {
        "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN".parse().unwrap()
    }

    #[test]
    fn every_range_has_its_scope() {
        for (scope_of, ips) in [
            (
                Scope::Public,
                "1.1.1.1 172.32.0.1 100.128.0.1 192.0.0.9 198.20.0.1 223.255.255.255 2a00::1 2620:4f:8000::1",
            ),
            (
                Scope::Public,
                "64:ff9b::808:808 2002:808:808::1 ::ffff:8.8.8.8 2001:4860::1 2001:1::1 2001:4:112::1",
            ),
            (
                Scope::Private,
                "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 169.254.1.1 fd00::1 fe80::1",
            ),
            (Scope::Private, "fec0::1 64:ff9b:1::1 ::ffff:10.0.0.1"),
            (Scope::Loopback, "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1"),
            (
                Scope::SpecialPurpose,
                "0.0.0.0 0.1.2.3 192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1",
            ),
            (
                Scope::SpecialPurpose,
                "224.0.0.1 240.0.0.1 255.255.255.255 192.88.99.1 :: ff02::1 2001:db8::1 100::1",
            ),
            (
                Scope::SpecialPurpose,
                "64:ff9b::7f00:1 2002:a00:1::1 2001::1 2001:2::1 3fff::1 5f00::1 4000::1 ::1.2.3.4",
            ),
        ] {
            for ip in ips.split(' ') {
                assert_eq!(scope(ip.parse().unwrap()), scope_of, "{ip}");
            }
        }
    }

    #[test]
    fn what_can_be_dialled_has_a_target() {
        let own = format!("/ip4/127.0.0.1/tcp/4001/p2p/{}", peer());
        let tcp = Ok(Target::Tcp("127.0.0.1:4001".parse().unwrap()));
        assert_eq!(outcome(Addresses::Loopback, "/ip4/127.0.0.1/tcp/4001"), tcp);
        assert_eq!(outcome(Addresses::Any, &own), tcp);
        assert_eq!(outcome(Addresses::Any, "/ip6/::ffff:127.0.0.1/tcp/4001"), tcp);
        let quic = Ok(Target::Quic("[2a00::1]:4001".parse().unwrap()));
        assert_eq!(outcome(Addresses::Public, "/ip6/2a00::1/udp/4001/quic-v1"), quic);
    }

    #[test]
    fn what_is_not_dialled_has_its_reason() {
        let other = "/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
        for (text, reason) in [
            ("/ip4/127.0.0.1/tcp/1", SkipReason::Loopback),
            ("/ip4/10.0.0.1/tcp/1", SkipReason::Private),
            ("/ip4/10.0.0.1/udp/1/quic-v1/webtransport", SkipReason::Private),
            ("/ip4/203.0.113.1/tcp/1", SkipReason::SpecialPurpose),
            ("/ip4/1.1.1.1/tcp/0", SkipReason::SpecialPurpose),
            ("/ip4/1.1.1.1/tcp/1/p2p-circuit", SkipReason::Relayed),
            ("/dns4/example.org/tcp/1", SkipReason::Name),
            ("/dnsaddr/example.org", SkipReason::Name),
            ("/ip4/1.1.1.1/tcp/1/ws", SkipReason::TransportNotSupported),
            ("/ip4/1.1.1.1/tcp/1/tls/ws", SkipReason::TransportNotSupported),
            ("/ip4/1.1.1.1/udp/1/quic", SkipReason::TransportNotSupported),
            ("/ip4/1.1.1.1/udp/1/quic-v1/webtransport", SkipReason::TransportNotSupported),
            ("/ip4/1.1.1.1/udp/1/webrtc-direct", SkipReason::TransportNotSupported),
            ("/memory/4", SkipReason::TransportNotSupported),
            ("/ip4/1.1.1.1/udp/1", SkipReason::TransportUnknown),
            ("/ip4/1.1.1.1", SkipReason::TransportUnknown),
        ] {
            assert_eq!(outcome(Addresses::Public, text), Err(reason), "{text}");
        }
        let text = format!("/ip4/1.1.1.1/tcp/1{other}");
        assert_eq!(outcome(Addresses::Public, &text), Err(SkipReason::OtherPeer));
        assert_eq!(outcome(Addresses::Loopback, "/ip4/1.1.1.1/tcp/1"), Err(SkipReason::Public));
        let empty = Addresses::Any.target(&Multiaddr::empty(), &peer());
        assert_eq!(empty, Err(SkipReason::TransportUnknown));
    }
}
