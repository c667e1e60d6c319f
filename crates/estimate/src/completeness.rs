//! How complete a crawl is: how late peers were still heard of, in how many tables they stand, and how many it missed.
//!
//! Each routing table that was read is a capture occasion: it captures the peers in it. How many peers stand in one
//! table alone and how many in two tells how many stand in none. The page `docs/methodology/completeness.md` has the
//! formulas, their sources, what they assume, and how wrong they were on networks whose truth is known.

mod evidence;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::evidence::{Capture, Evidence};
use crate::{Estimate, NoEstimate};

/// How complete a crawl is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completeness {
    /// The share of all discovered peers that were first heard of in the last tenth of the tables read, 0 to 1; `None`
    /// if no table was read.
    pub late_share: Option<f64>,
    /// How many peers were first heard of in the last hundredth of the tables read (at least one table).
    pub late_peers: u64,
    /// In how many of the tables read peers stand.
    pub in_degree: InDegrees,
    /// How many reachable peers stand in none of the tables read; `None` if that cannot be told.
    pub estimate: Option<Estimate>,
    /// Why it cannot be told; `None` if it can.
    pub no_estimate_because: Option<NoEstimate>,
}

/// In-degrees of peers that were reached, beside those of peers that were not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct InDegrees {
    /// Of reachable peers; `None` if there are none.
    pub reachable: Option<InDegree>,
    /// Of unreachable peers, those included whose addresses may not be dialled; `None` if there are none.
    pub unreachable: Option<InDegree>,
}

/// In how many of the tables read the peers of a class stand.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InDegree {
    /// How many peers there are.
    pub peers: u64,
    /// The median of their in-degrees, by the nearest rank.
    pub median: u64,
    /// The share of them that stand in exactly one table, 0 to 1.
    pub once_share: f64,
}

impl Default for Completeness {
    /// Of a crawl that read no table.
    fn default() -> Self {
        Self {
            late_share: None,
            late_peers: 0,
            in_degree: InDegrees::default(),
            estimate: None,
            no_estimate_because: Some(NoEstimate::TooFewTables),
        }
    }
}
