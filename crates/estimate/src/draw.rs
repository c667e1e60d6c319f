//! Numbers drawn by a seed alone, for samples that are drawn from samples.

/// A stream of numbers that hangs on its seed alone: `SplitMix64` (G. L. Steele et al., "Fast Splittable Pseudorandom Number Generators",
/// OOPSLA 2014).
#[derive(Debug)]
pub(crate) struct Draw {
    state: u64,
}

impl Draw {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// How often each of a sample is among as many that are drawn from it with replacement: one count for each.
    pub(crate) fn counts(&mut self, counts: &mut [u32]) {
        counts.fill(0);
        for _ in 0..counts.len() {
            // The high half of a product: any number below the length is as likely as any other, to one in 2^64 / length.
            let index = (u128::from(self.next()) * counts.len() as u128) >> 64;
            if let Some(count) = usize::try_from(index).ok().and_then(|index| counts.get_mut(index)) {
                *count += 1;
            }
        }
    }
}

/// The positions of the ends of the 95 % percentile interval among so many sorted values: the 2.5th and the 97.5th of a hundred,
/// (B + 1) times the share, counted from 1.
pub(crate) const fn percentile_ends(values: usize) -> (usize, usize) {
    let count = values + 1;
    ((count / 40).saturating_sub(1), (count - count / 40).saturating_sub(1))
}
