//! The identities of a fleet as places in the key space, and how crowded it is where another one would come.

use std::collections::BTreeSet;

use kad::Key;

/// Places in the key space that are taken. How deep one lies is measured as in a binary trie that has its values in leaves alone: the
/// deeper, the closer are its neighbours.
///
/// Such a trie need not be built: the leaf of a key lies one below the last bit that it shares with any other key, and the key it
/// shares the most with is one of its two neighbours in order.
#[derive(Debug, Clone, Default)]
pub struct Spread(BTreeSet<Key>);

impl Spread {
    /// How deep the leaf of a key would lie, or lies; 0 if there is no other.
    pub fn depth_of(&self, key: &Key) -> u32 {
        let before = self.0.range(..key).next_back();
        let mut from = self.0.range(key..);
        let behind = from.next().filter(|next| *next != key).or_else(|| from.next());
        let shared = before.into_iter().chain(behind).map(|other| key.common_prefix_len(other));
        shared.max().map_or(0, |bits| bits + 1)
    }

    /// Takes a place; `false` if it is taken.
    pub fn insert(&mut self, key: Key) -> bool {
        self.0.insert(key)
    }

    /// Gives a place back; `false` if it was not taken.
    pub fn remove(&mut self, key: &Key) -> bool {
        self.0.remove(key)
    }

    /// Whether a place is taken.
    pub fn contains(&self, key: &Key) -> bool {
        self.0.contains(key)
    }

    /// How many places are taken.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How deep the deepest leaf lies; 0 if there are fewer than two.
    pub fn depth(&self) -> u32 {
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        pairs.map(|(one, next)| one.common_prefix_len(next) + 1).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of one byte whose lowest bit comes first.
    fn key(bits: u8) -> Key {
        let mut bytes = [0; 32];
        bytes[0] = bits.reverse_bits();
        Key::from_bytes(bytes)
    }

    /// Source: the trie's own vector in hydra-booster, `xortrie_test.go`.
    #[test]
    fn depths_are_those_of_the_trie_as_keys_come_and_go() {
        let mut spread = Spread::default();
        for _ in 0..2 {
            for (bits, depth) in [(0x0, 0), (0x1, 1), (0x8, 4), (0x3, 2), (0x4, 3)] {
                assert_eq!(spread.depth_of(&key(bits)), depth, "{bits:x}");
                assert!(spread.insert(key(bits)) && !spread.insert(key(bits)), "{bits:x}");
            }
            assert_eq!((spread.len(), spread.depth()), (5, 4));
            for (bits, depth) in [(0x0, 4), (0x8, 3), (0x4, 1), (0x1, 2), (0x3, 0)] {
                assert_eq!(spread.depth_of(&key(bits)), depth, "{bits:x}");
                assert!(spread.remove(&key(bits)) && !spread.remove(&key(bits)), "{bits:x}");
            }
            assert!(spread.is_empty());
        }
    }
}
