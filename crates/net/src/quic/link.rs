//! A QUIC connection and the dialogues on its streams, for both roles: no task of its own, all is polled by its owner.

use std::{
    collections::VecDeque,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use kad::{
    Multiaddr,
    failure::{Failure, FailureClass, Phase},
    network::{RoundTrip, RttSource, StreamId, Traffic},
};
use libp2p_identity::PeerId;
use quinn::{Connection, ConnectionError, RecvStream, SendStream, VarInt};

use super::{
    fault::lost,
    stream::{NO_ERROR, Stream, StreamBroken},
    transport::INITIAL_RTT,
};
use crate::{
    carrier::Carrier,
    introduction::quic_multiaddr,
    session::{Framing, MAX_EVENTS, MAX_HELD_BYTES, Protocol, SessionEvent, dialogue::Dialogue},
};

/// Reading stops while so many events wait to be taken, well before [`MAX_EVENTS`].
const READ_AHEAD_EVENTS: usize = MAX_EVENTS / 16;

/// What may wait for room before no more is read, in bytes.
const MAX_BACKLOG_BYTES: usize = 256 * 1024;

/// The code with which a connection is ended at once: one that libp2p gives no meaning to.
const ABORTED: u32 = 0x4b;

type Opening = Pin<Box<dyn Future<Output = Result<(SendStream, RecvStream), ConnectionError>> + Send>>;

/// What a look at one stream found.
enum Read {
    Nothing,
    Some,
    /// The stream is gone.
    Over,
}

/// A connection and its streams.
pub(crate) struct QuicLink {
    connection: Connection,
    peer: PeerId,
    local: Option<SocketAddr>,
    protocols: Arc<[Protocol]>,
    streams: Vec<Stream>,
    events: VecDeque<SessionEvent>,
    next_outbound: u32,
    next_inbound: u32,
    any_agreed: bool,
    /// What comes on streams is not heard any more.
    deaf: bool,
    /// Why the connection is over; what came on its streams before is heard first.
    over: Option<ConnectionError>,
    /// The peer's next stream.
    accepting: Opening,
    /// The next stream of ours.
    opening: Option<Opening>,
}

impl std::fmt::Debug for QuicLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QuicLink").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl QuicLink {
    /// The streams of a connection to an authenticated peer. `protocols` are those that it may open streams for.
    pub(crate) fn new(connection: Connection, peer: PeerId, protocols: Arc<[Protocol]>) -> Self {
        Self {
            accepting: accept(&connection),
            connection,
            peer,
            local: None,
            protocols,
            streams: Vec::new(),
            events: VecDeque::new(),
            next_outbound: 1,
            next_inbound: 2,
            any_agreed: false,
            deaf: false,
            over: None,
            opening: None,
        }
    }

    /// The same for a connection that the peer opened, and that reached us there.
    pub(crate) fn accepted_at(mut self, local: SocketAddr) -> Self {
        // A dialler's streams have odd numbers.
        (self.next_outbound, self.next_inbound) = (2, 1);
        self.local = Some(local);
        self
    }

    /// From now on nothing that the peer sends on streams is heard: they stay without an answer.
    pub(crate) fn ignore_streams(&mut self) {
        self.deaf = true;
    }

    /// Hangs up with a code; the peer is told. What was not sent yet is lost.
    pub(crate) fn close_with(&self, code: u32) {
        self.connection.close(VarInt::from_u32(code), b"");
    }

    /// Waits for the end of the connection, without a look at its streams.
    pub(crate) async fn closed(&mut self) {
        self.connection.closed().await;
    }

    /// What a test looks into.
    #[cfg(test)]
    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Writes bytes on every stream, past all protocols.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        for stream in &mut self.streams {
            stream.dialogue.unsent.extend_from_slice(bytes);
        }
    }

    fn dialogue(&mut self, id: StreamId) -> Option<&mut Dialogue> {
        self.streams.iter_mut().map(|stream| &mut stream.dialogue).find(|dialogue| dialogue.id == id)
    }

    /// Takes the streams that the peer has opened; whether there were any. Quinn bounds how many can be open.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        while self.over.is_none() {
            match self.accepting.as_mut().poll(cx) {
                Poll::Pending => break,
                Poll::Ready(Err(error)) => self.over = Some(error),
                Poll::Ready(Ok(halves)) => {
                    any = true;
                    self.accepting = accept(&self.connection);
                    let dialogue = Dialogue::inbound(StreamId(self.next_inbound));
                    self.next_inbound = self.next_inbound.saturating_add(2);
                    self.streams.push(Stream { halves: Some(halves), dialogue });
                }
            }
        }
        any
    }

    /// Takes what came on one stream.
    fn read(&mut self, position: usize, cx: &mut Context<'_>) -> Read {
        let Some(stream) = self.streams.get_mut(position) else { return Read::Nothing };
        let heard = (!self.deaf).then_some(&mut self.events);
        let result = match stream.poll_read(cx, &self.protocols, heard) {
            Poll::Pending => return Read::Nothing,
            Poll::Ready(Err(StreamBroken::Connection(error))) => {
                self.over = Some(error);
                return Read::Nothing;
            }
            Poll::Ready(Err(StreamBroken::Stream(failure))) => Err(failure),
            Poll::Ready(Ok(())) => Ok(()),
        };
        self.any_agreed |= stream.dialogue.is_agreed();
        let id = stream.dialogue.id;
        if let Err(failure) = result.and_then(|()| self.check_held(position)) {
            if self.streams.get_mut(position).is_some_and(Stream::refuse) {
                return Read::Some;
            }
            self.reset(id);
            self.events.push_back(SessionEvent::Ended(id, Some(failure)));
            return Read::Over;
        }
        Read::Some
    }

    /// Lets go of room that an idle connection does not need.
    fn shrink(&mut self) {
        if self.streams.is_empty() && self.events.is_empty() {
            (self.streams, self.events) = (Vec::new(), VecDeque::new());
        }
    }

    /// Refuses a stream of the peer that makes us hold too much.
    fn check_held(&self, position: usize) -> Result<(), Failure> {
        let dialogues = || self.streams.iter().map(|stream| &stream.dialogue).filter(|d| d.inbound);
        let grows =
            self.streams.get(position).is_some_and(|s| s.dialogue.inbound && s.dialogue.held_bytes() > 0);
        if grows && dialogues().map(Dialogue::held_bytes).sum::<usize>() > MAX_HELD_BYTES {
            return Err(Failure::new(Phase::Request, FailureClass::ResourceLimit));
        }
        Ok(())
    }
}

