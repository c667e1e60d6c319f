//! Serving the streams of one connection, over any transport.

use std::{
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use kad::{
    failure::{Failure, FailureClass, Phase},
    identify::Identify,
    network::StreamId,
};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::{Action, Answer, Head, Introduced, Limits, Request, Service, asking::Asking, requests::Inbound};
use crate::{carrier::Carrier, introduction::Purpose, session::SessionEvent};

/// How many requests may wait on one connection before no more is read.
const MAX_WAITING: usize = 64;

/// How much may wait to be sent before no further request is answered, in bytes.
const MAX_UNSENT_BYTES: usize = 256 * 1024;

/// What a disrupted head says instead of a protocol. It begins with no line of multistream-select and no field of
/// protobuf, but with a whole message of Noise that does not decrypt, so that nobody waits for more.
pub(super) const GARBAGE: [u8; 64] = {
    let mut garbage = [0xff; 64];
    [garbage[0], garbage[1]] = [0, 32];
    garbage
};

/// How the service of a connection ended, unless the peer just left.
#[derive(Debug)]
pub(super) enum End {
    Failed(Failure),
    Disrupted(Action),
}

/// One connection and what is under way on it.
pub(super) struct Serving<'h, S, C> {
    carrier: C,
    head: &'h Head<S>,
    local: SocketAddr,
    remote: SocketAddr,
    limits: Limits,
    streams: Vec<Inbound<'h>>,
    asking: Asking,
    /// When the last bytes came.
    active: Instant,
    /// The next look at what is idle.
    alarm: Pin<Box<Sleep>>,
    /// What is sent waits for this, if the head is far away.
    flight: Option<Pin<Box<Sleep>>>,
    any_sent: bool,
    /// The head ends the connection in this way once everything is sent.
    ending: Option<Action>,
}

impl<'h, S: Service, C: Carrier> Serving<'h, S, C> {
    /// `sent` says whether anything was sent on the connection before.
    pub(super) fn new(
        carrier: C,
        head: &'h Head<S>,
        (local, remote): (SocketAddr, SocketAddr),
        limits: Limits,
        sent: bool,
    ) -> Self {
        Self {
            carrier,
            head,
            local,
            remote,
            limits,
            streams: Vec::new(),
            asking: Asking::default(),
            active: Instant::now(),
            alarm: Box::pin(sleep(limits.handshake)),
            flight: None,
            any_sent: sent,
            ending: None,
        }
    }

    /// The connection, to be ended in the way of a disrupted head.
    pub(super) fn into_carrier(self) -> C {
        self.carrier
    }

