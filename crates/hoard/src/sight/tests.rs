//! The rules, row by row.

use kad::failure::Phase;

use super::*;

fn address(text: &str) -> Multiaddr {
    text.parse().expect("an address")
}

fn reached(text: &str, socket: &str) -> HolderDial {
    let at = ReachedAt {
        address: address(text),
        socket: socket.parse().expect("a socket"),
        transport: Transport::Tcp,
    };
    HolderDial { attempts: Vec::new(), connected: Some(at), failure: None, took: Duration::ZERO, times: 1 }
}

fn failed(class: FailureClass) -> HolderDial {
    let failure = Some(Failure::new(Phase::Connect, class));
    HolderDial { attempts: Vec::new(), connected: None, failure, took: Duration::ZERO, times: 1 }
}

const FIRST: &str = "/ip4/192.0.2.1/tcp/4001";

#[test]
fn where_a_holder_is_follows_from_its_dials() {
    use FailureClass::{Cancelled, ConnectionRefused, LocalResources, NoAddress, PeerIdMismatch, Timeout};
    let here = || Some(reached(FIRST, "192.0.2.1:4001"));
    let port = || Some(reached("/ip4/192.0.2.1/tcp/4002", "192.0.2.1:4002"));
    let moved = || Some(reached("/ip4/198.51.100.7/tcp/4001", "198.51.100.7:4001"));
    let name = || Some(reached("/dns4/example.org/tcp/4002", "192.0.2.1:4002"));
    let no = |class| Some(failed(class));
    // First dial, current dial, behind a relay, cut short; where it is.
    let rows = [
        (here(), None, false, false, Whereabouts::SameAddress),
        (here(), moved(), false, false, Whereabouts::SameAddress),
        (here(), no(Timeout), true, true, Whereabouts::SameAddress),
        (no(ConnectionRefused), port(), false, false, Whereabouts::NewPort),
        (no(Timeout), name(), false, false, Whereabouts::NewPort),
        (no(Timeout), moved(), false, false, Whereabouts::Moved),
        (no(PeerIdMismatch), moved(), false, false, Whereabouts::Moved),
        (no(Timeout), moved(), true, true, Whereabouts::Moved),
        (no(Timeout), None, true, false, Whereabouts::RelayedOnly),
        (no(PeerIdMismatch), None, true, false, Whereabouts::RelayedOnly),
        (no(NoAddress), None, true, false, Whereabouts::RelayedOnly),
        (no(PeerIdMismatch), None, false, false, Whereabouts::OtherId),
        (no(PeerIdMismatch), no(Timeout), false, false, Whereabouts::OtherId),
        (no(ConnectionRefused), no(PeerIdMismatch), false, false, Whereabouts::Gone),
        (no(ConnectionRefused), None, false, false, Whereabouts::Gone),
        (no(Timeout), no(Timeout), false, false, Whereabouts::Gone),
        (no(ConnectionRefused), None, false, true, Whereabouts::Undialled),
        (no(ConnectionRefused), no(Cancelled), false, false, Whereabouts::Undialled),
        (no(LocalResources), None, false, false, Whereabouts::Undialled),
        (no(NoAddress), None, false, false, Whereabouts::Undialled),
        (None, None, false, false, Whereabouts::Undialled),
    ];
    let first_addresses = [address(FIRST)];
    for (number, (first, current, is_relayed, is_cut_short, expected)) in rows.iter().enumerate() {
        let seen = WhereSeen {
            first_addresses: &first_addresses,
            first: first.as_ref(),
            current: current.as_ref(),
            is_relayed: *is_relayed,
            is_cut_short: *is_cut_short,
        };
        assert_eq!(whereabouts(seen), *expected, "row {number}");
    }
    let all: std::collections::BTreeSet<_> = rows.iter().map(|row| row.4.name()).collect();
    assert_eq!(all.len(), Whereabouts::ALL.len(), "every name has a row");
}

#[test]
fn stallers_resets_and_peers_without_the_protocol_are_never_the_same() {
    let answer = |phase, class| answer_of_failure(&Failure::new(phase, class));
    let rows = [
        (Phase::Request, FailureClass::Timeout, HolderAnswer::TimedOut),
        (Phase::Stream, FailureClass::Timeout, HolderAnswer::TimedOut),
        (Phase::Stream, FailureClass::ProtocolNotSupported, HolderAnswer::Refused),
        (Phase::Stream, FailureClass::StreamReset, HolderAnswer::Refused),
        (Phase::Stream, FailureClass::ResourceLimit, HolderAnswer::Refused),
        (Phase::Request, FailureClass::StreamReset, HolderAnswer::Reset),
        (Phase::Request, FailureClass::StreamClosed, HolderAnswer::Reset),
        (Phase::Stream, FailureClass::ConnectionReset, HolderAnswer::Reset),
        (Phase::Request, FailureClass::ConnectionClosed, HolderAnswer::Reset),
        (Phase::Request, FailureClass::Malformed, HolderAnswer::Malformed),
        (Phase::Request, FailureClass::MessageTooLarge, HolderAnswer::Malformed),
        (Phase::Request, FailureClass::Cancelled, HolderAnswer::Unasked),
        (Phase::Request, FailureClass::LocalResources, HolderAnswer::Unasked),
    ];
    for (phase, class, expected) in rows {
        assert_eq!(answer(phase, class), expected, "{class} in {phase}");
    }
    for class in FailureClass::ALL {
        let answer = answer(Phase::Request, *class);
        assert!(!answer.is_answer(), "{class}: no failure says that there is no record");
    }
}
