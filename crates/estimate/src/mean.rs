//! The mean of all, from those that were looked at.
//!
//! Student (W. S. Gosset), "The Probable Error of a Mean", Biometrika 6 (1908) 1-25: an interval that is exact where the values are
//! normal, and holds about where they are many and bounded, as counts of holders are. They have to be independent of each other.

use serde::{Deserialize, Serialize};

use crate::normal::student;

/// A mean with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// How many values there were, at least 1.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// The lower end of the 95 % interval; `None` of one value.
    pub low: Option<f64>,
    /// The upper end of the 95 % interval; `None` of one value.
    pub high: Option<f64>,
}

impl Mean {
    /// Of values in any order; `None` of none, and where one is no number.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (mut n, mut mean, mut squares) = (0_u64, 0.0_f64, 0.0_f64);
        // B. P. Welford, Technometrics 4 (1962) 419-420: nothing cancels.
        for value in values {
            n += 1;
            let before = value - mean;
            mean += before / n as f64;
            squares += before * (value - mean);
        }
        if n == 0 || !mean.is_finite() || !squares.is_finite() {
            return None;
        }
        let half = (n > 1).then(|| {
            let freedom = (n - 1) as f64;
            student(freedom) * (squares / freedom / n as f64).sqrt()
        });
        Some(Self { n, mean, low: half.map(|half| mean - half), high: half.map(|half| mean + half) })
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn it_is_what_was_worked_out_by_hand() {
        let mean = Mean::of([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        // The sum of squares about 5 is 32, of which a seventh is the variance.
        let half = student(7.0) * (32.0_f64 / 7.0 / 8.0).sqrt();
        assert_eq!((mean.n, mean.mean), (8, 5.0));
        assert!((mean.high.unwrap() - 5.0 - half).abs() < 1e-12);
        assert_eq!(Mean::of([3.0]), Some(Mean { n: 1, mean: 3.0, low: None, high: None }));
        assert_eq!(Mean::of([]), None);
        assert_eq!(Mean::of([1.0, f64::NAN]), None);
    }

    /// Of counts that are as skewed as those of holders are.
    #[test]
    fn the_interval_holds_the_truth_in_95_of_100_cases() {
        for n in [8, 30, 100] {
            let held = (0..2000_u64).filter(|seed| {
                let mut rng = StdRng::seed_from_u64(*seed);
                let of_twenty =
                    |rng: &mut StdRng| (0..20).filter(|_| rng.random::<f64>() < 0.8).count() as f64;
                let mean = Mean::of((0..n).map(|_| of_twenty(&mut rng))).unwrap();
                mean.low.unwrap() <= 16.0 && 16.0 <= mean.high.unwrap()
            });
            let coverage = held.count() as f64 / 2000.0;
            assert!((0.93..=0.97).contains(&coverage), "{n}: {coverage}");
        }
    }
}
