//! Which keys are looked up so that all of a network is heard of: spread over all keys, as many as it takes. Pure.

use kad::{
    message::K,
    preimage::{TARGET_BYTES, target_of},
};

/// The most lookups of one refresh. A larger network is gone through in several.
pub(super) const MAX_LOOKUPS: u32 = 256;

/// A walk over all keys that covers them evenly wherever it is ended: its n-th place is n, its 16 bits read backwards.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sweep {
    next: u16,
    /// Where the walk begins is another place each time.
    choice: u16,
}

impl Sweep {
    /// How many lookups show all of a network of so many servers: each shows the [`K`] closest, of which half are closer to its
    /// own key than to the next one's.
    pub(super) fn wanted(servers: usize) -> u32 {
        u32::try_from(servers.div_ceil(K / 2)).unwrap_or(u32::MAX).clamp(1, (1 << 15) - 1)
    }

    /// Begins anew elsewhere.
    pub(super) const fn begin(&mut self, choice: u16) {
        *self = Self { next: 0, choice };
    }

    /// How many places it has come to since it began.
    pub(super) fn done(self) -> u32 {
        self.next.into()
    }

    /// The next key to look up.
    pub(super) fn next(&mut self) -> [u8; TARGET_BYTES] {
        let place = self.next.reverse_bits() ^ self.choice;
        self.next = self.next.saturating_add(1);
        target_of(place)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kad::Key;

    use super::*;

    #[test]
    fn wherever_it_ends_the_keys_are_covered_evenly() {
        let mut sweep = Sweep::default();
        sweep.begin(0x1234);
        let places: Vec<u16> = (0..1 << 10).map(|_| Key::of(&sweep.next()).prefix16()).collect();
        for bits in 0..=10 {
            let cells: BTreeSet<u16> =
                places[..1 << bits].iter().map(|place| place.checked_shr(16 - bits).unwrap_or(0)).collect();
            assert_eq!(cells.len(), 1 << bits);
        }
        assert_eq!(sweep.done(), 1 << 10);
    }

    #[test]
    fn so_many_are_wanted_as_the_network_is_large() {
        let wanted = [0, 1, 20, 300, 15_000, usize::MAX].map(Sweep::wanted);
        assert_eq!(wanted, [1, 1, 2, 30, 1_500, (1 << 15) - 1]);
    }
}
