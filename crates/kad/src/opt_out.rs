//! Who asked not to be measured: peer ids, addresses and ranges of addresses, one a line.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use libp2p_identity::PeerId;
use multiaddr::{Multiaddr, Protocol};
use thiserror::Error;

use crate::{address::Address, parse};

/// Peers and addresses that are never dialled and of which nothing is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptOut {
    peers: HashSet<PeerId>,
    /// First and last addresses, ascending, none touching the next; IPv4 as `::ffff:a.b.c.d`.
    ranges: Vec<(u128, u128)>,
    /// How many entries it has, each counted once.
    entries: usize,
}

/// A line that is no entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: `{text}` is no peer id, IP address or range; {problem}")]
pub struct BadLine {
    /// The number of the line, from 1.
    pub line: usize,
    /// What stands there, cut to 80 characters.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Either kind of entry.
enum Entry {
    Peer(PeerId),
    Range((u128, u128)),
}

impl OptOut {
    /// Reads a list: one peer id in any form (`12D3..`, `Qm..`, `k51..`, `/p2p/..`), address (`192.0.2.1`, `2001:db8::1`)
    /// or range (`192.0.2.0/24`) a line. What follows a `#`, a comma at the end, and empty lines say nothing.
    pub fn parse(text: &str) -> Result<Self, BadLine> {
        let mut list = Self::default();
        for (index, line) in text.lines().enumerate() {
            let entry = line.split('#').next().unwrap_or_default().trim().trim_end_matches(',').trim_end();
            if entry.is_empty() {
                continue;
            }
            match parse_entry(entry) {
                Ok(Entry::Peer(peer)) => drop(list.peers.insert(peer)),
                Ok(Entry::Range(range)) => list.ranges.push(range),
                Err(problem) => {
                    let text = entry.chars().take(80).collect();
                    return Err(BadLine { line: index + 1, text, problem });
                }
            }
        }
        list.merge();
        Ok(list)
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty() && self.ranges.is_empty()
    }

    /// How many peers and ranges are on it, each counted once.
    pub const fn entries(&self) -> usize {
        self.entries
    }

    /// The peers on it, in no order.
    pub fn peers(&self) -> impl Iterator<Item = &PeerId> {
        self.peers.iter()
    }

    /// Whether a peer asked not to be measured.
    pub fn has_peer(&self, peer: &PeerId) -> bool {
        self.peers.contains(peer)
    }

    /// Whether an IP address is in one of the ranges.
    pub fn has_ip(&self, ip: IpAddr) -> bool {
        let ip = number(ip);
        let at = self.ranges.partition_point(|&(first, _)| first <= ip);
        at.checked_sub(1).and_then(|index| self.ranges.get(index)).is_some_and(|&(_, last)| ip <= last)
    }

    /// Whether an address names an IP address in one of the ranges, or a peer that asked, also as a relay.
    pub fn has_address(&self, address: &Multiaddr) -> bool {
        !self.is_empty()
            && address.iter().any(|part| match part {
                Protocol::Ip4(ip) => self.has_ip(ip.into()),
                Protocol::Ip6(ip) => self.has_ip(ip.into()),
                Protocol::P2p(peer) => self.has_peer(&peer),
                _ => false,
            })
    }

    /// Likewise of an address as a peer gave it; of bytes that are no multiaddress by the IP address that they begin with.
    pub fn has_given(&self, address: &Address) -> bool {
        match address.multiaddr() {
            Some(address) => self.has_address(address),
            None => address.malformed_ip().is_some_and(|ip| self.has_ip(ip)),
        }
    }

    fn merge(&mut self) {
        self.ranges.sort_unstable();
        self.ranges.dedup();
        self.entries = self.peers.len() + self.ranges.len();
        let mut merged: Vec<(u128, u128)> = Vec::with_capacity(self.ranges.len());
        for &(first, last) in &self.ranges {
            match merged.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => merged.push((first, last)),
            }
        }
        self.ranges = merged;
    }
}

