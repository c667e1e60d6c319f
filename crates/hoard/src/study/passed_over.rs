//! What a reader of a study left out: nothing is lost in silence.

/// What of the rows of a study was passed over, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct PassedOver {
    /// Runs that one of the study says it continues, and that are not in the store.
    pub missing_runs: u64,
    /// Publications that came to no end: there are holders, and no row of the key.
    pub cut_publications: u64,
    /// Keys that two runs published: what the later one did with them first is not taken.
    pub repeated_keys: u64,
    /// Rounds that two runs closed: the earlier is taken.
    pub repeated_rounds: u64,
    /// Rounds of which something stands, and that came to no end.
    pub cut_rounds: u64,
    /// Rows of keys that nobody published.
    pub unknown_keys: u64,
    /// Sights of peers that are no holders of the key.
    pub unknown_holders: u64,
    /// Rounds that began before the publication did.
    pub before_publication: u64,
    /// Sights whose program has no number any more, since more than 65,000 were seen before.
    pub agents_beyond: u64,
}

impl PassedOver {
    /// Whether nothing was.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}