impl Carrier for QuicLink {
    fn round_trip(&self) -> Option<RoundTrip> {
        let path = self.connection.stats().path;
        shortest(path.min_rtt, path.rtt).map(|time| RoundTrip { time, source: RttSource::Quic })
    }

    fn traffic(&self) -> Traffic {
        let stats = self.connection.stats();
        Traffic { sent_bytes: stats.udp_tx.bytes, received_bytes: stats.udp_rx.bytes }
    }

    fn open(&mut self, protocol: &str, framing: Framing) -> StreamId {
        let id = StreamId(self.next_outbound);
        self.next_outbound = self.next_outbound.saturating_add(2);
        self.streams.push(Stream { halves: None, dialogue: Dialogue::outbound(id, protocol, framing) });
        id
    }

    /// The endpoint tells the peer; nothing has to be waited for.
    fn say_goodbye(&mut self) {
        self.streams.clear();
        self.connection.close(NO_ERROR, b"");
    }

    fn peer(&self) -> Option<PeerId> {
        Some(self.peer)
    }

    fn phase(&self) -> Phase {
        if self.any_agreed { Phase::Request } else { Phase::Stream }
    }

    fn observed(&self) -> Multiaddr {
        quic_multiaddr(self.connection.remote_address())
    }

    fn local(&self) -> Multiaddr {
        self.local.map_or_else(Multiaddr::empty, quic_multiaddr)
    }

