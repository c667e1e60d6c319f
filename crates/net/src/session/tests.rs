//! Two sessions, or one and a hostile peer, without a socket.

mod tls;

use proptest::prelude::*;

use super::*;
use crate::{
    introduction::protocols,
    wire::put_varint,
    yamux::{ACK, FIN, Header, INITIAL_WINDOW_BYTES, Kind, RST, STREAM_RESOURCE_LIMIT, SYN},
};

const KAD: &str = "/ipfs/kad/1.0.0";

fn ends() -> (Session, Session) {
    let (dialer, listener) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let expected = Some(listener.peer_id());
    (
        Session::dialer(&dialer, expected, protocols(&[], &[])).unwrap(),
        Session::listener(&listener, protocols(&[], &[KAD])),
    )
}

/// Both ends after the handshake and the agreement on yamux.
fn connected() -> (Session, Session) {
    let (mut dialer, mut listener) = ends();
    exchange(&mut dialer, &mut listener, &mut |bytes| bytes.len());
    assert_eq!(dialer.phase(), Phase::Stream);
    (dialer, listener)
}

fn deliver(from: &mut Session, to: &mut Session, cut: &mut dyn FnMut(&[u8]) -> usize) -> bool {
    let mut bytes = Vec::new();
    from.transmit(&mut bytes).unwrap();
    let any = !bytes.is_empty();
    let mut rest = &mut bytes[..];
    while !rest.is_empty() {
        let (now, later) = rest.split_at_mut(cut(rest).clamp(1, rest.len()));
        to.receive(now).unwrap();
        rest = later;
    }
    any
}

/// Carries bytes in both directions, cut in pieces, until there are no more.
fn exchange(a: &mut Session, b: &mut Session, cut: &mut dyn FnMut(&[u8]) -> usize) {
    while deliver(a, b, cut) | deliver(b, a, cut) {}
}

/// What one end sees of `bytes` that the other end puts on the channel as they are.
fn hear(from: &mut Session, to: &mut Session, bytes: &[u8]) -> Result<(), Failure> {
    from.mux.out.extend_from_slice(bytes);
    let mut wire = Vec::new();
    from.transmit(&mut wire).unwrap();
    to.receive(&mut wire)
}

fn frame(kind: Kind, flags: u16, stream: u32, length: u32) -> Vec<u8> {
    let mut out = Vec::new();
    Header { kind, flags, stream, length }.write(&mut out);
    out
}

fn events(session: &mut Session) -> Vec<SessionEvent> {
    std::iter::from_fn(|| session.poll_event()).collect()
}

/// A conversation with all there is, cut in pieces; what both ends saw.
fn conversation(cut: &mut dyn FnMut(&[u8]) -> usize) -> (Vec<SessionEvent>, Vec<SessionEvent>) {
    converse(ends(), cut)
}

fn converse(
    (mut dialer, mut listener): (Session, Session),
    cut: &mut dyn FnMut(&[u8]) -> usize,
) -> (Vec<SessionEvent>, Vec<SessionEvent>) {
    let streams = [
        dialer.open("/ipfs/ping/1.0.0", Framing::Fixed(32)),
        dialer.open("/not/spoken", Framing::Prefixed(9)),
        dialer.open(KAD, Framing::Prefixed(100_000)),
        dialer.open(KAD, Framing::Prefixed(10)),
    ];
    dialer.send(streams[0], &[5; 32]);
    for i in 0..8_u8 {
        dialer.send(streams[2], &vec![i; 1 << i]);
    }
    dialer.finish(streams[2]);
    dialer.send(streams[3], b"this is too long");
    let (mut at_dialer, mut at_listener) = (Vec::new(), Vec::new());
    loop {
        exchange(&mut dialer, &mut listener, cut);
        let new = events(&mut listener);
        at_dialer.extend(events(&mut dialer));
        if new.is_empty() {
            return (at_dialer, at_listener);
        }
        for event in &new {
            match event {
                SessionEvent::Message(stream, message) => listener.send(*stream, message),
                SessionEvent::Finished(stream) => listener.finish(*stream),
                _ => {}
            }
        }
        at_listener.extend(new);
    }
}

