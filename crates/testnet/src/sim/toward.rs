//! A conversation with one virtual peer.

use std::{collections::VecDeque, time::Duration};

use kad::{
    answer::Answer,
    failure::{Failure, FailureClass, Phase},
    identify::{IDENTIFY_PROTOCOL, append_observed_addr},
    message::MAX_MESSAGE_BYTES,
    network::{Event, StreamId, Traffic, Transport},
    policy::Target,
};
use tokio::time::Instant;

use super::{
    Caller,
    connection::{FRAME_BYTES, HANDSHAKE_BYTES},
};
use crate::{
    answers::Watched,
    life::HostPlace,
    scenario::life::Absence,
    state::{Stage, State},
};

/// Our end of a connection with a virtual peer: a queue of what is to come, and when.
#[derive(Debug)]
pub(super) struct Toward {
    caller: Caller,
    peer: u32,
    target: Target,
    place: HostPlace,
    state: State,
    rtt: Duration,
    /// Whether the peer wants to know who asks it; `None` until it was asked something.
    asks: Option<bool>,
    /// For a holder that remembers when it ended: once something was asked on it.
    watched: Option<Watched>,
    streams: Vec<Stream>,
    /// What leaves with the next [`next`](kad::network::Connection::next).
    outbox: Vec<Outgoing>,
    /// What comes, by time; of equal times in the order of their causes.
    coming: VecDeque<(Instant, Coming)>,
    traffic: Traffic,
}

#[derive(Debug)]
struct Stream {
    kind: Kind,
    max_message_bytes: usize,
    /// When the peer will be done with the requests so far: it answers those of a stream in their order.
    busy_until: Option<Instant>,
    over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Identify,
    Kad,
    /// Agreed to, and then silent: a protocol that the peer claims and this simulation does not know.
    Other,
    Unknown,
}

#[derive(Debug)]
enum Outgoing {
    Open(StreamId),
    Request(StreamId, Box<[u8]>),
    Finish(StreamId),
}

#[derive(Debug)]
enum Coming {
    Event(Event),
    /// The identify message: made when it is due.
    Identify(StreamId),
    /// The peer asks who we are, and is told.
    Question,
    /// The answer to a request: made when it is due, so that a thousand pipelined requests take little space.
    Answer(StreamId, Box<[u8]>),
    Broken(Failure),
    /// The peer goes.
    Gone(Absence),
}

impl Toward {
    /// With a peer of the world that was reached at a socket, so far away.
    pub(super) fn new(caller: &Caller, peer: u32, target: Target, rtt: Duration) -> Self {
        let shared = &caller.shared;
        let mut connection = Self {
            caller: caller.clone(),
            peer,
            target,
            place: shared.living.as_ref().map_or(HostPlace::default(), |living| living.place(peer)),
            state: shared.world.state(peer),
            rtt,
            asks: None,
            watched: None,
            streams: Vec::new(),
            outbox: Vec::new(),
            coming: VecDeque::new(),
            traffic: Traffic { sent_bytes: HANDSHAKE_BYTES, received_bytes: HANDSHAKE_BYTES },
        };
        if let Some((end, absence)) = shared.end_of_session(peer) {
            connection.schedule(end, Coming::Gone(absence));
        }
        connection
    }

    /// Sends all that is queued.
    fn flush(&mut self) {
        if self.outbox.is_empty() {
            return;
        }
        let arrival = self.arrival(Instant::now(), self.rtt);
        match self.state {
            State::Silent(Stage::Multiplex) => return self.outbox.clear(),
            State::Reset(Stage::Multiplex) => {
                self.outbox.clear();
                let failure = Failure::new(Phase::Multiplex, FailureClass::ConnectionReset);
                return self.schedule(arrival, Coming::Broken(failure));
            }
            _ => {}
        }
        for outgoing in std::mem::take(&mut self.outbox) {
            match outgoing {
                Outgoing::Open(id) => self.opened(id, arrival),
                Outgoing::Request(id, request) => self.requested(id, arrival, request),
                Outgoing::Finish(id) => self.finished(id, arrival),
            }
        }
    }

