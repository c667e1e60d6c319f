//! The names of a world, and the small name server that answers for them.
//!
//! A world is entered as public networks are: by `/dnsaddr/bootstrap.world.test`, whose texts (TXT records at
//! `_dnsaddr.bootstrap.world.test`) name the bootstrap peers. Each of them is a name again, `/dnsaddr/NAME/p2p/PEER_ID`,
//! with the peer's addresses by IP and by name (`/dns4/NAME/...`, `/dns6/NAME/...`). Source: libp2p specification,
//! `addressing/README.md`; multiformats, `multiaddr/protocols/DNSADDR.md`. `test` is kept free for this (RFC 6761).
//!
//! Asking for names is left to `net` and to whatever else runs in the world.

mod answer;
mod server;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use kad::PeerId;
use multiaddr::{Multiaddr, Protocol};
use thiserror::Error;

pub use self::{
    answer::{Carrier, MAX_DATAGRAM_BYTES, answer},
    server::{MAX_CONNECTIONS, NameServer},
};

/// The name of the bootstrap peers of a world.
pub const BOOTSTRAP: &str = "bootstrap.world.test";

/// The most names of a zone: room for one in four peers of the largest world.
pub const MAX_NAMES: usize = 1 << 20;

/// The most records of one kind at one name: a list of as many texts of usual length fits into one answer (64 KiB).
pub const MAX_RECORDS: usize = 256;

/// The longest text, in bytes; it is spread over strings of at most 255.
pub const MAX_TEXT_BYTES: usize = 1024;

/// Why a record cannot be in a zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ZoneError {
    /// It would be one more than [`MAX_NAMES`].
    #[error("a zone has at most {MAX_NAMES} names")]
    Names,
    /// It would be one more than [`MAX_RECORDS`].
    #[error("{0} has more than {MAX_RECORDS} records of one kind")]
    Records(String),
    /// It is longer than [`MAX_TEXT_BYTES`].
    #[error("a text of {0} is longer than {MAX_TEXT_BYTES} bytes")]
    Text(String),
    /// An address of a bootstrap peer does not say whose it is, or not where.
    #[error("{0} cannot be named: it has to begin with an IP address and to end in /p2p/PEER_ID")]
    Address(Multiaddr),
}

/// What is known of names. What is not in it does not exist.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    names: HashMap<String, Records>,
}

/// What is known of one name: nothing, for one that only others are below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Records {
    v4: Vec<Ipv4Addr>,
    v6: Vec<Ipv6Addr>,
    texts: Vec<String>,
}

impl Zone {
    /// Adds an address of a host. Upper and lower case are the same.
    pub fn add_ip(&mut self, name: &str, ip: IpAddr) -> Result<(), ZoneError> {
        let records = self.records_mut(name)?;
        match ip {
            IpAddr::V4(ip) => push(&mut records.v4, ip, name),
            IpAddr::V6(ip) => push(&mut records.v6, ip, name),
        }
    }

    /// Adds a text.
    pub fn add_text(&mut self, name: &str, text: &str) -> Result<(), ZoneError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(ZoneError::Text(name.to_owned()));
        }
        push(&mut self.records_mut(name)?.texts, text.to_owned(), name)
    }

    /// The names of a world with these bootstrap peers: addresses with IPs that end in `/p2p/PEER_ID`, those of one peer
    /// in any order.
    pub fn of_world(bootstrap: &[Multiaddr]) -> Result<Self, ZoneError> {
        let mut zone = Self::default();
        let mut peers: Vec<(PeerId, String)> = Vec::new();
        for address in bootstrap {
            let (ip, rest, peer) = split(address).ok_or_else(|| ZoneError::Address(address.clone()))?;
            let host = if let Some((_, host)) = peers.iter().find(|(known, _)| *known == peer) {
                host.clone()
            } else {
                let host = format!("b{}.{BOOTSTRAP}", peers.len());
                zone.add_text(&dnsaddr(BOOTSTRAP), &format!("dnsaddr=/dnsaddr/{host}/p2p/{peer}"))?;
                peers.push((peer, host.clone()));
                host
            };
            let name = match ip {
                IpAddr::V4(_) => Protocol::Dns4(host.as_str().into()),
                IpAddr::V6(_) => Protocol::Dns6(host.as_str().into()),
            };
            let named: Multiaddr = std::iter::once(name).chain(rest.iter()).collect();
            zone.add_ip(&host, ip)?;
            zone.add_text(&dnsaddr(&host), &format!("dnsaddr={address}"))?;
            zone.add_text(&dnsaddr(&host), &format!("dnsaddr={named}"))?;
        }
        Ok(zone)
    }

    fn records(&self, name: &str) -> Option<&Records> {
        self.names.get(name)
    }

    /// What is known of a name. The names above it exist from then on as well (RFC 8020).
    fn records_mut(&mut self, name: &str) -> Result<&mut Records, ZoneError> {
        let name = name.to_ascii_lowercase();
        let above = name.match_indices('.').map(|(dot, _)| &name[dot + 1..]);
        let new = above.clone().chain([&*name]).filter(|name| !self.names.contains_key(*name)).count();
        if self.names.len() + new > MAX_NAMES {
            return Err(ZoneError::Names);
        }
        for name in above {
            self.names.entry(name.to_owned()).or_default();
        }
        Ok(self.names.entry(name).or_default())
    }
}

/// Adds a record unless it is there.
fn push<T: PartialEq>(records: &mut Vec<T>, record: T, name: &str) -> Result<(), ZoneError> {
    if !records.contains(&record) {
        if records.len() >= MAX_RECORDS {
            return Err(ZoneError::Records(name.to_owned()));
        }
        records.push(record);
    }
    Ok(())
}

/// Where the texts of a `/dnsaddr` name are.
fn dnsaddr(name: &str) -> String {
    format!("_dnsaddr.{name}")
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
mod tests;
