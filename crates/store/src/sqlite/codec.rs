//! Lists of numbers as blobs of varints; the layout is written down in `migrations/0001_runs.sql`.

use std::time::Duration;

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

/// A number that may be negative: 0, -1, 1, -2, ... become 0, 1, 2, 3, ...
fn put_zigzag(out: &mut Vec<u8>, value: i64) {
    put(out, (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
}

/// What [`put_zigzag`] put.
fn take_zigzag(input: &mut &[u8]) -> Option<i64> {
    let zigzag = take(input)?;
    Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
}

/// Distinct peers in ascending order, each less the one before; sorted first if they are not.
pub(super) fn encode_neighbors(neighbors: &[PeerNumber]) -> (Vec<u8>, usize) {
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
pub(super) fn decode_neighbors(mut blob: &[u8]) -> Option<Vec<PeerNumber>> {
    let mut neighbors = Vec::with_capacity(blob.len());
    let mut number = 0_u32;
    while !blob.is_empty() {
        number = number.checked_add(u32::try_from(take(&mut blob)?).ok()?)?;
        neighbors.push(PeerNumber(number));
    }
    Some(neighbors)
}

/// Row ids in any order, each less the one before, zigzag.
pub(super) fn encode_ids(ids: &[i64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ids.len() * 2);
    let mut before = 0_i64;
    for &id in ids {
        put_zigzag(&mut out, id.wrapping_sub(before));
        before = id;
    }
    out
}

/// What [`encode_ids`] made; `None` for anything else.
pub(super) fn decode_ids(mut blob: &[u8]) -> Option<Vec<i64>> {
    let mut ids = Vec::with_capacity(blob.len());
    let mut id = 0_i64;
    while !blob.is_empty() {
        id = id.wrapping_add(take_zigzag(&mut blob)?);
        ids.push(id);
    }
    Some(ids)
}

/// The outcomes of all prefixes, `None` if none was asked for. `class_id` numbers the class of a failure.
pub(super) fn encode_prefixes<E>(
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
pub(super) fn decode_prefixes<E>(
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

/// What is kept of an address in a list of fates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fate {
    /// Its number.
    pub(super) address: i64,
    /// What came of it: a position in [`OUTCOMES`].
    pub(super) outcome: u64,
    /// Why: the number of a name or of a failure; 0 for none.
    pub(super) cause: i64,
    /// Whether the name in the last address before it that is none led to it.
    pub(super) is_resolved: bool,
}

/// What can come of an address, in the order of the numbers that stand for it.
pub(super) const OUTCOMES: [&str; 5] = ["connected", "not_tried", "abandoned", "skipped", "failed"];

/// The number of the last of them.
pub(super) const FAILED: u64 = 4;

/// Three numbers for each: the address less the one before, zigzag; the outcome twice, and one more if it is resolved; the
/// cause.
pub(super) fn encode_fates(fates: &[Fate]) -> Vec<u8> {
    let mut out = Vec::with_capacity(fates.len() * 4);
    let mut before = 0_i64;
    for fate in fates {
        put_zigzag(&mut out, fate.address.wrapping_sub(before));
        put(&mut out, fate.outcome << 1 | u64::from(fate.is_resolved));
        put(&mut out, fate.cause.cast_unsigned());
        before = fate.address;
    }
    out
}

/// What [`encode_fates`] made; `None` for anything else.
pub(super) fn decode_fates(mut blob: &[u8]) -> Option<Vec<Fate>> {
    let mut fates = Vec::with_capacity(blob.len() / 3);
    let mut address = 0_i64;
    while !blob.is_empty() {
        address = address.wrapping_add(take_zigzag(&mut blob)?);
        let code = take(&mut blob)?;
        let (outcome, is_resolved) = (code >> 1, code & 1 == 1);
        let is_known = usize::try_from(outcome).is_ok_and(|outcome| outcome < OUTCOMES.len());
        if !is_known || (is_resolved && fates.is_empty()) {
            return None;
        }
        fates.push(Fate { address, outcome, cause: take(&mut blob)?.cast_signed(), is_resolved });
    }
    Some(fates)
}

/// When an address was tried, and for how long; each `None` if it was not.
pub(super) type Times = (Option<Duration>, Option<Duration>);

/// Three numbers for each address that was tried: how many before it were not since the last that was; microseconds until it
/// was tried and those that it took, each with one more, or 0 for none. `None` if none was tried.
pub(super) fn encode_times(times: impl Iterator<Item = Times>) -> Option<Vec<u8>> {
    let one_more =
        |duration: Option<Duration>| duration.map_or(0, |duration| micros(duration).cast_unsigned() + 1);
    let (mut out, mut untried) = (Vec::new(), 0);
    for (after, took) in times {
        if (after, took) == (None, None) {
            untried += 1;
            continue;
        }
        put(&mut out, untried);
        put(&mut out, one_more(after));
        put(&mut out, one_more(took));
        untried = 0;
    }
    (!out.is_empty()).then_some(out)
}

/// What [`encode_times`] made of so many addresses; `None` for anything else.
pub(super) fn decode_times(mut blob: &[u8], count: usize) -> Option<Vec<Times>> {
    let mut times = Vec::with_capacity(count);
    let one_less = |number: u64| number.checked_sub(1).map(Duration::from_micros);
    while !blob.is_empty() {
        let untried = usize::try_from(take(&mut blob)?).ok()?;
        if untried >= count.checked_sub(times.len())? {
            return None;
        }
        times.extend(std::iter::repeat_n((None, None), untried));
        times.push((one_less(take(&mut blob)?), one_less(take(&mut blob)?)));
    }
    times.resize(count, (None, None));
    Some(times)
}

/// Whole microseconds; the largest number that SQLite has, for what is longer.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
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
        fn fates_and_their_times_are_read_back(
            fates in proptest::collection::vec((any::<i64>(), 0..5_u64, 0..=i64::MAX, any::<bool>()), 0..9),
            times in proptest::collection::vec(any::<(Option<u32>, Option<u32>)>(), 0..9),
        ) {
            let fates: Vec<_> = (0..).zip(fates).map(|(n, (address, outcome, cause, resolved))| {
                Fate { address, outcome, cause, is_resolved: resolved && n > 0 }
            }).collect();
            prop_assert_eq!(decode_fates(&encode_fates(&fates)), Some(fates));
            let micros = |number: Option<u32>| number.map(|n| Duration::from_micros(n.into()));
            let times: Vec<_> = times.into_iter().map(|(after, took)| (micros(after), micros(took))).collect();
            let blob = encode_times(times.iter().copied()).unwrap_or_default();
            prop_assert_eq!(decode_times(&blob, times.len()), Some(times));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            drop((decode_neighbors(&bytes), decode_ids(&bytes), decode_fates(&bytes)));
            drop(decode_times(&bytes, 7));
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