    fn opened(&mut self, id: StreamId, arrival: Instant) {
        match (self.state, self.stream(id).map(|stream| stream.kind)) {
            (_, None) | (State::Silent(Stage::Stream), _) => {}
            (State::Reset(Stage::Stream), _) => {
                let class = match self.target.transport() {
                    Transport::Quic => FailureClass::ConnectionClosed,
                    _ => FailureClass::ConnectionReset,
                };
                self.schedule(arrival, Coming::Broken(Failure::new(Phase::Stream, class)));
            }
            (_, Some(Kind::Unknown)) => {
                self.end(id, arrival, Phase::Stream, FailureClass::ProtocolNotSupported);
            }
            (_, Some(Kind::Identify)) => {
                self.schedule(arrival, Coming::Event(Event::Accepted(id)));
                self.schedule(arrival, Coming::Identify(id));
                self.schedule(arrival, Coming::Event(Event::Ended(id, None)));
            }
            (_, Some(Kind::Kad | Kind::Other)) => self.schedule(arrival, Coming::Event(Event::Accepted(id))),
        }
    }

    fn requested(&mut self, id: StreamId, arrival: Instant, request: Box<[u8]>) {
        let state = self.state;
        self.question(id, arrival);
        let Some(stream) = self.stream(id).filter(|stream| stream.kind == Kind::Kad && !stream.over) else {
            return;
        };
        match state {
            State::Silent(Stage::Stream | Stage::Request) => {}
            State::Reset(Stage::Request) => self.end(id, arrival, Phase::Request, FailureClass::StreamReset),
            State::Oversize if stream.max_message_bytes <= MAX_MESSAGE_BYTES => {
                self.end(id, arrival, Phase::Request, FailureClass::MessageTooLarge);
            }
            _ => {
                let delay_ms = if let State::Slow(ms) = state { ms } else { 0 };
                let ready = arrival + Duration::from_millis(delay_ms.into());
                let due = stream.busy_until.map_or(ready, |busy| busy.max(ready));
                stream.busy_until = Some(due);
                self.schedule(due, Coming::Answer(id, request));
            }
        }
    }

    /// The peer may want to know who asks it something for the first time.
    fn question(&mut self, id: StreamId, arrival: Instant) {
        let Caller { shared, ours } = &self.caller;
        if self.asks.is_some() || !ours.is_member() {
            return;
        }
        let is_kad = self.streams.get(id.0 as usize).is_some_and(|stream| stream.kind == Kind::Kad);
        if is_kad {
            let asks = shared.answers.asks(self.peer, &ours.id());
            self.asks = Some(asks);
            if asks {
                self.schedule(arrival, Coming::Question);
            }
        }
    }

    /// The peer finishes its side when it has answered what was asked.
    fn finished(&mut self, id: StreamId, arrival: Instant) {
        let silent = matches!(self.state, State::Silent(_));
        let Some(stream) = self.stream(id).filter(|stream| stream.kind == Kind::Kad && !stream.over) else {
            return;
        };
        let due = stream.busy_until.map_or(arrival, |busy| busy.max(arrival));
        if !silent {
            self.schedule(due, Coming::Event(Event::Ended(id, None)));
        }
    }

    /// The peer ends a stream; what was asked on it is not answered.
    fn end(&mut self, id: StreamId, due: Instant, phase: Phase, class: FailureClass) {
        if let Some(stream) = self.stream(id) {
            stream.over = true;
            self.schedule(due, Coming::Event(Event::Ended(id, Some(Failure::new(phase, class)))));
        }
    }

    fn stream(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.streams.get_mut(id.0 as usize)
    }

    /// When what is sent arrives that takes so long.
    fn arrival(&self, sent: Instant, takes: Duration) -> Instant {
        let Caller { shared, ours } = &self.caller;
        shared.outages.arrival([ours.region(), shared.world.region_of(self.peer)], sent, takes)
    }

    fn schedule(&mut self, due: Instant, coming: Coming) {
        // Its second half is the way here.
        let half = self.rtt / 2;
        let due = due.checked_sub(half).map_or(due, |sent| self.arrival(sent, half));
        let index = self.coming.partition_point(|(other, _)| *other <= due);
        self.coming.insert(index, (due, coming));
    }

