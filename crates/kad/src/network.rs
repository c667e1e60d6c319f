//! The seam between deciding and talking: what a crawler, a monitor or a lookup needs of a network.
//!
//! `net::Host` implements it over live transports, `testnet`'s simulated network in virtual time. Both carry the
//! same encoded messages. Nothing above the seam knows which one it talks to.

use std::{future::Future, net::SocketAddr, time::Duration};

use libp2p_identity::PeerId;
use multiaddr::Multiaddr;

use crate::{
    failure::{Failure, SkipReason},
    named,
};

/// Reaches peers.
pub trait Network: Clone + Send + Sync + 'static {
    /// An open conversation with one peer.
    type Connection: Connection;

    /// Who dials: the peer that those who are dialled meet, and may list.
    fn local(&self) -> PeerId;

    /// Over which transport an address would be dialled, or why it would not be; `None` where that shows only once its
    /// name is resolved. A peer none of whose addresses would be dialled is not worth a dial.
    fn admits(&self, address: &Multiaddr) -> Result<Option<Transport>, SkipReason>;

    /// Dials a peer by its addresses, and keeps the outcome of every address. Of more addresses than the network dials
    /// at once the first ones are taken; in which order and with which stagger these are tried is the network's choice.
    /// It ends by itself: by the network's own limits of time, and after `at_most` if that is given.
    ///
    /// The dial's `attempts` has one entry for each entry of `addrs`, in the same order.
    fn connect_within(
        &self,
        peer: PeerId,
        addrs: Vec<Multiaddr>,
        at_most: Option<Duration>,
    ) -> impl Future<Output = Dial<Self::Connection>> + Send;

    /// Dials likewise, by the network's own limits of time alone.
    fn connect(
        &self,
        peer: PeerId,
        addrs: Vec<Multiaddr>,
    ) -> impl Future<Output = Dial<Self::Connection>> + Send {
        self.connect_within(peer, addrs, None)
    }

    /// What all dials so far came to beside their outcomes. Nothing where a network does not count it.
    fn totals(&self) -> DialTotals {
        DialTotals::default()
    }
}

/// What dials came to that is in no outcome and on no connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DialTotals {
    /// Bytes of attempts that became no connection, of those given up too.
    pub lost: Traffic,
    /// Entries of names beyond those that are looked at or followed.
    pub dns_entries_left_out: u64,
}

/// One open conversation with an authenticated peer. Dropping it hangs up.
///
/// Nothing is sent before [`next`](Connection::next) is awaited: what was opened and queued until then leaves in as
/// few packets as possible. The peer has proved its identity when a connection is handed out, but the last message of the
/// handshake may still be under way, so the first failure that `next` reports can have any
/// [`Phase`](crate::failure::Phase).
pub trait Connection: Send {
    /// How the peer was reached.
    fn endpoint(&self) -> &Endpoint;

    /// Opens a stream and proposes `protocol` on it, without waiting for the answer.
    /// Messages from the peer longer than `max_message_bytes` end the stream with
    /// [`FailureClass::MessageTooLarge`](crate::failure::FailureClass::MessageTooLarge).
    fn open(&mut self, protocol: &str, max_message_bytes: usize) -> StreamId;

    /// Queues one message on a stream; its length goes before it as an unsigned varint. Ignored on a stream that
    /// has ended.
    fn send(&mut self, stream: StreamId, message: &[u8]);

    /// Says on a stream that nothing more will be sent. The peer may still answer.
    fn finish(&mut self, stream: StreamId);

    /// Gives a stream up: what still comes on it is dropped.
    fn reset(&mut self, stream: StreamId);

    /// Sends what is queued and waits for the next thing that happens. Cancel-safe: nothing is lost when the
    /// future is dropped. An error is the end of the connection.
    fn next(&mut self) -> impl Future<Output = Result<Event, Failure>> + Send;

    /// The shortest round trip to the peer so far; `None` if none was seen. It gets no longer while the connection
    /// lasts, so the last call says the most, also on a connection that has ended.
    fn round_trip(&self) -> Option<RoundTrip>;

    /// Bytes that went over the wire so far, with all framing and encryption above the transport.
    fn traffic(&self) -> Traffic;

    /// Says goodbye, so that the peer can free the connection at once. Bounded in time.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// A stream of one connection. Never used twice on the same connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u32);

/// What happens on a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// The peer agreed to the protocol of a stream.
    Accepted(StreamId),
    /// A whole message, without its length.
    Message(StreamId, Vec<u8>),
    /// The stream is over: `None` when the peer finished it in good order, else why.
    Ended(StreamId, Option<Failure>),
}