fn parse_entry(entry: &str) -> Result<Entry, &'static str> {
    if let Ok(peer) = parse::peer_id(entry) {
        return Ok(Entry::Peer(peer));
    }
    if let Some((ip, bits)) = entry.split_once('/') {
        let ip = IpAddr::from_str(ip).map_err(|_| "write a range as ADDRESS/BITS")?;
        let bits: u32 = bits.parse().map_err(|_| "the bits of a range are a number")?;
        return range(ip, bits);
    }
    let ip = IpAddr::from_str(entry).map_err(|_| "it does not decode as any of them")?;
    Ok(Entry::Range((number(ip), number(ip))))
}

fn range(ip: IpAddr, bits: u32) -> Result<Entry, &'static str> {
    let width: u32 = if ip.is_ipv4() { 32 } else { 128 };
    let free = width.checked_sub(bits).ok_or("more bits than the address has")?;
    let mask = u128::MAX.checked_shr(128 - free).unwrap_or(0);
    let ip = number(ip);
    if ip & mask != 0 {
        return Err("bits are set behind the prefix");
    }
    Ok(Entry::Range((ip, ip | mask)))
}

fn number(ip: IpAddr) -> u128 {
    let ip: Ipv6Addr = match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    ip.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    fn list(text: &str) -> OptOut {
        OptOut::parse(text).expect("a list")
    }

    #[test]
    fn every_kind_of_entry_is_read() {
        let text = format!("# who asked\n\n{PEER} # by mail\n 192.0.2.7\n198.51.100.0/24\n2001:db8::/32\r\n");
        let list = list(&text);
        let is_in = |ip: &str| list.has_ip(ip.parse().expect("an address"));
        assert!(list.has_peer(&PEER.parse().expect("an id")) && !list.has_peer(&PeerId::random()));
        assert!(is_in("192.0.2.7") && !is_in("192.0.2.6") && !is_in("192.0.2.8"));
        assert!(is_in("198.51.100.0") && is_in("198.51.100.255") && !is_in("198.51.101.0"));
        assert!(is_in("2001:db8:ffff::1") && !is_in("2001:db9::") && is_in("::ffff:192.0.2.7"));
        let address = |text: &str| list.has_address(&text.parse().expect("an address"));
        assert!(address("/ip4/198.51.100.9/tcp/1") && !address("/ip4/198.51.99.9/tcp/1"));
        assert!(address(&format!("/ip4/1.2.3.4/tcp/1/p2p/{PEER}/p2p-circuit")));
    }

    #[test]
    fn a_peer_is_the_same_in_every_form_of_its_id() {
        let k51 = "k51qzi5uqu5di3f1nh9ghouv3e5dfupe3wbgb8gy679ko7ttpovbtr2bwjz8rt";
        let id = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp".parse().expect("an id");
        let bafz = "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe";
        let qm = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N".parse().expect("an id");
        let list = list(&format!("{k51}\n{bafz} # by mail\n/p2p/{PEER}\n"));
        assert!(list.has_peer(&id) && list.has_peer(&qm) && list.has_peer(&PEER.parse().expect("an id")));
    }

    #[test]
    fn every_entry_counts_once_and_a_comma_at_the_end_says_nothing() {
        let list = list(&format!("{PEER},\n{PEER}\n10.0.0.0/9 ,\n10.0.0.0/8\n10.0.0.0/8\n"));
        assert_eq!((list.entries(), OptOut::default().entries()), (3, 0));
        assert!(OptOut::parse("10.0.0.0/8,10.0.0.0/9").is_err());
    }

    #[test]
    fn overlapping_ranges_are_one_and_all_of_the_space_is_a_range() {
        assert_eq!(list("10.0.0.0/9\n10.0.0.0/8\n10.128.0.0/9\n11.0.0.0/8").ranges.len(), 1);
        assert!(list("::/0").has_ip(IpAddr::from([1, 2, 3, 4])));
        assert!(OptOut::default().is_empty() && !OptOut::default().has_ip(IpAddr::from([1, 2, 3, 4])));
    }

    #[test]
    fn a_broken_line_is_named() {
        for (text, line) in
            [("10.0.0.1\nnobody", 2), ("10.0.0.1/33", 1), ("10.0.0.1/8", 1), ("10.0.0.0/x", 1), ("/8", 1)]
        {
            let error = OptOut::parse(text).expect_err(text);
            assert_eq!(error.line, line, "{error}");
        }
        assert!(
            OptOut::parse("x").expect_err("no entry").to_string().starts_with("line 1: `x` is no peer id")
        );
    }
}
