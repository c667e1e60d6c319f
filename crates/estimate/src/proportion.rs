//! The share of all that have something, from those that were asked.
//!
//! E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", J. Am. Stat. Assoc. 22 (1927) 209-212: an
//! interval that lies between 0 and 1 and has width where none or all have it.

use serde::{Deserialize, Serialize};

use crate::normal::{Z, student};

/// A share with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Proportion {
    /// How many have it.
    pub hits: u64,
    /// How many were asked, at least 1.
    pub n: u64,
    /// The share of those that were asked, 0 to 1.
    pub share: f64,
    /// The lower end of the 95 % interval.
    pub low: f64,
    /// The upper end of the 95 % interval.
    pub high: f64,
}

impl Proportion {
    /// So many of so many; `None` of none.
    pub fn of(hits: u64, n: u64) -> Option<Self> {
        if n == 0 {
            return None;
        }
        let hits = hits.min(n);
        Some(Self::standing_on(hits, n, n as f64))
    }

    /// The same of observations that come in clusters, as the answers of one key do: those of one cluster are alike, so the interval is
    /// that of fewer observations, as many as independent ones would have to be to vary as much as the clusters do. Where all clusters
    /// say the same, each counts once. Each cluster is how many have it, of how many; empty ones count for nothing. `None` of none.
    ///
    /// E. L. Korn and B. I. Graubard, "Confidence Intervals for Proportions With Small Expected Number of Positive Counts Estimated From
    /// Survey Data", Survey Methodology 24 (1998) 193-201: the effective sample size, less by Student's quantile where clusters are few;
    /// here within Wilson's interval.
    pub fn of_clusters(clusters: &[(u64, u64)]) -> Option<Self> {
        let (hits, n) = clusters.iter().fold((0, 0), |(hits, n), (one, of)| (hits + one.min(of), n + of));
        if n == 0 {
            return None;
        }
        let share = hits as f64 / n as f64;
        let filled = clusters.iter().filter(|(_, of)| *of > 0);
        let number = filled.clone().count() as f64;
        let squares: f64 = filled.map(|&(one, of)| (one.min(of) as f64 - share * of as f64).powi(2)).sum();
        let variance = squares * number / (number - 1.0).max(1.0) / (n as f64).powi(2);
        let agree = number < 1.5 || variance <= 0.0 || hits == 0 || hits == n;
        let effective = if agree {
            number
        } else {
            share * (1.0 - share) / variance * (Z / student(number - 1.0)).powi(2)
        };
        Some(Self::standing_on(hits, n, effective.clamp(1.0, n as f64)))
    }

    /// The interval of a share that so many independent observations would have.
    fn standing_on(hits: u64, n: u64, count: f64) -> Self {
        let share = hits as f64 / n as f64;
        let (low, high) = wilson(share, count);
        Self { hits, n, share, low, high }
    }
}

/// The 95 % interval of a share that so many independent observations would have; they need not be a whole number.
pub(crate) fn wilson(share: f64, n: f64) -> (f64, f64) {
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    let low = if share <= 0.0 { 0.0 } else { (middle - half) / whole };
    let high = if share >= 1.0 { 1.0 } else { (middle + half) / whole };
    (low, high)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

    use super::*;

    /// `scipy.stats.binomtest(hits, n).proportion_ci(method="wilson")` of scipy 1.17.1.
    #[test]
    fn it_is_what_others_compute() {
        for (hits, n, low, high) in [
            (0, 10, 0.0, 0.277_532_799_862_889_26),
            (1, 30, 0.005_908_590_381_612_441, 0.166_703_909_914_091_73),
            (7, 400, 0.008_502_291_107_038_097, 0.035_677_072_925_558_044),
            (50, 100, 0.403_831_530_365_995_6, 0.596_168_469_634_004_4),
            (10, 10, 0.722_467_200_137_110_7, 1.0),
        ] {
            let proportion = Proportion::of(hits, n).unwrap();
            assert!(
                (proportion.low - low).abs() < 1e-12 && (proportion.high - high).abs() < 1e-12,
                "{proportion:?}"
            );
        }
        assert_eq!(Proportion::of(0, 0), None);
    }

    #[test]
    fn clusters_that_agree_count_once_each_and_those_that_do_not_as_much_as_they_say() {
        let alone: Vec<(u64, u64)> = (0..100).map(|number| (u64::from(number < 50), 1)).collect();
        let (clusters, simple) = (Proportion::of_clusters(&alone).unwrap(), Proportion::of(50, 100).unwrap());
        assert!((clusters.low - simple.low).abs() < 0.003 && clusters.low < simple.low, "{clusters:?}");
        // Ten times the same of everybody is no more than once.
        let tenfold: Vec<(u64, u64)> = alone.iter().map(|(hits, n)| (hits * 10, n * 10)).collect();
        let tenfold = Proportion::of_clusters(&tenfold).unwrap();
        assert!((tenfold.low - clusters.low).abs() < 1e-12 && (tenfold.hits, tenfold.n) == (500, 1000));
        // None of a thousand, in ten clusters, is none of ten.
        let none = Proportion::of_clusters(&[(0, 100); 10]).unwrap();
        assert!((none.high - Proportion::of(0, 10).unwrap().high).abs() < 1e-12 && none.low == 0.0);
        assert_eq!(Proportion::of_clusters(&[(0, 0)]), None);
        // One cluster is one observation, and nothing is less.
        assert!(Proportion::of_clusters(&[(5, 10)]).unwrap().high > 0.9);
    }

    /// Of clusters that differ much: where each was alike to 100 observations, an interval of all of them would hold a quarter of the time.
    #[test]
    fn the_interval_of_clusters_holds_the_truth_in_95_of_100_cases() {
        let mut rng = StdRng::seed_from_u64(6);
        for (clusters, spread) in [(12, 0.3), (40, 0.3), (40, 0.05), (150, 0.6)] {
            let held = (0..1000).filter(|_| {
                let drawn: Vec<(u64, u64)> = (0..clusters)
                    .map(|_| {
                        let truth = 0.3 + spread * (rng.random::<f64>() - 0.5);
                        ((0..50).filter(|_| rng.random::<f64>() < truth).count() as u64, 50)
                    })
                    .collect();
                let share = Proportion::of_clusters(&drawn).unwrap();
                share.low <= 0.3 && 0.3 <= share.high
            });
            let coverage = held.count() as f64 / 1000.0;
            assert!((0.93..=0.975).contains(&coverage), "{clusters} {spread}: {coverage}");
        }
    }

    /// Averaged over shares, as the coverage of any interval of a share goes up and down with it.
    #[test]
    fn the_interval_holds_the_truth_in_95_of_100_cases() {
        let mut rng = StdRng::seed_from_u64(18);
        let (mut held, mut cases) = (0_u32, 0_u32);
        for step in 1..20_u32 {
            let truth = f64::from(step) / 40.0;
            for _ in 0..200 {
                let hits = (0..150).filter(|_| rng.random::<f64>() < truth).count() as u64;
                let proportion = Proportion::of(hits, 150).unwrap();
                held += u32::from(proportion.low <= truth && truth <= proportion.high);
                cases += 1;
            }
        }
        let coverage = f64::from(held) / f64::from(cases);
        assert!((0.93..=0.97).contains(&coverage), "{coverage}");
    }
}