/// Bytes sent and received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
}

/// How a peer was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The position in the list of addresses given to [`Network::connect`].
    pub address: usize,
    /// The transport.
    pub transport: Transport,
    /// What authenticates the peer and encrypts.
    pub security: Security,
    /// What is known of the certificate below a secure WebSocket; `None` over every other transport.
    pub certificate: Option<WssCertificate>,
    /// 4 or 6.
    pub ip_version: u8,
    /// The socket at the other end: where a name led to, if the address has one.
    pub socket: SocketAddr,
}

/// A round trip, and how it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// How long it took.
    pub time: Duration,
    /// Who measured it.
    pub source: RttSource,
}

named! {
    /// Who measured a round trip.
    pub enum RttSource {
        /// The system's TCP: the shortest time from a segment to its acknowledgement (Linux, `TCP_INFO`). Nothing that
        /// the two programs do is in it.
        TcpInfo = "tcp_info",
        /// The transport of QUIC: the shortest time from a packet to its acknowledgement. Both programs are in it, and
        /// so is what they are busy with.
        Quic = "quic",
        /// The time that the connect call of TCP took, where the system says nothing better. What this program is busy
        /// with is in it.
        Handshake = "handshake",
    }
}

named! {
    /// The transports that a connection can use.
    pub enum Transport {
        /// TCP.
        Tcp = "tcp",
        /// QUIC version 1 (RFC 9000).
        Quic = "quic",
        /// WebSocket over TCP.
        Ws = "ws",
        /// WebSocket over TLS over TCP.
        Wss = "wss",
    }
}

named! {
    /// What authenticates a peer.
    pub enum Security {
        /// Noise XX, libp2p's `/noise`.
        Noise = "noise",
        /// TLS 1.3 with libp2p's certificates (`/tls/1.0.0`, and inside QUIC).
        Tls = "tls",
    }
}

named! {
    /// What is known of the certificate that a server shows below a secure WebSocket. None of them is refused: who the
    /// peer is proves the session inside.
    pub enum WssCertificate {
        /// It is for the name that was dialled, and signed by a root that is trusted here.
        Root = "root",
        /// It is one of libp2p's own (`/tls/1.0.0`), of the peer that was dialled. Browsers and Go refuse it there.
        Libp2p = "libp2p",
        /// Neither, as far as is known here: without trusted roots nothing is verified by one.
        Unverified = "unverified",
    }
}

/// What a dial came to: the fate of every address, and the connection if there is one.
#[derive(Debug)]
pub struct Dial<C> {
    /// One entry for each address, in the order in which they were given.
    pub attempts: Vec<Attempt>,
    /// The connection, over the address whose outcome is [`AddressOutcome::Connected`].
    pub connection: Option<C>,
}

/// The fate of one address in one dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From the start of the dial until this address was tried; `None` if it never was.
    pub started_after: Option<Duration>,
    /// How long the attempt took; `None` if it was never made.
    pub took: Option<Duration>,
    /// What came of it.
    pub outcome: AddressOutcome,
    /// Where the address has a name, the addresses that the name led to, and what came of each. Empty for an address
    /// with an IP, for a name that was not resolved, and where another address connected first.
    pub resolved: Vec<(Multiaddr, Self)>,
}

impl Attempt {
    /// The fate of an address that was not tried.
    pub const fn untried(outcome: AddressOutcome) -> Self {
        Self { started_after: None, took: None, outcome, resolved: Vec::new() }
    }
}

/// What came of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressOutcome {
    /// The connection stands over this address.
    Connected,
    /// Another address connected, or the time of the dial was up, before this one's turn.
    NotTried,
    /// The attempt was under way when another address connected.
    Abandoned,
    /// Never dialled, for a reason of ours.
    Skipped(SkipReason),
    /// Dialled, and failed.
    Failed(Failure),
}

impl AddressOutcome {
    /// Why it failed; `None` if it did not, or was not dialled.
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// The stable names of all outcomes.
    pub const NAMES: [&'static str; 5] = ["connected", "not_tried", "abandoned", "skipped", "failed"];

    /// The stable name that is stored and printed.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::NotTried => "not_tried",
            Self::Abandoned => "abandoned",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
        }
    }
}
