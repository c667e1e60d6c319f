//! What Parsec keeps of an attempt: a row for each measurement of an answer, and nothing where there was none.
//!
//! Its tables know publications and retrievals alone, so what else is tried is in ours only. An attempt that failed without an answer is in
//! no table of Parsec's, as Go's scheduler writes none.

use std::time::Duration;

use schema::OperationKind;
use store::{ParsecKind, ParsecRow, SchedulerId};

use super::CallAttempt;
use crate::StepMeasurement;

impl CallAttempt {
    /// The rows that Go's scheduler would have written.
    pub fn parsec_rows(&self, scheduler: SchedulerId) -> Vec<ParsecRow> {
        let (Ok(answer), OperationKind::Provide | OperationKind::Retrieve) = (&self.result, self.kind) else {
            return Vec::new();
        };
        let row = |step: &StepMeasurement| ParsecRow {
            kind: self.parsec_kind(step),
            scheduler,
            server: self.server.id,
            table_size: answer.routing_table_size as u64,
            took: Duration::from_nanos(step.duration_ns),
            cid: answer.cid.clone(),
            failure: Some(step.error.clone()).filter(|error| !error.is_empty()),
            created_at: self.ended_at,
        };
        answer.measurements.iter().map(row).collect()
    }

    fn parsec_kind(&self, step: &StepMeasurement) -> ParsecKind {
        match self.kind {
            OperationKind::Provide => ParsecKind::Provide { step: step.step.clone() },
            _ => ParsecKind::Retrieval,
        }
    }
}
