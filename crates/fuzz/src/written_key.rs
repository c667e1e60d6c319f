//! Keys as people write them: what is read is a key that servers take, and the same when it is written again.

use kad::{
    answer::MAX_KEY_BYTES,
    written::{MAX_TEXT_BYTES, WrittenKey},
};

/// Reads the bytes as a key.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let key = match text.parse::<WrittenKey>() {
        Ok(key) => key,
        Err(bad) => return assert!(!bad.to_string().is_empty()),
    };
    let bytes = key.bytes();
    assert!(!bytes.is_empty() && bytes.len() <= MAX_TEXT_BYTES);
    assert!(
        key.provided().is_ok_and(|provided| provided == bytes && bytes.len() <= MAX_KEY_BYTES)
            || key.provided().is_err()
    );
    assert!(key.valued().is_ok_and(|valued| valued == bytes) || key.valued().is_err());
    let hex = bytes.iter().fold("0x".to_owned(), |hex, byte| format!("{hex}{byte:02x}"));
    let Ok(again) = hex.parse::<WrittenKey>() else {
        return assert!(hex.len() > MAX_TEXT_BYTES, "{hex} is no key");
    };
    assert_eq!(again.bytes(), bytes);
    if let Ok(peer) = key.peer() {
        let (id, again) = (peer.to_string(), peer.to_string().parse::<WrittenKey>());
        assert!(again.is_ok_and(|again| again.peer() == Ok(peer)), "{id}");
    }
}
