//! From a study to its report: every number with its interval and what it stands on first, tables and figures from these.
//!
//! Where the rows come from, and where the files go, is the program's. What is estimated is in `estimate`, `life` and `savings`; how
//! figures look is in `figure`. What each figure shows, and where it differs from those that it is compared with, is in `docs/hoard.md`.

mod ages;
mod closeness;
mod counts;
mod key_space;
mod looks;
mod numbers;
mod page;
mod publication;
mod section;
mod shares;
mod tables;
mod tally;

pub use self::{
    closeness::CrawlTruth,
    counts::CountNumbers,
    numbers::{
        AgeNumbers, AgentNumbers, CourseNumbers, CrawlNumbers, FinalShares, HoardArmNumbers, HoardSection,
        HolderNumbers, HopCountNumbers, HopNumbers, InDegreeNumbers, KeySpaceNumbers, KeySpacePart,
        NamedShare, NoiseNumbers, PublicationNumbers, WalkNumbers,
    },
    section::ReportOrder,
};

#[cfg(test)]
mod tests;