    /// What happens when something is due; `None` if the user sees nothing of it.
    fn happen(&mut self, coming: Coming) -> Option<Result<Event, Failure>> {
        match coming {
            Coming::Event(event) => {
                if let Event::Ended(id, _) = event {
                    self.stream(id)?.over = true;
                }
                Some(Ok(event))
            }
            Coming::Identify(id) => {
                let mut message = self.caller.shared.world.identify_at(self.peer, self.place).encode();
                append_observed_addr(&mut message, &self.caller.ours.seen(self.target));
                Some(Ok(self.received(id, message)))
            }
            Coming::Question => {
                let Caller { shared, ours } = &self.caller;
                let bytes = ours.introduce(self.peer, self.target, shared);
                self.traffic.received_bytes += FRAME_BYTES;
                self.traffic.sent_bytes += bytes as u64 + FRAME_BYTES;
                self.asks = Some(true);
                None
            }
            Coming::Answer(id, request) => {
                let Caller { shared, ours } = &self.caller;
                if self.watched.is_none() {
                    self.watched = shared.answers.watch(self.peer, ours.id_bytes());
                }
                match shared.answers.answer(self.peer, ours.id_bytes(), &request) {
                    Answer::Message(message) => Some(Ok(self.received(id, message))),
                    Answer::Nothing => None,
                    // The rules of a world's peers never ask for the last two.
                    Answer::Reset | Answer::Close | Answer::HangUp => {
                        self.stream(id)?.over = true;
                        self.forget(id);
                        let failure = Failure::new(Phase::Request, FailureClass::StreamReset);
                        Some(Ok(Event::Ended(id, Some(failure))))
                    }
                }
            }
            Coming::Broken(failure) => {
                self.coming.clear();
                self.coming.push_back((Instant::now(), Coming::Broken(failure.clone())));
                Some(Err(failure))
            }
            Coming::Gone(absence) => {
                self.coming.clear();
                self.state = State::Silent(Stage::Multiplex);
                if absence == Absence::Refused {
                    let failure = Failure::new(Phase::Request, FailureClass::ConnectionReset);
                    self.schedule(Instant::now(), Coming::Broken(failure));
                }
                None
            }
        }
    }

    /// A message as the user gets it, or the end of the stream if it is longer than the user takes.
    fn received(&mut self, id: StreamId, message: Vec<u8>) -> Event {
        let limit = self.stream(id).map_or(0, |stream| stream.max_message_bytes);
        self.traffic.received_bytes += message.len().min(limit) as u64 + FRAME_BYTES;
        if message.len() <= limit {
            return Event::Message(id, message);
        }
        self.forget(id);
        if let Some(stream) = self.stream(id) {
            stream.over = true;
        }
        Event::Ended(id, Some(Failure::new(Phase::Request, FailureClass::MessageTooLarge)))
    }

    /// Nothing more comes on a stream.
    fn forget(&mut self, id: StreamId) {
        self.coming.retain(|(_, coming)| match coming {
            Coming::Event(Event::Accepted(other) | Event::Message(other, _) | Event::Ended(other, _))
            | Coming::Identify(other)
            | Coming::Answer(other, _) => *other != id,
            Coming::Broken(_) | Coming::Gone(_) | Coming::Question => true,
        });
    }
}

impl Toward {
    pub(super) const fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Whether the peer has been told who we are, and so hears what we say of ourselves later.
    pub(super) fn is_interested(&self) -> bool {
        self.asks == Some(true)
    }

    pub(super) fn open(&mut self, protocol: &str, max_message_bytes: usize) -> StreamId {
        let id = StreamId(u32::try_from(self.streams.len()).unwrap_or(u32::MAX));
        let world = &self.caller.shared.world;
        let kind = match protocol {
            IDENTIFY_PROTOCOL => Kind::Identify,
            _ if !world.protocols(self.peer).contains(&protocol) => Kind::Unknown,
            _ if protocol == world.scenario().protocol => Kind::Kad,
            _ => Kind::Other,
        };
        self.streams.push(Stream { kind, max_message_bytes, busy_until: None, over: false });
        self.traffic.sent_bytes += FRAME_BYTES + protocol.len() as u64;
        self.outbox.push(Outgoing::Open(id));
        id
    }

    pub(super) fn send(&mut self, stream: StreamId, message: &[u8]) {
        if self.stream(stream).is_some_and(|stream| !stream.over) {
            self.traffic.sent_bytes += message.len() as u64 + FRAME_BYTES;
            self.outbox.push(Outgoing::Request(stream, message.into()));
        }
    }

    pub(super) fn finish(&mut self, stream: StreamId) {
        self.outbox.push(Outgoing::Finish(stream));
    }

    pub(super) fn reset(&mut self, stream: StreamId) {
        self.forget(stream);
        if let Some(stream) = self.stream(stream) {
            stream.over = true;
        }
    }

    pub(super) async fn next(&mut self) -> Result<Event, Failure> {
        self.flush();
        loop {
            let Some(&(due, _)) = self.coming.front() else { return std::future::pending().await };
            if due > Instant::now() {
                tokio::time::sleep_until(due).await;
            }
            let Some((_, coming)) = self.coming.pop_front() else { continue };
            if let Some(happened) = self.happen(coming) {
                return happened;
            }
        }
    }
}
