//! Places in the key space: SHA-256 of a peer id or of a record's key, and the XOR metric between them.
//!
//! <https://github.com/libp2p/specs/blob/master/kad-dht/README.md>

use std::fmt;

use libp2p_identity::PeerId;
use sha2::{Digest, Sha256};

/// A place in the 256-bit key space.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 32]);

/// How far two keys are apart: their XOR, as a big-endian number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Distance([u8; 32]);

impl Key {
    /// Where `preimage` lies: the bytes of a peer id, a multihash or the key of a record.
    pub fn of(preimage: &[u8]) -> Self {
        Self(Sha256::digest(preimage).into())
    }

    /// Where a peer lies.
    pub fn of_peer(peer: &PeerId) -> Self {
        let multihash = peer.as_ref();
        let mut bytes = [0; 2 + 64];
        let length = multihash.digest().len();
        match (u8::try_from(multihash.code()), u8::try_from(length)) {
            // Every peer id in use is an identity or SHA-256 multihash: its code and size are one byte each.
            (Ok(code @ 0..0x80), Ok(size @ 0..0x80)) => {
                bytes[0] = code;
                bytes[1] = size;
                bytes[2..2 + length].copy_from_slice(multihash.digest());
                Self::of(&bytes[..2 + length])
            }
            _ => Self::of(&peer.to_bytes()),
        }
    }

    /// A key of these very bytes, for tests and simulations.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, most significant first.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The XOR distance to another key.
    pub fn distance(&self, other: &Self) -> Distance {
        Distance(std::array::from_fn(|i| self.0[i] ^ other.0[i]))
    }

    /// The length of the common prefix with another key, in bits: 0 to 256.
    pub fn common_prefix_len(&self, other: &Self) -> u32 {
        self.distance(other).leading_zeros()
    }

    /// The bit at this place, the most significant one at 0; `false` beyond the last.
    pub fn bit(&self, place: u32) -> bool {
        let byte = self.0.get((place / 8) as usize).copied().unwrap_or_default();
        byte & (0x80 >> (place % 8)) != 0
    }

    /// The first 16 bits, as a number.
    pub const fn prefix16(&self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    /// The first 64 bits, as a number.
    pub const fn prefix64(&self) -> u64 {
        let mut value = 0;
        let mut index = 0;
        while index < 8 {
            value = value << 8 | self.0[index] as u64;
            index += 1;
        }
        value
    }
}

impl Distance {
    /// Leading zero bits: 256 for a distance of zero.
    pub fn leading_zeros(&self) -> u32 {
        let mut zeros = 0;
        for byte in self.0 {
            zeros += byte.leading_zeros();
            if byte != 0 {
                break;
            }
        }
        zeros
    }

    /// As a share of the longest distance, from 0 to 1, rounded once: as go-libp2p-kad-dht has it (`NormedDistance`).
    pub fn normed(&self) -> f64 {
        let start = self.0.iter().position(|&byte| byte != 0).unwrap_or(16).min(16);
        let (head, rest) = self.0[start..].split_at(16);
        // The rest decides where the head lies halfway between two numbers, and nowhere else.
        let sticky = u128::from(rest.iter().any(|&byte| byte != 0));
        let head = head.iter().fold(0_u128, |head, &byte| head << 8 | u128::from(byte)) | sticky;
        let bytes = 16 + i32::try_from(start).unwrap_or(16);
        head as f64 * 2.0_f64.powi(-8 * bytes)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:016x}..)", self.prefix64())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn xor_is_a_metric(a: [u8; 32], b: [u8; 32], c: [u8; 32]) {
            let (a, b, c) = (Key(a), Key(b), Key(c));
            prop_assert_eq!(a.distance(&a), Distance([0; 32]));
            prop_assert_eq!(a.distance(&b), b.distance(&a));
            prop_assert!(a == b || a.distance(&b) > Distance([0; 32]));
            // Unidirectional, which is stronger than the triangle inequality: d(a,b) xor d(b,c) = d(a,c).
            let sum: [u8; 32] = std::array::from_fn(|i| a.distance(&b).0[i] ^ b.distance(&c).0[i]);
            prop_assert_eq!(Distance(sum), a.distance(&c));
            // Two of three common prefixes are equal and the third is no shorter.
            let mut lengths =
                [a.common_prefix_len(&b), b.common_prefix_len(&c), a.common_prefix_len(&c)];
            lengths.sort_unstable();
            prop_assert_eq!(lengths[0], lengths[1]);
        }
    }

    #[test]
    fn a_peer_lies_where_the_bytes_of_its_id_lie() {
        for _ in 0..10 {
            let peer = PeerId::random();
            assert_eq!(Key::of_peer(&peer), Key::of(&peer.to_bytes()));
        }
    }

    #[test]
    fn a_normed_distance_is_rounded_once() {
        let same = |bytes, share: f64| assert_eq!(Distance(bytes).normed().to_bits(), share.to_bits());
        same([0; 32], 0.0);
        same([0xff; 32], 1.0);
        let mut half = [0; 32];
        half[0] = 0x80;
        same(half, 0.5);
        // This lies halfway to the next number: alone it is rounded to even, with anything behind it up.
        half[6] = 0x04;
        same(half, 0.5);
        half[31] = 1;
        same(half, 0.5 + f64::EPSILON / 2.0);
        let mut least = [0; 32];
        least[31] = 1;
        same(least, 2.0_f64.powi(-256));
    }

    #[test]
    fn bits_are_counted_from_the_most_significant() {
        let key = Key::from_bytes(std::array::from_fn(|i| if i == 1 { 0b0100_0001 } else { 0 }));
        let set: Vec<u32> = (0..300).filter(|&place| key.bit(place)).collect();
        assert_eq!(set, [9, 15]);
    }

    #[test]
    fn common_prefix_of_a_key_with_itself_is_all_of_it() {
        assert_eq!(Key::of(b"x").common_prefix_len(&Key::of(b"x")), 256);
    }
}
