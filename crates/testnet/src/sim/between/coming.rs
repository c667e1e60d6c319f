//! What becomes of what comes: events of the holder's streams go to the holder, all else is dealt with.

use kad::{
    fabric::{CloseReason, Introduced, Notice},
    failure::{Failure, FailureClass, Phase},
    identify::{IDENTIFY_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::{Event, StreamId},
};

use super::{Asking, Between, serving::Purpose};
use crate::sim::{connection::FRAME_BYTES, line::Frame};

impl Between {
    /// Takes a frame; what the holder sees of it.
    pub(super) fn came(&mut self, frame: Frame) -> Option<Event> {
        match frame {
            Frame::Open(id, protocol) => self.opened(id, &protocol),
            Frame::Agree(id) if self.own.contains_key(&id) => return Some(Event::Accepted(id)),
            Frame::Agree(_) => {}
            Frame::Refuse(id) => {
                let failure = Failure::new(Phase::Stream, FailureClass::ProtocolNotSupported);
                return self.ended(id, Some(failure));
            }
            Frame::Message(id, message) => return self.message(id, message),
            Frame::Finish(id) => return self.finished(id),
            Frame::Reset(id) => {
                return self.ended(id, Some(Failure::new(Phase::Request, FailureClass::StreamReset)));
            }
            Frame::Push(message) => {
                self.traffic.received_bytes += message.len() as u64 + FRAME_BYTES;
                if matches!(self.asking, Asking::UnderWay(..) | Asking::Over) {
                    self.introduce(Identify::decode(&message).ok());
                }
            }
            Frame::HangUp { resets } => {
                let (reason, class) = if resets {
                    (CloseReason::Failed, FailureClass::ConnectionReset)
                } else {
                    (CloseReason::PeerHungUp, FailureClass::ConnectionClosed)
                };
                self.over = Some((reason, Failure::new(Phase::Request, class)));
            }
        }
        None
    }

    fn message(&mut self, id: StreamId, message: Vec<u8>) -> Option<Event> {
        self.traffic.received_bytes += message.len() as u64 + FRAME_BYTES;
        if let Some(&max) = self.own.get(&id) {
            if message.len() <= max {
                return Some(Event::Message(id, message));
            }
            self.queue.push_back(Frame::Reset(id));
            return self.ended(id, Some(Failure::new(Phase::Request, FailureClass::MessageTooLarge)));
        }
        match &mut self.asking {
            Asking::UnderWay(stream, said) if *stream == id => {
                // What is no identify says nothing.
                if message.len() > MAX_IDENTIFY_BYTES || said.merge(&message).is_err() {
                    self.asking = Asking::Over;
                }
            }
            _ => self.requested(id, message),
        }
        None
    }

    fn finished(&mut self, id: StreamId) -> Option<Event> {
        if self.own.contains_key(&id) {
            return self.ended(id, None);
        }
        match std::mem::take(&mut self.asking) {
            Asking::UnderWay(stream, said) if stream == id => {
                self.asking = Asking::Over;
                self.introduce(Some(*said));
            }
            other => {
                self.asking = other;
                self.no_more(id);
            }
        }
        None
    }

    fn ended(&mut self, id: StreamId, failure: Option<Failure>) -> Option<Event> {
        if self.own.remove(&id).is_some() {
            return Some(Event::Ended(id, failure));
        }
        if matches!(self.asking, Asking::UnderWay(stream, _) if stream == id) {
            self.asking = Asking::Over;
        }
        self.theirs.retain(|inbound| inbound.id != id);
        None
    }

    /// Asks the other one who it is, when its first request has come.
    pub(super) fn ask(&mut self) {
        if !matches!(self.asking, Asking::NotYet) {
            return;
        }
        self.asking = Asking::Never;
        if self.ours.service().asks(self.peer) {
            let id = self.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES);
            self.own.remove(&id);
            self.asking = Asking::UnderWay(id, Box::default());
        }
    }

    /// Tells the service who the other one says it is.
    fn introduce(&self, said: Option<Identify>) {
        let Some(identify) = said else { return };
        let (remote, local) = (self.places.remote.clone(), self.places.local.clone());
        let introduced = Introduced { peer: self.peer, remote, local, identify: Box::new(identify) };
        self.ours.service().notice(Notice::Introduced(introduced));
    }

    /// What a stream that the other one opens is for; `None` for what is not served.
    pub(super) fn purpose(&self, protocol: &str) -> Option<Purpose> {
        if let Some(purpose) = Purpose::of_every_peer(protocol) {
            return Some(purpose);
        }
        let served = &self.ours.says().kad_protocols;
        served.iter().position(|own| own == protocol).map(Purpose::Kad)
    }
}
