//! One attempt, as the scheduler saw it.

use std::{sync::Arc, time::Duration};

use schema::{ConnectionPolicy, OperationKind, OperationOutcome, Timestamp};
use store::RegisteredServer;

use super::{CallFailure, CallFailureClass};
use crate::{OperationAnswer, OperationId};

/// What a Go server says of a key that nobody provides.
const NOT_FOUND: &str = "not found";

/// What it says when its own deadline was over (Go, `context.DeadlineExceeded`).
const DEADLINE_EXCEEDED: &str = "deadline exceeded";

/// One attempt to have a server do something, whatever became of it. There is one for everything that was planned, unless the scheduler
/// ended before.
#[derive(Debug, Clone)]
pub struct CallAttempt {
    /// Names it, with the server as well.
    pub id: OperationId,
    /// Names the publication that it is about; its own name if it is one, `None` if nobody was told to publish what is looked for.
    pub publication: Option<OperationId>,
    /// The round, from 0.
    pub round: u64,
    /// Its place in the round, from 0.
    pub position: u32,
    /// Which of several like it at this server in this round, from 0: only the first one is about what the server has not looked for before.
    pub probe: u32,
    /// What was to be done.
    pub kind: OperationKind,
    /// Who was to do it.
    pub server: Arc<RegisteredServer>,
    /// Who was told to publish it; `None` if nobody was.
    pub publisher: Option<Arc<RegisteredServer>>,
    /// What it is about: a multihash.
    pub key: Vec<u8>,
    /// The same as a CID.
    pub cid: String,
    /// Which connections were asked for; `None` if that was left to the server.
    pub connections: Option<ConnectionPolicy>,
    /// When it was to begin: the round's moment by the plan, of all attempts of a round.
    pub planned_at: Timestamp,
    /// When the server was asked; `None` if it never was.
    pub asked_at: Option<Timestamp>,
    /// When nobody waited for it any more.
    pub ended_at: Timestamp,
    /// What came of it. Of a key that was polled: of the last time.
    pub result: Result<OperationAnswer, CallFailure>,
    /// How far the server's clock is ahead of ours, in microseconds; `None` if it did not say. Of a server that says the second alone, it
    /// lies within half a second of this and of half the time of the call.
    pub clock_offset_us: Option<i64>,
    /// Of a key that is being published, each time that the server looked for it, in order. Empty of everything else.
    pub polls: Vec<Poll>,
}

/// One of the times that a server looked for what was being published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// When it was asked.
    pub asked_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub outcome: OperationOutcome,
    /// Whether it says nothing: what it found came from the server itself, or over a connection to the publisher that was left over.
    pub is_spoiled: bool,
}

impl CallAttempt {
    /// What came of it, by one name.
    pub fn outcome(&self) -> OperationOutcome {
        outcome(&self.result)
    }

    /// Whether it would have taken longer, nobody knows how long.
    pub fn is_censored(&self) -> bool {
        match &self.result {
            Err(failure) => failure.class().is_censored(),
            Ok(_) if self.kind == OperationKind::Findable => self.outcome() != OperationOutcome::Done,
            Ok(_) => matches!(self.outcome(), OperationOutcome::TimedOut | OperationOutcome::Cancelled),
        }
    }

    /// How long it took. As the server measured it, where it did; else how long it was waited for. Until something was findable it is from
    /// the moment at which its publisher was told on, and at most that long.
    pub fn took(&self) -> Duration {
        let measured = match &self.result {
            Ok(answer) if self.kind != OperationKind::Findable => measured(answer),
            _ => None,
        };
        measured.unwrap_or_else(|| self.service())
    }

    /// Until something was findable: how long it surely was not. `None` of everything else, and if no poll said so.
    pub fn more_than(&self) -> Option<Duration> {
        let missed = |poll: &&Poll| poll.outcome == OperationOutcome::NotFound;
        let last = self.polls.iter().rfind(missed)?;
        Some(last.asked_at.since(self.asked_at?))
    }

    /// From asking to the answer, as the scheduler saw it; zero if nobody was asked.
    pub fn service(&self) -> Duration {
        self.asked_at.map_or(Duration::ZERO, |asked| self.ended_at.since(asked))
    }

    /// How long it waited for its turn: from its planned moment until the server was asked, or nobody would ask it any more.
    pub fn waited(&self) -> Duration {
        self.asked_at.unwrap_or(self.ended_at).since(self.planned_at)
    }

    /// From its planned moment to the answer: what somebody saw who came then, however much had to be done before.
    pub fn since_planned(&self) -> Duration {
        self.ended_at.since(self.planned_at)
    }
}

/// What came of a call, by one name.
pub(crate) fn outcome(result: &Result<OperationAnswer, CallFailure>) -> OperationOutcome {
    let answer = match result {
        Ok(answer) => answer,
        Err(failure) => return failure.class().outcome(),
    };
    if let Some(operation) = &answer.operation {
        return operation.outcome;
    }
    let wrong = answer.measurements.iter().find(|step| !step.error.is_empty());
    match wrong.map(|step| step.error.as_str()) {
        // It says nothing of what it did.
        None if answer.measurements.is_empty() => CallFailureClass::BadAnswer.outcome(),
        None => OperationOutcome::Done,
        Some(NOT_FOUND) => OperationOutcome::NotFound,
        Some(error) if error.contains(DEADLINE_EXCEEDED) => OperationOutcome::TimedOut,
        Some(_) => OperationOutcome::Failed,
    }
}

/// How long all of it took by the server. An indexer's steps all count from the same beginning.
fn measured(answer: &OperationAnswer) -> Option<Duration> {
    answer.measurements.iter().map(|step| Duration::from_nanos(step.duration_ns)).max()
}
