//! Values under keys, as each server was given them.

use std::time::Duration;

use super::{MAX_VALUE_AGE, RecordLimits, shelf::Shelf};
use crate::{
    date::{parse_rfc3339, rfc3339},
    key::Key,
    message::Record,
    values::{CheckedValue, Version},
};

/// The values of any number of servers: one a server and key, for [`MAX_VALUE_AGE`] at most. Of several the better one
/// stays, and none is given out that has expired.
#[derive(Debug)]
pub struct Values(Shelf<KeptValue>);

#[derive(Debug)]
struct KeptValue {
    /// The encoded record (`record.pb.Record`).
    record: Box<[u8]>,
    version: Option<Version>,
}

/// A value as a server keeps it and answers with it: the encoded record (`record.pb.Record`), with a note of when it came.
pub fn kept_record(key: &[u8], value: &[u8], received: Duration) -> Vec<u8> {
    Record { key: key.to_vec(), value: value.to_vec(), time_received: rfc3339(received) }.encode()
}

/// When a record was received, as it says, since the Unix epoch; `None` if it does not.
pub fn received_at(record: &Record) -> Option<Duration> {
    parse_rfc3339(&record.time_received)
}

impl KeptValue {
    /// Whether it stays although this value was offered, which counts for as long as it is valid itself.
    fn outlives(&self, offered: &CheckedValue<'_>, now: Duration) -> bool {
        let Ok(Record { value, .. }) = Record::decode(&self.record) else { return false };
        let kept = CheckedValue { value: &value, version: self.version };
        !kept.is_expired(now) && !offered.beats(&kept)
    }
}

impl Default for Values {
    /// An empty store with the bounds [`RecordLimits::VALUES`].
    fn default() -> Self {
        Self::new(RecordLimits::VALUES)
    }
}

impl Values {
    /// An empty store.
    pub const fn new(limits: RecordLimits) -> Self {
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

    /// Keeps a value that a server was given at `now`, with a note of that time. `false` if it is not kept: it has expired,
    /// or the server has a better one; go refuses the request then.
    pub fn put(&mut self, server: u32, key: &[u8], value: &CheckedValue<'_>, now: Duration) -> bool {
        let place = (server, Key::of(key));
        let is_better = |kept: &KeptValue| kept.outlives(value, now);
        if value.is_expired(now) || self.0.get(server, place.1, now).any(|kept| is_better(&kept.body)) {
            return false;
        }
        let record = kept_record(key, value.value, now).into_boxed_slice();
        let bytes = record.len();
        self.0.put(place, now, (KeptValue { record, version: value.version }, bytes), |_| true);
        true
    }

    /// The record (`record.pb.Record`) that a server has under a key at `now`, as it stands in an answer; `None` if it
    /// was never given one, it has been there for too long or is not valid any more.
    pub fn get(&self, server: u32, key: &[u8], now: Duration) -> Option<&[u8]> {
        let kept = self.0.get(server, Key::of(key), now).next().map(|record| &record.body)?;
        let is_valid = kept.version.is_none_or(|version| version.valid_until >= now);
        is_valid.then_some(&*kept.record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1_767_225_600);
    const HOUR: Duration = Duration::from_secs(3600);

    fn public_key(value: &[u8]) -> CheckedValue<'_> {
        CheckedValue { value, version: None }
    }

    fn value_of(record: Option<&[u8]>) -> Option<Vec<u8>> {
        record.map(|record| Record::decode(record).expect("a record").value)
    }

    #[test]
    fn a_value_lives_two_days_and_says_since_when() {
        let mut store = Values::default();
        assert!(store.put(3, b"/pk/x", &public_key(b"old"), START));
        assert!(store.put(3, b"/pk/x", &public_key(b"new"), START));
        let record = store.get(3, b"/pk/x", START + MAX_VALUE_AGE).expect("kept");
        let record = Record::decode(record).expect("a record");
        assert_eq!((record.key.as_slice(), record.value.as_slice()), (&b"/pk/x"[..], &b"new"[..]));
        assert_eq!(record.time_received, "2026-01-01T00:00:00.000000000Z");
        assert_eq!(store.get(3, b"/pk/x", START + MAX_VALUE_AGE + Duration::from_secs(1)), None);
        assert_eq!((store.get(4, b"/pk/x", START), store.len()), (None, 1));
    }

    #[test]
    fn the_better_record_stays_for_as_long_as_it_is_valid() {
        let record = |value, sequence, hours: u32| CheckedValue {
            value,
            version: Some(Version { sequence: Some(sequence), valid_until: START + HOUR * hours }),
        };
        let mut store = Values::default();
        let key = b"/ipns/x";
        assert!(store.put(1, key, &record(b"five", 5, 2), START));
        assert!(!store.put(1, key, &record(b"four", 4, 9), START), "an older one");
        assert!(!store.put(1, key, &record(b"six", 6, 1), START + HOUR * 2), "an expired one");
        assert!(store.put(1, key, &record(b"five", 5, 2), START + HOUR), "the same one again");
        assert!(store.put(2, key, &record(b"four", 4, 9), START), "another server has none");
        assert_eq!(value_of(store.get(1, key, START + HOUR * 2)), Some(b"five".to_vec()));
        assert_eq!(store.get(1, key, START + HOUR * 2 + Duration::from_nanos(1)), None);
        assert!(store.put(1, key, &record(b"four", 4, 9), START + HOUR * 3), "the better one has expired");
        assert!(store.put(1, key, &record(b"five", 5, 4), START + HOUR * 3));
        assert_eq!(value_of(store.get(1, key, START + HOUR * 3)), Some(b"five".to_vec()));
    }
}
