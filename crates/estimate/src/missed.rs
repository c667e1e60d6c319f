//! How many individuals of a closed population no occasion has captured, by those that few have.
//!
//! Of a crawl the occasions are the routing tables that it read, each of which captures the peers in it: but nothing here
//! knows of that.

mod chao;
mod spread;

use serde::{Deserialize, Serialize};

use self::spread::{Spread, WINDOW};

/// With fewer occasions there is no number: all hangs on single ones.
const MIN_OCCASIONS: u64 = 30;

/// Below this sample coverage there is no number: most of what there is would be extrapolated.
const MIN_COVERAGE: f64 = 0.5;

/// With fewer individuals that were captured rarely it cannot be tested how unevenly they are captured.
const MIN_RARE: u64 = 30;

/// How many individuals can be missed where none was captured once alone, in 97.5 % of all cases: -ln 0.025, rounded up. So
/// many are expected once at most if there are none, and no more are expected never than once.
const NONE_ONCE: u64 = 4;

/// How many individuals no occasion captured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The best guess, in individuals: a lower bound of what is expected.
    pub missed: f64,
    /// The lower end of the 95 % interval, in individuals.
    pub low: u64,
    /// The upper end of the 95 % interval, in individuals.
    pub high: u64,
    /// How it was found.
    pub method: Method,
    /// How many occasions there were: of a crawl, the tables that were read.
    pub n_tables: u64,
    /// The individuals that were captured at least once: of a crawl, the reachable peers in these tables, without those that
    /// the user named.
    pub n_peers: u64,
    /// How many of these were captured exactly once.
    pub f1: u64,
    /// How many of these were captured exactly twice.
    pub f2: u64,
    /// The estimated share of all captures that would be of somebody who was found (Good 1953), 0 to 1.
    pub coverage: f64,
}

kad::named! {
    /// How a number of missed individuals was found.
    pub enum Method: serde {
        /// Nobody was captured once alone: nobody is missed, but for chance.
        NoneOnce = "none_once",
        /// Chao's lower bound with its interval. Too few were captured rarely to see how uneven captures are, so the upper end
        /// holds only if they are not.
        Chao = "chao",
        /// Chao's lower bound; the upper end of the interval allows for captures as uneven as they show themselves.
        ChaoSpread = "chao_spread",
    }
}

kad::named! {
    /// Why there is no estimate.
    pub enum NoEstimate: serde {
        /// The run ended before everyone had a turn: there were to be more occasions.
        CutShort = "cut_short",
        /// As many were known as may be kept: whoever was captured beyond that was left out.
        PeersLeftOut = "peers_left_out",
        /// There were fewer than 30 occasions.
        TooFewTables = "too_few_tables",
        /// Some were captured once alone, but nobody twice: nothing says how much a second look would bring.
        NoneTwice = "none_twice",
        /// More than half of all captures would be of somebody who was not found.
        CoverageTooLow = "coverage_too_low",
        /// Captures are so uneven that the model does not fit, or that nothing bounds the number of missed ones.
        CapturesTooUneven = "captures_too_uneven",
    }
}

/// How many individuals `occasions` captured never, or why that cannot be told. `captured` are those that were captured, and
/// how often each; `stratum` says to which of 256 strata one belongs, and is asked of those that were captured once or twice.
/// Within a stratum individuals are alike in how often they are captured; strata with neighboring numbers may be put together.
pub fn missed<I>(
    occasions: u64,
    captured: impl Iterator<Item = (u16, I)> + Clone,
    stratum: impl Fn(I) -> u8,
) -> Result<Estimate, NoEstimate> {
    let mut counts = [0_u64; WINDOW + 1];
    let (mut individuals, mut times_in_all) = (0_u64, 0_u64);
    for (times, _) in captured.clone() {
        individuals += 1;
        times_in_all += u64::from(times);
        if let Some(count) = counts.get_mut(usize::from(times)) {
            *count += 1;
        }
    }
    let [_, f1, f2, ..] = counts;
    let mut estimate = Estimate {
        missed: 0.0,
        low: 0,
        high: NONE_ONCE,
        method: Method::NoneOnce,
        n_tables: occasions,
        n_peers: individuals,
        f1,
        f2,
        coverage: 1.0 - f1 as f64 / times_in_all.max(1) as f64,
    };
    if let Some(reason) = refusal(&estimate) {
        return Err(reason);
    }
    if f1 > 0 {
        let bound = chao::by_stratum(captured, (individuals, occasions), stratum);
        (estimate.missed, estimate.low, estimate.high) = (bound.missed, bound.low(), bound.high());
        estimate.method = Method::Chao;
    }
    if f1 > 0 && counts[1..].iter().sum::<u64>() >= MIN_RARE {
        let spread = Spread::fit(&counts).ok_or(NoEstimate::CapturesTooUneven)?;
        estimate.high = estimate.high.max(spread.high(individuals)?);
        estimate.method = Method::ChaoSpread;
    }
    Ok(estimate)
}

/// The first assumption that fails whatever the model.
fn refusal(estimate: &Estimate) -> Option<NoEstimate> {
    let &Estimate { n_tables, f1, f2, coverage, .. } = estimate;
    let refusals = [
        (n_tables < MIN_OCCASIONS, NoEstimate::TooFewTables),
        (f1 > 0 && f2 == 0, NoEstimate::NoneTwice),
        (coverage < MIN_COVERAGE, NoEstimate::CoverageTooLow),
    ];
    refusals.iter().find(|(fails, _)| *fails).map(|&(_, reason)| reason)
}
