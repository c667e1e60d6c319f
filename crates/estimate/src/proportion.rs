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
        let mut share = ClusterShare::default();
        for &(hits, n) in clusters {
            share.add(hits, n);
        }
        share.proportion()
    }

    /// The same of a sample that was drawn apart from each stratum of all that there is: each stratum is how many there are, how many
    /// of them have it of those that were asked, and how many were asked. The share is that of all there are; strata of which nobody was
    /// asked are left out of them. `None` of none.
    ///
    /// W. G. Cochran, "Sampling Techniques", 3rd edition, Wiley 1977, 5.3, with the effective sample size as above; a stratum in which
    /// all say the same is taken to vary as one with half an answer more on either side.
    pub fn of_strata(strata: &[(u64, u64, u64)]) -> Option<Self> {
        let asked: Vec<(f64, f64, f64)> = strata
            .iter()
            .filter(|(_, _, n)| *n > 0)
            .map(|&(all, hits, n)| (all.max(n) as f64, hits.min(n) as f64, n as f64))
            .collect();
        let (all, n) = asked.iter().fold((0.0, 0.0), |(all, n), (size, _, of)| (all + size, n + of));
        if asked.is_empty() {
            return None;
        }
        let (mut share, mut variance) = (0.0, 0.0);
        for (size, hits, of) in asked {
            let weight = size / all;
            let varying = (hits + 0.5) / (of + 1.0);
            share += weight * hits / of;
            variance += weight * weight * (1.0 - of / size) * varying * (1.0 - varying) / of;
        }
        // Where everybody was asked there is nothing left to chance.
        let varying = (share * n + 0.5) / (n + 1.0);
        let effective = if variance > 0.0 { varying * (1.0 - varying) / variance } else { f64::MAX };
        let (hits, n) = strata.iter().fold((0, 0), |(hits, n), (_, one, of)| (hits + one.min(of), n + of));
        let (low, high) = wilson(share, effective.max(1.0));
        Some(Self { hits, n, share, low, high })
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

/// Who has something in each of many clusters, in the room of a few numbers, however many clusters there are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ClusterShare {
    clusters: f64,
    hits: u64,
    n: u64,
    /// Sums over clusters: of the hits squared, of hits times how many were asked, and of the latter squared.
    hits_hits: f64,
    hits_n: f64,
    n_n: f64,
}

impl ClusterShare {
    /// Takes a cluster: so many of so many. One in which nobody was asked counts for nothing.
    pub fn add(&mut self, hits: u64, n: u64) {
        let hits = hits.min(n);
        let (one, of) = (hits as f64, n as f64);
        self.clusters += f64::from(u8::from(n > 0));
        (self.hits, self.n) = (self.hits + hits, self.n + n);
        self.hits_hits += one * one;
        self.hits_n += one * of;
        self.n_n += of * of;
    }

    /// The same among all of these clusters: in those that were not taken here, nobody has it.
    #[must_use]
    pub const fn among(self, all: &Self) -> Self {
        Self { clusters: all.clusters, n: all.n, n_n: all.n_n, ..self }
    }

    /// The share of all, as [`Proportion::of_clusters`] has it; `None` if nobody was asked.
    pub fn proportion(&self) -> Option<Proportion> {
        let Self { clusters, hits, n, .. } = *self;
        if n == 0 {
            return None;
        }
        let share = hits as f64 / n as f64;
        let squares = self.hits_hits - 2.0 * share * self.hits_n + share * share * self.n_n;
        // What is left of numbers that cancel is not a difference between clusters.
        let squares = if squares < 1e-9 * self.n_n { 0.0 } else { squares };
        let variance = squares * clusters / (clusters - 1.0).max(1.0) / (n as f64).powi(2);
        let agree = clusters < 1.5 || variance <= 0.0 || hits == 0 || hits == n;
        let effective = if agree {
            clusters
        } else {
            share * (1.0 - share) / variance * (Z / student(clusters - 1.0)).powi(2)
        };
        Some(Proportion::standing_on(hits, n, effective.clamp(1.0, n as f64)))
    }
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
    fn clusters_in_little_room_are_those_in_a_list() {
        let list = [(3, 20), (0, 20), (17, 19), (0, 0), (4, 20)];
        let (mut all, mut taken) = (ClusterShare::default(), ClusterShare::default());
        for (hits, n) in list {
            all.add(0, n);
            if hits > 0 {
                taken.add(hits, n);
            }
        }
        assert_eq!(taken.among(&all).proportion(), Proportion::of_clusters(&list));
        assert_eq!(all.proportion().unwrap().hits, 0);
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

    #[test]
    fn strata_count_as_what_they_are_of_all_and_not_as_how_many_were_asked() {
        // Nine tenths of all are in a stratum of which few were asked.
        let share = Proportion::of_strata(&[(9_000, 10, 100), (1_000, 450, 500)]).unwrap();
        assert!((share.share - (0.9 * 0.1 + 0.1 * 0.9)).abs() < 1e-12);
        assert_eq!((share.hits, share.n), (460, 600));
        // About as wide as that of the hundred, times its weight.
        let error = 0.9 * (0.1 * 0.9 / 100.0_f64).sqrt();
        assert!((share.high - share.low - 2.0 * 1.96 * error).abs() < 0.02, "{share:?}");
        let all = Proportion::of_strata(&[(10, 3, 10)]).unwrap();
        assert!(all.high - all.low < 1e-6 && (all.share - 0.3).abs() < 1e-12, "everybody was asked: {all:?}");
        assert_eq!(Proportion::of_strata(&[(10, 0, 0)]), None);
        let mut rng = StdRng::seed_from_u64(5);
        let held = (0..1000).filter(|_| {
            let mut drawn =
                |truth: f64, n: u64| (0..n).filter(|_| rng.random::<f64>() < truth).count() as u64;
            let strata =
                [(50_000, drawn(0.2, 40), 40), (20_000, drawn(0.9, 60), 60), (30_000, drawn(0.5, 100), 100)];
            let share = Proportion::of_strata(&strata).unwrap();
            share.low <= 0.43 && 0.43 <= share.high
        });
        let coverage = held.count() as f64 / 1000.0;
        assert!((0.935..=0.97).contains(&coverage), "{coverage}");
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
