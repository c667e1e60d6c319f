//! One connection in both directions, over any transport and whoever opened it: our streams are the holder's, the
//! peer's are served on the way.
//!
//! What is done with events is in `events`, how requests are answered in `answers`, and how idle connections and the orders
//! of the registry end it in `watch`.

mod answers;
mod asking;
mod events;
mod inbound;
mod watch;

use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use kad::{
    Multiaddr,
    fabric::{CloseReason, Direction},
    failure::{Failure, FailureClass, Phase},
    network::{Event, RoundTrip, StreamId, Traffic},
};
use tokio::time::{Instant, timeout};

use self::{asking::Asking, inbound::Inbound, watch::Watch};
use crate::{
    carrier::Carrier, introduction::StreamPurpose, limits::ListenLimits, persona::Persona, registry::Ticket,
    session::Framing,
};

/// How long a goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// How many requests may wait on one connection before no more is read.
const MAX_WAITING: usize = 64;

/// How many requests of one connection are answered before those of others have their turn, on a thread that serves them all.
const MAX_A_TURN: usize = 128;

/// How much is worth a write of its own before all requests that are there are answered, in bytes.
const MIN_WRITE_BYTES: usize = 16 * 1024;

/// One connection and what is under way on it.
pub(crate) struct Duplex<C> {
    carrier: C,
    direction: Direction,
    /// A round trip as the handshake showed it, for a carrier that knows none.
    handshake: Option<RoundTrip>,
    persona: Arc<Persona>,
    /// The streams that the peer opened; the carrier bounds how many.
    streams: Vec<Inbound>,
    asking: Asking,
    /// On which we tell the peer what has changed.
    push: Option<StreamId>,
    /// When the last bytes came, if it is watched.
    active: Instant,
    /// Where the peer and we are, once a request wanted to know.
    places: Option<Box<(Multiaddr, Multiaddr)>>,
    /// What is idle is looked for where this is set.
    watch: Option<Watch>,
    /// Its place among the connections of a fabric; `None` for one that is counted elsewhere.
    ticket: Option<Ticket>,
    /// How many requests were answered since others had their turn.
    answered: usize,
    /// The service wants the connection reset once everything is sent.
    hanging_up: bool,
    /// Why it is over.
    over: Option<(CloseReason, Failure)>,
}

impl<C> fmt::Debug for Duplex<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Duplex").field("direction", &self.direction).finish_non_exhaustive()
    }
}

impl<C: Carrier> Duplex<C> {
    /// On a connection that we opened, with a round trip as its handshake showed it. Whoever holds it decides how long it
    /// may be idle.
    pub(crate) fn dialled(carrier: C, handshake: Option<RoundTrip>, persona: Arc<Persona>) -> Self {
        Self { handshake, ..Self::new(carrier, Direction::Outbound, persona) }
    }

    /// On a connection that a peer opened.
    pub(crate) fn accepted(carrier: C, persona: Arc<Persona>, limits: ListenLimits) -> Self {
        Self::new(carrier, Direction::Inbound, persona).watched(limits)
    }

    fn new(carrier: C, direction: Direction, persona: Arc<Persona>) -> Self {
        Self {
            carrier,
            direction,
            handshake: None,
            persona,
            streams: Vec::new(),
            asking: Asking::default(),
            push: None,
            active: Instant::now(),
            places: None,
            watch: None,
            ticket: None,
            answered: 0,
            hanging_up: false,
            over: None,
        }
    }

    /// The same, but what is idle on it ends.
    fn watched(mut self, limits: ListenLimits) -> Self {
        self.watch = Some(Watch::new(limits));
        self
    }

    /// On a connection that we opened: it gets its place among those of a fabric, and what is idle of the peer's ends.
    pub(crate) fn join(&mut self, ticket: Ticket, limits: ListenLimits) {
        // Our peer may have said something else while it dialled.
        self.carrier.serve(&self.persona.voice().protocols);
        self.watch = Some(Watch::new(limits));
        self.ticket = Some(ticket);
    }

    /// The same, with its place among the connections of a fabric.
    pub(crate) fn registered(mut self, ticket: Ticket) -> Self {
        self.ticket = Some(ticket);
        self
    }

    pub(crate) const fn carrier(&self) -> &C {
        &self.carrier
    }

    /// The connection, to be ended in some other way.
    pub(crate) fn into_carrier(self) -> C {
        self.carrier
    }

    /// Opens a stream and proposes a protocol on it.
    pub(crate) fn open(&mut self, protocol: &str, max_message_bytes: usize) -> StreamId {
        self.carrier.open(protocol, Framing::Prefixed(max_message_bytes))
    }

    /// Queues one message.
    pub(crate) fn send(&mut self, stream: StreamId, message: &[u8]) {
        self.carrier.send(stream, message);
    }

