//! What peers are announced with: the addresses of their locations, at the ports that their states ask for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use kad::network::Transport;
use multiaddr::{Multiaddr, Protocol};

use crate::{
    carrier::TransportSet,
    ground::{Ground, Location, Ports},
    state::State,
};

/// The zone of the hosts' names: under the top-level domain that RFC 6761 reserves for tests.
pub(crate) const ZONE: &str = "world.test";

/// What a name of a peer's host begins with, before the peer's number.
const HOST: &str = "peer-";

/// Who answers at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// The peer.
    Open,
    /// The kernel, which refuses.
    Dead,
    /// Nobody.
    Dropping,
}

/// The addresses of a host that listens by its transports, those of IPv4 first.
pub(crate) fn at(location: Location, door: Door, carrier: TransportSet, ports: Ports) -> Vec<Multiaddr> {
    let port = |transport| match door {
        Door::Open => ports.of(transport, location.slot),
        Door::Dead => ports.dead,
        Door::Dropping => ports.dropping,
    };
    let at = |ip| carrier.transports().map(move |transport| address(ip, port(transport), transport));
    location.ips().flat_map(at).collect()
}

fn address(ip: IpAddr, port: u16, transport: Transport) -> Multiaddr {
    let host = match ip {
        IpAddr::V4(ip) => Protocol::Ip4(ip),
        IpAddr::V6(ip) => Protocol::Ip6(ip),
    };
    let host = Multiaddr::empty().with(host);
    let websocket = || Protocol::Ws("/".into());
    match transport {
        Transport::Tcp => host.with(Protocol::Tcp(port)),
        Transport::Quic => host.with(Protocol::Udp(port)).with(Protocol::QuicV1),
        Transport::Ws => host.with(Protocol::Tcp(port)).with(websocket()),
        Transport::Wss => host.with(Protocol::Tcp(port)).with(Protocol::Tls).with(websocket()),
    }
}

/// What peer number `peer` is announced with. `relay` is the address of a relay, with its peer id.
pub(crate) fn announced(
    peer: u32,
    state: State,
    carrier: TransportSet,
    (ground, ports): (&Ground, Ports),
    relay: impl FnOnce() -> Multiaddr,
) -> Vec<Multiaddr> {
    let [_, high, middle, low] = peer.to_be_bytes();
    let own = |door| at(ground.location(peer), door, carrier, ports);
    match state {
        State::Refusing | State::Departed => own(Door::Dead),
        State::Dropping | State::Firewalled | State::BehindNat(_) => own(Door::Dropping),
        State::Unroutable => at(unrouted(ground.location(peer), peer), Door::Open, carrier, ports),
        State::PrivateOnly => [Ipv4Addr::new(10, high, middle, low), Ipv4Addr::new(192, 168, middle, low)]
            .into_iter()
            .flat_map(|ip| at(Location::at(ip), Door::Open, carrier, ports))
            .collect(),
        State::SpecialPurposeOnly => {
            let ip = match peer % 4 {
                0 => Ipv4Addr::new(192, 0, 2, low),
                1 => Ipv4Addr::new(198, 51, 100, low),
                2 => Ipv4Addr::new(203, 0, 113, low),
                _ => Ipv4Addr::new(240, high, middle, low),
            };
            at(Location::at(ip), Door::Open, carrier, ports)
        }
        State::RelayedOnly => vec![relay().with(Protocol::P2pCircuit)],
        State::Crowded(count) => {
            let mut addresses = own(Door::Open);
            let more = usize::from(count).saturating_sub(addresses.len());
            let ips = (0..).map(|n: u32| ground.nowhere(peer.wrapping_mul(5_003).wrapping_add(n)));
            addresses.extend(
                ips.take(more).flat_map(|ip| at(Location::at(ip), Door::Dead, TransportSet::Tcp, ports)),
            );
            addresses
        }
        _ => own(Door::Open),
    }
}

