//! Values under keys, as each server was given them.

use std::time::Duration;

use super::{Limits, MAX_VALUE_AGE, date::rfc3339, shelf::Shelf};
use crate::{key::Key, message::Record};

/// The values of any number of servers: one a server and key, for [`MAX_VALUE_AGE`]. Of several the last one stays.
#[derive(Debug)]
pub struct Values(Shelf<Box<[u8]>>);

impl Default for Values {
    /// An empty store with the bounds [`Limits::VALUES`].
    fn default() -> Self {
        Self::new(Limits::VALUES)
    }
}

impl Values {
    /// An empty store.
    pub const fn new(limits: Limits) -> Self {
        Self(Shelf::new(limits, MAX_VALUE_AGE))
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// How many values are kept. Expired ones count until the next one comes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Keeps a value that a server was given at `now`, with a note of that time.
    pub fn put(&mut self, server: u32, key: &[u8], value: &[u8], now: Duration) {
        let record = Record { key: key.to_vec(), value: value.to_vec(), time_received: rfc3339(now) };
        let record = record.encode().into_boxed_slice();
        let bytes = record.len();
        self.0.put((server, Key::of(key)), now, (record, bytes), |_| true);
    }

    /// The record (`record.pb.Record`) that a server has under a key at `now`, as it stands in an answer; `None` if it
    /// was never given one or the one has expired.
    pub fn get(&self, server: u32, key: &[u8], now: Duration) -> Option<&[u8]> {
        self.0.get(server, Key::of(key), now).next().map(|record| &*record.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lives_two_days_and_says_since_when() {
        let start = Duration::from_secs(1_767_225_600);
        let mut store = Values::default();
        store.put(3, b"/pk/x", b"old", start);
        store.put(3, b"/pk/x", b"new", start);
        let record = store.get(3, b"/pk/x", start + MAX_VALUE_AGE).expect("kept");
        let record = Record::decode(record).expect("a record");
        assert_eq!((record.key.as_slice(), record.value.as_slice()), (&b"/pk/x"[..], &b"new"[..]));
        assert_eq!(record.time_received, "2026-01-01T00:00:00.000000000Z");
        assert_eq!(store.get(3, b"/pk/x", start + MAX_VALUE_AGE + Duration::from_secs(1)), None);
        assert_eq!((store.get(4, b"/pk/x", start), store.len()), (None, 1));
    }
}
