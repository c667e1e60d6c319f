//! One request, and what came of it.

use std::time::Duration;

use kad::{
    Multiaddr,
    failure::{Failure, FailureClass, Phase, furthest},
    network::{AddressOutcome, Attempt, Dial, Endpoint},
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
    pub outcome: Result<Vec<Vec<u8>>, Failure>,
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

impl Exchange {
    /// Whose dial was in vain.
    pub(super) fn not_begun(took: Duration, dialled: Dialling) -> Self {
        let outcome = Err(dialled.failure());
        Self { dialled: Some(dialled), sent_after: None, took, outcome }
    }

    /// Whose dial was given up.
    pub(super) fn given_up(took: Duration) -> Self {
        let cancelled = Failure::new(Phase::Connect, FailureClass::Cancelled);
        Self { dialled: None, sent_after: None, took, outcome: Err(cancelled) }
    }

    /// The one message that was awaited; `None` if there is none.
    pub fn answer(&self) -> Option<&[u8]> {
        self.outcome.as_ref().ok()?.first().map(Vec::as_slice)
    }
}

impl Dialling {
    fn failure(&self) -> Failure {
        dial_failure(&self.attempts)
    }
}

/// The connection that a dial came to, or why there is none.
pub(crate) fn connection_of<C>(dial: Dial<C>) -> Result<C, Failure> {
    dial.connection.ok_or_else(|| dial_failure(&dial.attempts))
}

/// Why a dial came to no connection. Where nothing was dialled, the text says why the first address may not be.
fn dial_failure(attempts: &[Attempt]) -> Failure {
    if let Some(failure) = furthest(attempts.iter().filter_map(|attempt| attempt.outcome.failure())) {
        return failure.clone();
    }
    let reason = attempts.iter().find_map(|attempt| match attempt.outcome {
        AddressOutcome::Skipped(reason) => Some(reason),
        _ => None,
    });
    let none = Failure::new(Phase::Connect, FailureClass::NoAddress);
    reason.map_or(none, |reason| Failure::with_detail(Phase::Connect, FailureClass::NoAddress, reason.name()))
}
