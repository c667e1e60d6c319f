//! Why an exchange with a peer went wrong: a closed vocabulary of phases and classes.
//!
//! The names are stored, counted, printed and drawn, so they never change their meaning. Who maps an error of a
//! transport to a class does so by its type, where the transport is known (`net`), never by its text.

use std::fmt;

use crate::named;

named! {
    /// How far an exchange with a peer came: the phase that was under way when it ended.
    pub enum Phase {
        /// A name was being resolved to addresses.
        Dns = "dns",
        /// A connection was being opened (TCP handshake; the whole handshake of QUIC up to its TLS).
        Connect = "connect",
        /// The peer was being authenticated (Noise or TLS).
        Secure = "secure",
        /// The stream multiplexer was being agreed on.
        Multiplex = "multiplex",
        /// The identify exchange.
        Identify = "identify",
        /// A protocol was being agreed on for a stream.
        Stream = "stream",
        /// A request was sent and its answer awaited.
        Request = "request",
    }
}

named! {
    /// What went wrong, apart from where.
    pub enum FailureClass {
        /// Nothing came within the time allowed.
        Timeout = "timeout",
        /// The host answered that nobody listens there.
        ConnectionRefused = "connection_refused",
        /// The transport connection was reset by the other side.
        ConnectionReset = "connection_reset",
        /// The other side closed the connection in good order, but too early.
        ConnectionClosed = "connection_closed",
        /// There is no route to the network of the address.
        NetworkUnreachable = "network_unreachable",
        /// There is no route to the host.
        HostUnreachable = "host_unreachable",
        /// The host is known to be down (an ARP or neighbour failure).
        HostDown = "host_down",
        /// No local address or port could be had for the dial.
        AddressNotAvailable = "address_not_available",
        /// This process or machine ran out of descriptors, ports or buffers: nothing is said of the peer.
        LocalResources = "local_resources",
        /// The local system forbade the dial.
        PermissionDenied = "permission_denied",
        /// No address of the peer is known that may be dialled.
        NoAddress = "no_address",
        /// A name did not resolve: it does not exist or has no addresses.
        NameNotFound = "name_not_found",
        /// A name server failed or did not answer.
        NameServerFailed = "name_server_failed",
        /// The peer proved an identity other than the one that was dialled.
        PeerIdMismatch = "peer_id_mismatch",
        /// The key that the peer gives in identify is not the one that it proved to have; the text is that key's id.
        IdentifyKeyMismatch = "identify_key_mismatch",
        /// The peer offered no security protocol of ours.
        SecurityNotSupported = "security_not_supported",
        /// The cryptographic handshake failed: a forged, malformed or expired proof.
        HandshakeFailed = "handshake_failed",
        /// The key of the peer's identity is of a kind or size that is not accepted; the text says which.
        KeyNotSupported = "key_not_supported",
        /// The peer offered no multiplexer of ours.
        MultiplexerNotSupported = "multiplexer_not_supported",
        /// The peer does not speak the protocol asked for.
        ProtocolNotSupported = "protocol_not_supported",
        /// The stream was reset by the peer.
        StreamReset = "stream_reset",
        /// The peer closed the stream before it answered.
        StreamClosed = "stream_closed",
        /// The peer said that it has no room for us (connections or streams).
        ResourceLimit = "resource_limit",
        /// What came was not the protocol: bytes that do not decode.
        Malformed = "malformed",
        /// A message was longer than the protocol allows.
        MessageTooLarge = "message_too_large",
        /// The peer broke a rule of the multiplexer or of flow control.
        ProtocolViolation = "protocol_violation",
        /// The exchange was given up by us: the run was cancelled.
        Cancelled = "cancelled",
        /// None of the above; the text says what.
        Other = "other",
    }
}

named! {
    /// Why an address was never dialled.
    pub enum SkipReason {
        /// The policy allows public addresses, and this one is private (RFC 1918, RFC 4193, RFC 6598, link-local).
        Private = "private",
        /// The address is of the machine itself (127.0.0.0/8, `::1`).
        Loopback = "loopback",
        /// Reserved by the IANA registries: documentation, benchmarking, multicast, 0.0.0.0/8, 240.0.0.0/4, ...
        SpecialPurpose = "special_purpose",
        /// The policy allows private or loopback addresses only, and this one is public.
        Public = "public",
        /// Reachable only through a relay (`/p2p-circuit`).
        Relayed = "relayed",
        /// A known transport that we do not dial.
        TransportNotSupported = "transport_not_supported",
        /// The address names no transport that we know, or none at all.
        TransportUnknown = "transport_unknown",
        /// The bytes are no multiaddress.
        Malformed = "malformed",
        /// The address names another peer than the one it was given for.
        OtherPeer = "other_peer",
        /// More addresses were given than a dial tries.
        OverLimit = "over_limit",
        /// Its operator asked not to be measured.
        OptedOut = "opted_out",
        /// A name, and names may not be resolved under this policy.
        Name = "name",
    }
}

/// The longest text that a failure carries, in bytes.
pub const MAX_DETAIL_BYTES: usize = 200;

/// One thing that went wrong: where, what and, where the class does not say it all, a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The phase that was under way.
    pub phase: Phase,
    /// What happened.
    pub class: FailureClass,
    /// The text of an unexpected error, at most [`MAX_DETAIL_BYTES`]; `None` where the class says it all.
    pub detail: Option<Box<str>>,
}

impl Failure {
    /// A failure that its class describes.
    pub const fn new(phase: Phase, class: FailureClass) -> Self {
        Self { phase, class, detail: None }
    }

    /// A failure with the text that explains it, cut to [`MAX_DETAIL_BYTES`].
    pub fn with_detail(phase: Phase, class: FailureClass, detail: &str) -> Self {
        let end = (0..=MAX_DETAIL_BYTES.min(detail.len())).rev().find(|&i| detail.is_char_boundary(i));
        Self { phase, class, detail: Some(detail[..end.unwrap_or(0)].into()) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} while in phase {}", self.class, self.phase)?;
        match &self.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// The failure that says the most of a peer: it came the furthest, and of those that came equally far an answer says
/// more than silence, and silence more than a want of ours. Of several that say the same the first counts. `None` if
/// there is none.
///
/// A name that was not resolved comes before everything else, whatever came of other addresses.
pub fn furthest<'a>(failures: impl IntoIterator<Item = &'a Failure>) -> Option<&'a Failure> {
    let says = |failure: &Failure| (failure.phase, failure.class.weight());
    failures.into_iter().reduce(|most, next| if says(next) > says(most) { next } else { most })
}

impl FailureClass {
    /// How much a class says of the peer.
    const fn weight(self) -> u8 {
        match self {
            Self::LocalResources | Self::AddressNotAvailable | Self::Cancelled | Self::NoAddress => 0,
            Self::Timeout => 1,
            _ => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_variant_and_no_two_are_alike() {
        let mut names: Vec<&str> = FailureClass::ALL.iter().map(|class| class.name()).collect();
        assert!(FailureClass::ALL.iter().all(|&c| FailureClass::from_name(c.name()) == Some(c)));
        assert!(Phase::ALL.iter().all(|&p| Phase::from_name(p.name()) == Some(p)));
        assert!(SkipReason::ALL.iter().all(|&r| SkipReason::from_name(r.name()) == Some(r)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FailureClass::ALL.len());
    }

    #[test]
    fn a_long_detail_is_cut_at_a_character() {
        let failure = Failure::with_detail(Phase::Request, FailureClass::Other, &"ü".repeat(300));
        assert_eq!(failure.detail.map(|d| d.len()), Some(MAX_DETAIL_BYTES));
    }
}
