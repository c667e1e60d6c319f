//! Lists of numbers as blobs of varints; the layout is written down in `migrations/0001_crawls.sql`.

use kad::failure::FailureClass;
use schema::{PeerNumber, PrefixOutcome, visit::PREFIXES};

/// Appends an unsigned LEB128.
fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Takes an unsigned LEB128 off the front; `None` if the bytes end before it does, or if it exceeds 64 bits.
fn take(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = input.split_first()?;
        *input = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Distinct peers in ascending order, each less the one before; sorted first if they are not.
pub(crate) fn encode_neighbors(neighbors: &[PeerNumber]) -> (Vec<u8>, usize) {
    if !neighbors.is_sorted_by(|a, b| a < b) {
        let mut sorted = neighbors.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        return encode_neighbors(&sorted);
    }
    let mut out = Vec::with_capacity(neighbors.len() * 2);
    let mut before = 0;
    for &PeerNumber(number) in neighbors {
        put(&mut out, u64::from(number - before));
        before = number;
    }
    (out, neighbors.len())
}

/// What [`encode_neighbors`] made; `None` for anything else.
pub(crate) fn decode_neighbors(mut blob: &[u8]) -> Option<Vec<PeerNumber>> {
    let mut neighbors = Vec::with_capacity(blob.len());
    let mut number = 0_u32;
    while !blob.is_empty() {
        number = number.checked_add(u32::try_from(take(&mut blob)?).ok()?)?;
        neighbors.push(PeerNumber(number));
    }
    Some(neighbors)
}

/// Row ids in any order, each less the one before, zigzag.
pub(crate) fn encode_ids(ids: &[i64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ids.len() * 2);
    let mut before = 0_i64;
    for &id in ids {
        let delta = id.wrapping_sub(before);
        put(&mut out, (delta.cast_unsigned() << 1) ^ (delta >> 63).cast_unsigned());
        before = id;
    }
    out
}

/// What [`encode_ids`] made; `None` for anything else.
pub(crate) fn decode_ids(mut blob: &[u8]) -> Option<Vec<i64>> {
    let mut ids = Vec::with_capacity(blob.len());
    let mut id = 0_i64;
    while !blob.is_empty() {
        let zigzag = take(&mut blob)?;
        id = id.wrapping_add((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed());
        ids.push(id);
    }
    Some(ids)
}

/// The outcomes of all prefixes, `None` if none was asked for. `class_id` numbers the class of a failure.
pub(crate) fn encode_prefixes<E>(
    prefixes: &[PrefixOutcome; PREFIXES],
    mut class_id: impl FnMut(FailureClass) -> Result<i64, E>,
) -> Result<Option<Vec<u8>>, E> {
    if prefixes.iter().all(|&prefix| prefix == PrefixOutcome::NotAsked) {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(PREFIXES);
    for &prefix in prefixes {
        let code = match prefix {
            PrefixOutcome::NotAsked => 0,
            PrefixOutcome::Saved => 1,
            PrefixOutcome::Answered { peers } => 2 + 2 * u64::from(peers),
            PrefixOutcome::Failed(class) => 3 + 2 * class_id(class)?.cast_unsigned(),
        };
        put(&mut out, code);
    }
    Ok(Some(out))
}

/// What [`encode_prefixes`] made; `Ok(None)` for anything else. `class` finds a class by its number.
pub(crate) fn decode_prefixes<E>(
    blob: Option<&[u8]>,
    mut class: impl FnMut(i64) -> Result<FailureClass, E>,
) -> Result<Option<[PrefixOutcome; PREFIXES]>, E> {
    let mut prefixes = [PrefixOutcome::NotAsked; PREFIXES];
    let Some(mut blob) = blob else { return Ok(Some(prefixes)) };
    for prefix in &mut prefixes {
        *prefix = match take(&mut blob) {
            None => return Ok(None),
            Some(0) => PrefixOutcome::NotAsked,
            Some(1) => PrefixOutcome::Saved,
            Some(code) if code % 2 == 1 => PrefixOutcome::Failed(class(((code - 3) / 2).cast_signed())?),
            Some(code) => match u16::try_from((code - 2) / 2) {
                Ok(peers) => PrefixOutcome::Answered { peers },
                Err(_) => return Ok(None),
            },
        };
    }
    Ok(blob.is_empty().then_some(prefixes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn neighbors_are_read_back_sorted_and_distinct(numbers: Vec<u32>) {
            let mut numbers: Vec<_> = numbers.into_iter().map(PeerNumber).collect();
            let (blob, count) = encode_neighbors(&numbers);
            numbers.sort_unstable();
            numbers.dedup();
            prop_assert_eq!(count, numbers.len());
            prop_assert_eq!(decode_neighbors(&blob), Some(numbers));
        }

        #[test]
        fn ids_are_read_back(ids: Vec<i64>) {
            prop_assert_eq!(decode_ids(&encode_ids(&ids)), Some(ids));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            drop((decode_neighbors(&bytes), decode_ids(&bytes)));
            let class = |_| Ok::<_, ()>(FailureClass::Other);
            prop_assert!(decode_prefixes(Some(&bytes), class).is_ok());
        }
    }

    #[test]
    fn near_numbers_take_a_byte_each() {
        let neighbors: Vec<_> = (0..200).map(|n| PeerNumber(n * 100)).collect();
        assert_eq!(encode_neighbors(&neighbors).0.len(), 200);
    }

    #[test]
    fn varints_that_end_early_or_are_too_long_are_refused() {
        assert_eq!(decode_neighbors(&[0x80]), None);
        assert_eq!(decode_ids(&[0xff; 11]), None);
        assert_eq!(decode_neighbors(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0x01]), None, "beyond 32 bits");
    }
}