    /// Ready when the connection is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        match self.try_poll(cx) {
            Ok(()) => Poll::Pending,
            Err(end) => Poll::Ready(end),
        }
    }

    /// Does all that can be done now.
    fn try_poll(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        loop {
            self.take_events();
            self.poll_answers(cx);
            if self.waiting() <= MAX_WAITING
                && !self.carrier.is_congested()
                && let Poll::Ready(result) = self.carrier.poll_receive(cx)
            {
                if let Err(failure) = result {
                    // What was answered before, a refusal too, leaves if it can at once.
                    return match self.carrier.poll_flush(cx) {
                        Poll::Ready(_) | Poll::Pending => Err(End::Failed(failure)),
                    };
                }
                self.received()?;
                continue;
            }
            let sent = self.poll_send(cx)?;
            if sent && self.waiting() > 0 && self.ending.is_none() {
                continue;
            }
            if self.alarm.as_mut().poll(cx).is_pending() {
                return Ok(());
            }
            self.look_for_idle()?;
        }
    }

    fn waiting(&self) -> usize {
        self.streams.iter().map(|stream| stream.waiting.len()).sum()
    }

    /// Bytes came: disrupts where that is due before anything is sent.
    fn received(&mut self) -> Result<(), End> {
        self.active = Instant::now();
        let Some(disruption) = self.head.disruption else { return Ok(()) };
        let phase = self.carrier.phase();
        match disruption.phase {
            Phase::Secure => return Err(End::Disrupted(disruption.action)),
            Phase::Multiplex if phase != Phase::Secure => return Err(End::Disrupted(disruption.action)),
            Phase::Stream if !matches!(phase, Phase::Secure | Phase::Multiplex) => {
                self.ending = Some(disruption.action);
            }
            _ => {}
        }
        Ok(())
    }

    /// Sends all that is pending, in its time; whether anything was sent.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let delay =
            self.head.pace.flight + if self.any_sent { Duration::ZERO } else { self.head.pace.accept };
        if !delay.is_zero() {
            if self.carrier.queued_bytes() == 0 {
                return Ok(false);
            }
            let flight = self.flight.get_or_insert_with(|| Box::pin(sleep(delay)));
            if flight.as_mut().poll(cx).is_pending() {
                return Ok(false);
            }
        }
        match self.carrier.poll_flush(cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(failure)) => Err(End::Failed(failure)),
            Poll::Ready(Ok(sent)) => {
                self.flight = None;
                self.any_sent |= sent;
                self.ending.map_or(Ok(sent), |action| Err(End::Disrupted(action)))
            }
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.carrier.poll_event() {
            match event {
                SessionEvent::Opened(stream, position) => self.opened(stream, Purpose::of(position)),
                SessionEvent::Message(stream, message) if self.asking.is_on(stream) => {
                    self.asking.hear(&mut self.carrier, &message, self.active);
                }
                SessionEvent::Message(stream, message) => self.message(stream, message),
                SessionEvent::Finished(stream) => {
                    if let Some(inbound) = self.streams.iter_mut().find(|inbound| inbound.id == stream) {
                        inbound.finished = true;
                    }
                    self.close_if_done(stream);
                }
                SessionEvent::Ended(stream, end) if self.asking.is_on(stream) => {
                    let said = self.asking.end(end.is_none());
                    self.introduce(said);
                }
                SessionEvent::Ended(stream, _) => self.streams.retain(|inbound| inbound.id != stream),
                SessionEvent::Accepted(_) => {}
            }
        }
    }

    fn opened(&mut self, stream: StreamId, purpose: Purpose) {
        let carrier = &mut self.carrier;
        if purpose != Purpose::Identify {
            self.streams.push(Inbound::new(stream, purpose, self.active));
            return;
        }
        let disruption = self.head.disruption.filter(|disruption| disruption.phase == Phase::Identify);
        match disruption.map(|disruption| disruption.action) {
            Some(Action::Reset) => carrier.reset(stream),
            Some(Action::Close) => carrier.finish(stream),
            Some(Action::Silence) => {}
            Some(Action::Garbage) => carrier.send(stream, &GARBAGE),
            None => {
                let answer = self.head.introduction.to_observed(&carrier.observed());
                carrier.send(stream, &answer);
                carrier.finish(stream);
            }
        }
    }

    fn message(&mut self, stream: StreamId, message: Vec<u8>) {
        let Some(inbound) = self.streams.iter_mut().find(|inbound| inbound.id == stream) else { return };
        inbound.active = self.active;
        match inbound.purpose {
            Purpose::Ping => self.carrier.send(stream, &message),
            Purpose::Push if self.asking.is_interested() => self.introduce(Identify::decode(&message).ok()),
            Purpose::Identify | Purpose::Push => {}
            Purpose::Kad(_) => match self.head.disruption.filter(|d| d.phase == Phase::Request) {
                None => {
                    inbound.waiting.push_back((self.active, message));
                    self.ask();
                }
                Some(disruption) => match disruption.action {
                    Action::Silence => {}
                    Action::Garbage => self.carrier.send(stream, &GARBAGE),
                    action => self.ending = Some(action),
                },
            },
        }
    }

    /// Asks the peer who it is, if that is due.
    fn ask(&mut self) {
        let (head, from) = (self.head, self.carrier.peer());
        let wants = || from.is_some_and(|from| head.service.asks(from));
        self.asking.begin(&mut self.carrier, self.active, wants);
    }

    /// Tells the service who the peer says it is.
    fn introduce(&self, said: Option<Identify>) {
        if let (Some(peer), Some(identify)) = (self.carrier.peer(), said) {
            let (remote, local) = (self.remote, self.local);
            self.head.service.met(Introduced { peer, remote, local, identify });
        }
    }

    /// Goes on with all answers, as long as there is room for them.
    fn poll_answers(&mut self, cx: &mut Context<'_>) {
        let mut position = 0;
        while let Some(inbound) = self.streams.get_mut(position) {
            let (head, id) = (self.head, inbound.id);
            let (from, purpose) = (self.carrier.peer(), inbound.purpose);
            let (local, remote) = (self.local, self.remote);
            let (Some(from), Purpose::Kad(protocol)) = (from, purpose) else {
                position += 1;
                continue;
            };
            if self.carrier.queued_bytes() > MAX_UNSENT_BYTES || self.ending.is_some() {
                return;
            }
            let answer = inbound.poll_answer(cx, |received, message| {
                Box::pin(head.service.answer(Request { from, remote, local, protocol, received, message }))
            });
            let Poll::Ready(answer) = answer else {
                position += 1;
                continue;
            };
            inbound.active = Instant::now();
            self.apply(id, answer);
        }
    }

    fn apply(&mut self, stream: StreamId, answer: Answer) {
        let carrier = &mut self.carrier;
        match answer {
            Answer::Reply(message) => carrier.send(stream, &message),
            Answer::Nothing => {}
            Answer::CloseStream => {
                carrier.finish(stream);
                self.streams.retain(|inbound| inbound.id != stream);
            }
            Answer::ResetStream => {
                carrier.reset(stream);
                self.streams.retain(|inbound| inbound.id != stream);
            }
            Answer::ResetConnection => {
                self.ending = Some(Action::Reset);
                return;
            }
        }
        self.close_if_done(stream);
    }

    /// Closes our half when the peer closed its own and has all answers.
    fn close_if_done(&mut self, stream: StreamId) {
        let done = |inbound: &Inbound<'_>| inbound.id == stream && inbound.is_done();
        match self.streams.iter().position(done) {
            Some(position) => drop(self.streams.swap_remove(position)),
            None if self.streams.iter().any(|inbound| inbound.id == stream) => return,
            None => {}
        }
        self.carrier.finish(stream);
    }

    /// Resets idle streams, and ends a connection that proves nothing or does nothing.
    fn look_for_idle(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if self.carrier.peer().is_none() {
            return Err(End::Failed(Failure::new(Phase::Secure, FailureClass::Timeout)));
        }
        let since = |then: Instant| now.saturating_duration_since(then);
        let idle = |inbound: &mut Inbound<'h>| {
            inbound.answering.is_none() && since(inbound.active) >= self.limits.idle_stream
        };
        if let Some(then) = now.checked_sub(self.limits.idle_stream) {
            self.asking.give_up(&mut self.carrier, then);
        }
        for inbound in self.streams.extract_if(.., idle) {
            self.carrier.reset(inbound.id);
        }
        if self.streams.is_empty() && since(self.active) >= self.limits.idle_connection {
            self.ending = Some(Action::Close);
        }
        self.alarm.set(sleep_until(now + self.limits.idle_stream));
        Ok(())
    }
}