    fn serve(&mut self, protocols: &Arc<[Protocol]>) {
        self.protocols = Arc::clone(protocols);
    }

    fn abort(&mut self) {
        self.close_with(ABORTED);
    }

    fn poll_event(&mut self) -> Option<SessionEvent> {
        self.events.pop_front()
    }

    fn send(&mut self, stream: StreamId, message: &[u8]) {
        if let Some(dialogue) = self.dialogue(stream) {
            dialogue.send(message);
        }
    }

    fn finish(&mut self, stream: StreamId) {
        if let Some(dialogue) = self.dialogue(stream) {
            dialogue.finish();
        }
    }

    fn reset(&mut self, stream: StreamId) {
        if let Some(position) = self.streams.iter().position(|s| s.dialogue.id == stream) {
            self.streams.swap_remove(position).abort();
        }
    }

    fn is_congested(&self) -> bool {
        self.queued_bytes() > MAX_BACKLOG_BYTES
    }

    fn held_bytes(&self) -> usize {
        let dialogues = self.streams.iter().map(|stream| &stream.dialogue);
        dialogues.map(|dialogue| dialogue.unsent.len() + dialogue.held_bytes()).sum()
    }

    fn queued_bytes(&self) -> usize {
        self.streams.iter().map(|stream| stream.dialogue.unsent.len()).sum()
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let phase = self.phase();
        let mut any = self.poll_accept(cx);
        let mut position = 0;
        while position < self.streams.len() && self.events.len() < READ_AHEAD_EVENTS {
            match self.read(position, cx) {
                Read::Nothing => position += 1,
                Read::Some => {
                    any = true;
                    position += 1;
                }
                Read::Over => any = true,
            }
        }
        match &self.over {
            _ if any => Poll::Ready(Ok(())),
            Some(error) => Poll::Ready(Err(lost(phase, error))),
            None => Poll::Pending,
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
        let phase = self.phase();
        let (mut any, mut blocked) = (false, false);
        for stream in &mut self.streams {
            if stream.halves.is_none() {
                let opening = self.opening.get_or_insert_with(|| open(&self.connection));
                match opening.as_mut().poll(cx) {
                    // Until the peer grants one more stream; that it may never do must not hold up the others.
                    Poll::Pending => continue,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(lost(phase, &error))),
                    Poll::Ready(Ok(halves)) => {
                        stream.halves = Some(halves);
                        self.opening = None;
                    }
                }
            }
            match stream.poll_write(cx) {
                Poll::Pending => blocked = true,
                Poll::Ready(Ok(wrote)) => any |= wrote,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(lost(phase, &error))),
            }
        }
        self.streams.retain(|stream| !stream.dialogue.is_over());
        self.shrink();
        if blocked { Poll::Pending } else { Poll::Ready(Ok(any)) }
    }
}

/// The shortest round trip, by quinn's minimum and its smoothed value. The minimum begins with the guess that is made
/// before anything was measured, so where it says no less than that, the other one is nearer the truth. A zero is the
/// clock's: quinn looks at it once for all that it receives at a time.
fn shortest(min: Duration, smoothed: Duration) -> Option<Duration> {
    let measured = if min.is_zero() || min >= INITIAL_RTT { smoothed } else { min };
    (!measured.is_zero()).then_some(measured)
}

fn accept(connection: &Connection) -> Opening {
    let connection = connection.clone();
    Box::pin(async move { connection.accept_bi().await })
}

fn open(connection: &Connection) -> Opening {
    let connection = connection.clone();
    Box::pin(async move { connection.open_bi().await })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_counts_unless_it_was_not_measured() {
        let ms = Duration::from_millis;
        for (min, smoothed, shown) in [
            (ms(20), ms(35), Some(ms(20))),
            (INITIAL_RTT, ms(700), Some(ms(700))),
            (Duration::ZERO, ms(3), Some(ms(3))),
            (Duration::ZERO, Duration::ZERO, None),
        ] {
            assert_eq!(shortest(min, smoothed), shown);
        }
    }
}
