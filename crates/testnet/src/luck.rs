//! Random numbers of single attempts: reproducible, whoever else is dialled in between.

/// A few random numbers that hang on the seed, a peer and the number of its attempt alone (`SplitMix64`).
#[derive(Debug)]
pub(crate) struct Luck(u64);

impl Luck {
    /// The luck of one attempt at a peer.
    pub(crate) const fn new(seed: u64, peer: u32, attempt: u32) -> Self {
        Self(seed.rotate_left(17) ^ ((peer as u64) << 32 | attempt as u64))
    }

    /// Whether something of this probability happens.
    pub(crate) fn strikes(&mut self, share: f64) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        ((mixed(self.0) >> 11) as f64) < share * (1_u64 << 53) as f64
    }
}

/// Numbers that differ in a bit become numbers that have nothing in common (the last step of `SplitMix64`).
pub(crate) const fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
