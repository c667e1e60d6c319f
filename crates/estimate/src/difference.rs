//! Whether two kinds take differently long, and by how much: where some were cut short.
//!
//! The log-rank test: N. Mantel, Cancer Chemother. Rep. 50 (1966) 163-170. It sees best what makes ends more likely by one factor at all
//! times, and little of curves that cross; how much later one is by a quantile is beside it for that reason. The interval of that difference
//! is the percentile interval of a bootstrap: B. Efron, "Censored Data and the Bootstrap", J. Am. Stat. Assoc. 76 (1981) 312-319.

use serde::{Deserialize, Serialize};

use crate::{
    draw::{Draw, percentile_ends},
    normal,
    survival::{Survival, Timed},
};

/// How often both samples are drawn anew, at most and at least; and how many are drawn in all, about.
const MAX_DRAWS: usize = 999;
const MIN_DRAWS: usize = 199;
const MAX_DRAWN: usize = 20_000_000;

/// Where more draws than this share say nothing of the difference, it has no interval.
const MAX_SILENT: f64 = 0.05;

/// What a log-rank test says of two samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LogRank {
    /// The statistic: chi-squared with one degree of freedom if both are alike.
    pub chi_squared: f64,
    /// How likely it is as large or larger if both are alike.
    pub p: f64,
    /// How many are in the first sample, and in the second.
    pub n: [u64; 2],
}

/// By how much a quantile of the second sample is later than that of the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QuantileDifference {
    /// Of which share that has ended, 0 to 1.
    pub share: f64,
    /// The second's less the first's; `None` where either was not reached.
    pub difference: Option<f64>,
    /// The lower end of the 95 % interval; `None` where nothing bounds it.
    pub low: Option<f64>,
    /// The upper end of the 95 % interval; `None` where nothing bounds it.
    pub high: Option<f64>,
    /// How many are in the first sample, and in the second.
    pub n: [u64; 2],
}

/// Compares two samples over all times; `None` where either is empty or nothing ended while both were watched.
pub fn log_rank(one: &[Timed], other: &[Timed]) -> Option<LogRank> {
    let mut all: Vec<(Timed, bool)> = one.iter().map(|timed| (*timed, true)).collect();
    all.extend(other.iter().map(|timed| (*timed, false)));
    all.sort_by(|(one, _), (other, _)| one.after.total_cmp(&other.after));
    let (mut of_one, mut excess, mut variance) = (one.len() as f64, 0.0, 0.0);
    let mut rest = &all[..];
    while let Some((first, _)) = rest.first() {
        let same = rest.partition_point(|(timed, _)| timed.after <= first.after);
        let (now, after) = rest.split_at(same);
        let at_risk = rest.len() as f64;
        let ends = now.iter().filter(|(timed, _)| !timed.is_censored);
        let (ended, ended_of_one) = ends.fold((0.0, 0.0), |(all, of_one), (_, is_one)| {
            (all + 1.0, of_one + f64::from(u8::from(*is_one)))
        });
        let share = of_one / at_risk;
        excess += ended_of_one - ended * share;
        if at_risk > 1.0 {
            variance += ended * share * (1.0 - share) * (at_risk - ended) / (at_risk - 1.0);
        }
        of_one -= now.iter().filter(|(_, is_one)| *is_one).count() as f64;
        rest = after;
    }
    let chi_squared = excess * excess / variance;
    let p = normal::two_sided(chi_squared.sqrt());
    (variance > 0.0).then_some(LogRank { chi_squared, p, n: [one.len() as u64, other.len() as u64] })
}

/// By how much the second sample's quantile is later than the first's. The same seed gives the same interval.
pub fn quantile_difference(
    one: &[Timed],
    other: &[Timed],
    share: f64,
    seed: u64,
) -> Option<QuantileDifference> {
    let samples = [one, other].map(sorted);
    let values =
        [one, other].map(|sample| Some(Survival::of(sample.iter().copied()).ok()?.quantile(share).value));
    let [Some(first), Some(second)] = values else { return None };
    let mut draw = Draw::new(seed);
    let mut counts = [one, other].map(|sample| vec![0; sample.len()]);
    let times = (MAX_DRAWN / (one.len() + other.len()).max(1)).clamp(MIN_DRAWS, MAX_DRAWS);
    let drawn = (0..times).map(|_| {
        let [first, second] =
            [0, 1].map(|index: usize| drawn_quantile(&mut draw, &samples[index], &mut counts[index], share));
        match (first, second) {
            (Some(first), Some(second)) => Some(second - first),
            (Some(_), None) => Some(f64::INFINITY),
            (None, Some(_)) => Some(f64::NEG_INFINITY),
            (None, None) => None,
        }
    });
    let mut differences: Vec<f64> = drawn.flatten().collect();
    differences.sort_by(f64::total_cmp);
    let is_telling = differences.len() as f64 >= times as f64 * (1.0 - MAX_SILENT);
    let end = |index: usize| differences.get(index).copied().filter(|value| is_telling && value.is_finite());
    let (first_end, last_end) = percentile_ends(differences.len());
    let (low, high) = (end(first_end), end(last_end));
    let difference = first.zip(second).map(|(first, second)| second - first);
    Some(QuantileDifference { share, difference, low, high, n: samples.map(|sample| sample.len() as u64) })
}

/// The quantile of as many drawn from a sorted sample as it has; `None` where they were cut short before it.
fn drawn_quantile(draw: &mut Draw, sample: &[Timed], counts: &mut [u32], share: f64) -> Option<f64> {
    draw.counts(counts);
    let (mut at_risk, mut going_on) = (sample.len() as f64, 1.0);
    // Those that end together may be taken one after another: the product is the same.
    for (timed, count) in sample.iter().zip(counts).filter(|(_, count)| **count > 0) {
        let count = f64::from(*count);
        if !timed.is_censored {
            going_on *= 1.0 - count / at_risk;
            if going_on <= 1.0 - share + 1e-9 {
                return Some(timed.after);
            }
        }
        at_risk -= count;
    }
    None
}

/// By time; what ends at the moment when another is cut short ends before that.
fn sorted(sample: &[Timed]) -> Vec<Timed> {
    let mut sample = sample.to_vec();
    sample.sort_by(|one, other| {
        one.after.total_cmp(&other.after).then(one.is_censored.cmp(&other.is_censored))
    });
    sample
}

#[cfg(test)]
mod tests;
