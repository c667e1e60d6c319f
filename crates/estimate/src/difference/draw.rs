//! Samples drawn from samples, by a seed alone.

use crate::survival::Timed;

/// A stream of numbers that hangs on its seed alone: `SplitMix64` (G. L. Steele et al., "Fast Splittable Pseudorandom Number Generators",
/// OOPSLA 2014).
#[derive(Debug)]
pub(super) struct Draw {
    state: u64,
    /// How often each of a sample was drawn: kept between draws.
    counts: Vec<u32>,
}

impl Draw {
    pub(super) const fn new(seed: u64) -> Self {
        Self { state: seed, counts: Vec::new() }
    }

    const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The quantile of as many drawn from a sorted sample as it has; `None` where they were cut short before it.
    pub(super) fn quantile(&mut self, sample: &[Timed], share: f64) -> Option<f64> {
        self.counts.clear();
        self.counts.resize(sample.len(), 0);
        for _ in 0..sample.len() {
            // The high half of a product: any number below the length is as likely as any other, to one in 2^64 / length.
            let index = (u128::from(self.next()) * sample.len() as u128) >> 64;
            if let Some(count) = usize::try_from(index).ok().and_then(|index| self.counts.get_mut(index)) {
                *count += 1;
            }
        }
        let (mut at_risk, mut going_on) = (sample.len() as f64, 1.0);
        // Those that end together may be taken one after another: the product is the same.
        for (timed, count) in sample.iter().zip(&self.counts).filter(|(_, count)| **count > 0) {
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
}
