//! What comes of publications and lookups at an indexer, and operations made of it.

use std::time::Duration;

use delegated::{RoutingFailure, RoutingFailureClass, RoutingReply};
use schema::OperationOutcome;

use super::step::{IndexerStage, IndexerStep, StepFailure, StepFailureClass};
use crate::operation::{Operation, OperationStep, OperationTold};

/// What the one step of a lookup is called. Source: Parsec 0.4.0.
const RETRIEVAL: &str = "retrieval";

/// What came of a publication: its steps, of which the last may have failed; nothing is done after that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexerPublication {
    /// In their order, each timed from the beginning.
    pub steps: Vec<IndexerStep>,
    /// How long all of it took.
    pub took: Duration,
}

impl IndexerPublication {
    /// The step that failed, and why; `None` if the indexer names this server.
    pub fn failure(&self) -> Option<(IndexerStage, &StepFailure)> {
        self.steps.iter().find_map(|step| Some((step.stage, step.failure.as_ref()?)))
    }
}

/// What came of taking all back at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexerFarewell {
    /// Contexts that were still published.
    pub removed: usize,
    /// Those whose removal the indexer has asked for.
    pub fetched: usize,
    /// Why the indexer was not told; `None` if it was, or there was nothing to tell.
    pub failure: Option<StepFailure>,
}

/// What came of a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexerLookup {
    /// What was answered, or why nothing was.
    pub reply: Result<RoutingReply, RoutingFailure>,
    /// How long all of it took.
    pub took: Duration,
}

impl IndexerPublication {
    /// As an operation. A step that was waited for until its time was up says that the operation takes longer than that.
    pub fn operation(&self, told: OperationTold) -> Operation {
        let outcome = match self.failure().map(|(_, failure)| failure.class) {
            None => OperationOutcome::Done,
            Some(StepFailureClass::NotAsked | StepFailureClass::NotFound | StepFailureClass::Deadline) => {
                OperationOutcome::TimedOut
            }
            Some(_) => OperationOutcome::Failed,
        };
        let step = |step: &IndexerStep| OperationStep {
            step: step.stage.name().to_owned(),
            took: step.took,
            error: step.failure.as_ref().map(ToString::to_string),
        };
        Operation {
            failure: self.failure().map(|(stage, failure)| format!("{}: {failure}", stage.name())),
            steps: self.steps.iter().map(step).collect(),
            ..Operation::without_requests(told, self.took, outcome)
        }
    }
}

impl IndexerLookup {
    /// When the first record came that names a peer; `None` if none did.
    pub fn first_record(&self) -> Option<Duration> {
        self.reply.as_ref().ok()?.first_record
    }

    /// Why nobody was found; `None` if somebody was, or the indexer has nobody.
    pub fn failure(&self) -> Option<RoutingFailure> {
        match &self.reply {
            Err(failure) => Some(*failure),
            Ok(reply) if reply.first_record.is_none() => reply.broken_off.map(RoutingFailure::from),
            Ok(_) => None,
        }
    }

    /// As an operation. It took until the first record came, or, if none did, until it was over.
    pub fn operation(&self, told: OperationTold) -> Operation {
        let failure = self.failure();
        let (took, outcome) = match (self.first_record(), failure.map(|failure| failure.class)) {
            (Some(first), _) => (first, OperationOutcome::Done),
            (None, None) => (self.took, OperationOutcome::NotFound),
            (None, Some(RoutingFailureClass::Timeout)) => (self.took, OperationOutcome::TimedOut),
            (None, Some(_)) => (self.took, OperationOutcome::Failed),
        };
        let failure = failure.map(|failure| failure.to_string());
        let error = failure
            .clone()
            .or_else(|| (outcome == OperationOutcome::NotFound).then(|| "not found".to_owned()));
        Operation {
            steps: vec![OperationStep { step: RETRIEVAL.to_owned(), took, error }],
            failure,
            ..Operation::without_requests(told, took, outcome)
        }
    }
}
