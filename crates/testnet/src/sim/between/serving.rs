//! The streams that the other peer opened, and the answers under way on them.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll},
};

use kad::{
    answer::Answer,
    fabric::{Answering, Request},
    identify::{IDENTIFY_PROTOCOL, IDENTIFY_PUSH_PROTOCOL},
    network::StreamId,
};
use net::MAX_REQUEST_BYTES;
use tokio::time::Instant;

use super::Between;
use crate::{sim::line::Frame, world::PING_PROTOCOL};

/// How many streams the other one may have open.
const MAX_STREAMS: usize = 256;

/// What a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Identify,
    Ping,
    /// Agreed to, for a peer that says itself what it says: what peers of ours push is a frame of its own.
    Push,
    /// A protocol of kad, by its position among those that are said to be served.
    Kad(usize),
}

impl Purpose {
    /// Of a protocol that every peer serves.
    pub(super) fn of_every_peer(protocol: &str) -> Option<Self> {
        match protocol {
            IDENTIFY_PROTOCOL => Some(Self::Identify),
            PING_PROTOCOL => Some(Self::Ping),
            IDENTIFY_PUSH_PROTOCOL => Some(Self::Push),
            _ => None,
        }
    }
}

/// One stream.
pub(super) struct Inbound {
    pub(super) id: StreamId,
    purpose: Purpose,
    waiting: VecDeque<(Instant, Vec<u8>)>,
    answering: Option<Answering>,
    /// The other one sends no more.
    is_finished: bool,
    active: Instant,
}

impl Inbound {
    /// Whether nothing has come or gone since `then`, and nothing is under way.
    pub(super) fn is_idle(&self, then: Instant) -> bool {
        self.answering.is_none() && self.active <= then
    }

    fn is_done(&self) -> bool {
        self.is_finished && self.waiting.is_empty() && self.answering.is_none()
    }
}

impl Between {
    /// The other one opens a stream.
    pub(super) fn opened(&mut self, id: StreamId, protocol: &str) {
        if self.theirs.len() >= MAX_STREAMS {
            return self.queue.push_back(Frame::Reset(id));
        }
        let Some(purpose) = self.purpose(protocol) else { return self.queue.push_back(Frame::Refuse(id)) };
        self.queue.push_back(Frame::Agree(id));
        if purpose == Purpose::Identify {
            let message = self.ours.identify(&self.places.remote);
            self.say(id, message);
            return self.queue.push_back(Frame::Finish(id));
        }
        let (waiting, active) = (VecDeque::new(), self.active);
        self.theirs.push(Inbound { id, purpose, waiting, answering: None, is_finished: false, active });
    }

    /// The other one sends something on a stream of its own.
    pub(super) fn requested(&mut self, id: StreamId, message: Vec<u8>) {
        let Some(inbound) = self.theirs.iter_mut().find(|inbound| inbound.id == id) else { return };
        inbound.active = self.active;
        match inbound.purpose {
            Purpose::Ping => self.say(id, message),
            Purpose::Kad(_) if message.len() > MAX_REQUEST_BYTES => self.drop_stream(id, Frame::Reset(id)),
            Purpose::Kad(_) => {
                inbound.waiting.push_back((self.active, message));
                self.ask();
            }
            Purpose::Identify | Purpose::Push => {}
        }
    }

    /// Nothing more comes on a stream of the other one's.
    pub(super) fn no_more(&mut self, id: StreamId) {
        if let Some(inbound) = self.theirs.iter_mut().find(|inbound| inbound.id == id) {
            inbound.is_finished = true;
        }
        self.finish_if_done(id);
    }

    /// How many requests wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.theirs.iter().map(|inbound| inbound.waiting.len()).sum()
    }

    /// Goes on with all answers: those of a stream one after the other, those of different ones at once.
    pub(super) fn poll_answers(&mut self, cx: &mut Context<'_>) {
        let mut position = 0;
        while position < self.theirs.len() && !self.hanging_up {
            match self.poll_answer(position, cx) {
                Poll::Ready((stream, answer)) => self.apply(stream, answer),
                Poll::Pending => position += 1,
            }
        }
    }

    fn poll_answer(&mut self, position: usize, cx: &mut Context<'_>) -> Poll<(StreamId, Answer)> {
        let Some(inbound) = self.theirs.get_mut(position) else { return Poll::Pending };
        let Purpose::Kad(protocol) = inbound.purpose else { return Poll::Pending };
        if inbound.answering.is_none() {
            let Some((received, message)) = inbound.waiting.pop_front() else { return Poll::Pending };
            let (remote, local) = (self.places.remote.clone(), self.places.local.clone());
            let waited = received.elapsed();
            let request = Request { from: self.peer, remote, local, protocol, waited, message };
            inbound.answering = Some(Arc::clone(self.ours.service()).answer(request));
        }
        let Some(answering) = &mut inbound.answering else { return Poll::Pending };
        answering.as_mut().poll(cx).map(|answer| {
            inbound.answering = None;
            inbound.active = Instant::now();
            (inbound.id, answer)
        })
    }

    fn apply(&mut self, id: StreamId, answer: Answer) {
        match answer {
            Answer::Message(message) => self.say(id, message),
            Answer::Nothing => {}
            Answer::Close => self.drop_stream(id, Frame::Finish(id)),
            Answer::Reset => self.drop_stream(id, Frame::Reset(id)),
            Answer::HangUp => self.hanging_up = true,
        }
        self.finish_if_done(id);
    }

    fn drop_stream(&mut self, id: StreamId, last: Frame) {
        self.theirs.retain(|inbound| inbound.id != id);
        self.queue.push_back(last);
    }

    /// Finishes our half when the other one finished its own and has all answers.
    fn finish_if_done(&mut self, id: StreamId) {
        if self.theirs.iter().any(|inbound| inbound.id == id && inbound.is_done()) {
            self.drop_stream(id, Frame::Finish(id));
        }
    }
}
