//! Looking for what is idle on a connection, and doing what the registry of connections asks for.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use kad::{
    fabric::{CloseReason, Direction},
    failure::{Failure, FailureClass, Phase},
};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::{Duplex, inbound::Inbound};
use crate::{
    carrier::Carrier,
    limits::ListenLimits,
    registry::{Order, Ticket},
};

/// When to look.
pub(super) struct Watch {
    limits: ListenLimits,
    alarm: Pin<Box<Sleep>>,
}

impl Watch {
    /// The first look is for a peer that has not proved who it is.
    pub(super) fn new(limits: ListenLimits) -> Self {
        Self { limits, alarm: Box::pin(sleep(limits.handshake)) }
    }
}

impl<C: Carrier> Duplex<C> {
    /// Ready when something had to be done about the connection.
    pub(super) fn poll_watch(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.note();
        let order = match &self.ticket {
            Some(ticket) => ticket.poll_order(cx),
            None => Poll::Pending,
        };
        match order {
            Poll::Ready(Order::Push) => self.push(),
            Poll::Ready(Order::Trim) => self.part(CloseReason::Trimmed, cx),
            Poll::Ready(Order::Unload) => self.part(CloseReason::Unloaded, cx),
            Poll::Ready(Order::Leave) => self.part(CloseReason::Left, cx),
            Poll::Pending => {
                let Some(watch) = &mut self.watch else { return Poll::Pending };
                ready!(watch.alarm.as_mut().poll(cx));
                let limits = watch.limits;
                self.look_for_idle(limits, cx);
            }
        }
        Poll::Ready(())
    }

    /// Tells the registry how much went over the connection, when, and how much it holds.
    pub(super) fn note(&mut self) {
        let waiting: usize = self.streams.iter().map(Inbound::waiting_bytes).sum();
        if let Some(ticket) = &mut self.ticket {
            ticket.note(self.carrier.traffic(), self.active, self.carrier.held_bytes() + waiting);
            if let Some((reason, failure)) = &self.over {
                ticket.end(*reason, failure);
            }
        }
    }

    /// Resets idle streams, and ends a connection that proves nothing or does nothing.
    fn look_for_idle(&mut self, limits: ListenLimits, cx: &mut Context<'_>) {
        let now = Instant::now();
        if self.carrier.peer().is_none() {
            return self.fail(Failure::new(Phase::Secure, FailureClass::Timeout));
        }
        if let Some(then) = now.checked_sub(limits.idle_stream) {
            self.asking.give_up(&mut self.carrier, then);
            for inbound in self.streams.extract_if(.., |inbound: &mut Inbound| inbound.is_idle(then)) {
                self.carrier.reset(inbound.id);
            }
        }
        let is_idle = now.saturating_duration_since(self.active) >= limits.idle_connection;
        let is_spared = self.ticket.as_ref().is_some_and(Ticket::is_protected);
        if is_idle && self.streams.is_empty() && self.direction == Direction::Inbound && !is_spared {
            self.part(CloseReason::Idle, cx);
        }
        if let Some(watch) = &mut self.watch {
            watch.alarm.set(sleep_until(now + limits.idle_stream));
        }
    }

    /// Hangs up for a reason of ours. What does not leave at once is lost.
    fn part(&mut self, reason: CloseReason, cx: &mut Context<'_>) {
        self.carrier.say_goodbye();
        drop(self.carrier.poll_flush(cx));
        self.over = Some((reason, Failure::new(self.carrier.phase(), FailureClass::Cancelled)));
    }
}
