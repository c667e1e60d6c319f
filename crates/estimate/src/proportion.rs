//! The share of all that have something, from those that were asked.
//!
//! E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", J. Am. Stat. Assoc. 22 (1927) 209-212: an
//! interval that lies between 0 and 1 and has width where none or all have it.

use serde::{Deserialize, Serialize};

use crate::normal::Z;

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
        let (count, share) = (n as f64, hits as f64 / n as f64);
        let middle = share + Z * Z / (2.0 * count);
        let half = Z * (share * (1.0 - share) / count + Z * Z / (4.0 * count * count)).sqrt();
        let whole = 1.0 + Z * Z / count;
        let low = if hits == 0 { 0.0 } else { (middle - half) / whole };
        let high = if hits == n { 1.0 } else { (middle + half) / whole };
        Some(Self { hits, n, share, low, high })
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
