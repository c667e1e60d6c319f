//! Means and quantiles of observations that come in clusters, as those of one key do: the clusters are independent of each other, what
//! is in one is not.
//!
//! The interval is the percentile interval of a bootstrap that draws whole clusters (A. C. Davison and D. V. Hinkley, "Bootstrap Methods
//! and their Application", Cambridge 1997, 3.8). A mean over all observations is the ratio of two sums over clusters, so a difference of
//! two means of the same observations is the mean of their differences. Shares have a better one: [`Proportion::of_clusters`].
//!
//! [`Proportion::of_clusters`]: crate::Proportion::of_clusters

use serde::{Deserialize, Serialize};

use crate::draw::{Draw, percentile_ends};

/// How often clusters are drawn anew, at most and at least; and how many are looked at in all, about.
const MAX_DRAWS: usize = 999;
const MIN_DRAWS: usize = 199;
const MAX_DRAWN: usize = 20_000_000;

/// With fewer clusters there is no interval: their draws hardly differ.
const MIN_CLUSTERS: usize = 5;

/// A number of observations in clusters, with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClusteredValue {
    /// The number; `None` where it is beyond all that was seen.
    pub value: Option<f64>,
    /// The lower end of the 95 % interval; `None` of fewer than five clusters, and where nothing bounds it.
    pub low: Option<f64>,
    /// The upper end of the 95 % interval; `None` of fewer than five clusters, and where nothing bounds it.
    pub high: Option<f64>,
    /// How many observations there were, at least 1.
    pub n: u64,
    /// In how many clusters.
    pub clusters: u64,
}

/// The sum of the observations of one cluster, and how many they are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ClusterSum {
    /// Their sum.
    pub sum: f64,
    /// How many they are; 0: the cluster counts for nothing.
    pub n: u64,
}

impl ClusterSum {
    /// One more of them.
    pub fn add(&mut self, value: f64) {
        self.sum += value;
        self.n += 1;
    }
}

/// The mean of all observations; `None` of none, and where a sum is no number. The same seed gives the same interval.
pub fn clustered_mean(sums: &[ClusterSum], seed: u64) -> Option<ClusteredValue> {
    let filled: Vec<ClusterSum> = sums.iter().copied().filter(|cluster| cluster.n > 0).collect();
    let mean = |counts: &[u32]| {
        let drawn = filled.iter().zip(counts);
        let (sum, n) = drawn.fold((0.0, 0.0), |(sum, n), (cluster, count)| {
            (sum + cluster.sum * f64::from(*count), n + cluster.n as f64 * f64::from(*count))
        });
        Some(sum / n)
    };
    let value = mean(&vec![1; filled.len()]).filter(|mean| mean.is_finite())?;
    let (low, high) = interval(filled.len(), filled.len(), seed, mean);
    let n = filled.iter().map(|cluster| cluster.n).sum();
    Some(ClusteredValue { value: Some(value), low, high, n, clusters: filled.len() as u64 })
}

/// The value that a share of all observations does not exceed. Each has the number of its cluster, below `clusters`, and its value;
/// `None` is later than anything. `None` of no observations. The same seed gives the same interval.
pub fn clustered_quantile(
    observations: &[(u32, Option<f64>)],
    clusters: usize,
    share: f64,
    seed: u64,
) -> Option<ClusteredValue> {
    let mut sorted: Vec<(u32, f64)> = observations
        .iter()
        .filter(|(cluster, _)| (*cluster as usize) < clusters)
        .map(|&(cluster, value)| (cluster, value.unwrap_or(f64::INFINITY)))
        .collect();
    sorted.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    let mut in_cluster = vec![0_u64; clusters];
    for (cluster, _) in &sorted {
        in_cluster[*cluster as usize] += 1;
    }
    // Clusters without observations are not drawn: they have numbers, but no place.
    let mut places = vec![0_usize; clusters];
    let mut sizes = Vec::new();
    for (place, size) in places.iter_mut().zip(&in_cluster).filter(|(_, size)| **size > 0) {
        *place = sizes.len();
        sizes.push(*size);
    }
    let quantile = |counts: &[u32]| {
        let all: u64 = sizes.iter().zip(counts).map(|(size, count)| size * u64::from(*count)).sum();
        let wanted = (share * all as f64 - 1e-9).ceil().max(1.0);
        let mut so_far = 0_u64;
        let found = sorted.iter().find(|(cluster, _)| {
            so_far += u64::from(counts[places[*cluster as usize]]);
            so_far as f64 >= wanted
        });
        found.map(|(_, value)| *value)
    };
    let value = quantile(&vec![1; sizes.len()])?;
    let (low, high) = interval(sizes.len(), sorted.len(), seed, quantile);
    let value = Some(value).filter(|value| value.is_finite());
    Some(ClusteredValue { value, low, high, n: sorted.len() as u64, clusters: sizes.len() as u64 })
}

