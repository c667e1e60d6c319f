//! The identify exchange of one conversation.

use kad::{
    failure::{Failure, FailureClass, Phase},
    identify::{IDENTIFY_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::{Connection, StreamId},
};

/// How far identify has come.
pub(super) enum Identifying {
    /// Nothing has come.
    Awaited(StreamId),
    /// A message came; go-libp2p sends a long one in parts, and the end of the stream says that it is whole.
    Partly(StreamId, Box<Identify>),
    /// It is over.
    Done(Result<Box<Identify>, Failure>),
}

impl Identifying {
    pub(super) fn begin(connection: &mut impl Connection) -> Self {
        Self::Awaited(connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES))
    }

    pub(super) fn is_on(&self, stream: StreamId) -> bool {
        matches!(self, Self::Awaited(own) | Self::Partly(own, _) if *own == stream)
    }

    pub(super) fn on_message(&mut self, message: &[u8]) {
        let (stream, mut identify) = match std::mem::replace(self, Self::Done(Err(closed()))) {
            Self::Awaited(stream) => (stream, Box::default()),
            Self::Partly(stream, identify) => (stream, identify),
            done @ Self::Done(_) => {
                *self = done;
                return;
            }
        };
        *self = match identify.merge(message) {
            Ok(()) => Self::Partly(stream, identify),
            Err(_) => Self::Done(Err(Failure::new(Phase::Identify, FailureClass::Malformed))),
        };
    }

    /// The stream, the connection or our patience came to its end.
    pub(super) fn on_end(&mut self, how: Option<Failure>) {
        *self = Self::Done(match std::mem::replace(self, Self::Done(Err(closed()))) {
            Self::Done(result) => result,
            Self::Partly(_, identify) => Ok(identify),
            Self::Awaited(_) => Err(how.map_or_else(closed, |how| Failure { phase: Phase::Identify, ..how })),
        });
    }

    pub(super) fn into_result(self) -> Result<Identify, Failure> {
        match self {
            Self::Done(result) => result.map(|identify| *identify),
            Self::Partly(_, identify) => Ok(*identify),
            Self::Awaited(_) => Err(closed()),
        }
    }
}

const fn closed() -> Failure {
    Failure::new(Phase::Identify, FailureClass::StreamClosed)
}
