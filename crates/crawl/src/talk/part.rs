//! Parts of the key space, to ask inside a bucket that may hold more than one answer names. Pure.
//!
//! A full answer whose peers are all inside a part may have been cut there. Then the part is cut along the bits of the
//! target: what is nearer to the target than the farthest peer named was named whole, and every branch that leads away
//! before that is asked for by itself. An answer that names a peer outside its part has named all inside.

use kad::{
    Key,
    message::K,
    preimage::{TARGET_BYTES, target_of},
};

/// The bits by which targets can be chosen.
const BITS: u32 = u16::BITS;

/// All keys that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// The bucket that it is in, by its prefix length.
    pub(super) bucket: usize,
    /// The first 16 bits of the target.
    target: u16,
    /// How many of these all its keys begin with.
    bits: u32,
}

/// What an answer leaves of a part to be asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) parts: Vec<Part>,
    /// Whether there may be more in a part that cannot be cut any further.
    pub(super) is_beyond_reach: bool,
}

impl Part {
    /// The bucket of the peer at `own` for this prefix length, asked for by the target that the prefix has.
    pub(super) fn bucket(own: &Key, bucket: usize) -> Option<Self> {
        let bits = u32::try_from(bucket).ok()? + 1;
        let flipped = 1_u16.checked_shl(BITS.checked_sub(bits)?)?;
        Some(Self { bucket, target: own.prefix16() ^ flipped, bits })
    }

    /// What to ask for.
    pub(super) fn target(self) -> [u8; TARGET_BYTES] {
        target_of(self.target)
    }

    /// What the peers named for its target leave unread, each given by the first 16 bits of its key.
    pub(super) fn rest(self, named: impl ExactSizeIterator<Item = u16>) -> Rest {
        let is_full = named.len() >= K;
        let nearest = named.map(|key| (key ^ self.target).leading_zeros()).min();
        let shared = nearest.filter(|&shared| is_full && shared >= self.bits);
        shared.map(|shared| self.branches(shared)).unwrap_or_default()
    }

    /// Where everyone named shares so many bits with the target.
    fn branches(self, shared: u32) -> Rest {
        let branch = |bits: u32| Self { target: self.target ^ (1 << (BITS - bits)), bits, ..self };
        let parts = (self.bits + 1..=(shared + 1).min(BITS)).map(branch).collect();
        Rest { parts, is_beyond_reach: shared == BITS }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The 20 of a table that are closest to a target.
    fn closest(table: &[u16], target: u16) -> Vec<u16> {
        let mut sorted = table.to_vec();
        sorted.sort_unstable_by_key(|key| key ^ target);
        sorted.truncate(K);
        sorted
    }

    /// Everyone in a bucket, and how many answers it took.
    fn read(own: &Key, table: &[u16], bucket: usize) -> (BTreeSet<u16>, usize) {
        let mut parts = vec![Part::bucket(own, bucket).expect("in range")];
        let (mut named, mut answers) = (BTreeSet::new(), 0);
        while let Some(part) = parts.pop() {
            let answer = closest(table, part.target);
            answers += 1;
            named.extend(&answer);
            let rest = part.rest(answer.into_iter());
            assert!(!rest.is_beyond_reach);
            parts.extend(rest.parts);
        }
        (named, answers)
    }

    #[test]
    fn everyone_in_a_bucket_of_any_size_is_named() {
        let own = Key::of(b"own");
        for size in [1, 19, 20, 21, 40, 300, 640] {
            // Odd numbers spread over all of the other half of the key space.
            let table: Vec<u16> =
                (0..size).map(|n: u16| (n.wrapping_mul(40_503) >> 1) | (!own.prefix16() & 0x8000)).collect();
            let (named, answers) = read(&own, &table, 0);
            assert_eq!(named.len(), usize::from(size));
            assert!(answers <= 1 + usize::from(size) / 5, "{size} peers took {answers} answers");
        }
    }

    #[test]
    fn a_full_bucket_of_ordinary_size_takes_one_answer_more() {
        let own = Key::of(b"own");
        let half = !own.prefix16() & 0x8000;
        let spread: Vec<u16> = (0..20).map(|n| half | (n * 1_600)).collect();
        assert_eq!(read(&own, &spread, 0).1, 2);
    }

    #[test]
    fn what_targets_cannot_tell_apart_is_beyond_reach() {
        let part = Part { bucket: 3, target: 0b0001_0000_0000_0000, bits: 14 };
        let rest = part.rest([part.target; K].into_iter());
        assert_eq!((rest.parts.len(), rest.is_beyond_reach), (2, true));
        assert_eq!(part.rest([part.target; K - 1].into_iter()), Rest::default(), "not full");
        assert_eq!(Part::bucket(&Key::of(b"own"), 16), None);
    }
}
