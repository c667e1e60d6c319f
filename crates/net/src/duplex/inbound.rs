//! The streams that a peer opened: their requests in order, and the answers under way.

use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

use kad::{
    answer::Answer,
    fabric::{Answering, Attending, Carried, Reset},
    network::StreamId,
};
use tokio::time::Instant;

use crate::introduction::StreamPurpose;

/// A stream that the service attends to.
pub(super) struct Attended {
    carried: Carried,
    attending: Attending,
    /// What it came to. What was said last may still have to be sent.
    over: Option<Result<(), Reset>>,
}

/// One stream that a peer opened.
pub(super) struct Inbound {
    pub(super) id: StreamId,
    pub(super) purpose: StreamPurpose,
    /// Requests that wait for their turn, with the time at which they came.
    waiting: VecDeque<(Instant, Vec<u8>)>,
    /// How long they are together.
    waiting_bytes: usize,
    pub(super) answering: Option<Answering>,
    /// What is done about it, where it is for a protocol beside kad.
    pub(super) attended: Option<Box<Attended>>,
    /// The peer sends no more.
    pub(super) finished: bool,
    /// When the last message came or went.
    pub(super) active: Instant,
}

impl Inbound {
    pub(super) const fn new(id: StreamId, purpose: StreamPurpose, now: Instant) -> Self {
        let waiting = VecDeque::new();
        Self {
            id,
            purpose,
            waiting,
            waiting_bytes: 0,
            answering: None,
            attended: None,
            finished: false,
            active: now,
        }
    }

    /// Takes a message that came at `now`.
    pub(super) fn take(&mut self, now: Instant, message: Vec<u8>) {
        if let Some(attended) = &self.attended {
            attended.carried.deliver(message);
        } else {
            self.waiting_bytes += message.len();
            self.waiting.push_back((now, message));
        }
    }

    /// The peer sends no more.
    pub(super) fn finish(&mut self) {
        self.finished = true;
        if let Some(attended) = &self.attended {
            attended.carried.finish();
        }
    }

    /// How many messages wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len() + self.attended.as_ref().map_or(0, |attended| attended.carried.waiting())
    }

    /// How many bytes of requests wait for their turn. What is said on streams beside kad is bounded to little.
    pub(super) const fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Whether something is to be done for it beside waiting for the peer.
    pub(super) fn is_under_way(&self) -> bool {
        self.answering.is_some() || !self.waiting.is_empty() || self.attended.is_some()
    }

    /// Whether nothing is under way or to come.
    pub(super) fn is_done(&self) -> bool {
        self.finished && !self.is_under_way()
    }

    /// Whether nothing has come or gone since `then`, and it is the peer's turn.
    pub(super) fn is_idle(&self, then: Instant) -> bool {
        let is_awaited = self.attended.as_ref().is_none_or(|attended| attended.carried.is_awaited());
        self.answering.is_none() && is_awaited && self.active <= then
    }

    /// The next answer, if it is there; begins to answer the next request where none is under way.
    pub(super) fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        begin: impl FnOnce(Instant, Vec<u8>) -> Answering,
    ) -> Poll<Answer> {
        if let Some(attended) = &mut self.attended {
            return attended.poll(cx);
        }
        if self.answering.is_none() {
            let Some((received, message)) = self.waiting.pop_front() else { return Poll::Pending };
            self.waiting_bytes -= message.len();
            self.answering = Some(begin(received, message));
        }
        let Some(answering) = &mut self.answering else { return Poll::Pending };
        let answer = answering.as_mut().poll(cx);
        if answer.is_ready() {
            self.answering = None;
        }
        answer
    }
}

impl Attended {
    pub(super) fn new(carried: Carried, attending: Attending) -> Self {
        Self { carried, attending, over: None }
    }

    /// What is said next; the end as an answer.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        if self.over.is_none()
            && let Poll::Ready(end) = self.attending.as_mut().poll(cx)
        {
            self.over = Some(end);
        }
        match (self.carried.take(), self.over) {
            (Some(message), _) => Poll::Ready(Answer::Message(message)),
            (None, Some(Ok(()))) => Poll::Ready(Answer::Close),
            (None, Some(Err(Reset))) => Poll::Ready(Answer::Reset),
            (None, None) => Poll::Pending,
        }
    }
}
