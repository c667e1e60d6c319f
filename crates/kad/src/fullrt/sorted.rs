//! Keys in ascending order are a binary trie without nodes: those that share a prefix lie together, so whoever splits ranges where
//! their keys first differ walks it.

use crate::key::Key;

/// Keys in ascending order, each once: 32 bytes a key, and the closest ones to any other are found without a look at the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SortedKeys {
    keys: Box<[Key]>,
}

/// Positions of keys, those closest to a target first.
#[derive(Debug, Clone)]
pub struct Nearest<'a> {
    keys: &'a [Key],
    target: Key,
    /// Ranges that are still to come, the nearest one last. None is empty.
    ranges: Vec<(usize, usize)>,
}

impl SortedKeys {
    /// Sorts them; what is there twice is kept once.
    pub fn new(mut keys: Vec<Key>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self { keys: keys.into() }
    }

    /// All positions, those of the keys closest to `target` first. Each costs some halvings of a range, so that whoever takes 20 of
    /// 100,000 waits for microseconds.
    pub fn nearest(&self, target: &Key) -> Nearest<'_> {
        let whole = (!self.keys.is_empty()).then_some((0, self.keys.len()));
        Nearest { keys: &self.keys, target: *target, ranges: whole.into_iter().collect() }
    }

    /// The keys, in ascending order.
    pub const fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Where a key stands; `None` if it is not there.
    pub fn position(&self, key: &Key) -> Option<usize> {
        self.keys.binary_search(key).ok()
    }
}

impl Iterator for Nearest<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let (mut from, mut to) = self.ranges.pop()?;
        while to - from > 1 {
            // All keys between the first and the last share what these two share.
            let bit = self.keys[from].common_prefix_len(&self.keys[to - 1]);
            let middle = from + self.keys[from..to].partition_point(|key| !key.bit(bit));
            let (low, high) = ((from, middle), (middle, to));
            let (near, far) = if self.target.bit(bit) { (high, low) } else { (low, high) };
            self.ranges.push(far);
            (from, to) = near;
        }
        Some(from)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn positions(keys: &SortedKeys, target: &Key) -> Vec<usize> {
        keys.nearest(target).collect()
    }

    proptest! {
        #[test]
        fn the_nearest_come_first_and_nobody_twice(
            // Few distinct first bytes, so that prefixes are long and some keys come twice.
            parts in proptest::collection::vec((0..4_u8, any::<u8>()), 0..60),
            target: [u8; 2],
        ) {
            let key = |first: u8, last: u8| {
                Key::from_bytes(std::array::from_fn(|i| match i { 0 => first, 31 => last, _ => 7 }))
            };
            let sorted = SortedKeys::new(parts.iter().map(|&(first, last)| key(first, last)).collect());
            let target = key(target[0], target[1]);
            let mut expected: Vec<usize> = (0..sorted.keys().len()).collect();
            expected.sort_by_key(|&position| sorted.keys()[position].distance(&target));
            prop_assert_eq!(positions(&sorted, &target), expected);
        }
    }

    #[test]
    fn of_none_and_of_one() {
        let target = Key::of(b"target");
        assert!(positions(&SortedKeys::default(), &target).is_empty());
        let one = SortedKeys::new(vec![Key::of(b"a"), Key::of(b"a")]);
        assert_eq!((positions(&one, &target), one.position(&Key::of(b"a"))), (vec![0], Some(0)));
        assert_eq!(one.position(&Key::of(b"b")), None);
    }

    #[test]
    fn twenty_of_a_hundred_thousand_are_found_by_a_few_hundred_looks() {
        let keys = SortedKeys::new((0..100_000_u32).map(|n| Key::of(&n.to_be_bytes())).collect());
        for n in 0..100_u8 {
            let mut nearest = keys.nearest(&Key::of(&[n]));
            assert_eq!(nearest.by_ref().take(20).count(), 20);
            // What is kept for later is a range for each bit at which the way led down.
            assert!(nearest.ranges.len() < 40, "{}", nearest.ranges.len());
        }
    }
}
