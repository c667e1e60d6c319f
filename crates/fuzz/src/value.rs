//! Values under keys: what is taken is one for its key and for no other, and of two one is the better.

use std::time::Duration;

use kad::values::{CheckedValue, IpnsRecord, MAX_VALUE_BYTES};

/// Checks the bytes: the length of a key, the key, and a value. The value is also read as a record of any name.
pub fn check(bytes: &[u8]) {
    let Some((&length, rest)) = bytes.split_first() else { return };
    let Some((key, value)) = rest.split_at_checked(usize::from(length)) else { return };
    if let Ok(record) = IpnsRecord::decode(value) {
        assert!(value.len() <= MAX_VALUE_BYTES && record.value().len() <= value.len());
        assert!(record.ttl() <= Duration::from_nanos(i64::MAX as u64));
        assert!(record.version().valid_until < Duration::from_secs(253_402_300_800 + 86_400));
    }
    let Ok(checked) = CheckedValue::of(key, value) else { return };
    assert!(checked.value == value && value.len() <= MAX_VALUE_BYTES);
    assert_eq!(checked.version.is_some(), key.starts_with(b"/ipns/"));
    assert!(checked.version.is_some() || !checked.is_expired(Duration::MAX));
    let has_order = checked.version.is_none_or(|version| version.sequence.is_some());
    assert_eq!(checked.beats(&checked), has_order);

    let mut other = key.to_vec();
    other.iter_mut().next_back().into_iter().for_each(|last| *last ^= 1);
    assert!(CheckedValue::of(&other, value).is_err(), "a value is taken under another's key");
}
