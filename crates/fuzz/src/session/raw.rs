//! What an unauthenticated peer can send: the session refuses it or waits for more, and nobody is authenticated.

use kad::{PeerId, failure::Failure};
use net::session::{Framing, Session};

use super::{PROTOCOLS, feed, ours};

/// The first byte says how the rest is cut.
fn cut(bytes: &[u8]) -> (usize, &[u8]) {
    bytes.split_first().map_or((1, bytes), |(&first, rest)| (usize::from(first) + 1, rest))
}

/// A peer that we dialled sends these bytes.
pub fn check_dialer(bytes: &[u8]) {
    dial(Session::dialer(ours(), Some(PeerId::random()), PROTOCOLS.clone()), bytes);
}

/// A peer that we dialled with TLS sends these bytes.
pub fn check_tls_dialer(bytes: &[u8]) {
    dial(Session::tls_dialer(ours(), Some(PeerId::random()), PROTOCOLS.clone()), bytes);
}

fn dial(session: Result<Session, Failure>, bytes: &[u8]) {
    let Ok(mut session) = session else { return };
    let stream = session.open("/ipfs/kad/1.0.0", Framing::Prefixed(1000));
    session.send(stream, b"request");
    run(session, bytes);
}

/// A peer that dialled us sends these bytes.
pub fn check_listener(bytes: &[u8]) {
    run(Session::listener(ours(), PROTOCOLS.clone()), bytes);
}

fn run(mut session: Session, bytes: &[u8]) {
    let (step, bytes) = cut(bytes);
    if session.transmit(&mut Vec::new()).is_ok() {
        feed(&mut session, bytes, step).ok();
    }
    assert_eq!(session.peer(), None, "nobody proved who they are");
}
