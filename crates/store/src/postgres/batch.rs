//! Rows that go into the database together, once.

use schema::{Row, RunEnd, Timestamp};

use super::wire;

/// What goes into the database together, and waits while it is away: in memory, or in a file.
pub(crate) trait Load: Sized + Send + 'static {
    /// How many rows it has.
    fn rows(&self) -> usize;

    /// The same, as the number so many of all that its sender sends.
    #[must_use]
    fn numbered(self, number: i64) -> Self;

    /// As bytes.
    fn encode(&self) -> Vec<u8>;

    /// What [`encode`](Self::encode) made bytes of; `None` for anything else.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

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

impl Load for Waiting {
    fn rows(&self) -> usize {
        match self {
            Self::Batch(batch) => batch.rows.len(),
            Self::End(_) => 0,
        }
    }

    fn numbered(self, number: i64) -> Self {
        match self {
            Self::Batch(batch) => Self::Batch(Batch { number, ..batch }),
            Self::End(end) => Self::End(end),
        }
    }

    fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        wire::decode(bytes)
    }
}
