//! What is true of the observer's own network.

use serde::Serialize;

use crate::life::Away;

/// A time in which the observer's network is away. Its JSON is an entry of `outages` in the truth file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OutageTruth {
    /// When it begins, in seconds of life.
    pub from_s: f64,
    /// When it is over.
    pub until_s: f64,
    /// What dials meet meanwhile: `no_route` or `no_answer`.
    pub dials: &'static str,
}

impl From<Away> for OutageTruth {
    fn from(Away { from, until, cut }: Away) -> Self {
        Self { from_s: from.seconds(), until_s: until.seconds(), dials: cut.name() }
    }
}
