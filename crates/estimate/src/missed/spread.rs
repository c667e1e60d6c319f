//! How unevenly individuals are captured, as those show that were captured rarely.
//!
//! If every occasion captured each with the same small probability, the numbers of captures would be Poisson: (k+1) f(k+1) / f(k)
//! would not depend on k. If the probabilities spread as a gamma distribution does, it is a line, A + B k, and the
//! numbers of captures are negative binomial (I. Rocchetti, J. Bunge and D. Böhning, "Population size estimation based upon ratios
//! of recapture probabilities", Annals of Applied Statistics 5 (2011) 1512-1533). The line is fitted to the numbers
//! from 1 to [`WINDOW`] by maximum likelihood: what lies above says little of who was captured never.

use super::{NoEstimate, chao::whole};

/// The greatest number of captures that is looked at.
pub(super) const WINDOW: usize = 8;

/// How far the log-likelihood may lie below its maximum in a 95 % interval: half of the 3.84 of one degree of freedom.
const DROP: f64 = 1.92;

/// The normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.96;

/// The normal quantile beyond which lies one case in a thousand: then a model does not fit.
const MISFIT: f64 = 3.09;

/// The range in which A is sought, as logarithms. Fewer than one in a thousand would be found at its lower end, and
/// none be missed at its upper one.
const LN_A: (f64, f64) = (-7.0, 5.0);

/// Cells that are expected to be smaller are put together before they are compared.
const MIN_CELL: f64 = 3.0;

/// A negative binomial distribution, fitted to small numbers of captures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    /// How many individuals it says were missed.
    missed: f64,
    /// How many it says if captures are as uneven as is still likely; `None` without bound.
    most_missed: Option<f64>,
}

/// The likelihood of one line.
#[derive(Debug, Clone, Copy)]
struct Line {
    a: f64,
    b: f64,
    log_likelihood: f64,
}

impl Spread {
    /// Fits; `counts[k]` individuals were captured exactly k times. `None` if the model does not fit.
    pub(super) fn fit(counts: &[u64; WINDOW + 1]) -> Option<Self> {
        let best_at = |ln_a: f64| best_b(counts, ln_a.exp());
        let ln_a = maximum(LN_A, |ln_a| best_at(ln_a).log_likelihood);
        let best = best_at(ln_a);
        if !fits(counts, best) {
            return None;
        }
        let enough = best.log_likelihood - DROP;
        let is_likely = |ln_a: f64| best_at(ln_a).log_likelihood >= enough;
        let most_missed =
            (!is_likely(LN_A.0)).then(|| missed(counts, best_at(boundary((LN_A.0, ln_a), is_likely))));
        Some(Self { missed: missed(counts, best), most_missed })
    }

    /// The upper end of the 95 % interval in whole individuals, `found` being known. That the model is uncertain and that
    /// the number of missed ones is random add up as variances do.
    pub(super) fn high(self, found: u64) -> Result<u64, NoEstimate> {
        let most_missed = self.most_missed.ok_or(NoEstimate::CapturesTooUneven)?;
        let chance = self.missed * (1.0 + self.missed / found.max(1) as f64);
        let high = self.missed + ((most_missed - self.missed).powi(2) + Z * Z * chance).sqrt();
        if high > found as f64 { Err(NoEstimate::CapturesTooUneven) } else { Ok(whole(high.ceil())) }
    }
}

/// For each number of captures from 0 to the window's end how likely a line makes it, in units of how likely it makes 0.
fn weights(a: f64, b: f64) -> [f64; WINDOW + 1] {
    let mut weights = [1.0; WINDOW + 1];
    for k in 0..WINDOW {
        weights[k + 1] = weights[k] * (a + b * k as f64) / (k + 1) as f64;
    }
    weights
}

fn log_likelihood(counts: &[u64; WINDOW + 1], a: f64, b: f64) -> f64 {
    let weights = weights(a, b);
    let sum: f64 = weights[1..].iter().sum();
    counts[1..].iter().zip(&weights[1..]).map(|(&count, weight)| count as f64 * (weight / sum).ln()).sum()
}

/// The best line with this A. B is 0 if captures are even, and below 1 in a negative binomial distribution.
fn best_b(counts: &[u64; WINDOW + 1], a: f64) -> Line {
    let b = maximum((0.0, 1.0), |b| log_likelihood(counts, a, b));
    Line { a, b, log_likelihood: log_likelihood(counts, a, b) }
}

/// How many were captured never, by the number of those in the window.
fn missed(counts: &[u64; WINDOW + 1], line: Line) -> f64 {
    let weights = weights(line.a, line.b);
    rare(counts) / weights[1..].iter().sum::<f64>()
}

fn rare(counts: &[u64; WINDOW + 1]) -> f64 {
    counts[1..].iter().sum::<u64>() as f64
}

/// Pearson's test at one in a thousand, the quantile of chi-squared by Wilson and Hilferty (1931).
fn fits(counts: &[u64; WINDOW + 1], line: Line) -> bool {
    let weights = weights(line.a, line.b);
    let unit = rare(counts) / weights[1..].iter().sum::<f64>();
    let (mut cells, mut chi_squared) = (0_u32, 0.0);
    let (mut seen, mut expected) = (0.0, 0.0);
    for (k, &count) in counts.iter().enumerate().skip(1) {
        seen += count as f64;
        expected += weights[k] * unit;
        if expected >= MIN_CELL || k == WINDOW {
            cells += 1;
            chi_squared += (seen - expected).powi(2) / expected.max(1.0);
            (seen, expected) = (0.0, 0.0);
        }
    }
    // The total and both parameters come from the counts themselves.
    let freedom = f64::from(cells.saturating_sub(3));
    if freedom < 1.0 {
        return true;
    }
    let ninth = 2.0 / (9.0 * freedom);
    chi_squared <= freedom * (1.0 - ninth + MISFIT * ninth.sqrt()).powi(3)
}

/// Where a function with one peak is greatest (golden-section search).
fn maximum((mut low, mut high): (f64, f64), value: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    for _ in 0..40 {
        let width = GOLDEN * (high - low);
        if value(high - width) < value(low + width) {
            low = high - width;
        } else {
            high = low + width;
        }
    }
    low.midpoint(high)
}

/// Where a condition begins to hold that does not at the range's lower end, and does at its upper end.
fn boundary((mut low, mut high): (f64, f64), holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..40 {
        let middle = low.midpoint(high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}
