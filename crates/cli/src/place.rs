//! Where a peer of ours listens, and where it says that it can be dialled.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use kad::{Multiaddr, failure::SkipReason, gateway::Gateway};
use multiaddr::Protocol;
use net::{Addresses, quic_multiaddr, tcp_multiaddr};

use crate::{
    args::{List, PlaceArgs},
    exit::Failed,
    network::Network,
    reach::{Reach, ReachArgs},
};

/// Addresses that lead out by the default routes: of ranges for documentation, where nobody is (RFC 5737, RFC 3849).
const OUTSIDE: [&str; 2] = ["192.0.2.1", "2001:db8::1"];

/// The options that say where a peer of ours is: who is told that one is wrong hears its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlaceOptions {
    /// Where it listens.
    pub(crate) listen: &'static str,
    /// Where it says that it is.
    pub(crate) announce: &'static str,
}

impl PlaceOptions {
    /// Those of most commands.
    pub(crate) const PLAIN: Self = Self { listen: "--listen", announce: "--announce" };

    /// Those of commands whose `--listen` is about something else.
    pub(crate) const OF_PEER: Self = Self { listen: "--peer-listen", announce: "--peer-announce" };
}

/// Where a peer of ours listens, and where it says that it can be dialled.
#[derive(Debug)]
pub(crate) struct Place {
    /// Where it listens.
    pub(crate) listen: Vec<Multiaddr>,
    /// Where it says that it is; none: where it listens.
    pub(crate) announce: Vec<Multiaddr>,
}

impl Place {
    /// What was asked for, and for the rest this machine's addresses of the class that the network dials. Where the first
    /// peers are known by name alone, one of them is dialled to see where it is; where there are none, nobody is.
    pub(crate) async fn find(
        (args, options): (PlaceArgs, PlaceOptions),
        reach: &ReachArgs,
        network: &Network,
    ) -> anyhow::Result<Self> {
        let flat = |lists: Vec<List<Multiaddr>>| lists.into_iter().flat_map(|list| list.0).collect();
        let (listen, announce): (Vec<_>, Vec<_>) = (flat(args.listen), flat(args.announce));
        let policy = Addresses::from(network.addresses);
        check(&announce, policy, options)?;
        if !listen.is_empty() {
            return Ok(Self { listen, announce });
        }
        // What is announced elsewhere may be anything here.
        let of_class = if announce.is_empty() { policy } else { Addresses::Any };
        let is_of_class = |ip: &IpAddr| of_class.socket(&tcp_multiaddr(SocketAddr::new(*ip, 1))).is_ok();
        let mut found = own_addresses(policy, network);
        if !found.iter().any(is_of_class) && !network.bootstrap.is_empty() {
            let there = Reach::of(reach.clone()).await?.first_socket().await;
            found.extend(there.and_then(towards));
        }
        let named: Vec<_> = found.iter().copied().filter(is_of_class).collect();
        if named.is_empty() {
            return Err(none(&found, network, options).into());
        }
        let anywhere = |ip| SocketAddr::new(ip, 0);
        let both = |ip| [tcp_multiaddr(anywhere(ip)), quic_multiaddr(anywhere(ip))];
        Ok(Self { listen: named.into_iter().flat_map(both).collect(), announce })
    }
}

/// Refuses addresses that nobody in the network would dial.
pub(crate) fn check(announce: &[Multiaddr], policy: Addresses, options: PlaceOptions) -> Result<(), Failed> {
    for addr in announce {
        // A gateway of HTTP is asked where it listens.
        let gateway = Gateway::of(addr);
        match policy.socket(gateway.as_ref().map_or(addr, |gateway| &gateway.socket)) {
            Ok(_) | Err(SkipReason::Name) => {}
            Err(reason) => {
                let text = format!(
                    "nobody in this network would dial {addr}, which {} names: {}",
                    options.announce,
                    reason.name()
                );
                return Err(Failed::usage(text));
            }
        }
    }
    Ok(())
}

/// The addresses of this machine that lead to the network's first peers, and out.
pub(crate) fn own_addresses(policy: Addresses, network: &Network) -> Vec<IpAddr> {
    if policy == Addresses::Loopback {
        return vec![IpAddr::from([127, 0, 0, 1])];
    }
    let first = network.bootstrap.iter().filter_map(|given| ip_of(given.address()));
    let outside = OUTSIDE.iter().filter_map(|ip| ip.parse().ok());
    let mut found: Vec<IpAddr> = Vec::new();
    for ip in first.chain(outside).filter_map(towards) {
        if !found.contains(&ip) {
            found.push(ip);
        }
    }
    found
}

/// The address of this machine on the way to another; `None` if there is no way. Nothing is sent.
fn towards(ip: IpAddr) -> Option<IpAddr> {
    let any = if ip.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).ok()?;
    // The discard port: a datagram's socket only looks the route up.
    socket.connect(SocketAddr::new(ip, 9)).ok()?;
    socket.local_addr().ok().map(|addr| addr.ip())
}

fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

fn none(found: &[IpAddr], network: &Network, options: PlaceOptions) -> Failed {
    let found = match found {
        [] => "it has none that leads out".to_owned(),
        found => format!("it has {}", found.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")),
    };
    Failed::usage(format!(
        "this machine has no {} address at which a provider could be found ({found}); say by {} where it listens, \
         and by {} where it is reached from outside",
        network.addresses.name(),
        options.listen,
        options.announce
    ))
}
