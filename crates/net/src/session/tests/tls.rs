//! The same conversations in a channel of TLS.

use super::*;

fn tls_ends() -> (Session, Session) {
    let (dialer, listener) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let expected = Some(listener.peer_id());
    (
        Session::tls_dialer(&dialer, expected, protocols(&[], &[])).unwrap(),
        Session::listener(&listener, protocols(&[], &[KAD])),
    )
}

#[test]
fn a_conversation_is_the_same_as_over_noise() {
    let over_noise = conversation(&mut |bytes| bytes.len());
    assert_eq!(converse(tls_ends(), &mut |bytes| bytes.len()), over_noise);
    assert_eq!(converse(tls_ends(), &mut |_| 1), over_noise);
}

#[test]
fn both_ends_know_who_the_other_is() {
    let (dialer, listener) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let mut a = Session::tls_dialer(&dialer, None, protocols(&[], &[])).unwrap();
    let mut b = Session::listener_offering(&listener, protocols(&[], &[]), Securities::Tls);
    assert_eq!((a.security(), a.peer(), a.phase()), (None, None, Phase::Secure));
    exchange(&mut a, &mut b, &mut |bytes| bytes.len());
    assert_eq!((a.peer(), b.peer()), (Some(listener.peer_id()), Some(dialer.peer_id())));
    assert_eq!((a.security(), b.security()), (Some(Security::Tls), Some(Security::Tls)));
    assert_eq!((a.queued_bytes(), a.phase()), (0, Phase::Stream));
}

#[test]
fn another_identity_than_the_expected_one_is_named_and_is_not_told_who_we_are() {
    let (dialer, listener) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let mut a = Session::tls_dialer(&dialer, Some(PeerId::random()), protocols(&[], &[])).unwrap();
    let mut b = Session::listener(&listener, protocols(&[], &[]));
    deliver(&mut a, &mut b, &mut |bytes| bytes.len());
    let mut answer = Vec::new();
    b.transmit(&mut answer).unwrap();
    let peer = listener.peer_id().to_base58();
    let failure = Failure::with_detail(Phase::Secure, FailureClass::PeerIdMismatch, &peer);
    assert_eq!(a.receive(&mut answer), Err(failure));
    assert_eq!((a.peer(), b.peer()), (None, None));
}

#[test]
fn who_refuses_noise_may_be_dialled_with_tls() {
    let (dialer, listener) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let mut a = Session::dialer(&dialer, None, protocols(&[], &[])).unwrap();
    let mut b = Session::listener_offering(&listener, protocols(&[], &[]), Securities::Tls);
    assert!(!a.is_noise_unanswered());
    let mut bytes = Vec::new();
    a.transmit(&mut bytes).unwrap();
    // What follows the proposal is a message of Noise, which the listener cannot know.
    assert_eq!(b.receive(&mut bytes).unwrap_err().phase, Phase::Secure);
    let mut answer = Vec::new();
    b.transmit(&mut answer).unwrap();
    let refused = Failure::new(Phase::Secure, FailureClass::SecurityNotSupported);
    assert_eq!(a.receive(&mut answer.clone()), Err(refused.clone()));
    assert!(a.is_noise_unanswered());

    let mut a = Session::tls_dialer(&dialer, None, protocols(&[], &[])).unwrap();
    assert_eq!(a.receive(&mut answer), Err(refused));
    assert!(!a.is_noise_unanswered(), "there is nothing left to try");
}

#[test]
fn a_changed_byte_ends_the_channel() {
    let (mut dialer, mut listener) = tls_ends();
    exchange(&mut dialer, &mut listener, &mut |bytes| bytes.len());
    let mut wire = Vec::new();
    dialer.open(KAD, Framing::Prefixed(9));
    dialer.transmit(&mut wire).unwrap();
    wire[7] ^= 1;
    let failure = listener.receive(&mut wire).unwrap_err();
    assert_eq!((failure.phase, failure.class), (Phase::Stream, FailureClass::Malformed));
}

#[test]
fn a_forged_handshake_fails_as_one() {
    for position in [200, 300, 400] {
        let (mut dialer, mut listener) = tls_ends();
        deliver(&mut dialer, &mut listener, &mut |bytes| bytes.len());
        let mut answer = Vec::new();
        listener.transmit(&mut answer).unwrap();
        let at = answer.len() - position;
        answer[at] ^= 1;
        let failure = dialer.receive(&mut answer).unwrap_err();
        assert_eq!((failure.phase, failure.class), (Phase::Secure, FailureClass::HandshakeFailed));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bytes_after_the_agreement_on_tls_make_it_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
        record in 20_u8..25,
    ) {
        let (mut dialer, mut listener) = tls_ends();
        let mut answer = b"\x13/multistream/1.0.0\n\x0b/tls/1.0.0\n".to_vec();
        listener.receive(&mut answer.clone()).unwrap();
        dialer.receive(&mut answer).unwrap();
        if let [kind, major, minor, ..] = &mut bytes[..] {
            (*kind, *major, *minor) = (record, 3, 3);
        }
        drop(dialer.receive(&mut bytes.clone()));
        drop(listener.receive(&mut bytes));
    }

    #[test]
    fn pieces_of_any_size_mean_the_same_in_tls(sizes in proptest::collection::vec(1_usize..200, 1..50)) {
        let mut at = 0;
        let mut cut = |_: &[u8]| { at += 1; sizes[at % sizes.len()] };
        prop_assert_eq!(converse(tls_ends(), &mut cut), conversation(&mut |bytes| bytes.len()));
    }
}
