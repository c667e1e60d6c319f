//! A conversation between two peers of ours: our streams are the holder's, those of the other one are served on the way.
//!
//! What comes is dealt with in `coming`, requests are answered in `serving`.

mod coming;
mod serving;

use std::{
    collections::{HashMap, VecDeque},
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use kad::{
    fabric::{CloseReason, Direction},
    failure::{Failure, FailureClass, Phase},
    identify::Identify,
    network::{Event, StreamId, Traffic},
};
use libp2p_identity::PeerId;
use multiaddr::Multiaddr;
use net::ListenLimits;
use tokio::time::{Instant, Sleep, sleep_until};

use self::serving::Inbound;
use super::{
    line::{End, Frame},
    ours::Ours,
};
use crate::sim::connection::{FRAME_BYTES, HANDSHAKE_BYTES};

/// How many requests may wait on one connection before no more is read.
const MAX_WAITING: usize = 64;

/// Where the two ends of a connection are, as one of them sees it.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) remote: Multiaddr,
    pub(super) local: Multiaddr,
}

/// How far we have come in asking the other one who it is.
#[derive(Debug, Default)]
enum Asking {
    /// It has asked nothing yet.
    #[default]
    NotYet,
    /// The service does not want to know.
    Never,
    /// It was asked on this stream, and has said this.
    UnderWay(StreamId, Box<Identify>),
    /// It has answered, or will not.
    Over,
}

/// One end of a connection between two peers of ours.
pub(super) struct Between {
    end: Arc<End>,
    ours: Arc<Ours>,
    peer: PeerId,
    direction: Direction,
    places: Places,
    limits: ListenLimits,
    next_stream: u32,
    queue: VecDeque<Frame>,
    /// The streams of the holder, with the longest message that is taken on each.
    own: HashMap<StreamId, usize>,
    theirs: Vec<Inbound>,
    asking: Asking,
    /// When something came last.
    active: Instant,
    alarm: Pin<Box<Sleep>>,
    /// When idle streams are looked for.
    look: Instant,
    traffic: Traffic,
    hanging_up: bool,
    over: Option<(CloseReason, Failure)>,
}

impl Between {
    /// Our end of a connection with a peer.
    pub(super) fn new(
        (ours, end): (&Arc<Ours>, Arc<End>),
        direction: Direction,
        peer: PeerId,
        places: Places,
    ) -> Self {
        let (now, limits) = (Instant::now(), ListenLimits::default());
        let look = now + limits.idle_stream;
        Self {
            end,
            ours: Arc::clone(ours),
            peer,
            direction,
            places,
            limits,
            // As in yamux, so that the numbers of the two sides differ.
            next_stream: if direction == Direction::Outbound { 1 } else { 2 },
            queue: VecDeque::new(),
            own: HashMap::new(),
            theirs: Vec::new(),
            asking: Asking::default(),
            active: now,
            alarm: Box::pin(sleep_until(look)),
            look,
            traffic: Traffic { sent_bytes: HANDSHAKE_BYTES, received_bytes: HANDSHAKE_BYTES },
            hanging_up: false,
            over: None,
        }
    }

    pub(super) const fn traffic(&self) -> Traffic {
        self.traffic
    }

    pub(super) fn open(&mut self, protocol: &str, max_message_bytes: usize) -> StreamId {
        let id = StreamId(self.next_stream);
        self.next_stream = self.next_stream.saturating_add(2);
        self.own.insert(id, max_message_bytes);
        self.traffic.sent_bytes += FRAME_BYTES + protocol.len() as u64;
        self.queue.push_back(Frame::Open(id, protocol.into()));
        id
    }

    pub(super) fn send(&mut self, stream: StreamId, message: &[u8]) {
        if self.own.contains_key(&stream) {
            self.say(stream, message.to_vec());
        }
    }

    pub(super) fn finish(&mut self, stream: StreamId) {
        if self.own.contains_key(&stream) {
            self.queue.push_back(Frame::Finish(stream));
        }
    }

    pub(super) fn reset(&mut self, stream: StreamId) {
        if self.own.remove(&stream).is_some() {
            self.queue.push_back(Frame::Reset(stream));
        }
    }

    /// Sends what is queued, answers the peer, and waits for the next thing that happens on a stream of the holder's. An
    /// error is the end of the connection.
    pub(super) async fn next(&mut self) -> Result<Event, (CloseReason, Failure)> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, (CloseReason, Failure)>> {
        loop {
            if let Some(over) = &self.over {
                return Poll::Ready(Err(over.clone()));
            }
            self.poll_answers(cx);
            let all_sent = self.end.poll_send(&mut self.queue, cx).is_ready();
            if self.hanging_up && all_sent {
                self.part(CloseReason::HungUp, true);
                continue;
            }
            let now = Instant::now();
            let is_reading = self.waiting() <= MAX_WAITING;
            match if is_reading { self.end.take(now, cx) } else { Err(None) } {
                Ok(frame) => {
                    self.active = now;
                    if let Some(event) = self.came(frame) {
                        return Poll::Ready(Ok(event));
                    }
                }
                Err(due) => {
                    let until = due.map_or(self.look, |due| due.min(self.look));
                    if self.alarm.deadline() != until {
                        self.alarm.as_mut().reset(until);
                    }
                    if self.alarm.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    self.look_for_idle(Instant::now());
                }
            }
        }
    }

    /// Hangs up in good order.
    pub(super) fn close(&mut self) {
        if self.over.is_none() {
            // Who hangs up says first what is still to be said.
            self.end.send(&mut self.queue);
            self.end.hang_up(false);
        }
    }

    /// Hangs up for a reason of ours.
    fn part(&mut self, reason: CloseReason, resets: bool) {
        self.end.hang_up(resets);
        self.over = Some((reason, Failure::new(Phase::Request, FailureClass::Cancelled)));
    }

    /// Resets idle streams, and ends a connection that does nothing.
    fn look_for_idle(&mut self, now: Instant) {
        if now < self.look {
            return;
        }
        self.look = now + self.limits.idle_stream;
        if let Some(then) = now.checked_sub(self.limits.idle_stream) {
            for inbound in self.theirs.extract_if(.., |inbound| inbound.is_idle(then)) {
                self.queue.push_back(Frame::Reset(inbound.id));
            }
        }
        let is_idle = now.saturating_duration_since(self.active) >= self.limits.idle_connection;
        if is_idle
            && self.theirs.is_empty()
            && self.direction == Direction::Inbound
            && !self.ours.is_protected(&self.peer)
        {
            self.part(CloseReason::Idle, false);
        }
    }

    fn say(&mut self, stream: StreamId, message: Vec<u8>) {
        self.traffic.sent_bytes += message.len() as u64 + FRAME_BYTES;
        self.queue.push_back(Frame::Message(stream, message));
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.close();
    }
}