#[test]
fn a_conversation_is_seen_by_both_ends() {
    let (at_dialer, at_listener) = conversation(&mut |bytes| bytes.len());
    let failed = |id, phase, class| SessionEvent::Ended(StreamId(id), Some(Failure::new(phase, class)));
    assert!(at_dialer.contains(&failed(3, Phase::Stream, FailureClass::ProtocolNotSupported)));
    assert!(at_dialer.contains(&failed(7, Phase::Request, FailureClass::MessageTooLarge)));
    assert!(at_dialer.contains(&SessionEvent::Message(StreamId(1), vec![5; 32])));
    let answers = at_dialer.iter().filter(|event| matches!(event, SessionEvent::Message(StreamId(5), _)));
    assert_eq!(answers.count(), 8);
    assert_eq!(at_dialer.iter().filter(|e| **e == SessionEvent::Ended(StreamId(5), None)).count(), 1);
    assert!(at_listener.contains(&SessionEvent::Finished(StreamId(5))));
}

#[test]
fn another_identity_than_the_expected_one_is_named() {
    let (dialer, listener) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let mut a = Session::dialer(&dialer, Some(PeerId::random()), protocols(&[], &[])).unwrap();
    let mut b = Session::listener(&listener, protocols(&[], &[]));
    deliver(&mut a, &mut b, &mut |bytes| bytes.len());
    let mut answer = Vec::new();
    b.transmit(&mut answer).unwrap();
    let peer = listener.peer_id().to_base58();
    let failure = Failure::with_detail(Phase::Secure, FailureClass::PeerIdMismatch, &peer);
    assert_eq!(a.receive(&mut answer), Err(failure));
}

#[test]
fn a_key_that_is_not_accepted_has_its_class_and_is_named() {
    use crate::{
        key::tests::{KEYS, encoded},
        noise::{Responder, StaticKey, encode_payload},
    };
    for (spki, kind, text) in KEYS {
        let (dialer, key) = (Identity::generate().unwrap(), StaticKey::from_bytes(&[7; 32]));
        let mut session = Session::dialer(&dialer, Some(PeerId::random()), protocols(&[], &[])).unwrap();
        let mut first = Vec::new();
        session.transmit(&mut first).unwrap();
        let at = first.len() - 32;
        let mut responder = Responder::new(&[], StaticKey::generate().unwrap());
        responder.read_first(&mut first[at..]).unwrap();
        let mut second = Vec::new();
        responder.write_second(&key, &encode_payload(&encoded(kind, spki), &[1; 64]), &mut second).unwrap();
        let mut answer = b"\x13/multistream/1.0.0\n\x07/noise\n".to_vec();
        answer.extend_from_slice(&u16::try_from(second.len()).unwrap().to_be_bytes());
        answer.extend_from_slice(&second);
        let failure = Failure::with_detail(Phase::Secure, FailureClass::KeyNotSupported, text);
        assert_eq!(session.receive(&mut answer), Err(failure));
    }
}

#[test]
fn what_speaks_another_protocol_is_known_by_its_first_bytes() {
    let agreed = b"\x13/multistream/1.0.0\n\x07/noise\n";
    let agreed_tls = b"\x13/multistream/1.0.0\n\x0b/tls/1.0.0\n";
    for (before, banner, text) in [
        (&b""[..], &b"SSH-2.0-OpenSSH_9.6\r\n"[..], "multistream: not a line of it: `SSH-2.0-OpenSSH_9.6`"),
        (b"", b"HTTP/1.1 400 Bad Request\r\n", "multistream: not a line of it: `HTTP/1.1 400 Bad Request`"),
        (agreed, b"HTTP/1.1 400 Bad Request\r\n", "noise: not a message of it: `HTTP/1.1 400 Bad Request`"),
        (agreed_tls, b"HTTP/1.1 400 Bad Request\r\n", "tls: not a message of it: `HTTP/1.1 400 Bad Request`"),
    ] {
        let dialer = Identity::generate().unwrap();
        let session = if before == agreed_tls { Session::tls_dialer } else { Session::dialer };
        let mut session = session(&dialer, None, protocols(&[], &[])).unwrap();
        let failure = Failure::with_detail(Phase::Secure, FailureClass::Malformed, text);
        assert_eq!(session.receive(&mut [before, banner].concat()), Err(failure));
    }
}

#[test]
fn a_stranger_cannot_make_us_hold_a_long_message() {
    let (_, mut listener) = ends();
    let mut hello = b"\x13/multistream/1.0.0\n\x07/noise\n\x20".to_vec();
    listener.receive(&mut hello).unwrap();
    let failure = listener.receive(&mut [0x01]).unwrap_err();
    assert_eq!((failure.phase, failure.class), (Phase::Secure, FailureClass::Malformed));
}

