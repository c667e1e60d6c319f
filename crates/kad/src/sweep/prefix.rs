//! Parts of the key space: all keys that begin with the same bits.

use std::fmt;

use crate::key::Key;

/// All keys that begin with certain bits: none, for the whole key space, up to all 256. In ascending order a prefix comes before those
/// within it, and they before whatever lies behind it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyPrefix {
    /// The bits, and zeros.
    first: Key,
    len: u16,
}

/// The most bits.
const MAX_BITS: u16 = 256;

impl KeyPrefix {
    /// The whole key space.
    pub const WHOLE: Self = Self { first: Key::from_bytes([0; 32]), len: 0 };

    /// The first bits of a key: 256 of them at most.
    pub fn of(key: &Key, len: u32) -> Self {
        let len = u16::try_from(len).unwrap_or(MAX_BITS).min(MAX_BITS);
        Self { first: join(key, len, &Self::WHOLE.first), len }
    }

    /// How many bits it is.
    pub fn len(&self) -> u32 {
        self.len.into()
    }

    /// Whether it is the whole key space.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bit at this place; `false` beyond the last.
    pub fn bit(&self, place: u32) -> bool {
        self.first.bit(place)
    }

    /// Its half in which the next bit is this one; itself, if it is one key.
    #[must_use]
    pub fn half(&self, bit: bool) -> Self {
        let longer = Self { len: (self.len + 1).min(MAX_BITS), ..*self };
        if bit && self.len < MAX_BITS { longer.flipped() } else { longer }
    }

    /// What it is a half of; `None` of the whole key space.
    pub fn parent(&self) -> Option<Self> {
        let len = self.len.checked_sub(1)?;
        Some(Self { first: join(&self.first, len, &Self::WHOLE.first), len })
    }

    /// The other half of its parent; itself, if it is the whole key space.
    #[must_use]
    pub fn flipped(&self) -> Self {
        let Some(last) = self.len.checked_sub(1) else { return *self };
        let mut bytes = *self.first.as_bytes();
        bytes[usize::from(last / 8)] ^= 0x80 >> (last % 8);
        Self { first: Key::from_bytes(bytes), len: self.len }
    }

    /// Whether a key lies in it.
    pub fn covers(&self, key: &Key) -> bool {
        self.first.common_prefix_len(key) >= self.len()
    }

    /// Whether all of it lies in another one, or is the same.
    pub fn is_within(&self, other: &Self) -> bool {
        other.len <= self.len && other.covers(&self.first)
    }

    /// How many leading bits it shares with a key, no more than it has.
    pub fn common_len(&self, key: &Key) -> u32 {
        self.first.common_prefix_len(key).min(self.len())
    }

    /// Of its keys the one closest to `order`.
    pub fn nearest_key(&self, order: &Key) -> Key {
        join(&self.first, self.len, order)
    }
}

/// So many bits of the one key, and behind them those of the other.
fn join(head: &Key, len: u16, tail: &Key) -> Key {
    let (whole, rest) = (usize::from(len / 8), len % 8);
    Key::from_bytes(std::array::from_fn(|i| {
        let mask = match i.cmp(&whole) {
            std::cmp::Ordering::Less => 0xff,
            std::cmp::Ordering::Equal => !(0xff_u8 >> rest),
            std::cmp::Ordering::Greater => 0,
        };
        head.as_bytes()[i] & mask | tail.as_bytes()[i] & !mask
    }))
}

impl fmt::Display for KeyPrefix {
    /// Its bits, `0110` for instance; nothing for the whole key space.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.len()).try_for_each(|place| f.write_str(if self.bit(place) { "1" } else { "0" }))
    }
}

impl fmt::Debug for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPrefix({self})")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A prefix as it is written.
    pub(in crate::sweep) fn prefix(bits: &str) -> KeyPrefix {
        bits.chars().fold(KeyPrefix::WHOLE, |prefix, bit| prefix.half(bit == '1'))
    }

    proptest! {
        #[test]
        fn a_prefix_covers_what_begins_with_it(key: [u8; 32], other: [u8; 32], len in 0..=256_u32) {
            let (key, other) = (Key::from_bytes(key), Key::from_bytes(other));
            let prefix = KeyPrefix::of(&key, len);
            prop_assert!(prefix.covers(&key) && prefix.len() == len);
            prop_assert_eq!(prefix.covers(&other), key.common_prefix_len(&other) >= len);
            let nearest = prefix.nearest_key(&other);
            prop_assert!(prefix.covers(&nearest));
            prop_assert!(nearest.distance(&other) <= key.distance(&other));
            if let Some(parent) = prefix.parent() {
                let halves = [parent.half(false), parent.half(true)];
                prop_assert!(halves.contains(&prefix) && halves.contains(&prefix.flipped()));
                prop_assert!(prefix.is_within(&parent) && !parent.is_within(&prefix));
                prop_assert!(!prefix.is_within(&prefix.flipped()) && prefix != prefix.flipped());
            }
        }
    }

    #[test]
    fn prefixes_are_written_as_bits_and_sorted_by_what_they_cover() {
        let all = ["", "0", "00", "001", "01", "1", "10", "11"].map(prefix);
        assert!(all.is_sorted());
        assert_eq!(all.map(|prefix| prefix.to_string()), ["", "0", "00", "001", "01", "1", "10", "11"]);
        assert_eq!((KeyPrefix::WHOLE.parent(), KeyPrefix::WHOLE.flipped()), (None, KeyPrefix::WHOLE));
        let one = KeyPrefix::of(&Key::of(b"key"), 300);
        assert_eq!((one.len(), one.half(true)), (256, one));
        assert_eq!(prefix("0110").common_len(&prefix("0100").nearest_key(&Key::of(b""))), 2);
    }
}
