//! Which second of a key a provider's record stands in: that in which it expires, or one a little before it.
//!
//! The layout has one record for a key and a second. Who comes second in a second is moved to an earlier one: whoever reads the layout
//! finds it there, and it does not live longer than it was said to. Which seconds are tried hangs on the provider alone, so a
//! record that is written twice comes to stand in the same place.

use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;

/// How many seconds before the right one each try may be, from and to. The last ones are for keys that have many providers.
const WINDOWS: [(u64, u64); 12] = [
    (0, 1),
    (1, 4),
    (4, 16),
    (16, 64),
    (64, 256),
    (256, 1024),
    (1, 1024),
    (1, 1024),
    (1, 1024),
    (1, 1024),
    (1, 1024),
    (1, 1024),
];

/// The seconds that are tried, one after the other.
pub(super) fn seconds(id: &[u8], ttl: u64) -> impl Iterator<Item = u64> {
    (0_u8..).zip(WINDOWS).map(move |(number, (from, to))| {
        ttl.saturating_sub(from + FixedState::with_seed(0).hash_one((number, id)) % (to - from))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn those_who_come_in_one_second_find_a_place_each() {
        let mut taken = HashSet::new();
        let mut moved = 0;
        for provider in 0..200_u32 {
            let place =
                seconds(&provider.to_be_bytes(), 1_000_000).find(|second| taken.insert(*second)).unwrap();
            assert!((1_000_000 - 1024..=1_000_000).contains(&place));
            moved += usize::from(place != 1_000_000);
        }
        assert_eq!(moved, 199);
        assert!(seconds(b"a", 7).eq(seconds(b"a", 7)));
    }
}
