//! What every contact with a peer shows, whoever made it and whatever for: where the peer was looked for, what came of
//! each address, the connection, who the peer says it is, and when.

use std::{net::SocketAddr, time::Duration};

use kad::{
    Address, Multiaddr,
    failure::{self, Failure},
    network::{AddressOutcome, Attempt, Endpoint, RoundTrip, RttSource, Security, Transport, WssCertificate},
};

use crate::{
    Reveals, Timestamp, names_of,
    table::{Column, Holds, List},
};

/// One contact with one peer.
#[derive(Debug, Clone, PartialEq)]
pub struct Encounter {
    /// When it began, before anything was sent.
    pub started_at: Timestamp,
    /// When it ended, after the connection was closed.
    pub ended_at: Timestamp,
    /// From its start until a connection stood or all addresses had failed; `None` if no address was dialled.
    pub dial_duration: Option<Duration>,
    /// From the start of the attempt that connected until its peer was authenticated; `None` without a connection.
    pub connect_duration: Option<Duration>,
    /// Every address that was known when it began, and what came of it; those that are no multiaddress last.
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
    /// Bytes sent, with all framing above the transport.
    pub sent_bytes: u64,
    /// Bytes received, likewise.
    pub received_bytes: u64,
}

impl Encounter {
    /// One that begins, and of which nothing is known yet.
    pub const fn begun(started_at: Timestamp) -> Self {
        Self {
            started_at,
            ended_at: started_at,
            dial_duration: None,
            connect_duration: None,
            addresses: Vec::new(),
            connection: None,
            connect_error: None,
            agent_version: None,
            protocols: Vec::new(),
            listen_addrs: Vec::new(),
            identify_error: None,
            sent_bytes: 0,
            received_bytes: 0,
        }
    }

    /// Takes in what a dial by these addresses came to, and how long it took.
    pub fn dialled(&mut self, addresses: Vec<Multiaddr>, attempts: Vec<Attempt>, took: Duration) {
        self.dial_duration = attempts.iter().any(|attempt| attempt.started_after.is_some()).then_some(took);
        self.addresses =
            addresses.into_iter().zip(attempts).map(|(to, attempt)| AddressVisit::of(to, attempt)).collect();
    }

    /// Ends it, once nothing more is to be learned: by the fates of its addresses, why there was no connection, or how long the one that
    /// there was took.
    pub fn end(&mut self, at: Timestamp) {
        self.ended_at = at;
        let connected =
            self.connection.as_ref().and_then(|connection| self.addresses.get(connection.address));
        self.connect_duration = connected.and_then(|address| address.took);
        if self.connection.is_none() {
            self.connect_error = AddressVisit::furthest(&self.addresses);
        }
    }

    /// Whether the peer could be connected to: it proved its identity over one of its addresses.
    pub const fn is_reachable(&self) -> bool {
        self.connection.is_some()
    }

    /// The addresses that were known when it began, but for bytes that are none.
    pub fn multiaddrs(&self) -> impl Iterator<Item = &Multiaddr> {
        self.addresses.iter().filter_map(|visited| visited.address.multiaddr())
    }
}

/// One address of a peer, and what came of it.
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

impl AddressVisit {
    /// An address, and what came of it in a dial.
    pub fn of(address: Multiaddr, attempt: Attempt) -> Self {
        let Attempt { started_after, took, outcome, resolved } = attempt;
        let resolved = resolved.into_iter().map(|(to, attempt)| Self::of(to, attempt)).collect();
        Self { address: address.into(), started_after, took, outcome, resolved }
    }

    /// The failure of the address that says the most of the peer, by the [one ranking](failure::furthest). `None` if none failed.
    pub fn furthest(addresses: &[Self]) -> Option<Failure> {
        failure::furthest(addresses.iter().filter_map(|address| address.outcome.failure())).cloned()
    }
}

/// The connection of an encounter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The position of its address in [`Encounter::addresses`].
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

impl ConnectionInfo {
    /// What stands at the other end of a connection, and the shortest round trip if one was seen.
    pub const fn of(endpoint: &Endpoint, rtt: Option<RoundTrip>) -> Self {
        let &Endpoint { address, transport, security, certificate, ip_version, socket } = endpoint;
        Self { address, transport, security, certificate, ip_version, socket, rtt }
    }
}

/// Its columns, in every table that has them.
pub static COLUMNS: &[Column] = &[
    Column::new("started_at", Holds::Time, "when it began, before anything was sent"),
    Column::new("ended_at", Holds::Time, "when it ended, after the connection was closed"),
    Column::or_none("dial_us", Holds::Duration, "until a connection stood or all addresses had failed"),
    Column::or_none("connect_us", Holds::Duration, "how long the attempt took that connected"),
    Column::new("addresses", Holds::List(List::Fates), "every address that was known, and what came of it"),
    Column::new("reachable", Holds::Flag, "whether the peer proved its identity over one of its addresses"),
    Column::or_none("connected", Holds::Count("position"), "the position of the address that connected"),
    Column::or_none("transport", names_of!(Transport), "the connection's transport"),
    Column::or_none("security", names_of!(Security), "what authenticated the peer"),
    Column::or_none("certificate", names_of!(WssCertificate), "the certificate below a secure WebSocket"),
    Column::or_none("ip_version", Holds::Count("4 or 6"), "the version of IP"),
    Column::or_none("socket", Holds::Text, "the other end: `192.0.2.1:4001`, `[2001:db8::1]:4001`")
        .that_says(Reveals::Address),
    Column::or_none("rtt_us", Holds::Duration, "the shortest round trip"),
    Column::or_none("rtt_source", names_of!(RttSource), "who measured it"),
    Column::or_none("connect_error", Holds::Failure, "why there was no connection"),
    Column::or_none("agent", Holds::Text, "what the peer calls its program").that_says(Reveals::Program),
    Column::new("protocols", Holds::Texts, "what it says it speaks").that_says(Reveals::Program),
    Column::new("listen_addrs", Holds::List(List::Addresses), "where it says it listens"),
    Column::or_none(
        "identify_error",
        Holds::Failure,
        "why it did not identify itself, or what was wrong with it",
    ),
    Column::new("sent_bytes", Holds::Count("bytes"), "bytes sent over the connection"),
    Column::new("received_bytes", Holds::Count("bytes"), "bytes received over it"),
];
