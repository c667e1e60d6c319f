//! One request, and what came of it.

use std::time::Duration;

use kad::{
    Multiaddr,
    failure::{Failure, FailureClass, Phase, furthest},
    lookup::RpcDial,
    network::{AddressOutcome, Attempt, Connection, Dial, Endpoint, Traffic},
    protobuf::varint_len,
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
    /// The bytes of its messages with their lengths, and those of the handshake if it was dialled for this. What protocols
    /// between the two add, and what failed dials cost, is in the totals of the pool alone.
    pub traffic: Traffic,
    /// The messages that came: one where one was awaited, else all until the end of the stream.
    pub outcome: Result<Vec<Vec<u8>>, Failure>,
}

/// A dial that was made for a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Dialling {
    /// The addresses that the peer was dialled by.
    pub addrs: Vec<Multiaddr>,
    /// What came of each; nothing if the dial was given up.
    pub attempts: Vec<Attempt>,
    /// The connection; `None` if there was none.
    pub endpoint: Option<Endpoint>,
    /// From the beginning of the exchange until the dial began: how long it waited for a place among the connections.
    pub begun_after: Duration,
    /// How long it took, without the wait for a place.
    pub took: Duration,
    /// The round trip to the peer, as far as one was seen by its end.
    pub round_trip: Option<Duration>,
    /// What the handshake took of bytes; nothing where there was no connection.
    pub traffic: Traffic,
}

impl Exchange {
    /// Whose dial was in vain.
    pub(super) fn not_begun(took: Duration, dialled: Dialling) -> Self {
        let (traffic, outcome) = (Traffic::default(), Err(dialled.failure()));
        Self { dialled: Some(dialled), sent_after: None, took, traffic, outcome }
    }

    /// Whose dial was given up, if it had begun, or the wait for one.
    pub(super) fn given_up(took: Duration, addrs: &[Multiaddr], dial_begun_after: Option<Duration>) -> Self {
        let cancelled = Failure::new(Phase::Connect, FailureClass::Cancelled);
        let dialled = dial_begun_after.map(|begun_after| Dialling {
            addrs: addrs.to_vec(),
            attempts: Vec::new(),
            endpoint: None,
            begun_after,
            took: took.saturating_sub(begun_after),
            round_trip: None,
            traffic: Traffic::default(),
        });
        Self { dialled, sent_after: None, took, traffic: Traffic::default(), outcome: Err(cancelled) }
    }

    /// Which was given up when it could have been sent.
    pub(super) fn not_sent(took: Duration, dialled: Option<Dialling>) -> Self {
        let cancelled = Failure::new(Phase::Request, FailureClass::Cancelled);
        let traffic = dialled.as_ref().map(|dialled| dialled.traffic).unwrap_or_default();
        Self { dialled, sent_after: None, took, traffic, outcome: Err(cancelled) }
    }

    /// The bytes of messages, each with its length.
    pub(super) fn bytes<'a>(messages: impl IntoIterator<Item = &'a [u8]>) -> u64 {
        messages.into_iter().map(|message| (varint_len(message.len() as u64) + message.len()) as u64).sum()
    }

    /// Whether it was asked and has no answer, though nobody gave it up.
    pub(crate) fn is_broken(&self) -> bool {
        let failure = self.outcome.as_ref().err();
        self.sent_after.is_some() && failure.is_some_and(|failure| failure.class != FailureClass::Cancelled)
    }

    /// The same request, made once more after it.
    pub(crate) fn and_again(self, again: Self) -> Self {
        let dialled = again.dialled.map(|dialled| {
            let begun_after = self.took + dialled.begun_after;
            dialled.after(begun_after)
        });
        let (first, second) = (self.traffic, again.traffic);
        Self {
            dialled: self.dialled.or(dialled),
            sent_after: self.sent_after,
            took: self.took + again.took,
            traffic: Traffic {
                sent_bytes: first.sent_bytes + second.sent_bytes,
                received_bytes: first.received_bytes + second.received_bytes,
            },
            outcome: again.outcome,
        }
    }

    /// The one message that was awaited; `None` if there is none.
    pub fn answer(&self) -> Option<&[u8]> {
        self.outcome.as_ref().ok()?.first().map(Vec::as_slice)
    }
}

impl Dialling {
    /// The same, after a wait for a place.
    pub(super) fn after(self, waited: Duration) -> Self {
        Self { begun_after: waited, ..self }
    }

    /// What came of a dial, as far as the dial itself tells.
    pub(super) fn of<C: Connection>(addrs: Vec<Multiaddr>, took: Duration, dial: &Dial<C>) -> Self {
        let connection = dial.connection.as_ref();
        Self {
            addrs,
            attempts: dial.attempts.clone(),
            endpoint: connection.map(|connection| connection.endpoint().clone()),
            begun_after: Duration::ZERO,
            took,
            round_trip: connection.and_then(Connection::round_trip).map(|seen| seen.time),
            traffic: connection.map(Connection::traffic).unwrap_or_default(),
        }
    }

    /// As a trace keeps it, of a request that began so long after the lookup.
    pub fn row(&self, after: Duration) -> RpcDial {
        let began = after + self.begun_after;
        let over = self.endpoint.as_ref().map(|endpoint| (endpoint.transport, endpoint.security));
        RpcDial { began, ended: began + self.took, over, round_trip: self.round_trip }
    }

    fn failure(&self) -> Failure {
        dial_failure(&self.attempts)
    }
}

/// The connection that a dial came to, or why there is none.
pub(crate) fn connection_of<C>(dial: Dial<C>) -> Result<C, Failure> {
    dial.connection.ok_or_else(|| dial_failure(&dial.attempts))
}

/// Why a dial came to no connection. Where nothing was dialled, the text says why the first address may not be.
pub fn dial_failure(attempts: &[Attempt]) -> Failure {
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
