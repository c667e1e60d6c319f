//! What a crawl knows of its own completeness when it ends, and what that comes to.

use super::{
    Completeness, Estimate, InDegree, InDegrees, Method, NoEstimate, chao,
    spread::{Spread, WINDOW},
};

/// With fewer tables there is no number: the in-degrees hang on single tables.
const MIN_TABLES: u64 = 30;

/// Below this sample coverage there is no number: most of what there is would be extrapolated.
const MIN_COVERAGE: f64 = 0.5;

/// With fewer peers of small in-degree it cannot be tested how unevenly peers are captured.
const MIN_RARE: u64 = 30;

/// How many peers can be missed where none stands in one table alone, in 97.5 % of all cases: -ln 0.025, rounded up. So
/// many in one table are expected at most if there are none, and no more are expected in none than in one.
pub(super) const NONE_NAMED_ONCE: u64 = 4;

/// One known peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capture<'a> {
    /// The bytes of its id.
    pub(crate) id: &'a [u8],
    /// In how many of the tables read it stands.
    pub(crate) in_degree: u16,
    /// Whether it was reached; `None` if it had no turn.
    pub(crate) reached: Option<bool>,
    /// Whether the user named it. Then it was not found by being captured.
    pub(crate) given: bool,
}

/// What a crawl knows of its own completeness when it ends.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    /// Every known peer.
    pub(crate) captures: Vec<Capture<'a>>,
    /// How many peers were known after each table was read.
    pub(crate) growth: &'a [u32],
    /// Whether the run ended before everyone had a turn.
    pub(crate) cut_short: bool,
    /// Whether new peers were left out.
    pub(crate) left_out: bool,
}

impl Evidence<'_> {
    /// What it comes to.
    pub(crate) fn weigh(&self) -> Completeness {
        let estimate = self.estimate();
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
    fn estimate(&self) -> Result<Estimate, NoEstimate> {
        let found =
            || self.captures.iter().filter(|c| c.reached == Some(true) && !c.given && c.in_degree > 0);
        let mut counts = [0_u64; WINDOW + 1];
        for capture in found() {
            if let Some(count) = counts.get_mut(usize::from(capture.in_degree)) {
                *count += 1;
            }
        }
        let [_, f1, f2, ..] = counts;
        let entries: u64 = found().map(|capture| u64::from(capture.in_degree)).sum();
        let mut estimate = Estimate {
            missed: 0.0,
            low: 0,
            high: NONE_NAMED_ONCE,
            method: Method::NoneOnce,
            n_tables: self.growth.len() as u64,
            n_peers: found().count() as u64,
            f1,
            f2,
            coverage: 1.0 - f1 as f64 / entries.max(1) as f64,
        };
        if let Some(reason) = self.refusal(&estimate) {
            return Err(reason);
        }
        if f1 > 0 {
            let chao = chao::by_place(found(), estimate.n_peers, estimate.n_tables);
            (estimate.missed, estimate.low, estimate.high) = (chao.missed, chao.low(), chao.high());
            estimate.method = Method::Chao;
        }
        if f1 > 0 && counts[1..].iter().sum::<u64>() >= MIN_RARE {
            let spread = Spread::fit(&counts).ok_or(NoEstimate::CapturesTooUneven)?;
            estimate.high = estimate.high.max(spread.high(estimate.n_peers)?);
            estimate.method = Method::ChaoSpread;
        }
        Ok(estimate)
    }

    /// The first assumption that fails whatever the model.
    fn refusal(&self, estimate: &Estimate) -> Option<NoEstimate> {
        let &Estimate { n_tables, f1, f2, coverage, .. } = estimate;
        let refusals = [
            (self.cut_short || self.captures.iter().any(|c| c.reached.is_none()), NoEstimate::CutShort),
            (self.left_out, NoEstimate::PeersLeftOut),
            (n_tables < MIN_TABLES, NoEstimate::TooFewTables),
            (f1 > 0 && f2 == 0, NoEstimate::NoneTwice),
            (coverage < MIN_COVERAGE, NoEstimate::CoverageTooLow),
        ];
        refusals.iter().find(|(fails, _)| *fails).map(|&(_, reason)| reason)
    }
}
