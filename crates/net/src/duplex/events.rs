//! What becomes of the events of a connection: those of the holder's streams go to the holder, all others are dealt with.

use kad::{
    fabric::{Direction, Introduced, Notice, PeerStream},
    identify::{IDENTIFY_PUSH_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::{Event, StreamId},
};

use super::{
    Duplex,
    inbound::{Attended, Inbound},
};
use crate::{
    carrier::Carrier,
    introduction::StreamPurpose,
    session::{Framing, SessionEvent},
};

impl<C: Carrier> Duplex<C> {
    /// The next event of a stream of the holder's.
    pub(super) fn take_event(&mut self) -> Option<Event> {
        while let Some(event) = self.carrier.poll_event() {
            match event {
                SessionEvent::Opened(stream, position) => self.opened(stream, StreamPurpose::of(position)),
                SessionEvent::Accepted(stream) if self.is_holders(stream) => {
                    return Some(Event::Accepted(stream));
                }
                SessionEvent::Message(stream, message) if self.is_holders(stream) => {
                    return Some(Event::Message(stream, message));
                }
                SessionEvent::Ended(stream, end) if self.is_holders(stream) => {
                    return Some(Event::Ended(stream, end));
                }
                SessionEvent::Message(stream, message) if self.asking.is_on(stream) => {
                    self.asking.hear(&mut self.carrier, &message, self.active);
                }
                SessionEvent::Ended(stream, end) if self.asking.is_on(stream) => {
                    let said = self.asking.end(end.is_none());
                    self.introduce(said);
                }
                SessionEvent::Message(stream, message) => self.message(stream, message),
                SessionEvent::Finished(stream) => self.finished(stream),
                SessionEvent::Ended(stream, _) => self.streams.retain(|inbound| inbound.id != stream),
                SessionEvent::Accepted(_) => {}
            }
        }
        None
    }

    /// Whether a stream is one that the holder opened.
    fn is_holders(&self, stream: StreamId) -> bool {
        // A dialler's streams have odd numbers.
        let ours = (stream.0 % 2 == 1) == (self.direction == Direction::Outbound);
        ours && !self.asking.owns(stream) && self.push != Some(stream)
    }

    fn opened(&mut self, stream: StreamId, purpose: StreamPurpose) {
        let mut inbound = Inbound::new(stream, purpose, self.active);
        if let StreamPurpose::Service(number) = purpose
            && let Some(other) = self.persona.others().get(number)
        {
            let protocol = other.name.clone();
            inbound.attended = self.attend(protocol).map(Box::new);
            if inbound.attended.is_none() {
                return self.carrier.reset(stream);
            }
        }
        self.streams.push(inbound);
        if purpose == StreamPurpose::Identify {
            let answer = self.persona.voice().introduction.to_observed(&self.carrier.observed());
            self.carrier.send(stream, &answer);
            self.carrier.finish(stream);
        }
    }

    /// Hands a new stream to the service; `None` if that does not want it.
    fn attend(&mut self, protocol: String) -> Option<Attended> {
        let from = self.carrier.peer()?;
        let (stream, carried) = PeerStream::new(from, protocol, self.places());
        Some(Attended::new(carried, self.persona.service().attend(stream)?))
    }

    fn message(&mut self, stream: StreamId, message: Vec<u8>) {
        let Some(inbound) = self.streams.iter_mut().find(|inbound| inbound.id == stream) else { return };
        inbound.active = self.active;
        match inbound.purpose {
            StreamPurpose::Ping => self.carrier.send(stream, &message),
            StreamPurpose::Push if self.asking.is_interested() => {
                self.introduce(Identify::decode(&message).ok());
            }
            StreamPurpose::Identify | StreamPurpose::Push => {}
            StreamPurpose::Service(_) => {
                let is_kad = inbound.attended.is_none();
                inbound.take(self.active, message);
                if is_kad {
                    self.ask();
                }
            }
        }
    }

    fn finished(&mut self, stream: StreamId) {
        if let Some(inbound) = self.streams.iter_mut().find(|inbound| inbound.id == stream) {
            inbound.finish();
        }
        self.close_if_done(stream);
    }

    /// Closes our half when the peer closed its own and has all answers.
    pub(super) fn close_if_done(&mut self, stream: StreamId) {
        let done = |inbound: &Inbound| inbound.id == stream && inbound.is_done();
        match self.streams.iter().position(done) {
            Some(position) => {
                self.streams.swap_remove(position);
                if self.streams.is_empty() {
                    // An idle connection holds no room for more.
                    self.streams = Vec::new();
                }
            }
            None if self.streams.iter().any(|inbound| inbound.id == stream) => return,
            None => {}
        }
        self.carrier.finish(stream);
    }

    /// Asks the peer who it is, if that is due.
    fn ask(&mut self) {
        let (service, from) = (self.persona.service(), self.carrier.peer());
        let wants = || from.is_some_and(|from| service.asks(from));
        self.asking.begin(&mut self.carrier, self.active, wants);
    }

    /// Tells the service who the peer says it is.
    fn introduce(&mut self, said: Option<Identify>) {
        let (Some(peer), Some(identify)) = (self.carrier.peer(), said) else { return };
        let (remote, local) = self.places();
        let introduced = Introduced { peer, remote, local, identify: Box::new(identify) };
        self.persona.service().notice(Notice::Introduced(introduced));
    }

    /// Tells the peer what we say of ourselves now, and serves what we say that we do.
    pub(super) fn push(&mut self) {
        if let Some(before) = self.push.take() {
            self.carrier.reset(before);
        }
        let voice = self.persona.voice();
        self.carrier.serve(&voice.protocols);
        let last = StreamPurpose::of(voice.protocols.len().saturating_sub(1));
        if !self.is_kad(last) {
            self.end_kad();
        }
        let message = voice.introduction.to_observed(&self.carrier.observed());
        let stream = self.carrier.open(IDENTIFY_PUSH_PROTOCOL, Framing::Prefixed(MAX_IDENTIFY_BYTES));
        self.carrier.send(stream, &message);
        self.carrier.finish(stream);
        self.push = Some(stream);
    }

    /// Whether this is kad's. Its protocols are the last ones.
    fn is_kad(&self, purpose: StreamPurpose) -> bool {
        matches!(purpose, StreamPurpose::Service(number) if number >= self.persona.others().len())
    }

    /// Ends the streams on which the peer asks of kad: one that is kept between two questions would be answered on for as long
    /// as the connection stands (go-libp2p-kad-dht, `moveToClientMode`).
    fn end_kad(&mut self) {
        for inbound in std::mem::take(&mut self.streams) {
            if self.is_kad(inbound.purpose) {
                self.carrier.reset(inbound.id);
            } else {
                self.streams.push(inbound);
            }
        }
    }
}