/// What is between the 2.5th and the 97.5th of a hundred draws. `cost` is how many are looked at in one draw.
fn interval(
    clusters: usize,
    cost: usize,
    seed: u64,
    of: impl Fn(&[u32]) -> Option<f64>,
) -> (Option<f64>, Option<f64>) {
    if clusters < MIN_CLUSTERS {
        return (None, None);
    }
    let times = (MAX_DRAWN / cost.max(1)).clamp(MIN_DRAWS, MAX_DRAWS);
    let (mut draw, mut counts) = (Draw::new(seed), vec![0; clusters]);
    let mut values: Vec<f64> = (0..times)
        .filter_map(|_| {
            draw.counts(&mut counts);
            of(&counts)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let (first, last) = percentile_ends(values.len());
    let end = |index: usize| values.get(index).copied().filter(|value| value.is_finite());
    (end(first), end(last))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

    use super::*;

    fn sum(values: &[f64]) -> ClusterSum {
        ClusterSum { sum: values.iter().sum(), n: values.len() as u64 }
    }

    #[test]
    fn a_mean_is_over_observations_and_its_interval_over_clusters() {
        let clusters = [sum(&[1.0, 2.0, 3.0]), sum(&[]), sum(&[10.0])];
        let mean = clustered_mean(&clusters, 1).unwrap();
        assert_eq!((mean.value, mean.n, mean.clusters), (Some(4.0), 4, 2));
        assert_eq!((mean.low, mean.high), (None, None), "two clusters say nothing of how they vary");
        assert_eq!(clustered_mean(&[sum(&[])], 1), None);
        let many: Vec<ClusterSum> = (0..50).map(|value| sum(&[f64::from(value); 3])).collect();
        let (one, again) = (clustered_mean(&many, 7).unwrap(), clustered_mean(&many, 7).unwrap());
        assert_eq!(one, again);
        // The standard error of fifty independent values, however often each was seen.
        let error = (50.0_f64 * 51.0 / 12.0 / 50.0).sqrt();
        let half = (one.high.unwrap() - one.low.unwrap()) / 2.0;
        assert!((half / (1.96 * error) - 1.0).abs() < 0.15, "{half}");
    }

    #[test]
    fn a_quantile_counts_what_never_came_as_later_than_anything() {
        let seen: Vec<(u32, Option<f64>)> = (0..10).map(|n| (n, (n < 6).then(|| f64::from(n)))).collect();
        let of = |share| clustered_quantile(&seen, 10, share, 3).unwrap();
        assert_eq!((of(0.5).value, of(0.6).value, of(0.61).value), (Some(4.0), Some(5.0), None));
        assert!(of(0.5).low.is_some() && of(0.5).high.is_none(), "{:?}", of(0.5));
        assert_eq!((of(0.5).n, of(0.5).clusters), (10, 10));
        assert_eq!(clustered_quantile(&[], 0, 0.5, 1), None);
    }

    #[test]
    fn the_intervals_hold_the_truth_in_95_of_100_cases() {
        let mut rng = StdRng::seed_from_u64(11);
        let (mut mean_held, mut median_held) = (0_u32, 0_u32);
        for seed in 0..400 {
            let (mut sums, mut all) = (vec![ClusterSum::default(); 60], Vec::new());
            for (cluster, sum) in (0_u32..).zip(&mut sums) {
                let level = rng.random::<f64>();
                for _ in 0..rng.random_range(1..20) {
                    let value = level + rng.random::<f64>();
                    sum.add(value);
                    all.push((cluster, Some(value)));
                }
            }
            let holds = |of: ClusteredValue| of.low.unwrap() <= 1.0 && 1.0 <= of.high.unwrap();
            mean_held += u32::from(holds(clustered_mean(&sums, seed).unwrap()));
            median_held += u32::from(holds(clustered_quantile(&all, 60, 0.5, seed).unwrap()));
        }
        for held in [mean_held, median_held] {
            let coverage = f64::from(held) / 400.0;
            assert!((0.915..=0.98).contains(&coverage), "{coverage}");
        }
    }
}
