//! Chao's lower bound of the number of peers in no table, from those in one and those in two.
//!
//! A. Chao, "Estimating the population size for capture-recapture data with unequal catchability", Biometrics 43 (1987)
//! 783-791, in the bias-corrected form for T occasions; its variance as in R. K. Colwell's `EstimateS` user's guide
//! (appendix B), its log-normal interval from the paper's equation 12.

use kad::Key;

use super::evidence::{Capture, NONE_NAMED_ONCE};

/// The normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.96;

/// How many found peers a place of the key space has at least, on average.
const PEERS_PER_PLACE: u64 = 100;

/// The most bits that tell places apart.
const MAX_BITS: u32 = 8;

/// A lower bound of what is expected, with its variance.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bound {
    /// In peers.
    pub(super) missed: f64,
    /// In peers squared.
    variance: f64,
}

impl Bound {
    /// From `f1` peers in exactly one of `tables` tables and `f2` in exactly two.
    pub(super) fn of(f1: u64, f2: u64, tables: u64) -> Self {
        let share = tables.saturating_sub(1) as f64 / tables.max(1) as f64;
        let (f1, f2) = (f1 as f64, f2 as f64);
        let missed = share * f1 * (f1 - 1.0) / (2.0 * (f2 + 1.0));
        let once = share * f1 * (2.0 * f1 - 1.0).powi(2) / (4.0 * (f2 + 1.0).powi(2));
        let twice = share * f1.powi(2) * f2 * (f1 - 1.0).powi(2) / (4.0 * (f2 + 1.0).powi(4));
        Self { missed, variance: missed + share * (once + twice) }
    }

    fn plus(self, other: Self) -> Self {
        Self { missed: self.missed + other.missed, variance: self.variance + other.variance }
    }

    /// The lower end of the interval in whole peers.
    pub(super) fn low(self) -> u64 {
        whole((self.missed / self.factor()).floor())
    }

    /// The upper end of the interval in whole peers.
    pub(super) fn high(self) -> u64 {
        if self.missed > 0.0 { whole((self.missed * self.factor()).ceil()) } else { NONE_NAMED_ONCE }
    }

    /// By what the bound is divided and multiplied: numbers of missed peers are nearly log-normal, and never below 0.
    fn factor(self) -> f64 {
        if self.missed > 0.0 { (Z * (self.variance / self.missed.powi(2)).ln_1p().sqrt()).exp() } else { 1.0 }
    }
}

/// The sum of the bounds of all places of the key space. Where tables are poor in one place, its peers are captured less
/// often than others, and one bound for all would lie too low.
pub(super) fn by_place<'a>(found: impl Iterator<Item = &'a Capture<'a>>, peers: u64, tables: u64) -> Bound {
    let bits = (peers / PEERS_PER_PLACE).max(1).ilog2().min(MAX_BITS);
    let mut places = vec![[0_u64; 2]; 1 << bits];
    for capture in found.filter(|capture| capture.in_degree <= 2) {
        let first = u32::from(Key::of(capture.id).as_bytes()[0]);
        let place = (first >> (8 - bits)) as usize;
        places[place][usize::from(capture.in_degree == 2)] += 1;
    }
    let bounds = places.into_iter().map(|[f1, f2]| Bound::of(f1, f2, tables));
    bounds.fold(Bound::default(), Bound::plus)
}

/// A number of peers that has no fraction.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
pub(super) fn whole(peers: f64) -> u64 {
    peers.clamp(0.0, f64::from(u32::MAX)) as u64
}
