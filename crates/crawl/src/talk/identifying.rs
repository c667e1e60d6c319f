//! The identify exchange of one conversation.

use kad::{
    PeerId,
    failure::{Failure, FailureClass, Phase},
    identify::{IDENTIFY_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::{Connection, StreamId},
    peer_id,
};

/// How far identify has come.
pub(super) enum Identifying {
    /// Nothing has come.
    Awaited(StreamId, PeerId),
    /// A message came; go-libp2p sends a long one in parts, and the end of the stream says that it is whole.
    Partly(StreamId, PeerId, Box<Identify>),
    /// It is over: what was said, and what was wrong.
    Done(Option<Box<Identify>>, Option<Failure>),
}

impl Identifying {
    /// Asks the peer that has proved to be this one.
    pub(super) fn begin(connection: &mut impl Connection, peer: PeerId) -> Self {
        Self::Awaited(connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES), peer)
    }

    pub(super) fn is_on(&self, stream: StreamId) -> bool {
        matches!(self, Self::Awaited(own, _) | Self::Partly(own, ..) if *own == stream)
    }

    /// Takes a message in. Of its protocols those of these names are kept however many there are.
    pub(super) fn on_message(&mut self, message: &[u8], protocols: &[String]) {
        let (stream, peer, said) = match std::mem::replace(self, Self::Done(None, None)) {
            Self::Awaited(stream, peer) => (stream, peer, None),
            Self::Partly(stream, peer, identify) => (stream, peer, Some(identify)),
            done @ Self::Done(..) => {
                *self = done;
                return;
            }
        };
        let is_first = said.is_none();
        let mut identify = said.unwrap_or_default();
        *self = if identify.merge_keeping(message, protocols).is_ok() {
            Self::Partly(stream, peer, identify)
        } else {
            let malformed = Failure::new(Phase::Identify, FailureClass::Malformed);
            Self::Done(Some(identify).filter(|_| !is_first), Some(malformed))
        };
    }

    /// The stream, the connection or our patience came to its end.
    pub(super) fn on_end(&mut self, how: Option<Failure>) {
        *self = match std::mem::replace(self, Self::Done(None, None)) {
            Self::Awaited(..) => Self::Done(None, Some(how.map_or_else(closed, in_identify))),
            Self::Partly(_, peer, identify) => {
                // Who has said all may leave the stream open.
                let cut = how.filter(|how| how.class != FailureClass::Timeout).map(in_identify);
                let fault = cut.or_else(|| key_mismatch(&identify, &peer));
                Self::Done(Some(identify), fault)
            }
            done @ Self::Done(..) => done,
        };
    }

    /// What was said, and why nothing was or what was wrong beside it.
    pub(super) fn into_parts(mut self) -> (Option<Identify>, Option<Failure>) {
        self.on_end(None);
        match self {
            Self::Done(identify, fault) => (identify.map(|identify| *identify), fault),
            Self::Awaited(..) | Self::Partly(..) => (None, None),
        }
    }
}

/// That the key in identify, if there is one, is not the one that the peer has proved to have.
fn key_mismatch(identify: &Identify, peer: &PeerId) -> Option<Failure> {
    if identify.public_key.is_empty() {
        return None;
    }
    let other = peer_id::of_public_key(&identify.public_key)?;
    let detail = other.to_base58();
    (other != *peer)
        .then(|| Failure::with_detail(Phase::Identify, FailureClass::IdentifyKeyMismatch, &detail))
}

fn in_identify(failure: Failure) -> Failure {
    Failure { phase: Phase::Identify, ..failure }
}

const fn closed() -> Failure {
    Failure::new(Phase::Identify, FailureClass::StreamClosed)
}
