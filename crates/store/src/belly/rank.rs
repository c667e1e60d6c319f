//! Which of two values is the better one, as bytes that a database compares.

use std::time::Duration;

use kad::values::Version;

/// What stands for a version: of two with the same rank the value with the greater bytes is better; without a rank a value beats
/// none, and none beats it. [`version`] reads it back.
pub(super) fn rank(version: Option<Version>) -> Option<Vec<u8>> {
    let Some(Version { sequence, valid_until }) = version else { return Some(Vec::new()) };
    let validity = valid_until.as_secs().to_be_bytes();
    let nanoseconds = valid_until.subsec_nanos().to_be_bytes();
    sequence.map(|sequence| [&sequence.to_be_bytes()[..], &validity, &nanoseconds].concat())
}

/// Bytes that are no rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadRank;

/// The version of a rank; without one, the value is valid as long as it is kept.
pub(super) fn version(rank: Option<&[u8]>, expires_us: u64) -> Result<Option<Version>, BadRank> {
    let Some(rank) = rank else {
        return Ok(Some(Version { sequence: None, valid_until: Duration::from_micros(expires_us) }));
    };
    if rank.is_empty() {
        return Ok(None);
    }
    let (sequence, rest) = rank.split_first_chunk().ok_or(BadRank)?;
    let (seconds, rest) = rest.split_first_chunk().ok_or(BadRank)?;
    let nanoseconds = u32::from_be_bytes(rest.try_into().map_err(|_| BadRank)?);
    if nanoseconds >= 1_000_000_000 {
        return Err(BadRank);
    }
    let valid_until = Duration::new(u64::from_be_bytes(*seconds), nanoseconds);
    Ok(Some(Version { sequence: Some(u64::from_be_bytes(*sequence)), valid_until }))
}

/// The rank of a value, read and written again; `None` if no belly has written it.
pub(crate) fn rank_again(bytes: &[u8]) -> Option<Vec<u8>> {
    rank(version(Some(bytes), 0).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn versions() -> impl Strategy<Value = Version> {
        (any::<u64>(), any::<u64>(), 0..1_000_000_000u32).prop_map(|(sequence, seconds, nanoseconds)| {
            Version { sequence: Some(sequence), valid_until: Duration::new(seconds, nanoseconds) }
        })
    }

    proptest! {
        #[test]
        fn ranks_are_read_back_and_ordered_as_versions(one in versions(), other in versions()) {
            let (first, second) = (rank(Some(one)).unwrap(), rank(Some(other)).unwrap());
            prop_assert_eq!(version(Some(&first), 0), Ok(Some(one)));
            let order = (one.sequence, one.valid_until).cmp(&(other.sequence, other.valid_until));
            prop_assert_eq!(first.cmp(&second), order);
        }
    }

    #[test]
    fn values_without_an_age_or_without_a_number_are_told_apart() {
        assert_eq!(version(rank(None).as_deref(), 7), Ok(None));
        let unnumbered = Version { sequence: None, valid_until: Duration::from_micros(7) };
        assert_eq!(version(rank(Some(unnumbered)).as_deref(), 7), Ok(Some(unnumbered)));
        assert_eq!(version(Some(&[1; 19]), 7), Err(BadRank));
        assert_eq!(version(Some(&[255; 20]), 7), Err(BadRank));
    }
}
