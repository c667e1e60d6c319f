//! How much a share would differ had other clusters been observed, and how many observations it is worth.
//!
//! Clusters are drawn anew (B. Efron, Ann. Stat. 7 (1979) 1-26) and the estimate made of each draw; what the share varies by says of how many
//! independent observations it is worth, and the interval is Wilson's for so many: E. L. Korn and B. I. Graubard, "Confidence Intervals for
//! Proportions With Small Expected Number of Positive Counts Estimated From Survey Data", Survey Methodology 24 (1998) 193-201. It has width where all or
//! none go on, too: there it is worth as many as there are clusters of which it is known.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bracketed, atoms::Atom, likelihood::Likelihood};
use crate::{
    draw::Draw,
    normal::{Z, student},
};

/// How often clusters are drawn, at most and at least, and how many observations in all, about.
const MAX_DRAWS: usize = 199;
const MIN_DRAWS: usize = 49;
const MAX_DRAWN: usize = 20_000_000;

/// How far the mean log-likelihood of a draw may be below its maximum: far below what draws differ by.
const SHORTFALL: f64 = 1e-4;

/// The observations of each cluster, as pairs and how often.
#[derive(Debug)]
pub(super) struct Clusters(Vec<Vec<(usize, f64)>>);

impl Clusters {
    pub(super) fn of(observed: &[Bracketed], pairs: &[usize]) -> Self {
        let mut clusters: BTreeMap<u32, BTreeMap<usize, f64>> = BTreeMap::new();
        for (one, pair) in observed.iter().zip(pairs) {
            *clusters.entry(one.cluster).or_default().entry(*pair).or_default() += 1.0;
        }
        Self(clusters.into_values().map(|pairs| pairs.into_iter().collect()).collect())
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The variance of the share that goes on after each atom.
    pub(super) fn variances(&self, likelihood: &mut Likelihood, masses: &[f64], seed: u64) -> Vec<f64> {
        let mut draw = Draw::new(seed);
        let size: usize = self.0.iter().map(Vec::len).sum();
        let draws = (MAX_DRAWN / size.max(masses.len()).max(1)).clamp(MIN_DRAWS, MAX_DRAWS);
        let (mut sums, mut squares) = (vec![0.0; masses.len()], vec![0.0; masses.len()]);
        let (mut weights, mut counts) = (vec![0.0; likelihood.pairs()], vec![0; self.0.len()]);
        for _ in 0..draws {
            weights.fill(0.0);
            draw.counts(&mut counts);
            for (cluster, count) in self.0.iter().zip(&counts).filter(|(_, count)| **count > 0) {
                add(&mut weights, cluster, f64::from(*count));
            }
            let fit = likelihood.maximum(&weights, Some(masses), SHORTFALL);
            let mut left = 1.0;
            for (mass, (sum, square)) in fit.masses.iter().zip(sums.iter_mut().zip(&mut squares)) {
                left -= mass;
                *sum += left;
                *square += left * left;
            }
        }
        let draws = draws as f64;
        let of = |(sum, square): (f64, f64)| ((square - sum * sum / draws) / (draws - 1.0)).max(0.0);
        sums.into_iter().zip(squares).map(of).collect()
    }
}

/// The observations of a cluster that was drawn so often.
fn add(weights: &mut [f64], cluster: &[(usize, f64)], count: f64) {
    for (pair, times) in cluster {
        if let Some(weight) = weights.get_mut(*pair) {
            *weight += times * count;
        }
    }
}

/// Of how many clusters it is known, by the end of each atom, whether one of theirs had ended.
pub(super) fn told(observed: &[Bracketed], atoms: &[Atom]) -> Vec<f64> {
    // Known before `after`, and from `by` on.
    let mut changes: Vec<Vec<(u32, bool)>> = vec![Vec::new(); atoms.len() + 1];
    for one in observed {
        let unknown = atoms.partition_point(|atom| atom.by.is_some_and(|by| by <= one.after));
        let known = one.by.map(|by| atoms.partition_point(|atom| atom.by.is_some_and(|at| at < by)));
        for (index, is_known) in [(Some(unknown), false), (known, true)] {
            if let Some(list) = index.and_then(|index| changes.get_mut(index)) {
                list.push((one.cluster, is_known));
            }
        }
    }
    let mut counts: BTreeMap<u32, i64> = BTreeMap::new();
    for one in observed {
        *counts.entry(one.cluster).or_default() += 1;
    }
    let mut knowing: BTreeSet<u32> = counts.keys().copied().collect();
    let of_atom = |list: Vec<(u32, bool)>| {
        for (cluster, is_known) in list {
            let count = counts.entry(cluster).or_default();
            *count += if is_known { 1 } else { -1 };
            if *count > 0 {
                knowing.insert(cluster);
            } else {
                knowing.remove(&cluster);
            }
        }
        knowing.len() as f64
    };
    changes.into_iter().map(of_atom).collect()
}

/// How many independent observations a share is worth that varies so much over so many clusters, less by Student's quantile where these
/// are few; where all or none go on, as many as it is told of.
pub(super) fn worth(going_on: f64, variance: f64, told: f64, clusters: usize) -> f64 {
    let of_one = going_on * (1.0 - going_on);
    if of_one <= f64::EPSILON || variance <= f64::EPSILON || clusters < 2 {
        return told.max(1.0);
    }
    (of_one / variance * (Z / student((clusters - 1) as f64)).powi(2)).max(1.0)
}
