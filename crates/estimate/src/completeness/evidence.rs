//! What a crawl knows of its own completeness when it ends, and what that comes to.

use super::{Completeness, InDegree, InDegrees};
use crate::{Estimate, NoEstimate, missed};

/// One known peer.
#[derive(Debug, Clone, Copy)]
pub struct Capture {
    /// In how many of the tables read it stands.
    pub in_degree: u16,
    /// Whether it was reached; `None` if it had no turn.
    pub reached: Option<bool>,
    /// Whether the user named it. Then it was not found by being captured.
    pub given: bool,
}

/// What a crawl knows of its own completeness when it ends.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// Every known peer.
    pub captures: Vec<Capture>,
    /// How many peers were known after each table was read.
    pub growth: &'a [u32],
    /// Whether the run ended before everyone had a turn.
    pub cut_short: bool,
    /// Whether new peers were left out.
    pub left_out: bool,
}

impl Evidence<'_> {
    /// What it comes to. `place` says where the peer at a position lies: the first eight bits of its key. Tables are poorer in
    /// some places of the key space than in others, and few peers are asked for it.
    pub fn weigh(&self, place: impl Fn(usize) -> u8) -> Completeness {
        let estimate = self.estimate(place);
        Completeness {
            late_share: self.late(10).map(|late| late as f64 / self.captures.len().max(1) as f64),
            late_peers: self.late(100).unwrap_or(0),
            in_degree: InDegrees { reachable: self.in_degree(true), unreachable: self.in_degree(false) },
            estimate: estimate.ok(),
            no_estimate_because: estimate.err(),
        }
    }

    /// How many peers were first heard of in the last of so many equal parts of the tables read, in at least one table.
    fn late(&self, parts: usize) -> Option<u64> {
        let tables = self.growth.len();
        let before = tables.checked_sub((tables / parts).max(1))?;
        // The peers that the user named are known before the first table.
        let given = self.captures.iter().filter(|capture| capture.given).count();
        let known = before.checked_sub(1).map_or(given, |last| self.growth[last] as usize);
        Some(self.captures.len().saturating_sub(known) as u64)
    }

    fn in_degree(&self, reached: bool) -> Option<InDegree> {
        let of_class = self.captures.iter().filter(|capture| capture.reached == Some(reached));
        let mut degrees: Vec<u16> = of_class.map(|capture| capture.in_degree).collect();
        degrees.sort_unstable();
        let once = degrees.iter().filter(|&&degree| degree == 1).count();
        let median = degrees.get(degrees.len().div_ceil(2).saturating_sub(1))?;
        Some(InDegree {
            peers: degrees.len() as u64,
            median: (*median).into(),
            once_share: once as f64 / degrees.len() as f64,
        })
    }

    /// How many peers the tables missed that would have been reached, or why that cannot be told.
    fn estimate(&self, place: impl Fn(usize) -> u8) -> Result<Estimate, NoEstimate> {
        if self.cut_short || self.captures.iter().any(|capture| capture.reached.is_none()) {
            return Err(NoEstimate::CutShort);
        }
        if self.left_out {
            return Err(NoEstimate::PeersLeftOut);
        }
        let found = |(_, c): &(usize, &Capture)| c.reached == Some(true) && !c.given && c.in_degree > 0;
        let found = self.captures.iter().enumerate().filter(found);
        let tables = self.growth.len() as u64;
        missed(tables, found.map(|(position, capture)| (capture.in_degree, position)), place)
    }
}
