//! Chao's lower bound of the number of individuals captured never, from those captured once and those captured twice.
//!
//! A. Chao, "Estimating the population size for capture-recapture data with unequal catchability", Biometrics 43 (1987)
//! 783-791, in the bias-corrected form for T occasions; its variance as in R. K. Colwell's `EstimateS` user's guide
//! (appendix B), its log-normal interval from the paper's equation 12.

use super::NONE_ONCE;

/// The normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.96;

/// How many captured individuals a stratum has at least, on average.
const PER_STRATUM: u64 = 100;

/// The most bits that tell strata apart.
const MAX_BITS: u32 = 8;

/// A lower bound of what is expected, with its variance.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bound {
    /// In individuals.
    pub(super) missed: f64,
    /// In individuals squared.
    variance: f64,
}

impl Bound {
    /// From `f1` individuals captured by exactly one of `occasions`, and `f2` by exactly two.
    pub(super) fn of(f1: u64, f2: u64, occasions: u64) -> Self {
        let share = occasions.saturating_sub(1) as f64 / occasions.max(1) as f64;
        let (f1, f2) = (f1 as f64, f2 as f64);
        let missed = share * f1 * (f1 - 1.0) / (2.0 * (f2 + 1.0));
        let once = share * f1 * (2.0 * f1 - 1.0).powi(2) / (4.0 * (f2 + 1.0).powi(2));
        let twice = share * f1.powi(2) * f2 * (f1 - 1.0).powi(2) / (4.0 * (f2 + 1.0).powi(4));
        Self { missed, variance: missed + share * (once + twice) }
    }

    fn plus(self, other: Self) -> Self {
        Self { missed: self.missed + other.missed, variance: self.variance + other.variance }
    }

    /// The lower end of the interval in whole individuals.
    pub(super) fn low(self) -> u64 {
        whole((self.missed / self.factor()).floor())
    }

    /// The upper end of the interval in whole individuals.
    pub(super) fn high(self) -> u64 {
        if self.missed > 0.0 { whole((self.missed * self.factor()).ceil()) } else { NONE_ONCE }
    }

    /// By what the bound is divided and multiplied: numbers of missed individuals are nearly log-normal, and never below 0.
    fn factor(self) -> f64 {
        if self.missed > 0.0 { (Z * (self.variance / self.missed.powi(2)).ln_1p().sqrt()).exp() } else { 1.0 }
    }
}

/// The sum of the bounds of all strata, of which there are fewer where there are few individuals. Where occasions capture less in
/// one stratum, one bound for all would lie too low.
pub(super) fn by_stratum<I>(
    captured: impl Iterator<Item = (u16, I)>,
    (individuals, occasions): (u64, u64),
    stratum: impl Fn(I) -> u8,
) -> Bound {
    let bits = (individuals / PER_STRATUM).max(1).ilog2().min(MAX_BITS);
    let mut strata = vec![[0_u64; 2]; 1 << bits];
    for (times, individual) in captured.filter(|(times, _)| *times <= 2) {
        let stratum = u32::from(stratum(individual)) >> (MAX_BITS - bits);
        strata[stratum as usize][usize::from(times == 2)] += 1;
    }
    let bounds = strata.into_iter().map(|[f1, f2]| Bound::of(f1, f2, occasions));
    bounds.fold(Bound::default(), Bound::plus)
}

/// A number of individuals that has no fraction.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
pub(super) fn whole(number: f64) -> u64 {
    number.clamp(0.0, f64::from(u32::MAX)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_chaos() {
        let Bound { missed, .. } = Bound::of(50, 49, 101);
        assert!((missed - 100.0 / 101.0 * 50.0 * 49.0 / 100.0).abs() < 1e-12);
        // Edwards' and Eberhardt's rabbits, an example of the paper: 18 nights, 76 caught of 135 that were there.
        let bound = Bound::of(43, 16, 18);
        assert!((bound.missed - 50.2).abs() < 0.1, "{bound:?}");
        assert!(bound.low() < 135 - 76 && 135 - 76 < bound.high(), "{bound:?}");
        assert_eq!((Bound::of(1, 0, 50).low(), Bound::of(1, 0, 50).high()), (0, NONE_ONCE));
    }

    #[test]
    fn strata_are_put_together_until_each_has_enough() {
        // Of 500 individuals, two bits tell strata apart: all of the first quarter are one.
        let captured = [(1, 0), (1, 63), (2, 63), (1, 64), (3, 0)];
        let bound = by_stratum(captured.into_iter(), (500, 100), |stratum| stratum);
        assert_eq!(bound, Bound::of(2, 1, 100).plus(Bound::of(1, 0, 100)));
    }
}