#[test]
fn a_changed_byte_ends_the_connection() {
    let (mut dialer, mut listener) = connected();
    let mut wire = Vec::new();
    dialer.open(KAD, Framing::Prefixed(9));
    dialer.transmit(&mut wire).unwrap();
    wire[7] ^= 1;
    let failure = listener.receive(&mut wire).unwrap_err();
    assert_eq!((failure.phase, failure.class), (Phase::Stream, FailureClass::Malformed));
}

#[test]
fn more_than_the_window_is_a_violation_even_in_many_frames() {
    let (mut dialer, mut listener) = connected();
    let mut bytes = frame(Kind::Data, SYN, 1, 0);
    // The stream has no protocol yet, so nothing is taken from it beyond one line.
    bytes.extend(frame(Kind::Data, 0, 1, INITIAL_WINDOW_BYTES + 1));
    let failure = hear(&mut dialer, &mut listener, &bytes).unwrap_err();
    assert_eq!(failure.class, FailureClass::ProtocolViolation);

    // Frames that each fit, but together exceed what was granted while none is complete, do not exist: a frame
    // follows another only once that one is complete, and then its bytes were taken and granted anew.
    let (mut dialer, mut listener) = connected();
    let stream = dialer.open(KAD, Framing::Prefixed(9));
    for _ in 0..40 {
        dialer.send(stream, &vec![1; 60_000]);
    }
    let mut cut = |bytes: &[u8]| bytes.len();
    exchange(&mut dialer, &mut listener, &mut cut);
    assert_eq!(events(&mut listener).len(), 41);
    assert_eq!(dialer.queued_bytes(), 0);
}

#[test]
fn floods_are_bounded() {
    for flood in [frame(Kind::Ping, SYN, 0, 7), frame(Kind::Data, SYN, 0, 0)] {
        let (mut dialer, mut listener) = connected();
        let mut bytes = Vec::new();
        for i in 0..2 * u32::try_from(MAX_CONTROL_BYTES).unwrap() / 12 {
            let mut one = flood.clone();
            if one[1] == 0 {
                one[4..8].copy_from_slice(&(2 * i + 1).to_be_bytes());
            }
            bytes.extend(one);
        }
        let failure = hear(&mut dialer, &mut listener, &bytes).unwrap_err();
        assert_eq!(failure.class, FailureClass::ProtocolViolation);
        assert!(listener.queued_bytes() <= MAX_CONTROL_BYTES + 12);
    }
}

#[test]
fn a_stream_too_many_is_refused_with_its_reason() {
    let (mut dialer, mut listener) = connected();
    for _ in 0..=MAX_INBOUND_STREAMS {
        dialer.open(KAD, Framing::Prefixed(9));
    }
    exchange(&mut dialer, &mut listener, &mut |bytes| bytes.len());
    let refused = Failure::new(Phase::Stream, FailureClass::ResourceLimit);
    let last = StreamId(2 * u32::try_from(MAX_INBOUND_STREAMS).unwrap() + 1);
    assert!(events(&mut dialer).contains(&SessionEvent::Ended(last, Some(refused))));
    assert_eq!(events(&mut listener).len(), MAX_INBOUND_STREAMS);
    assert_eq!(STREAM_RESOURCE_LIMIT, 0x1002);
}

#[test]
fn unfinished_messages_are_held_up_to_a_bound() {
    let (mut dialer, mut listener) = connected();
    let mut line = Vec::new();
    drop(Proposal::new(KAD, &mut line));
    put_varint(&mut line, 60_000);
    line.resize(line.len() + 50_000, 7);
    for i in 0..8 {
        let mut bytes = frame(Kind::Data, SYN, 2 * i + 1, u32::try_from(line.len()).unwrap());
        bytes.extend_from_slice(&line);
        hear(&mut dialer, &mut listener, &bytes).unwrap();
    }
    let ended = |event: &SessionEvent| matches!(event, SessionEvent::Ended(_, Some(failure)) if failure.class == FailureClass::ResourceLimit);
    assert_eq!(events(&mut listener).into_iter().filter(ended).count(), 3);
}

