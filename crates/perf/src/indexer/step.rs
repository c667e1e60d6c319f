//! The steps of a publication to an indexer, with why one failed.

use std::{fmt, time::Duration};

use http::{HttpFailure, HttpFailureClass};

use super::block::BadBlock;

kad::named! {
    /// A step of a publication. All are timed from its beginning.
    pub enum IndexerStage {
        /// The advertisement is made and signed, and the indexer has taken its announcement.
        Announce = "announce",
        /// The indexer has asked for the advertisement.
        IndexAd = "index_ad",
        /// The indexer has asked for its multihashes.
        IndexEntries = "index_entries",
        /// The indexer names this server as a provider.
        Availability = "availability",
    }
}

kad::named! {
    /// Why a step failed.
    pub enum StepFailureClass {
        /// The advertisement is none that an indexer takes, or could not be signed.
        Advertisement = "advertisement",
        /// The indexer could not be reached, or did not answer.
        Away = "away",
        /// The indexer answered that it does not take it.
        Refused = "refused",
        /// The indexer wants to be asked less.
        Throttled = "throttled",
        /// The indexer did not ask for it in time.
        NotAsked = "not_asked",
        /// The indexer answered, and did not name this server in time.
        NotFound = "not_found",
        /// The time of the whole operation was up.
        Deadline = "deadline",
    }
}

/// Why a step failed, and what is known beside its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFailure {
    /// Its name.
    pub class: StepFailureClass,
    /// The rest in words; empty if there is nothing to say.
    pub text: String,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexerStep {
    /// Which.
    pub stage: IndexerStage,
    /// How long it took since the publication began.
    pub took: Duration,
    /// Why it failed; `None` if it did not.
    pub failure: Option<StepFailure>,
}

impl StepFailure {
    pub(super) fn new(class: StepFailureClass, text: impl Into<String>) -> Self {
        Self { class, text: text.into() }
    }

    /// An answer of a status that is not what was hoped for.
    pub(super) fn of_status(status: u16, text: &str) -> Self {
        /// Of what an indexer says as much is kept, in characters.
        const MAX_SAID: usize = 200;
        let class = if status == 429 { StepFailureClass::Throttled } else { StepFailureClass::Refused };
        let said: String = text.trim().chars().filter(|char| !char.is_control()).take(MAX_SAID).collect();
        Self::new(class, format!("status {status} {said}").trim_end())
    }
}

impl From<&HttpFailure> for StepFailure {
    fn from(failure: &HttpFailure) -> Self {
        let class = match failure.class() {
            HttpFailureClass::Status => StepFailureClass::Refused,
            _ => StepFailureClass::Away,
        };
        Self::new(class, failure.to_string())
    }
}

impl From<BadBlock> for StepFailure {
    fn from(bad: BadBlock) -> Self {
        Self::new(StepFailureClass::Advertisement, bad.to_string())
    }
}

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class.name())?;
        if self.text.is_empty() { Ok(()) } else { write!(f, ": {}", self.text) }
    }
}
