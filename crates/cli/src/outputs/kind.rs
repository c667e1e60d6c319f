//! What is written into files, and how a file that holds it begins.

use std::fmt;

/// What a file holds that one of our commands has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Rows of an export: on each line an object that begins with its kind, or a table that begins with the run.
    Rows,
    /// What is true of a testnet: one object that begins with its seed.
    Truth,
    /// Who came and went: on each line an object that begins with its time.
    Events,
    /// The requests of a lookup: on each line an object that begins with whom it went to.
    Trace,
    /// Keys with their holders: one object of a list of provider records.
    Holders,
}

impl Kind {
    /// Whether a file that begins so is of this kind.
    pub(super) fn is_begun_by(self, beginning: &[u8]) -> bool {
        let key: &[u8] = match self {
            Self::Rows => br#"{"row":""#,
            Self::Truth => br#"{"seed":"#,
            Self::Events => br#"{"at_ms":"#,
            Self::Trace => br#"{"peer":""#,
            Self::Holders => b"{\n  \"ProviderRecords\":",
        };
        beginning.starts_with(key) || (self == Self::Rows && beginning.starts_with(b"run_id,"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rows => "an export",
            Self::Truth => "a truth file",
            Self::Events => "a log of events",
            Self::Trace => "the trace of a lookup",
            Self::Holders => "a list of keys with their holders",
        })
    }
}
