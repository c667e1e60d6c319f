//! How complete a crawl is: how late peers were still heard of, in how many tables they stand, and how many it missed.
//!
//! Each routing table that was read is a capture occasion: it captures the peers in it. How many peers stand in one
//! table alone and how many in two tells how many stand in none. The page `docs/methodology/completeness.md` has the
//! formulas, their sources, what they assume, and how wrong they were on networks whose truth is known.

mod chao;
mod evidence;
mod spread;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(crate) use self::evidence::{Capture, Evidence};

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

/// How many reachable peers a crawl missed: those that would have been reached, but stand in none of the tables read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The best guess, in peers: a lower bound of what is expected.
    pub missed: f64,
    /// The lower end of the 95 % interval, in peers.
    pub low: u64,
    /// The upper end of the 95 % interval, in peers.
    pub high: u64,
    /// How it was found.
    pub method: Method,
    /// How many tables were read.
    pub n_tables: u64,
    /// The reachable peers that stand in at least one of them, without those that the user named.
    pub n_peers: u64,
    /// How many of these stand in exactly one.
    pub f1: u64,
    /// How many of these stand in exactly two.
    pub f2: u64,
    /// The estimated share of all entries that name a peer which was found (Good 1953), 0 to 1.
    pub coverage: f64,
}

kad::named! {
    /// How a number of missed peers was found.
    pub enum Method: serde {
        /// No peer stands in one table alone: none is missed, but for chance.
        NoneOnce = "none_once",
        /// Chao's lower bound with its interval. Too few peers have a small in-degree to see how uneven captures are, so
        /// the upper end holds only if they are not.
        Chao = "chao",
        /// Chao's lower bound; the upper end of the interval allows for captures as uneven as the in-degrees show.
        ChaoSpread = "chao_spread",
    }
}

kad::named! {
    /// Why there is no estimate.
    pub enum NoEstimate: serde {
        /// The run ended before everyone had a turn: known peers' tables were not read.
        CutShort = "cut_short",
        /// Peers were left out since as many were known as the crawl may keep.
        PeersLeftOut = "peers_left_out",
        /// Fewer than 30 tables were read.
        TooFewTables = "too_few_tables",
        /// Some peers stand in one table alone, but none in two: nothing says how much a second look would bring.
        NoneTwice = "none_twice",
        /// More than half of all entries would name peers that were not found.
        CoverageTooLow = "coverage_too_low",
        /// Peers are captured so unevenly that the model does not fit, or that nothing bounds the number of missed ones.
        CapturesTooUneven = "captures_too_uneven",
    }
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
