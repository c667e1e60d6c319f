//! One request, and what came of it.

use std::time::Duration;

use kad::{
    Multiaddr,
    failure::{Failure, FailureClass, Phase, SkipReason, furthest},
    network::{AddressOutcome, Attempt, Endpoint},
};

/// One request, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// How the peer was dialled; `None` if a connection stood.
    pub dialled: Option<Dialling>,
    /// From the beginning until the request was handed to the connection; `None` if there was none.
    pub sent_after: Option<Duration>,
    /// From the beginning to the end, the dial included.
    pub took: Duration,
    /// The messages that came: one where one was awaited, else all until the end of the stream.
    pub outcome: Result<Vec<Vec<u8>>, Fault>,
}

/// A dial that was made for a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Dialling {
    /// The addresses that the peer was dialled by.
    pub addrs: Vec<Multiaddr>,
    /// What came of each.
    pub attempts: Vec<Attempt>,
    /// The connection; `None` if there was none.
    pub endpoint: Option<Endpoint>,
    /// How long it took, without the wait for a place.
    pub took: Duration,
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It failed, or the dial for it did.
    Failed(Failure),
    /// The peer was not dialled, as no address of it may be: why the first one may not, `None` if there is none.
    NotDialled(Option<SkipReason>),
}

impl Fault {
    /// The stable name: that of the class or of the reason; `no_address` where there is none.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.class.name(),
            Self::NotDialled(Some(reason)) => reason.name(),
            Self::NotDialled(None) => "no_address",
        }
    }
}

impl Exchange {
    /// Whose dial was in vain.
    pub(super) fn not_begun(took: Duration, dialled: Dialling) -> Self {
        let outcome = Err(dialled.fault());
        Self { dialled: Some(dialled), sent_after: None, took, outcome }
    }

    /// Whose dial was given up.
    pub(super) fn given_up(took: Duration) -> Self {
        let cancelled = Failure::new(Phase::Connect, FailureClass::Cancelled);
        Self { dialled: None, sent_after: None, took, outcome: Err(Fault::Failed(cancelled)) }
    }

    /// The one message that was awaited; `None` if there is none.
    pub fn answer(&self) -> Option<&[u8]> {
        self.outcome.as_ref().ok()?.first().map(Vec::as_slice)
    }
}

impl Dialling {
    /// Why there is no connection.
    fn fault(&self) -> Fault {
        let failures = self.attempts.iter().filter_map(|attempt| match &attempt.outcome {
            AddressOutcome::Failed(failure) => Some(failure),
            _ => None,
        });
        if let Some(failure) = furthest(failures) {
            return Fault::Failed(failure.clone());
        }
        Fault::NotDialled(self.attempts.iter().find_map(|attempt| match attempt.outcome {
            AddressOutcome::Skipped(reason) => Some(reason),
            _ => None,
        }))
    }
}