/// A place like this one, but without a route to it. The ranges are those that [`Internet`](crate::ground::Internet)
/// keeps for it. Of IPv6 each is a network of its own: who dials no network too fast is not to be held up by one.
fn unrouted(location: Location, peer: u32) -> Location {
    let [_, high, middle, low] = peer.to_be_bytes();
    let [second, third] = [0xa400 | u16::from(high & 0x3f), u16::from_be_bytes([middle, low])];
    Location {
        ip4: location.ip4.map(|_| Ipv4Addr::new(57, high, middle, low)),
        ip6: location.ip6.map(|_| Ipv6Addr::new(0x2a02, second, third, 0, 0, 0, 0, 1)),
        ..location
    }
}

/// The name of a peer's host.
pub(crate) fn host_name(peer: u32) -> String {
    format!("{HOST}{peer}.{ZONE}")
}

/// The peer whose host has this name.
pub(crate) fn of_host_name(name: &str) -> Option<u32> {
    name.strip_suffix(ZONE)?.strip_suffix('.')?.strip_prefix(HOST)?.parse().ok()
}

/// Whether an address begins with a name for bootstrap peers: `/dnsaddr` of this world.
pub(crate) fn is_name_of_world(address: &Multiaddr) -> bool {
    matches!(address.iter().next(), Some(Protocol::Dnsaddr(name)) if name.ends_with(ZONE))
}

/// The same address with the name of the peer's host in the place of its IP address.
pub(crate) fn with_name(address: &Multiaddr, peer: u32) -> Multiaddr {
    let host = match address.iter().next() {
        Some(Protocol::Ip4(_)) => Protocol::Dns4(host_name(peer).into()),
        Some(Protocol::Ip6(_)) => Protocol::Dns6(host_name(peer).into()),
        _ => return address.clone(),
    };
    // What TLS asks for is then the same name.
    let rest = address.iter().skip(1).filter(|part| !matches!(part, Protocol::Sni(_)));
    std::iter::once(host).chain(rest).collect()
}

/// The same address with the name that TLS is to ask for, where it is one of secure WebSocket without such a name.
pub(crate) fn with_server_name(address: &Multiaddr, name: &str) -> Multiaddr {
    if address.iter().any(|part| matches!(part, Protocol::Sni(_))) {
        return address.clone();
    }
    let parts = address.iter().flat_map(|part| {
        let asked = matches!(part, Protocol::Tls).then(|| Protocol::Sni(name.to_owned().into()));
        std::iter::once(part).chain(asked)
    });
    parts.collect()
}

/// The same address with the IP address that a host's name stands for; `None` where it begins with no such name.
pub(crate) fn without_name(address: &Multiaddr, location: impl Fn(u32) -> Location) -> Option<Multiaddr> {
    let host = match address.iter().next()? {
        Protocol::Dns4(name) => Protocol::Ip4(location(of_host_name(&name)?).ip4?),
        Protocol::Dns6(name) => Protocol::Ip6(location(of_host_name(&name)?).ip6?),
        _ => return None,
    };
    Some(std::iter::once(host).chain(address.iter().skip(1)).collect())
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, net::IpAddr};

    use super::*;
    use crate::ground::{Internet, RangePurpose};

    #[test]
    fn hosts_without_a_route_are_spread_over_networks() {
        let here = Location { ip6: Some(Ipv6Addr::LOCALHOST), ..Location::at(Ipv4Addr::LOCALHOST) };
        let mut networks = HashSet::new();
        for peer in [0, 1, 255, 256, 65_535, 65_536, 1 << 21] {
            let there = unrouted(here, peer);
            for ip in there.ips() {
                let range = Internet::get().of(ip).expect("a range");
                assert_eq!(range.purpose, RangePurpose::Unrouted, "{ip}");
                if let IpAddr::V6(ip) = ip {
                    assert!(networks.insert(ip.to_bits() >> 80), "{ip}");
                }
            }
        }
    }
}
