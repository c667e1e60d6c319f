//! The exchange of identify, the one implementation of it: for who follows the events of a connection ([`Identifying`]), and
//! for who asks through a conversation and has the whole reply at once ([`identify`], [`Identified::of`]).
//!
//! Whether a peer is *reachable* hangs on none of it: it is, as soon as it has proved who it is, and that is when a connection
//! stands. What it says of itself, and whether it says anything, comes after.

use std::{sync::Arc, time::Duration};

use kad::{
    PeerId,
    failure::{Failure, FailureClass, Phase},
    identify::{IDENTIFY_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::{Connection, StreamId},
    peer_id,
};

use crate::conversation::{Ask, Awaits};

/// What a peer said of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identified {
    /// What it said; `None` if it said nothing that can be read.
    pub said: Option<Identify>,
    /// Why it said nothing, or what was wrong beside what it said; `None` if all was well.
    pub fault: Option<Failure>,
}

/// An exchange of identify under way.
#[derive(Debug)]
pub struct Identifying {
    /// `None` where the reply comes from elsewhere.
    stream: Option<StreamId>,
    /// Who the peer has proved to be.
    peer: PeerId,
    progress: IdentifyProgress,
}

/// How far identify has come.
#[derive(Debug)]
enum IdentifyProgress {
    /// Nothing has come.
    Awaited,
    /// A message came; go-libp2p sends a long one in parts, and the end of the stream says that it is whole.
    Partly(Box<Identify>),
    /// It is over: what was said, and what was wrong.
    Done(Option<Box<Identify>>, Option<Failure>),
}

impl Identifying {
    /// Asks the peer that has proved to be this one.
    pub fn begin(connection: &mut impl Connection, peer: PeerId) -> Self {
        let stream = connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES);
        Self { stream: Some(stream), peer, progress: IdentifyProgress::Awaited }
    }

    /// Whether it still awaits something on this stream.
    pub fn is_on(&self, stream: StreamId) -> bool {
        self.stream == Some(stream) && !self.is_over()
    }

    /// Whether nothing more is to come.
    pub const fn is_over(&self) -> bool {
        matches!(self.progress, IdentifyProgress::Done(..))
    }

    /// Whether a part has come, and perhaps all: only the end of the stream says so, and not everybody ends it.
    pub const fn has_begun(&self) -> bool {
        matches!(self.progress, IdentifyProgress::Partly(_))
    }

    /// Takes a message in. Of its protocols those of these names are kept however many there are.
    pub fn on_message(&mut self, message: &[u8], protocols: &[String]) {
        let said = match std::mem::replace(&mut self.progress, IdentifyProgress::Done(None, None)) {
            IdentifyProgress::Awaited => None,
            IdentifyProgress::Partly(identify) => Some(identify),
            done @ IdentifyProgress::Done(..) => {
                self.progress = done;
                return;
            }
        };
        let is_first = said.is_none();
        let mut identify = said.unwrap_or_default();
        self.progress = if identify.merge_keeping(message, protocols).is_ok() {
            IdentifyProgress::Partly(identify)
        } else {
            let malformed = Failure::new(Phase::Identify, FailureClass::Malformed);
            IdentifyProgress::Done(Some(identify).filter(|_| !is_first), Some(malformed))
        };
    }

    /// The stream, the connection or our patience came to its end: in good order, or by a failure.
    pub fn on_end(&mut self, how: Option<Failure>) {
        self.progress = match std::mem::replace(&mut self.progress, IdentifyProgress::Done(None, None)) {
            IdentifyProgress::Awaited => {
                IdentifyProgress::Done(None, Some(how.map_or_else(closed, in_identify)))
            }
            IdentifyProgress::Partly(identify) => {
                // Who has said all may leave the stream open.
                let cut = how.filter(|how| how.class != FailureClass::Timeout).map(in_identify);
                let fault = cut.or_else(|| key_mismatch(&identify, &self.peer));
                IdentifyProgress::Done(Some(identify), fault)
            }
            done @ IdentifyProgress::Done(..) => done,
        };
    }

    /// What came of it. Where it was not over, that is its end in good order.
    pub fn into_introduced(mut self) -> Identified {
        self.on_end(None);
        match self.progress {
            IdentifyProgress::Done(said, fault) => Identified { said: said.map(|said| *said), fault },
            IdentifyProgress::Awaited | IdentifyProgress::Partly(_) => Identified::default(),
        }
    }
}

