//! What a store knows of one peer, over all runs.

use schema::{RunId, Timestamp, Visit};

/// The rows of one kind about a peer in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRows {
    /// Which kind, as [`Table::name`](schema::Table) says it.
    pub table: &'static str,
    /// The run.
    pub run: RunId,
    /// How many there are.
    pub rows: u64,
    /// When the first contact among them began; the start of the run for rows that are no contacts.
    pub first: Option<Timestamp>,
    /// When the last did.
    pub last: Option<Timestamp>,
}

/// What is known of a peer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PeerHistory {
    /// The rows about it, of the last 1,000 runs that have any of a kind, the last run first.
    pub known: Vec<KnownRows>,
    /// The last visits of it, at most 20, the last first.
    pub visits: Vec<Visit>,
}
