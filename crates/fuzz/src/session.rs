//! One connection's protocol, at four depths: bytes before anybody is authenticated ([`raw`]), bytes of a peer that is
//! ([`secured`]), and two sessions that talk to each other over a wire that cuts as it likes ([`pair`]).

pub mod pair;
pub mod raw;
pub mod secured;

mod counterpart;
mod tls_counterpart;

use std::sync::{Arc, LazyLock};

use kad::failure::Failure;
use net::{
    Identity,
    session::{Framing, MAX_EVENTS, Protocol, Session, SessionEvent},
};

/// The longest message of a peer, in bytes.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// What we may have queued without being asked to: a proposal or two and what one frame can make us say.
const MAX_QUEUED_BYTES: usize = net::session::MAX_CONTROL_BYTES + 128 * 1024;

static OURS: LazyLock<Option<Identity>> = LazyLock::new(|| Identity::generate().ok());

/// Who we are. Without randomness nothing can be checked.
fn ours() -> &'static Identity {
    OURS.as_ref().unwrap_or_else(|| unreachable!("the system has no randomness"))
}

/// The protocols that both sides speak.
static PROTOCOLS: LazyLock<Arc<[Protocol]>> = LazyLock::new(|| {
    let protocol = |name: &str, framing| Protocol { name: name.into(), framing };
    Arc::new([
        protocol("/ipfs/kad/1.0.0", Framing::Prefixed(MAX_MESSAGE_BYTES)),
        protocol("/ipfs/ping/1.0.0", Framing::Fixed(32)),
    ])
});

/// Hands bytes to a session in pieces of at most `step`, takes what happened and sends what is to be sent, as the
/// drivers do. Returns all that was sent.
fn feed(session: &mut Session, bytes: &[u8], step: usize) -> Result<Vec<u8>, Failure> {
    let mut sent = Vec::new();
    let mut came = 0;
    for piece in bytes.chunks(step.max(1)) {
        session.receive(&mut piece.to_vec())?;
        assert!(session.queued_bytes() <= MAX_QUEUED_BYTES, "{} bytes are queued", session.queued_bytes());
        let mut events = 0;
        while let Some(event) = session.poll_event() {
            events += 1;
            assert!(events <= MAX_EVENTS + 1);
            match event {
                SessionEvent::Message(stream, message) => {
                    assert!(message.len() <= MAX_MESSAGE_BYTES);
                    came += message.len();
                    assert!(came <= bytes.len(), "more came out than went in");
                    session.send(stream, &[7; 40]);
                }
                SessionEvent::Finished(stream) => session.finish(stream),
                SessionEvent::Opened(_, protocol) => assert!(protocol < PROTOCOLS.len()),
                SessionEvent::Accepted(_) | SessionEvent::Ended(..) => {}
            }
        }
        session.transmit(&mut sent)?;
    }
    Ok(sent)
}
