//! Files of keys that others have published, lists and JSON: each key is there once, what is kept is bounded, and what is understood is
//! understood again when it is written as a list.

use std::collections::BTreeSet;

use hoard::ForeignKeys;

/// The longest text of a multihash as the list has it is its digits, two for each byte: no file may take long to be read again.
const MAX_WRITTEN: usize = 1 << 16;

/// Reads the bytes as a file of keys.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = match ForeignKeys::read(text) {
        Ok(read) => read,
        Err(wrong) => {
            assert!(!wrong.to_string().is_empty());
            return;
        }
    };
    let keys: BTreeSet<&[u8]> = read.keys.iter().map(|key| key.0.as_slice()).collect();
    assert!(!keys.is_empty() && keys.len() == read.keys.len(), "each key once");
    assert!(read.known.len() <= read.keys.len());
    for known in &read.known {
        assert!(keys.contains(&*known.key), "holders are of a key of the file");
        let holders: BTreeSet<_> = known.holders.iter().map(|holder| holder.peer).collect();
        assert_eq!(holders.len(), known.holders.len(), "each holder once");
        for holder in known.holders.iter() {
            assert!(holder.addresses.len() <= 64);
            assert!(holder.agent.as_ref().is_none_or(|agent| (1..=256).contains(&agent.len())));
        }
    }
    let list: String = read.keys.iter().map(|key| multibase(&key.0) + "\n").collect();
    if list.len() <= MAX_WRITTEN {
        let again = ForeignKeys::read(&list).map(|again| (again.keys, again.known.len()));
        assert_eq!(again.ok(), Some((read.keys, 0)), "the keys of a file are a list");
    }
}

/// A multihash in base 16, as a list may have it.
fn multibase(key: &[u8]) -> String {
    key.iter().fold("f".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}
