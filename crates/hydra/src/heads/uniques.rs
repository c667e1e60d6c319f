//! How many different peers were seen, in a fixed amount of memory.
//!
//! P. Flajolet, É. Fusy, O. Gandouet, F. Meunier, "`HyperLogLog`", 2007: 2^14 registers, so that an estimate is off by 0.81 % (one
//! standard error). Few are counted by the registers that are empty, which is all but exact.

use std::sync::atomic::{AtomicU8, Ordering};

use kad::Key;

/// Leading bits of a key that choose its register.
const REGISTER_BITS: u32 = 14;
const REGISTERS: usize = 1 << REGISTER_BITS;

/// Counts different peers, from any thread.
#[derive(Debug)]
pub(super) struct Uniques(Box<[AtomicU8]>);

impl Default for Uniques {
    fn default() -> Self {
        Self((0..REGISTERS).map(|_| AtomicU8::new(0)).collect())
    }
}

impl Uniques {
    /// Somebody was seen, perhaps not for the first time. Keys are hashes.
    pub(super) fn see(&self, key: &Key) {
        let bits = key.prefix64();
        let register = (bits >> (64 - REGISTER_BITS)) as usize;
        // One more than the zeros that lead what is left; at most 51.
        let rank = (bits << REGISTER_BITS | 1 << (REGISTER_BITS - 1)).leading_zeros() + 1;
        if let (Some(register), Ok(rank)) = (self.0.get(register), u8::try_from(rank)) {
            register.fetch_max(rank, Ordering::Relaxed);
        }
    }

    /// About how many.
    pub(super) fn count(&self) -> f64 {
        let registers = REGISTERS as f64;
        let (mut sum, mut empty) = (0.0, 0_u32);
        for register in &self.0 {
            let rank = register.load(Ordering::Relaxed);
            sum += (-f64::from(rank)).exp2();
            empty += u32::from(rank == 0);
        }
        // The paper's alpha for so many registers.
        let estimate = 0.7213 / (1.0 + 1.079 / registers) * registers * registers / sum;
        if empty > 0 && estimate <= 2.5 * registers {
            registers * (registers / f64::from(empty)).ln()
        } else {
            estimate
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_counted_as_there_were_however_often_each_came() {
        for count in [0, 1, 100, 10_000, 200_000_u32] {
            let uniques = Uniques::default();
            for _ in 0..2 {
                (0..count).for_each(|n| uniques.see(&Key::of(&n.to_be_bytes())));
            }
            let error = (uniques.count() - f64::from(count)).abs();
            assert!(error <= 0.025 * f64::from(count), "{count}: {}", uniques.count());
        }
    }
}
