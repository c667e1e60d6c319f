//! What serving a connection, or talking on one that we dialled, takes of its transport.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use kad::{
    Multiaddr, PeerId,
    failure::{Failure, Phase},
    network::{RoundTrip, StreamId, Traffic},
};

use crate::session::{Framing, Protocol, SessionEvent};

/// A secured and multiplexed connection. It does nothing by itself: its owner polls it.
pub(crate) trait Carrier {
    /// Who the other side has proved to be; `None` until then.
    fn peer(&self) -> Option<PeerId>;

    /// The phase that a failure of the connection falls into now.
    fn phase(&self) -> Phase;

    /// The address at which the other side is seen.
    fn observed(&self) -> Multiaddr;

    /// The address of ours at which the connection is; empty where it is not known.
    fn local(&self) -> Multiaddr;

    /// From now on the peer may open streams for these protocols.
    fn serve(&mut self, protocols: &Arc<[Protocol]>);

    /// The shortest round trip that the transport has seen; `None` if it says nothing of it.
    fn round_trip(&self) -> Option<RoundTrip> {
        None
    }

    /// Bytes that went over the wire so far.
    fn traffic(&self) -> Traffic;

    /// The next thing that happened.
    fn poll_event(&mut self) -> Option<SessionEvent>;

    /// Opens a stream and proposes a protocol on it.
    fn open(&mut self, protocol: &str, framing: Framing) -> StreamId;

    /// Queues one message. Ignored on a stream that is over.
    fn send(&mut self, stream: StreamId, message: &[u8]);

    /// Says that nothing more will be sent on a stream.
    fn finish(&mut self, stream: StreamId);

    /// Gives a stream up.
    fn reset(&mut self, stream: StreamId);

    /// Says that we hang up: with the next flush, or at once.
    fn say_goodbye(&mut self);

    /// Ends the connection at once: the peer sees that it was not in good order.
    fn abort(&mut self);

    /// How many bytes wait to be written, or for the peer's grant.
    fn queued_bytes(&self) -> usize;

    /// How many bytes are held for the other side in all: those that wait, and those of messages that are not whole.
    fn held_bytes(&self) -> usize {
        self.queued_bytes()
    }

    /// Whether so much waits that no more should be read: a peer that does not read gets no answers.
    fn is_congested(&self) -> bool;

    /// Takes what came; ready when anything did. An error is the end of the connection.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>>;

    /// Writes all that can be sent now; whether there was anything. An error is the end of the connection.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Failure>>;
}
