//! From rows of attempts to the section of a weekly report that says how fast a network takes and finds records: every number with
//! its interval and what it stands on first, tables and figures from these.
//!
//! Where the rows come from, and where the files go, is the program's. What is estimated is in `estimate`, and what it assumes in
//! `docs/methodology/durations.md`; how figures look is in `figure`.

mod groups;
mod numbers;
mod page;
mod rows;
mod tables;

pub use self::{
    numbers::{
        FleetDifference, GroupNumbers, KindNumbers, OutcomeNumbers, PairNumbers, PerfSection,
        PlacementNumbers,
    },
    rows::{BadRow, ReportRows},
};

#[cfg(test)]
mod tests;
