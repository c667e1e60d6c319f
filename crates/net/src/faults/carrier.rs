//! A connection that misbehaves, or that is far away.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use kad::{
    Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase},
    network::{StreamId, Traffic},
};
use tokio::time::{Sleep, sleep};

use super::{Action, Faults, GARBAGE};
use crate::{
    carrier::Carrier,
    introduction::StreamPurpose,
    session::{Framing, Protocol, SessionEvent},
};

/// A connection of a virtual peer.
pub(crate) struct Faulty<C> {
    inner: C,
    faults: Faults,
    /// What is sent waits for this, if the peer is far away.
    flight: Option<Pin<Box<Sleep>>>,
    any_sent: bool,
    /// The streams of requests, where these are disrupted.
    requests: Vec<StreamId>,
    /// The connection is over: what is left to say is not delayed.
    failed: bool,
    /// The connection is to be ended in this way once everything is sent.
    ending: Option<Action>,
    /// The connection is to be ended in this way.
    disrupted: Option<Action>,
}

impl<C: Carrier> Faulty<C> {
    /// `any_sent` says whether anything was sent on the connection before.
    pub(crate) const fn new(inner: C, faults: Faults, any_sent: bool) -> Self {
        Self {
            inner,
            faults,
            flight: None,
            any_sent,
            requests: Vec::new(),
            failed: false,
            ending: None,
            disrupted: None,
        }
    }

    /// The connection, and the way in which it is to be ended; `None` if it is over.
    pub(crate) fn into_parts(self) -> (C, Option<Action>) {
        (self.inner, self.disrupted)
    }

    /// What the owner of the connection sees of a disruption.
    fn disrupt(&mut self, action: Action) -> Failure {
        self.disrupted = Some(action);
        Failure::new(self.inner.phase(), FailureClass::ConnectionClosed)
    }

    /// Bytes came: disrupts where that is due before anything is sent.
    fn received(&mut self) -> Result<(), Failure> {
        let Some(disruption) = self.faults.disruption else { return Ok(()) };
        let phase = self.inner.phase();
        match disruption.phase {
            Phase::Secure => return Err(self.disrupt(disruption.action)),
            Phase::Multiplex if phase != Phase::Secure => return Err(self.disrupt(disruption.action)),
            Phase::Stream if !matches!(phase, Phase::Secure | Phase::Multiplex) => {
                self.ending = Some(disruption.action);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether what is queued may leave.
    fn poll_flight(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let pace = self.faults.pace;
        let delay = pace.flight + if self.any_sent { Duration::ZERO } else { pace.accept };
        if delay.is_zero() || self.failed || self.inner.queued_bytes() == 0 {
            return Poll::Ready(());
        }
        self.flight.get_or_insert_with(|| Box::pin(sleep(delay))).as_mut().poll(cx)
    }

    /// Does what is done instead of answering identify.
    fn identify(&mut self, stream: StreamId, action: Action) {
        match action {
            Action::Reset => self.inner.reset(stream),
            Action::Close => self.inner.finish(stream),
            Action::Silence => {}
            Action::Garbage => self.inner.send(stream, &GARBAGE),
        }
    }

    /// Does what is done instead of answering a request.
    fn request(&mut self, stream: StreamId, action: Action) {
        match action {
            Action::Silence => {}
            Action::Garbage => self.inner.send(stream, &GARBAGE),
            Action::Reset | Action::Close => self.ending = Some(action),
        }
    }

    /// The event, unless it was dealt with.
    fn filter(&mut self, event: SessionEvent) -> Option<SessionEvent> {
        let (at_identify, at_request) =
            (self.faults.action_in(&[Phase::Identify]), self.faults.action_in(&[Phase::Request]));
        match (&event, at_identify, at_request) {
            (SessionEvent::Opened(stream, position), Some(action), _)
                if StreamPurpose::of(*position) == StreamPurpose::Identify =>
            {
                self.identify(*stream, action);
                return None;
            }
            (SessionEvent::Opened(stream, position), _, Some(_))
                if matches!(StreamPurpose::of(*position), StreamPurpose::Service(_)) =>
            {
                self.requests.push(*stream);
            }
            (SessionEvent::Message(stream, _), _, Some(action)) if self.requests.contains(stream) => {
                self.request(*stream, action);
                return None;
            }
            (SessionEvent::Ended(stream, _), ..) => self.requests.retain(|request| request != stream),
            _ => {}
        }
        Some(event)
    }
}

impl<C: Carrier> Carrier for Faulty<C> {
    fn peer(&self) -> Option<PeerId> {
        self.inner.peer()
    }

    fn phase(&self) -> Phase {
        self.inner.phase()
    }

    fn observed(&self) -> Multiaddr {
        self.inner.observed()
    }

    fn local(&self) -> Multiaddr {
        self.inner.local()
    }

    fn serve(&mut self, protocols: &Arc<[Protocol]>) {
        self.inner.serve(protocols);
    }

    fn traffic(&self) -> Traffic {
        self.inner.traffic()
    }

    fn poll_event(&mut self) -> Option<SessionEvent> {
        while let Some(event) = self.inner.poll_event() {
            if let Some(event) = self.filter(event) {
                return Some(event);
            }
        }
        None
    }

    fn open(&mut self, protocol: &str, framing: Framing) -> StreamId {
        self.inner.open(protocol, framing)
    }

    fn send(&mut self, stream: StreamId, message: &[u8]) {
        self.inner.send(stream, message);
    }

    fn finish(&mut self, stream: StreamId) {
        self.inner.finish(stream);
    }

    fn reset(&mut self, stream: StreamId) {
        self.inner.reset(stream);
    }

    fn say_goodbye(&mut self) {
        self.inner.say_goodbye();
    }

    fn abort(&mut self) {
        self.inner.abort();
    }

    fn queued_bytes(&self) -> usize {
        self.inner.queued_bytes()
    }

    fn is_congested(&self) -> bool {
        self.inner.is_congested()
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let result = ready!(self.inner.poll_receive(cx));
        self.failed |= result.is_err();
        Poll::Ready(result.and_then(|()| self.received()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
        if self.disrupted.is_some() {
            // What is queued stays unsaid.
            return Poll::Ready(Ok(false));
        }
        ready!(self.poll_flight(cx));
        let sent = ready!(self.inner.poll_flush(cx))?;
        self.flight = None;
        self.any_sent |= sent;
        match self.ending {
            Some(action) => Poll::Ready(Err(self.disrupt(action))),
            None => Poll::Ready(Ok(sent)),
        }
    }
}
