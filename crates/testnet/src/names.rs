//! The names of a world. Answering for them is left to others.
//!
//! A world is entered as public networks are: by `/dnsaddr/bootstrap.world.test`, whose texts (TXT records at
//! `_dnsaddr.bootstrap.world.test`) name the bootstrap peers. Each of them is a name again, `/dnsaddr/NAME/p2p/PEER_ID`,
//! with the peer's addresses by IP and by name (`/dns4/NAME/...`, `/dns6/NAME/...`). Source: libp2p specification,
//! `addressing/README.md`; multiformats, `multiaddr/protocols/DNSADDR.md`. `test` is kept free for this (RFC 6761).

use std::net::IpAddr;

use kad::PeerId;
use multiaddr::{Multiaddr, Protocol};
use thiserror::Error;

/// The name of the bootstrap peers of a world.
pub const BOOTSTRAP: &str = "bootstrap.world.test";

/// One thing that is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameRecord {
    /// The name, without a dot at its end.
    pub name: String,
    /// What is known of it.
    pub data: NameData,
}

/// What can be known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameData {
    /// An address of the host that it names.
    Ip(IpAddr),
    /// A text.
    Text(String),
}

/// An address of a bootstrap peer that does not say whose it is, or not where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0} cannot be named: it has to begin with an IP address and to end in /p2p/PEER_ID")]
pub struct NotNameable(pub Multiaddr);

/// The names of a world with these bootstrap peers: addresses with IPs that end in `/p2p/PEER_ID`, those of one peer
/// in any order. A host that has several addresses of a kind is said once for each.
pub fn of_bootstrap(bootstrap: &[Multiaddr]) -> Result<Vec<NameRecord>, NotNameable> {
    let mut records = Vec::new();
    let mut peers: Vec<(PeerId, String)> = Vec::new();
    let text = |name: &str, address: &str| NameRecord {
        name: format!("_dnsaddr.{name}"),
        data: NameData::Text(format!("dnsaddr={address}")),
    };
    for address in bootstrap {
        let (ip, rest, peer) = split(address).ok_or_else(|| NotNameable(address.clone()))?;
        let host = if let Some((_, host)) = peers.iter().find(|(known, _)| *known == peer) {
            host.clone()
        } else {
            let host = format!("b{}.{BOOTSTRAP}", peers.len());
            records.push(text(BOOTSTRAP, &format!("/dnsaddr/{host}/p2p/{peer}")));
            peers.push((peer, host.clone()));
            host
        };
        let name = match ip {
            IpAddr::V4(_) => Protocol::Dns4(host.as_str().into()),
            IpAddr::V6(_) => Protocol::Dns6(host.as_str().into()),
        };
        let named: Multiaddr = std::iter::once(name).chain(rest.iter()).collect();
        records.push(text(&host, &address.to_string()));
        records.push(text(&host, &named.to_string()));
        records.push(NameRecord { name: host, data: NameData::Ip(ip) });
    }
    Ok(records)
}

/// The IP of an address, what follows it, and the peer at its end.
fn split(address: &Multiaddr) -> Option<(IpAddr, Multiaddr, PeerId)> {
    let ip = match address.iter().next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    match address.iter().last()? {
        Protocol::P2p(peer) => Some((ip, address.iter().skip(1).collect(), peer)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(records: &[NameRecord], name: &str) -> Vec<String> {
        let text = |record: &NameRecord| match &record.data {
            NameData::Text(text) if record.name == name => Some(text.clone()),
            _ => None,
        };
        records.iter().filter_map(text).collect()
    }

    fn addresses_of(records: &[NameRecord], name: &str) -> Vec<NameData> {
        let ips = records.iter().filter(|record| record.name == name);
        ips.map(|record| record.data.clone()).collect()
    }

    #[test]
    fn a_world_is_entered_by_one_name_that_leads_to_others() {
        let peers: Vec<PeerId> = (0..3).map(|_| PeerId::random()).collect();
        let addresses = |(n, peer): (usize, &PeerId)| {
            [
                format!("/ip4/5.1.0.{n}/tcp/4001/p2p/{peer}"),
                format!("/ip4/5.1.0.{n}/udp/4001/quic-v1/p2p/{peer}"),
                format!("/ip6/2a05::{n:x}/tcp/4001/p2p/{peer}"),
            ]
        };
        let bootstrap: Vec<Multiaddr> =
            peers.iter().enumerate().flat_map(addresses).map(|text| text.parse().unwrap()).collect();
        let records = of_bootstrap(&bootstrap).unwrap();
        let list = texts(&records, "_dnsaddr.bootstrap.world.test");
        let second = peers[1];
        assert_eq!(list.len(), 3);
        assert_eq!(list[1], format!("dnsaddr=/dnsaddr/b1.bootstrap.world.test/p2p/{second}"));
        let of_peer = texts(&records, "_dnsaddr.b1.bootstrap.world.test");
        for address in &bootstrap[3..6] {
            assert!(of_peer.contains(&format!("dnsaddr={address}")), "{address}");
        }
        for by_name in
            ["/dns4/b1.bootstrap.world.test/udp/4001/quic-v1", "/dns6/b1.bootstrap.world.test/tcp/4001"]
        {
            assert!(of_peer.contains(&format!("dnsaddr={by_name}/p2p/{second}")), "{by_name}");
        }
        let ips = ["5.1.0.1", "5.1.0.1", "2a05::1"].map(|ip| NameData::Ip(ip.parse().unwrap()));
        assert_eq!(addresses_of(&records, "b1.bootstrap.world.test"), ips);
    }

    #[test]
    fn an_address_of_nobody_has_no_name() {
        let nobody: Multiaddr = "/ip4/5.1.0.1/tcp/1".parse().unwrap();
        assert_eq!(of_bootstrap(std::slice::from_ref(&nobody)), Err(NotNameable(nobody)));
    }
}
