//! How many of something each of many looks counted, in little room, and the numbers of that.

use std::collections::BTreeMap;

use estimate::{BoxStatistics, Mean, Quantile, Survival, SurvivalStep, Timed};
use serde::Serialize;

/// The most outliers of a box plot that are kept.
const MAX_OUTLIERS: usize = 12;

/// The most steps of a curve that are kept.
const MAX_STEPS: usize = 150;

/// The largest value that is told apart from larger ones, in steps: nothing that peers say takes more room than this.
const MAX_VALUE: f64 = 4_000_000.0;

/// What many looks counted: each value is that of one look at one key.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CountNumbers {
    /// How many looks there were.
    pub n: u64,
    /// The mean, with its interval; `None` of no look.
    pub mean: Option<Mean>,
    /// The median, with its interval; `None` of no look.
    pub median: Option<Quantile>,
    /// What a box plot shows; `None` of no look.
    pub boxed: Option<BoxStatistics>,
}

/// Values as they come, each in steps of one part of a whole.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    parts: f64,
    by_value: BTreeMap</* steps */ u32, u32>,
}

impl Default for Counts {
    fn default() -> Self {
        Self::in_parts(1)
    }
}

impl Counts {
    /// Values that are told apart by one of so many parts of a whole.
    pub(super) fn in_parts(parts: u32) -> Self {
        Self { parts: f64::from(parts), by_value: BTreeMap::new() }
    }

    /// Takes a whole number.
    pub(super) fn count(&mut self, value: usize) {
        self.add(value as f64);
    }

    /// Takes a whole number so many times.
    pub(super) fn count_many(&mut self, value: u32, times: u64) {
        if times > 0 {
            let times = u32::try_from(times).unwrap_or(u32::MAX);
            *self.by_value.entry(value).or_default() += times;
        }
    }

    /// Takes a value that is not below zero; what is no number is none.
    pub(super) fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        let steps = whole((value * self.parts).round().clamp(0.0, MAX_VALUE));
        *self.by_value.entry(steps).or_default() += 1;
    }

    /// All numbers of these, however few.
    pub(super) fn numbers(&self) -> CountNumbers {
        let Ok(survival) = self.survival() else { return CountNumbers::default() };
        CountNumbers {
            n: survival.n,
            mean: Mean::of(self.values()),
            median: Some(survival.quantile(0.5)),
            boxed: Some(survival.box_statistics(MAX_OUTLIERS)),
        }
    }

    /// The value that a share of all does not exceed; `None` of none.
    pub(super) fn value(&self, share: f64) -> Option<f64> {
        let all: u64 = self.shares().map(|(_, count)| count).sum();
        let (wanted, mut so_far) = (share * all as f64 - 1e-9, 0_u64);
        let mut values = self.shares();
        let found = values.find(|(_, count)| {
            so_far += count;
            so_far as f64 >= wanted
        });
        found.map(|(value, _)| value)
    }

    /// All numbers of these; `None` of none.
    pub(super) fn numbers_if_any(&self) -> Option<CountNumbers> {
        Some(self.numbers()).filter(|numbers| numbers.n > 0)
    }

    /// The share that is above each value, from the lowest on.
    pub(super) fn curve(&self) -> Vec<SurvivalStep> {
        self.survival().map(|survival| survival.thinned(MAX_STEPS)).unwrap_or_default()
    }

    /// How many have each value.
    pub(super) fn shares(&self) -> impl Iterator<Item = (/* value */ f64, /* how many */ u64)> {
        self.by_value.iter().map(|(steps, count)| (f64::from(*steps) / self.parts, u64::from(*count)))
    }

    fn survival(&self) -> Result<Survival, estimate::NoSurvival> {
        Survival::of(self.values().map(|after| Timed { after, is_censored: false }))
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.shares().flat_map(|(value, count)| {
            std::iter::repeat_n(value, usize::try_from(count).unwrap_or(usize::MAX))
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it lies between zero and a few millions"
)]
const fn whole(value: f64) -> u32 {
    value as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_worked_out_by_hand() {
        let mut counts = Counts::default();
        for value in [20, 18, 14, 18, 20] {
            counts.count(value);
        }
        let numbers = counts.numbers();
        let boxed = numbers.boxed.unwrap();
        assert_eq!((numbers.n, numbers.mean.unwrap().mean), (5, 18.0));
        assert_eq!((boxed.q1, boxed.median, boxed.q3), (Some(18.0), Some(18.0), Some(20.0)));
        // A distribution has as many steps as there are values, and the last of them is its end: nobody is above it.
        let curve: Vec<_> = counts.curve().iter().map(|step| (step.at, step.going_on)).collect();
        assert_eq!(curve.len(), 3);
        for ((at, above), (value, expected)) in curve.into_iter().zip([(14.0, 0.8), (18.0, 0.4), (20.0, 0.0)])
        {
            assert!((at - value).abs() < 1e-12 && (above - expected).abs() < 1e-12, "{above} of {at}");
        }
    }

    #[test]
    fn nothing_is_no_number_and_parts_are_kept() {
        let mut counts = Counts::in_parts(1000);
        assert_eq!((counts.numbers().n, counts.numbers_if_any()), (0, None));
        for value in [f64::NAN, 0.25, -1.0, f64::INFINITY] {
            counts.add(value);
        }
        assert_eq!(counts.shares().collect::<Vec<_>>(), [(0.0, 1), (0.25, 1), (4000.0, 1)]);
    }
}
