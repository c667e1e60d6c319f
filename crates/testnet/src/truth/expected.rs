//! What an observer should say of a peer, by its state.

use kad::{
    failure::{FailureClass, SkipReason},
    network::Transport,
};

use crate::{
    carrier::TransportSet,
    scenario::life::Absence,
    state::{Stage, State},
};

/// What an observer should say of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Whether a connection comes about with the announced identity.
    pub reachable: bool,
    /// The names of the failure classes or skip reasons of which one should be reported. Empty if nothing goes wrong.
    /// For a reachable peer it is what its requests come to.
    pub classes: &'static [&'static str],
}

/// What an observer should say of a peer in this state, once it knows the peer's announced addresses.
pub fn expected(state: State, carrier: TransportSet) -> Expected {
    const REFUSED: &[&str] = &[FailureClass::ConnectionRefused.name()];
    // A refusal of UDP is an ICMP message, which not every socket hears.
    const REFUSED_UDP: &[&str] = &[FailureClass::Timeout.name(), FailureClass::ConnectionRefused.name()];
    const UNREACHABLE: &[&str] = &[FailureClass::NetworkUnreachable.name()];
    const TIMEOUT: &[&str] = &[FailureClass::Timeout.name()];
    const RESET: &[&str] = &[FailureClass::ConnectionReset.name()];
    // QUIC has no reset of a connection.
    const RESET_OR_CLOSED: &[&str] =
        &[FailureClass::ConnectionReset.name(), FailureClass::ConnectionClosed.name()];
    const STREAM_RESET: &[&str] = &[FailureClass::StreamReset.name()];
    const MISMATCH: &[&str] = &[FailureClass::PeerIdMismatch.name()];
    const UNSUPPORTED: &[&str] = &[FailureClass::ProtocolNotSupported.name()];
    const MALFORMED: &[&str] = &[FailureClass::Malformed.name()];
    const TOO_LARGE: &[&str] = &[FailureClass::MessageTooLarge.name()];
    const PRIVATE: &[&str] = &[SkipReason::Private.name()];
    const SPECIAL: &[&str] = &[SkipReason::SpecialPurpose.name()];
    const RELAYED: &[&str] = &[SkipReason::Relayed.name()];
    let (reachable, classes): (bool, &'static [&'static str]) = match state {
        State::Online | State::Slow(_) | State::Inventing(_) | State::Crowded(_) | State::StaleAddress => {
            (true, &[])
        }
        State::Refusing | State::Departed if carrier == TransportSet::Quic => (false, REFUSED_UDP),
        State::Refusing | State::Departed => (false, REFUSED),
        State::Dropping
        | State::Firewalled
        | State::BehindNat(_)
        | State::Silent(Stage::Accept | Stage::Secure) => (false, TIMEOUT),
        State::Unroutable => (false, UNREACHABLE),
        // It has proved its identity: from then on nothing tells it from a slow peer.
        State::Silent(Stage::Multiplex | Stage::Stream | Stage::Request) => (true, TIMEOUT),
        State::Reset(Stage::Accept | Stage::Secure) => (false, RESET),
        State::Reset(Stage::Multiplex) => (true, RESET),
        State::Reset(Stage::Stream) if !carrier.speaks(Transport::Quic) => (true, RESET),
        State::Reset(Stage::Stream) => (true, RESET_OR_CLOSED),
        State::Reset(Stage::Request) => (true, STREAM_RESET),
        State::WrongPeerId => (false, MISMATCH),
        State::WrongProtocol => (true, UNSUPPORTED),
        State::Garbage(at) => (at > Stage::Secure, MALFORMED),
        State::Oversize => (true, TOO_LARGE),
        State::PrivateOnly => (false, PRIVATE),
        State::SpecialPurposeOnly => (false, SPECIAL),
        State::RelayedOnly => (false, RELAYED),
    };
    Expected { reachable, classes }
}

/// What an observer should say of a peer that has gone.
pub(super) fn absent(absence: Absence, carrier: TransportSet) -> Expected {
    const UNREACHABLE: &[&str] =
        &[FailureClass::HostUnreachable.name(), FailureClass::NetworkUnreachable.name()];
    const UNREACHABLE_UDP: &[&str] = &[
        FailureClass::HostUnreachable.name(),
        FailureClass::NetworkUnreachable.name(),
        FailureClass::Timeout.name(),
    ];
    match absence {
        Absence::Refused => expected(State::Departed, carrier),
        Absence::Dropped => expected(State::Dropping, carrier),
        Absence::Unreachable if !carrier.speaks(Transport::Quic) => {
            Expected { reachable: false, classes: UNREACHABLE }
        }
        Absence::Unreachable => Expected { reachable: false, classes: UNREACHABLE_UDP },
    }
}