impl Identified {
    /// What the peer that has proved to be this one said by a whole reply to [`identify`].
    pub fn of(reply: Result<Vec<Vec<u8>>, Failure>, peer: PeerId) -> Self {
        let mut identifying = Identifying { stream: None, peer, progress: IdentifyProgress::Awaited };
        match reply {
            Ok(messages) => messages.iter().for_each(|message| identifying.on_message(message, &[])),
            Err(failure) => identifying.on_end(Some(failure)),
        }
        identifying.into_introduced()
    }
}

/// Asks who a peer is.
pub fn identify(patience: Duration) -> Ask {
    Ask { protocols: Arc::from([IDENTIFY_PROTOCOL.to_owned()]), message: None, awaits: Awaits::End, patience }
}

/// That the key in identify, if there is one, is not the one that the peer has proved to have.
fn key_mismatch(identify: &Identify, peer: &PeerId) -> Option<Failure> {
    if identify.public_key.is_empty() {
        return None;
    }
    let other = peer_id::of_public_key(&identify.public_key)?;
    (other != *peer)
        .then(|| Failure::with_detail(Phase::Identify, FailureClass::IdentifyKeyMismatch, &other.to_base58()))
}

fn in_identify(failure: Failure) -> Failure {
    Failure { phase: Phase::Identify, ..failure }
}

const fn closed() -> Failure {
    Failure::new(Phase::Identify, FailureClass::StreamClosed)
}

#[cfg(test)]
mod tests {
    use kad::Keypair;

    use super::*;

    fn part(protocol: &str, public_key: Vec<u8>) -> Vec<u8> {
        Identify { protocols: vec![protocol.to_owned()], public_key, ..Identify::default() }.encode()
    }

    fn introduced(messages: &[Vec<u8>], peer: PeerId) -> (Option<Vec<String>>, Option<FailureClass>) {
        let Identified { said, fault } = Identified::of(Ok(messages.to_vec()), peer);
        (said.map(|said| said.protocols), fault.map(|fault| fault.class))
    }

    #[test]
    fn parts_of_identify_are_put_together() {
        let peer = PeerId::random();
        let parts = [part("/a", Vec::new()), part("/b", Vec::new())];
        assert_eq!(introduced(&parts, peer), (Some(vec!["/a".to_owned(), "/b".to_owned()]), None));
        assert_eq!(introduced(&[], peer), (None, Some(FailureClass::StreamClosed)));
        assert_eq!(introduced(&[vec![0xff]], peer), (None, Some(FailureClass::Malformed)));
        let silent = Failure::new(Phase::Request, FailureClass::Timeout);
        let fault = Identified::of(Err(silent), peer).fault.expect("it said nothing");
        assert_eq!((fault.phase, fault.class), (Phase::Identify, FailureClass::Timeout));
    }

    #[test]
    fn what_was_said_before_something_unreadable_is_kept() {
        let parts = [part("/a", Vec::new()), vec![0xff], part("/b", Vec::new())];
        let seen = introduced(&parts, PeerId::random());
        assert_eq!(seen, (Some(vec!["/a".to_owned()]), Some(FailureClass::Malformed)));
    }

    #[test]
    fn another_key_than_the_one_that_was_proved_is_a_fault() {
        let key = Keypair::generate_ed25519().public();
        let parts = [part("/a", key.encode_protobuf())];
        assert_eq!(introduced(&parts, key.to_peer_id()).1, None);
        let (said, fault) = introduced(&parts, PeerId::random());
        assert_eq!((said.is_some(), fault), (true, Some(FailureClass::IdentifyKeyMismatch)));
    }
}
