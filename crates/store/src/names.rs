//! Finds the variant of a stored name, for the closed vocabularies that do not do so themselves.

use schema::{RunState, VisitKind};

/// Stored names of what came of an address.
pub(crate) mod outcome {
    pub(crate) const CONNECTED: &str = "connected";
    pub(crate) const NOT_TRIED: &str = "not_tried";
    pub(crate) const ABANDONED: &str = "abandoned";
    pub(crate) const SKIPPED: &str = "skipped";
    pub(crate) const FAILED: &str = "failed";
}

pub(crate) fn visit_kind(name: &str) -> Option<VisitKind> {
    VisitKind::ALL.iter().copied().find(|kind| kind.name() == name)
}

pub(crate) fn run_state(name: &str) -> Option<RunState> {
    use RunState::{Cancelled, Failed, Interrupted, Running, Succeeded};
    [Running, Succeeded, Cancelled, Failed, Interrupted].into_iter().find(|state| state.name() == name)
}
