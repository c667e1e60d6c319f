//! From where an IP address can be reached.
//!
//! Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (as of 2025).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
}
