//! How the requests of a peer are answered on one connection.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use kad::{Multiaddr, answer::Answer, fabric::Request, network::StreamId};
use tokio::time::Instant;

use super::{Duplex, MAX_A_TURN, inbound::Inbound};
use crate::{carrier::Carrier, introduction::StreamPurpose};

/// How much may wait to be sent before no further request is answered, in bytes.
const MAX_UNSENT_BYTES: usize = 256 * 1024;

impl<C: Carrier> Duplex<C> {
    /// How many requests wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.streams.iter().map(Inbound::waiting).sum()
    }

    /// Where the peer and we are.
    pub(super) fn places(&mut self) -> (Multiaddr, Multiaddr) {
        let carrier = &self.carrier;
        let known = self.places.get_or_insert_with(|| Box::new((carrier.observed(), carrier.local())));
        (known.0.clone(), known.1.clone())
    }

    /// Goes on with all answers, as long as there is room for them and it is this connection's turn.
    pub(super) fn poll_answers(&mut self, cx: &mut Context<'_>) {
        if self.streams.is_empty() {
            return;
        }
        let (mut position, now) = (0, Instant::now());
        while position < self.streams.len() && self.answered < MAX_A_TURN {
            match self.poll_answer(position, now, cx) {
                Poll::Ready(Some((stream, answer))) => {
                    self.answered += 1;
                    self.apply(stream, answer);
                }
                Poll::Ready(None) => return,
                Poll::Pending => position += 1,
            }
        }
    }

    /// Goes on with the answers on one stream at `now`; `None` if there is no room for any.
    fn poll_answer(
        &mut self,
        position: usize,
        now: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Option<(StreamId, Answer)>> {
        let is_answering =
            |stream: &&Inbound| matches!(stream.purpose, StreamPurpose::Service(_)) && stream.is_under_way();
        let Some(from) = self.carrier.peer() else { return Poll::Pending };
        if !self.streams.get(position).as_ref().is_some_and(is_answering) {
            return Poll::Pending;
        }
        if self.carrier.queued_bytes() > MAX_UNSENT_BYTES || self.hanging_up {
            return Poll::Ready(None);
        }
        let (remote, local) = self.places();
        let (service, others) = (self.persona.service(), self.persona.others().len());
        let Some(inbound) = self.streams.get_mut(position) else { return Poll::Pending };
        let StreamPurpose::Service(number) = inbound.purpose else { return Poll::Pending };
        let protocol = number.saturating_sub(others);
        let answer = inbound.poll_answer(cx, |received, message| {
            let waited = now.saturating_duration_since(received);
            Arc::clone(service).answer(Request { from, remote, local, protocol, waited, message })
        });
        answer.map(|answer| {
            inbound.active = now;
            Some((inbound.id, answer))
        })
    }

    fn apply(&mut self, stream: StreamId, answer: Answer) {
        let carrier = &mut self.carrier;
        match answer {
            Answer::Message(message) => carrier.send(stream, &message),
            Answer::Nothing => {}
            Answer::Close => {
                carrier.finish(stream);
                self.streams.retain(|inbound| inbound.id != stream);
            }
            Answer::Reset => {
                carrier.reset(stream);
                self.streams.retain(|inbound| inbound.id != stream);
            }
            Answer::HangUp => {
                self.hanging_up = true;
                return;
            }
        }
        self.close_if_done(stream);
    }
}
