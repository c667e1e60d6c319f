//! What one visit to one peer showed.
//!
//! The fields are those of RFM 2 (crawl, created, start, end, dial, connect and crawl durations, type, agent version,
//! peer, protocols, addresses, error), and the outcome of each address and prefix beside them.

use std::{net::SocketAddr, time::Duration};

use kad::{
    Address, Multiaddr, PeerId,
    failure::{Failure, FailureClass},
    network::{AddressOutcome, RoundTrip, Security, Transport, WssCertificate},
};

use crate::Timestamp;

/// Numbers the peers of one crawl, in the order in which they were first heard of, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerNumber(pub u32);

/// One row on its way to a store. A number is always introduced by a `Peer` row before another row uses it.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A peer was heard of for the first time in this crawl.
    Peer(PeerNumber, PeerId),
    /// A peer was visited.
    Visit(Box<Visit>),
}

/// Why a peer was visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VisitKind {
    /// The first visit of a crawl.
    First,
    /// A peer that failed was tried again, at addresses that no visit had tried.
    NewAddresses,
    /// Its second chance: a peer that failed was tried once more, with all addresses known by then.
    SecondPass,
    /// A peer that turned us away, also at its second chance, was asked once more.
    TurnedAway,
}

impl VisitKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::First, Self::NewAddresses, Self::SecondPass, Self::TurnedAway];

    /// The stable name that is stored and printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::NewAddresses => "new_addresses",
            Self::SecondPass => "second_pass",
            Self::TurnedAway => "turned_away",
        }
    }
}

/// The number of prefixes that a crawler asks for: common prefix lengths 0 to 15.
pub const PREFIXES: usize = 16;

/// One visit to one peer.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Who was visited.
    pub peer: PeerNumber,
    /// Why.
    pub kind: VisitKind,
    /// When the visit began, before anything was sent.
    pub started_at: Timestamp,
    /// When the visit ended, after the connection was closed.
    pub ended_at: Timestamp,
    /// From the start of the visit until a connection stood or all addresses had failed; `None` if no address was
    /// dialled.
    pub dial_duration: Option<Duration>,
    /// From the start of the attempt that connected until its peer was authenticated; `None` without a connection.
    pub connect_duration: Option<Duration>,
    /// From the first request sent until the last answer, failure or timeout; `None` without a connection.
    pub crawl_duration: Option<Duration>,
    /// Every address that was known when the visit began, and what came of it; those that are no multiaddress last.
    pub addresses: Vec<AddressVisit>,
    /// The connection; `None` if there was none.
    pub connection: Option<ConnectionInfo>,
    /// Why there was no connection; `None` if there was one. The class of the attempt that came furthest.
    pub connect_error: Option<Failure>,
    /// The agent version that the peer gave, cut to 256 bytes; `None` if it did not identify itself.
    pub agent_version: Option<String>,
    /// The protocols that the peer says it speaks, sorted; empty if it did not identify itself.
    pub protocols: Vec<String>,
    /// The addresses on which the peer says it listens; those that are no multiaddress last.
    pub listen_addrs: Vec<Address>,
    /// Why the peer did not identify itself, or what was wrong beside what it said; `None` if nothing was, or if there was
    /// no connection.
    pub identify_error: Option<Failure>,
    /// For each prefix what came of its request.
    pub prefixes: [PrefixOutcome; PREFIXES],
    /// Requests beyond one for each prefix: for parts of buckets that may hold more than an answer does.
    pub further: FurtherRequests,
    /// The buckets that may hold more than was read: bit `c` for that of prefix length `c`. All peers in a full answer
    /// were of that bucket, and nothing else shows that there are no more.
    pub open_buckets: u16,
    /// Why not everything was answered, the first failure; `None` if everything was, or if there was no connection.
    pub crawl_error: Option<Failure>,
    /// From sending the first request until its answer; `None` without an answer.
    pub request_rtt: Option<Duration>,
    /// The distinct peers in the answers, ascending; `None` if neighbors are not kept.
    pub neighbors: Option<Vec<PeerNumber>>,
    /// How many peers had said in their answers, when the visit ended, that they are connected to this one; at most
    /// 255.
    pub connected_claims: u8,
    /// Bytes sent, with all framing above the transport.
    pub sent_bytes: u64,
    /// Bytes received, likewise.
    pub received_bytes: u64,
}

impl Visit {
    /// Whether the peer could be connected to: it proved its identity over one of its addresses.
    pub fn is_reachable(&self) -> bool {
        self.connection.is_some()
    }

    /// The addresses that were known when the visit began, but for bytes that are none.
    pub fn multiaddrs(&self) -> impl Iterator<Item = &Multiaddr> {
        self.addresses.iter().filter_map(|visited| visited.address.multiaddr())
    }

    /// Whether the routing table may be longer than what was read of it.
    pub const fn may_be_longer(&self) -> bool {
        self.open_buckets != 0
    }

    /// The stable name of what went wrong: why there was no connection, else why requests failed, else, where nothing was
    /// dialled, why the first address was left out. `None` if nothing did, or if no address was known.
    pub fn fault(&self) -> Option<&'static str> {
        if let Some(failure) = self.connect_error.as_ref().or(self.crawl_error.as_ref()) {
            return Some(failure.class.name());
        }
        let skipped = self.addresses.iter().find_map(|visited| match visited.outcome {
            AddressOutcome::Skipped(reason) => Some(reason.name()),
            _ => None,
        });
        skipped.filter(|_| !self.is_reachable())
    }
}

/// One address of a visited peer, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AddressVisit {
    /// The address, without the `/p2p` part of the peer itself.
    pub address: Address,
    /// From the start of the dial until this address was tried; `None` if it never was.
    pub started_after: Option<Duration>,
    /// How long the attempt took; `None` if it was never made.
    pub took: Option<Duration>,
    /// What came of it.
    pub outcome: AddressOutcome,
    /// Where the address has a name, the addresses that it led to, and what came of each: at most 16, none of which has
    /// any of its own. Empty for an address with an IP, and for a name that was not resolved.
    pub resolved: Vec<Self>,
}

/// The connection of a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The position of its address in [`Visit::addresses`].
    pub address: usize,
    /// Its transport.
    pub transport: Transport,
    /// What authenticated the peer.
    pub security: Security,
    /// What is known of the certificate below a secure WebSocket; `None` over every other transport.
    pub certificate: Option<WssCertificate>,
    /// 4 or 6.
    pub ip_version: u8,
    /// The socket at the other end: where a name led to, if the address has one.
    pub socket: SocketAddr,
    /// The shortest round trip until the connection was closed; `None` if none was seen.
    pub rtt: Option<RoundTrip>,
}

/// What came of the request for one prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrefixOutcome {
    /// Not sent on a stream that the peer had agreed to: no connection, no such stream, or an earlier failure ended the
    /// visit.
    NotAsked,
    /// Not sent, since the answers before it proved that it would bring nothing new.
    Saved,
    /// Answered.
    Answered {
        /// How many peers were in the answer.
        peers: u16,
    },
    /// Sent, and not answered.
    Failed(FailureClass),
}

/// Requests for parts of buckets, by what came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FurtherRequests {
    /// Answered.
    pub answered: u16,
    /// Sent, and not answered.
    pub failed: u16,
}