#[test]
fn frames_that_break_a_rule_end_the_connection() {
    for bytes in [
        frame(Kind::Data, SYN, 2, 0),
        frame(Kind::Data, SYN, 0, 0),
        [frame(Kind::Data, SYN, 1, 0), frame(Kind::Data, SYN, 1, 0)].concat(),
        frame(Kind::Data, 0, 9, INITIAL_WINDOW_BYTES + 1),
        [frame(Kind::Data, SYN, 1, 0), frame(Kind::WindowUpdate, 0, 1, u32::MAX)].concat(),
        vec![9; 12],
    ] {
        let (mut dialer, mut listener) = connected();
        let failure = hear(&mut dialer, &mut listener, &bytes).unwrap_err();
        assert_eq!(failure.class, FailureClass::ProtocolViolation, "{bytes:?}");
    }
}

#[test]
fn what_comes_for_a_stream_that_is_over_is_dropped() {
    let (mut dialer, mut listener) = connected();
    let bytes = [
        frame(Kind::Data, ACK, 99, 3),
        b"abc".to_vec(),
        frame(Kind::WindowUpdate, RST, 99, 0),
        frame(Kind::Data, FIN, 99, 0),
        frame(Kind::Data, SYN | RST, 1, 2),
        b"xy".to_vec(),
    ]
    .concat();
    hear(&mut dialer, &mut listener, &bytes).unwrap();
    let reset = Failure::new(Phase::Stream, FailureClass::StreamReset);
    assert_eq!(events(&mut listener), [SessionEvent::Ended(StreamId(1), Some(reset))]);
    assert_eq!(listener.queued_bytes(), 0);
}

#[test]
fn a_peer_that_has_no_room_is_told_from_one_that_left() {
    let (mut dialer, mut listener) = connected();
    assert_eq!(dialer.closed().class, FailureClass::ConnectionClosed);
    hear(&mut listener, &mut dialer, &frame(Kind::GoAway, 0, 0, 0x1001)).unwrap();
    assert_eq!(dialer.closed().class, FailureClass::ResourceLimit);
}

#[test]
fn an_idle_session_holds_no_buffers() {
    let (mut dialer, mut listener) = connected();
    let stream = dialer.open(KAD, Framing::Prefixed(9));
    dialer.send(stream, &vec![1; 60_000]);
    exchange(&mut dialer, &mut listener, &mut |_| 1000);
    events(&mut listener);
    for session in [&dialer, &listener] {
        let held = session.mux.out.capacity() + session.partial.capacity() + session.wire.capacity();
        assert_eq!(held, 0);
    }
}

/// A frame with plausible fields.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop_oneof![
        Just(Kind::Data),
        Just(Kind::Data),
        Just(Kind::WindowUpdate),
        Just(Kind::Ping),
        Just(Kind::GoAway)
    ];
    (kinds, 0_u16..16, 0_u32..6, 0_u32..40, proptest::collection::vec(any::<u8>(), 40)).prop_map(
        |(kind, flags, stream, length, body)| {
            let mut bytes = frame(kind, flags, stream, length);
            if kind == Kind::Data {
                bytes.extend_from_slice(&body[..length as usize]);
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pieces_of_any_size_mean_the_same(sizes in proptest::collection::vec(1_usize..200, 1..50)) {
        let mut at = 0;
        let mut cut = |_: &[u8]| { at += 1; sizes[at % sizes.len()] };
        prop_assert_eq!(conversation(&mut cut), conversation(&mut |bytes| bytes.len()));
    }

    #[test]
    fn no_bytes_make_a_handshake_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (mut dialer, mut listener) = ends();
        drop(dialer.receive(&mut bytes.clone()));
        drop(listener.receive(&mut bytes));
    }

    #[test]
    fn no_bytes_after_the_agreement_on_noise_make_it_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let (mut dialer, mut listener) = ends();
        let mut answer = b"\x13/multistream/1.0.0\n\x07/noise\n".to_vec();
        listener.receive(&mut answer.clone()).unwrap();
        dialer.receive(&mut answer).unwrap();
        drop(dialer.receive(&mut bytes.clone()));
        drop(listener.receive(&mut bytes));
    }

    #[test]
    fn no_frames_make_it_panic(frames in proptest::collection::vec(any_frame(), 0..40)) {
        let (mut dialer, mut listener) = connected();
        let stream = dialer.open(KAD, Framing::Prefixed(9));
        dialer.send(stream, b"x");
        for frame in frames {
            if hear(&mut dialer, &mut listener, &frame).is_err() { break; }
            if hear(&mut listener, &mut dialer, &frame).is_err() { break; }
        }
        events(&mut listener);
        events(&mut dialer);
    }
}
