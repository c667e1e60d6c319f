//! The runs in a store, as they are listed.

use schema::{RunEnd, RunStart, RunState, Timestamp, Tool};

/// How many rows a run has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Peers that were heard of.
    pub peers: u64,
    /// Rows of every kind, peers apart.
    pub rows: u64,
    /// Visits among them, several for a peer that was visited again.
    pub visits: u64,
    /// Neighbors of all visits.
    pub edges: u64,
    /// Visits that were there and were pruned since: of them the run's summary is left, and its peers.
    pub pruned: u64,
}

/// What was taken out of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Visits.
    pub visits: u64,
    /// Bytes that were given back to the system.
    pub bytes: u64,
}

/// A run in a store.
#[derive(Debug, Clone, PartialEq)]
pub struct RunInfo {
    /// What was known when it began.
    pub start: RunStart,
    /// What was known when it ended; `None` if it is under way or was interrupted.
    pub end: Option<RunEnd>,
    /// How it stands.
    pub state: RunState,
    /// What is committed of it.
    pub totals: Totals,
}

/// Which runs are asked for: those that all of it holds for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of this tool; `None` for any.
    pub tool: Option<Tool>,
    /// Of this network; `None` for any.
    pub network: Option<String>,
    /// Under way at this moment or later; `None` for any.
    pub since: Option<Timestamp>,
    /// Begun before this moment; `None` for any.
    pub until: Option<Timestamp>,
}

impl RunFilter {
    /// The runs of one tool.
    pub fn of(tool: Tool) -> Self {
        Self { tool: Some(tool), ..Self::default() }
    }

    /// Whether a run is one of them. A run without an end counts as under way.
    pub fn admits(&self, run: &RunInfo) -> bool {
        let ended = run.end.as_ref().map(|end| end.finished_at);
        self.tool.is_none_or(|tool| run.start.tool == tool)
            && self.network.as_ref().is_none_or(|network| run.start.network == *network)
            && self.since.is_none_or(|since| ended.is_none_or(|ended| ended >= since))
            && self.until.is_none_or(|until| run.start.started_at < until)
    }
}
