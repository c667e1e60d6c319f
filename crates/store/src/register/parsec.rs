//! Measurements as Parsec's tables have them.

use std::time::Duration;

use schema::Timestamp;

use super::entry::{SchedulerId, ServerId};

/// A measurement for Parsec's tables.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsecRow {
    /// Which table it goes to.
    pub kind: ParsecKind,
    /// Who had it made.
    pub scheduler: SchedulerId,
    /// Who made it.
    pub server: ServerId,
    /// Peers in the server's routing table.
    pub table_size: u64,
    /// How long it took.
    pub took: Duration,
    /// What it was about.
    pub cid: String,
    /// Why it failed; `None` if it did not.
    pub failure: Option<String>,
    /// When it was made, by the clock of the scheduler.
    pub created_at: Timestamp,
}

/// Which of Parsec's tables a measurement goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParsecKind {
    /// `provides_ecs`.
    Provide {
        /// The step of the publication, as the server calls it.
        step: String,
    },
    /// `retrievals_ecs`.
    Retrieval,
}