    /// Says that nothing more will be sent on a stream.
    pub(crate) fn finish(&mut self, stream: StreamId) {
        self.carrier.finish(stream);
    }

    /// Gives a stream up.
    pub(crate) fn reset(&mut self, stream: StreamId) {
        self.carrier.reset(stream);
    }

    /// The shortest round trip so far.
    pub(crate) fn round_trip(&self) -> Option<RoundTrip> {
        self.carrier.round_trip().or(self.handshake)
    }

    /// Bytes that went over the wire so far.
    pub(crate) fn traffic(&self) -> Traffic {
        self.carrier.traffic()
    }

    /// Sends what is queued, answers the peer, and waits for the next thing that happens on a stream of ours. An error
    /// is the end of the connection. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Event, Failure> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Answers the peer until the connection is over.
    pub(crate) async fn serve(&mut self) -> Failure {
        loop {
            if let Err(failure) = self.next().await {
                return failure;
            }
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, Failure>> {
        self.answered = 0;
        loop {
            if let Some(event) = self.take_event() {
                return Poll::Ready(Ok(event));
            }
            if let Some((_, failure)) = &self.over {
                let failure = failure.clone();
                self.note();
                return Poll::Ready(Err(failure));
            }
            self.poll_answers(cx);
            let has_turn = self.answered < MAX_A_TURN;
            if has_turn
                && self.waiting() <= MAX_WAITING
                && !self.carrier.is_congested()
                && let Poll::Ready(result) = self.carrier.poll_receive(cx)
            {
                match result {
                    Ok(()) => self.received(),
                    Err(failure) => {
                        // What was answered before, a refusal too, leaves if it can at once.
                        drop(self.carrier.poll_flush(cx));
                        self.fail(failure);
                    }
                }
                continue;
            }
            match self.poll_flush(has_turn, cx) {
                Poll::Ready(Err(failure)) => self.fail(failure),
                Poll::Ready(Ok(_)) if self.hanging_up => {
                    self.carrier.abort();
                    let failure = Failure::new(Phase::Request, FailureClass::Cancelled);
                    self.over = Some((CloseReason::HungUp, failure));
                }
                // Room was made for what was not read before.
                Poll::Ready(Ok(true)) if has_turn => {}
                Poll::Ready(Ok(_)) | Poll::Pending => {
                    if self.poll_watch(cx).is_pending() {
                        self.pass_on(cx);
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    /// Writes what is queued, unless that is little and more comes as soon as others have had their turn.
    fn poll_flush(&mut self, has_turn: bool, cx: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
        if has_turn || self.carrier.queued_bytes() >= MIN_WRITE_BYTES {
            self.carrier.poll_flush(cx)
        } else {
            Poll::Pending
        }
    }

    /// Comes back when others have had their turn, if this connection has had its own.
    fn pass_on(&self, cx: &Context<'_>) {
        if self.answered >= MAX_A_TURN {
            cx.waker().wake_by_ref();
        }
    }

    fn received(&mut self) {
        if self.watch.is_some() {
            self.active = Instant::now();
        }
    }

    fn fail(&mut self, failure: Failure) {
        let reason = match failure.class {
            FailureClass::ConnectionClosed => CloseReason::PeerHungUp,
            // Whoever leaves closes its endpoint, which may come before the order to this connection.
            FailureClass::Cancelled => CloseReason::Left,
            _ => CloseReason::Failed,
        };
        self.over = Some((reason, failure));
    }

    /// Whether the peer has heard who we are, if it has asked.
    fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // The question may have come with the last answer. What else waits nobody wants to hear any more.
        while self.take_event().is_some() {}
        while self.is_telling() {
            match self.poll_next(cx) {
                Poll::Pending if self.is_telling() => return Poll::Pending,
                Poll::Ready(Err(_)) | Poll::Pending => break,
                Poll::Ready(Ok(_)) => {}
            }
        }
        Poll::Ready(())
    }

    /// Whether the peer has asked who we are, and has not heard all of the answer.
    fn is_telling(&self) -> bool {
        self.streams.iter().any(|stream| stream.purpose == StreamPurpose::Identify)
    }

    /// Hangs up in good order. Bounded in time.
    pub(crate) async fn close(mut self) {
        if self.over.is_none() {
            timeout(CLOSE_TIMEOUT, poll_fn(|cx| self.poll_told(cx))).await.ok();
            self.carrier.say_goodbye();
            // There is nobody to tell of a goodbye that could not be said. The drop closes the socket.
            timeout(CLOSE_TIMEOUT, poll_fn(|cx| self.carrier.poll_flush(cx))).await.ok();
        }
        self.note();
    }
}

#[cfg(test)]
mod tests;
