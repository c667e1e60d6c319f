//! What an authenticated peer can send: agreements, frames and messages through the channel.
//!
//! The first byte says how the bytes are cut into messages of Noise (or records of TLS), the second one how these are cut on the wire; its
//! highest bit says that the agreement on yamux goes before.

use net::session::{Framing, Session};

use super::{
    MAX_MESSAGE_BYTES, PROTOCOLS, counterpart::Counterpart, feed, ours, tls_counterpart::TlsCounterpart,
};

/// How the two sides agree on yamux; either side says the same.
const AGREEMENT: &[u8] = b"\x13/multistream/1.0.0\n\x0d/yamux/1.0.0\n";

/// A peer that we dialled sends these bytes.
pub fn check_dialer(bytes: &[u8]) {
    let Ok(mut session) = Session::dialer(ours(), None, PROTOCOLS.clone()) else { return };
    let counterpart = Counterpart::of_dialer(&mut session);
    assert!(counterpart.is_some() && session.peer().is_some(), "the handshake failed");
    ask(&mut session);
    if let Some(mut counterpart) = counterpart {
        run(session, |plaintext| counterpart.seal(plaintext), bytes);
    }
}

/// A peer that we dialled with TLS sends these bytes.
pub fn check_tls_dialer(bytes: &[u8]) {
    let Ok(mut session) = Session::tls_dialer(ours(), None, PROTOCOLS.clone()) else { return };
    let counterpart = TlsCounterpart::of_dialer(&mut session);
    assert!(counterpart.is_some() && session.peer().is_some(), "the handshake failed");
    ask(&mut session);
    if let Some(mut counterpart) = counterpart {
        run(session, |plaintext| counterpart.seal(plaintext), bytes);
    }
}

fn ask(session: &mut Session) {
    for protocol in ["/ipfs/kad/1.0.0", "/ipfs/id/1.0.0"] {
        let stream = session.open(protocol, Framing::Prefixed(MAX_MESSAGE_BYTES));
        session.send(stream, b"request");
    }
}

/// A peer that dialled us sends these bytes.
pub fn check_listener(bytes: &[u8]) {
    let mut session = Session::listener(ours(), PROTOCOLS.clone());
    let counterpart = Counterpart::of_listener(&mut session);
    assert!(counterpart.is_some() && session.peer().is_some(), "the handshake failed");
    if let Some(mut counterpart) = counterpart {
        run(session, |plaintext| counterpart.seal(plaintext), bytes);
    }
}

fn run(mut session: Session, mut seal: impl FnMut(&[u8]) -> Option<Vec<u8>>, bytes: &[u8]) {
    let [first, second, bytes @ ..] = bytes else { return };
    if session.transmit(&mut Vec::new()).is_err() {
        return;
    }
    let mut plaintexts: Vec<&[u8]> = Vec::new();
    if second & 0x80 != 0 {
        plaintexts.push(AGREEMENT);
    }
    plaintexts.extend(bytes.chunks(usize::from(*first) * 16 + 1));
    let mut wire = Vec::new();
    for plaintext in plaintexts {
        wire.extend(seal(plaintext).into_iter().flatten());
    }
    let step = usize::from(second & 0x7f) * 32 + 1;
    feed(&mut session, &wire, step).ok();
    session.go_away();
    session.transmit(&mut Vec::new()).ok();
}
