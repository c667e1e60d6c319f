//! Where a holder is by what came of dialling it, and what it said by how asking it failed. Decided by types, never by texts.

use kad::{
    Multiaddr,
    failure::{Failure, FailureClass, Phase},
};
use multiaddr::Protocol;
use schema::{HolderAnswer, Whereabouts};

use super::{HolderDial, ReachedAt};

/// What is known of where a holder is, when all that a round does for it is done.
#[derive(Debug, Clone, Copy)]
pub struct WhereSeen<'a> {
    /// The addresses under which it was known first.
    pub first_addresses: &'a [Multiaddr],
    /// What came of dialling it there; `None` if it was not.
    pub first: Option<&'a HolderDial>,
    /// What came of dialling it at others; `None` if there are none.
    pub current: Option<&'a HolderDial>,
    /// Whether somebody says that it can be reached through a relay.
    pub is_relayed: bool,
    /// Whether we gave up before it was looked for wherever it might be.
    pub is_cut_short: bool,
}

/// Where a holder is: the first of these that holds.
///
/// Reached at a first address; reached elsewhere, at an IP that one of the first addresses has, or at another; not looked for to the end,
/// or by no dial that says anything of it; behind a relay; replaced by somebody else; gone.
pub fn whereabouts(seen: WhereSeen<'_>) -> Whereabouts {
    let WhereSeen { first_addresses, first, current, is_relayed, is_cut_short } = seen;
    let reached = |dial: Option<&HolderDial>| dial.and_then(|dial| dial.connected.clone());
    if reached(first).is_some() {
        return Whereabouts::SameAddress;
    }
    if let Some(at) = reached(current) {
        return if is_of(&at, first_addresses) { Whereabouts::NewPort } else { Whereabouts::Moved };
    }
    let mut made = [first, current].into_iter().flatten().peekable();
    let untold = made.peek().is_none() || !made.all(HolderDial::tells);
    let is_relayed = is_relayed && !is_cut_short;
    let is_other = first.and_then(|dial| dial.failure.as_ref()).is_some_and(is_mismatch);
    match (is_relayed, is_cut_short || untold, is_other) {
        (true, ..) => Whereabouts::RelayedOnly,
        (false, true, _) => Whereabouts::Undialled,
        (false, false, true) => Whereabouts::OtherId,
        (false, false, false) => Whereabouts::Gone,
    }
}

/// What becomes of the question where asking a holder that was connected to failed so.
pub const fn answer_of_failure(failure: &Failure) -> HolderAnswer {
    match failure.class {
        FailureClass::Timeout => HolderAnswer::TimedOut,
        FailureClass::ProtocolNotSupported
        | FailureClass::ResourceLimit
        | FailureClass::MultiplexerNotSupported
        | FailureClass::SecurityNotSupported
        | FailureClass::KeyNotSupported => HolderAnswer::Refused,
        // While the protocol is agreed on, it is the stream that is refused.
        FailureClass::StreamReset if matches!(failure.phase, Phase::Stream) => HolderAnswer::Refused,
        FailureClass::StreamReset
        | FailureClass::StreamClosed
        | FailureClass::ConnectionReset
        | FailureClass::ConnectionClosed
        | FailureClass::ConnectionRefused
        | FailureClass::NetworkUnreachable
        | FailureClass::HostUnreachable
        | FailureClass::HostDown
        | FailureClass::Other => HolderAnswer::Reset,
        FailureClass::Malformed
        | FailureClass::MessageTooLarge
        | FailureClass::ProtocolViolation
        | FailureClass::HandshakeFailed
        | FailureClass::PeerIdMismatch
        | FailureClass::IdentifyKeyMismatch => HolderAnswer::Malformed,
        FailureClass::Cancelled
        | FailureClass::NoAddress
        | FailureClass::NameNotFound
        | FailureClass::NameServerFailed
        | FailureClass::LocalResources
        | FailureClass::AddressNotAvailable
        | FailureClass::PermissionDenied => HolderAnswer::Unasked,
    }
}

/// Whether somebody else was there.
pub(super) const fn is_mismatch(failure: &Failure) -> bool {
    matches!(failure.class, FailureClass::PeerIdMismatch)
}

/// Whether one of these addresses is of the same host.
fn is_of(at: &ReachedAt, addresses: &[Multiaddr]) -> bool {
    let same_name = |address: &Multiaddr| address.iter().next() == at.address.iter().next();
    let same_ip = |address: &Multiaddr| match address.iter().next() {
        Some(Protocol::Ip4(ip)) => at.socket.ip() == ip,
        Some(Protocol::Ip6(ip)) => at.socket.ip() == ip,
        _ => false,
    };
    addresses.iter().any(|address| same_name(address) || same_ip(address))
}
