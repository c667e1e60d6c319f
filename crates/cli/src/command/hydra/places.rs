//! Where heads listen, and where peers are told that they are.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
};

use kad::Multiaddr;
use multiaddr::Protocol;
use net::{Addresses, tcp_multiaddr};

use crate::{
    args::{HeadsArgs, List, ListenPlace},
    exit::Failed,
    network::Network,
    output,
    place::{self, PlaceOptions},
};

/// How many peers of one neighbourhood the tables of go-libp2p's peers admit. Source: go-libp2p-kad-dht, `amino`, `DefaultMaxPeersPerIPGroup`.
const PEERS_OF_A_GROUP: usize = 3;

/// What the heads share out.
#[derive(Debug)]
pub(super) struct Places {
    listen: Vec<ListenPlace>,
    announce: Vec<ListenPlace>,
    /// The first head's; 0 lets the system choose.
    port: u16,
}

impl Places {
    /// What was asked for, for so many heads; by default this machine's addresses of the class that the network dials.
    pub(super) fn of(args: &HeadsArgs, count: usize, network: &Network) -> Result<Self, Failed> {
        let flat = |lists: &[List<ListenPlace>]| -> Vec<ListenPlace> {
            lists.iter().flat_map(|list| list.0.iter().cloned()).collect()
        };
        let (mut listen, announce) = (flat(&args.listen), flat(&args.announce));
        let last = usize::from(args.port) + count.saturating_sub(1);
        if args.port != 0 && last > usize::from(u16::MAX) {
            return Err(Failed::usage(format!(
                "--port {}: {count} heads would need ports up to {last}, and 65535 is the last one",
                args.port
            )));
        }
        if args.port == 0 && announce.iter().any(ListenPlace::has_port) {
            return Err(Failed::usage(
                "--announce has the port of each head in it: say by --port which they are",
            ));
        }
        let policy = Addresses::from(network.addresses);
        for place in &announce {
            place::check(&place.with_port(args.port.max(1)), policy, PlaceOptions::PLAIN)?;
        }
        if listen.is_empty() {
            listen.push(ListenPlace::at(&own(policy, !announce.is_empty(), network)));
        }
        Ok(Self { listen, announce, port: args.port })
    }

    /// Where the head with this position listens. What the system is to choose is as `kept` says it was.
    pub(super) fn listen(&self, position: usize, kept: &[Multiaddr]) -> Vec<Multiaddr> {
        let wanted = self.share(&self.listen, position);
        wanted.into_iter().map(|addr| as_kept(addr, kept)).collect()
    }

    /// Where it is announced; empty for where it listens.
    pub(super) fn announce(&self, position: usize) -> Vec<Multiaddr> {
        self.share(&self.announce, position)
    }

    fn share(&self, places: &[ListenPlace], position: usize) -> Vec<Multiaddr> {
        let Some(place) = places.get(position % places.len().max(1)) else { return Vec::new() };
        let ahead = u16::try_from(position).unwrap_or(u16::MAX);
        place.with_port(if self.port == 0 { 0 } else { self.port.saturating_add(ahead) })
    }
}

/// This machine's addresses of the class that the network dials; where there is none, every one, which is said.
fn own(policy: Addresses, is_announced: bool, network: &Network) -> Vec<IpAddr> {
    let is_of_class = |ip: &IpAddr| policy.socket(&tcp_multiaddr((*ip, 1).into())).is_ok();
    let found: Vec<_> = place::own_addresses(policy, network).into_iter().filter(is_of_class).collect();
    if !found.is_empty() {
        return found;
    }
    if !is_announced {
        output::note(&format!(
            "this machine has no {} address of its own: nobody finds the heads unless --announce says where they are reached",
            network.addresses.name()
        ));
    }
    let every = [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()];
    // A machine without IPv6 has no socket of it either.
    every.into_iter().filter(|ip| UdpSocket::bind((*ip, 0)).is_ok()).collect()
}

/// An address as it was, where all but its port is the same and its port is the system's choice.
fn as_kept(addr: Multiaddr, kept: &[Multiaddr]) -> Multiaddr {
    if without_port(&addr) != addr {
        return addr;
    }
    kept.iter().find(|kept| without_port(kept) == addr).cloned().unwrap_or(addr)
}

fn without_port(addr: &Multiaddr) -> Multiaddr {
    let freed = |part| match part {
        Protocol::Tcp(_) => Protocol::Tcp(0),
        Protocol::Udp(_) => Protocol::Udp(0),
        other => other,
    };
    addr.iter().map(freed).collect()
}

/// What is to be said of heads in one neighbourhood, of which the tables of others take few; `None` if there are not so many.
pub(super) fn crowded<'a>(heads: impl Iterator<Item = &'a [Multiaddr]>) -> Option<String> {
    let mut groups: HashMap<(bool, u32), usize> = HashMap::new();
    for addrs in heads {
        let mut own: Vec<_> = addrs.iter().filter_map(group).collect();
        own.sort_unstable();
        own.dedup();
        for group in own {
            *groups.entry(group).or_default() += 1;
        }
    }
    let (_, most) = groups.iter().max_by_key(|(_, count)| **count)?;
    (*most > PEERS_OF_A_GROUP).then(|| {
        format!(
            "{most} heads share one neighbourhood (/16 of IPv4, /32 of IPv6), of which most tables take {PEERS_OF_A_GROUP} peers: \
             spread them over several with --listen, or fewer find them than there are"
        )
    })
}

/// The neighbourhood of a public address; `None` for others, which are not counted.
fn group(addr: &Multiaddr) -> Option<(bool, u32)> {
    Addresses::Public.socket(addr).ok()?;
    match addr.iter().next()? {
        Protocol::Ip4(ip) => Some((true, u32::from(ip) >> 16)),
        Protocol::Ip6(ip) => Some((false, u32::try_from(u128::from(ip) >> 96).unwrap_or(0))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addrs(texts: &[&str]) -> Vec<Multiaddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn ports_that_the_system_chose_come_back() {
        let kept = addrs(&["/ip4/127.0.0.1/tcp/4001", "/ip4/127.0.0.1/udp/4002/quic-v1"]);
        for (wanted, got) in [
            ("/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/4001"),
            ("/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/udp/4002/quic-v1"),
            ("/ip4/127.0.0.1/tcp/5", "/ip4/127.0.0.1/tcp/5"),
            ("/ip4/127.0.0.2/tcp/0", "/ip4/127.0.0.2/tcp/0"),
        ] {
            assert_eq!(as_kept(wanted.parse().unwrap(), &kept).to_string(), got);
        }
    }

    #[test]
    fn heads_in_one_neighbourhood_are_warned_of_where_tables_count_them() {
        let of = |texts: &[&str]| {
            let heads: Vec<_> = texts.iter().map(|text| addrs(&[text])).collect();
            crowded(heads.iter().map(Vec::as_slice))
        };
        let near = ["/ip4/8.8.1.1/tcp/1", "/ip4/8.8.2.1/tcp/1", "/ip4/8.8.3.1/tcp/1", "/ip4/8.8.4.1/tcp/1"];
        assert!(of(&near).is_some_and(|note| note.contains("4 heads share")));
        assert!(of(&near[..3]).is_none());
        assert!(of(&["/ip4/127.0.0.1/tcp/1"; 9]).is_none());
    }
}
