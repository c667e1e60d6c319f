//! Rows that go into the database together, once.

use schema::{Row, RunEnd, Timestamp};

/// Rows that are committed together. The number is committed with them: a batch of which nobody knows whether it was committed
/// is sent again, and taken only if it was not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Batch {
    /// From 1, ascending within the run.
    pub(crate) number: i64,
    /// When its rows were created.
    pub(crate) created_at: Timestamp,
    pub(crate) rows: Vec<Row>,
}

/// What waits for the database.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Waiting {
    Batch(Batch),
    End(RunEnd),
}
