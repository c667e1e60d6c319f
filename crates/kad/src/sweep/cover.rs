//! Which parts of the key space are known, and where something is missing.

use std::collections::BTreeSet;

use super::KeyPrefix;
use crate::key::Key;

/// Prefixes of which none lies in another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrefixSet {
    all: BTreeSet<KeyPrefix>,
}

impl PrefixSet {
    /// Takes a prefix in, and those that lie in it out. `false` if it lies in one that is there, or is there.
    pub fn add(&mut self, prefix: KeyPrefix) -> bool {
        if self.covering(&prefix).is_some() {
            return false;
        }
        self.take_within(&prefix);
        self.all.insert(prefix)
    }

    /// The prefix in which this one lies, or which it is; `None` if there is none.
    pub fn covering(&self, prefix: &KeyPrefix) -> Option<KeyPrefix> {
        // Between a prefix and those within it there are only others within it.
        self.all.range(..=prefix).next_back().filter(|before| prefix.is_within(before)).copied()
    }

    /// The prefix in which a key lies; `None` if there is none.
    pub fn of_key(&self, key: &Key) -> Option<KeyPrefix> {
        self.covering(&KeyPrefix::of(key, 256))
    }

    /// The prefixes that lie in this one, itself included, in ascending order.
    pub fn within<'a>(&'a self, prefix: &'a KeyPrefix) -> impl Iterator<Item = KeyPrefix> + 'a {
        self.all.range(prefix..).copied().take_while(|other| other.is_within(prefix))
    }

    /// Takes out the prefixes that lie in this one, itself included. Gives them in ascending order.
    pub fn take_within(&mut self, prefix: &KeyPrefix) -> Vec<KeyPrefix> {
        let taken: Vec<KeyPrefix> = self.within(prefix).collect();
        for prefix in &taken {
            self.all.remove(prefix);
        }
        taken
    }

    /// The largest part of `prefix` in which nothing lies, of those the nearest to `order`; `None` if it is covered.
    pub fn first_gap(&self, prefix: &KeyPrefix, order: &Key) -> Option<KeyPrefix> {
        if self.covering(prefix).is_some() {
            return None;
        }
        if self.within(prefix).next().is_none() {
            return Some(*prefix);
        }
        // One of those within it lies in a half of it.
        let near = order.bit(prefix.len());
        [near, !near].into_iter().find_map(|bit| self.first_gap(&prefix.half(bit), order))
    }

    /// All of them, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = KeyPrefix> {
        self.all.iter().copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::prefix::tests::prefix, *};

    fn set(all: &[&str]) -> PrefixSet {
        let mut set = PrefixSet::default();
        for bits in all {
            set.add(prefix(bits));
        }
        set
    }

    #[test]
    fn none_lies_in_another() {
        let mut set = set(&["0011", "01", "0010", "110"]);
        assert!(!set.add(prefix("0110")) && !set.add(prefix("01")));
        assert!(set.add(prefix("00")));
        assert_eq!(set.iter().map(|prefix| prefix.to_string()).collect::<Vec<_>>(), ["00", "01", "110"]);
        assert_eq!(set.covering(&prefix("0010")), Some(prefix("00")));
        assert_eq!(set.of_key(&prefix("1101").nearest_key(&Key::of(b""))), Some(prefix("110")));
        assert_eq!(set.covering(&prefix("11")), None);
        assert_eq!(set.take_within(&prefix("0")), [prefix("00"), prefix("01")]);
        assert_eq!((set.len(), set.is_empty()), (1, false));
    }

    #[test]
    fn gaps_are_as_large_as_they_can_be_and_the_nearest_comes_first() {
        let set = set(&["0000", "0010", "100"]);
        let zeros = prefix("0000").nearest_key(&prefix("0").nearest_key(&Key::from_bytes([0; 32])));
        let ones = Key::from_bytes([0xff; 32]);
        let first = |target: &str, order| set.first_gap(&prefix(target), order).map(|gap| gap.to_string());
        assert_eq!(first("0", &zeros).as_deref(), Some("0001"));
        assert_eq!(first("0", &ones).as_deref(), Some("01"));
        assert_eq!(first("", &ones).as_deref(), Some("11"));
        assert_eq!(first("00", &ones).as_deref(), Some("0011"));
        assert_eq!(first("1001", &ones), None);
        assert_eq!(PrefixSet::default().first_gap(&prefix("01"), &ones), Some(prefix("01")));
    }
}
