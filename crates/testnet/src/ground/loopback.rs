//! Peers on this machine's own addresses, where all of 127.0.0.0/8 is: on Linux.

use std::net::Ipv4Addr;

/// Peer 0's address; the others follow.
const PEERS: u32 = 0x7f01_0000;

/// Where peers with a stale address used to be: peer 0's, the others follow.
const FORMER: u32 = 0x7f80_0000;

/// Addresses at which there never was anybody: the first of 2^20.
const NOWHERE: u32 = 0x7fd0_0000;

pub(super) fn ip(peer: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(PEERS + peer)
}

/// The peer at an address, if the address is one of the range; whether there is such a peer is not said.
pub(super) fn peer_at(ip: Ipv4Addr) -> Option<u32> {
    (PEERS..FORMER).contains(&ip.to_bits()).then(|| ip.to_bits() - PEERS)
}

pub(super) fn former(peer: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(FORMER + peer)
}

pub(super) fn nowhere(random: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(NOWHERE + (random & 0xf_ffff))
}
