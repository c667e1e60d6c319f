//! The streams that a peer opened: their requests in order, and the answers under way.

use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

use kad::{answer::Answer, network::StreamId};
use tokio::time::Instant;

use crate::{introduction::Purpose, persona::Answering};

/// One stream that a peer opened.
pub(super) struct Inbound {
    pub(super) id: StreamId,
    pub(super) purpose: Purpose,
    /// Requests that wait for their turn, with the time at which they came.
    pub(super) waiting: VecDeque<(Instant, Vec<u8>)>,
    pub(super) answering: Option<Answering>,
    /// The peer sends no more.
    pub(super) finished: bool,
    /// When the last message came or went.
    pub(super) active: Instant,
}

impl Inbound {
    pub(super) const fn new(id: StreamId, purpose: Purpose, now: Instant) -> Self {
        Self { id, purpose, waiting: VecDeque::new(), answering: None, finished: false, active: now }
    }

    /// Whether nothing is under way or to come.
    pub(super) fn is_done(&self) -> bool {
        self.finished && self.waiting.is_empty() && self.answering.is_none()
    }

    /// Whether nothing has come or gone since `then`, and nothing is under way.
    pub(super) fn is_idle(&self, then: Instant) -> bool {
        self.answering.is_none() && self.active <= then
    }

    /// The next answer, if it is there; begins to answer the next request where none is under way.
    pub(super) fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        begin: impl FnOnce(Instant, Vec<u8>) -> Answering,
    ) -> Poll<Answer> {
        if self.answering.is_none() {
            let Some((received, message)) = self.waiting.pop_front() else { return Poll::Pending };
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
