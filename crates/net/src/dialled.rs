//! A connection that we opened, over any transport: our streams are the caller's, the peer's are served on the way.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use kad::{
    failure::Failure,
    network::{Connection, Endpoint, Event, RoundTrip, StreamId, Traffic},
};
use tokio::time::timeout;

use crate::{
    carrier::Carrier,
    introduction::{Introduction, Purpose},
    session::{Framing, SessionEvent},
};

/// How long a goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// A connection that we opened.
#[derive(Debug)]
pub(crate) struct Dialled<C> {
    pub(crate) endpoint: Endpoint,
    carrier: C,
    /// A round trip as the handshake showed it, for a carrier that knows none.
    handshake: Option<RoundTrip>,
    /// For peers that ask who we are.
    introduction: Arc<Introduction>,
    /// The streams on which the peer pings us; the carrier bounds how many it may open.
    pings: Vec<StreamId>,
    /// The streams on which the peer has asked who we are, and has not heard all of the answer.
    asking: Vec<StreamId>,
    failure: Option<Failure>,
}

impl<C: Carrier> Dialled<C> {
    pub(crate) const fn new(
        carrier: C,
        endpoint: Endpoint,
        handshake: Option<RoundTrip>,
        introduction: Arc<Introduction>,
    ) -> Self {
        Self {
            endpoint,
            carrier,
            handshake,
            introduction,
            pings: Vec::new(),
            asking: Vec::new(),
            failure: None,
        }
    }

    /// What a test looks into.
    #[cfg(test)]
    pub(crate) const fn carrier(&self) -> &C {
        &self.carrier
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, Failure>> {
        loop {
            if let Some(event) = self.take_event() {
                return Poll::Ready(Ok(event));
            }
            if let Some(failure) = &self.failure {
                return Poll::Ready(Err(failure.clone()));
            }
            if !self.carrier.is_congested()
                && let Poll::Ready(result) = self.carrier.poll_receive(cx)
            {
                self.failure = result.err();
                continue;
            }
            match self.carrier.poll_flush(cx) {
                Poll::Ready(Err(failure)) => self.failure = Some(failure),
                // Room was made for what was not read before.
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) | Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Whether the peer has heard who we are, if it has asked.
    fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // The question may have come with the last answer. What else waits nobody wants to hear any more.
        while self.take_event().is_some() {}
        while !self.asking.is_empty() {
            match self.poll_next(cx) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => break,
                Poll::Pending if self.asking.is_empty() => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// The next event of a stream of ours.
    fn take_event(&mut self) -> Option<Event> {
        while let Some(event) = self.carrier.poll_event() {
            match event {
                SessionEvent::Accepted(stream) => return Some(Event::Accepted(stream)),
                SessionEvent::Message(stream, message) if is_ours(stream) => {
                    return Some(Event::Message(stream, message));
                }
                SessionEvent::Ended(stream, end) if is_ours(stream) => {
                    return Some(Event::Ended(stream, end));
                }
                SessionEvent::Opened(stream, position) => self.opened(stream, Purpose::of(position)),
                SessionEvent::Message(stream, message) => {
                    if self.pings.contains(&stream) {
                        self.carrier.send(stream, &message);
                    }
                }
                SessionEvent::Finished(stream) => {
                    self.carrier.finish(stream);
                    self.asking.retain(|&asking| asking != stream);
                }
                SessionEvent::Ended(stream, _) => {
                    self.pings.retain(|&ping| ping != stream);
                    self.asking.retain(|&asking| asking != stream);
                }
            }
        }
        None
    }

    fn opened(&mut self, stream: StreamId, purpose: Purpose) {
        match purpose {
            Purpose::Identify => {
                let answer = self.introduction.to_observed(&self.carrier.observed());
                self.carrier.send(stream, &answer);
                self.carrier.finish(stream);
                self.asking.push(stream);
            }
            Purpose::Ping => self.pings.push(stream),
            // What a peer pushes is not asked for; a dialler does not speak kad as a server.
            Purpose::Push | Purpose::Kad(_) => {}
        }
    }
}

/// A dialler's streams have odd numbers.
const fn is_ours(stream: StreamId) -> bool {
    stream.0 % 2 == 1
}

impl<C: Carrier + Send> Connection for Dialled<C> {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn open(&mut self, protocol: &str, max_message_bytes: usize) -> StreamId {
        self.carrier.open(protocol, Framing::Prefixed(max_message_bytes))
    }

    fn send(&mut self, stream: StreamId, message: &[u8]) {
        self.carrier.send(stream, message);
    }

    fn finish(&mut self, stream: StreamId) {
        self.carrier.finish(stream);
    }

    fn reset(&mut self, stream: StreamId) {
        self.carrier.reset(stream);
    }

    async fn next(&mut self) -> Result<Event, Failure> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        self.carrier.round_trip().or(self.handshake)
    }

    fn traffic(&self) -> Traffic {
        self.carrier.traffic()
    }

    async fn close(mut self) {
        if self.failure.is_none() {
            timeout(CLOSE_TIMEOUT, poll_fn(|cx| self.poll_told(cx))).await.ok();
            self.carrier.say_goodbye();
            // There is nobody to tell of a goodbye that could not be said. The drop closes the socket.
            timeout(CLOSE_TIMEOUT, poll_fn(|cx| self.carrier.poll_flush(cx))).await.ok();
        }
    }
}
