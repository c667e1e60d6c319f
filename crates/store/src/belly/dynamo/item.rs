//! Items as `DynamoDB` has them, and records in them.
//!
//! Of a provider record there is what hydra-booster wrote and read: `key` (the key), `ttl` (when it expires, in seconds since the Unix
//! epoch), `prov` (the provider's id). Beside it stands what it did not have and passes over: `addrs` (the addresses, as they stand
//! in an entry), `received` (in microseconds since the Unix epoch), and `fetched` where others than the provider gave it. Of a value
//! there is what it wrote, too: `DSKey`, `Value` (the record), `Size`, `Expiration`. Beside it stand `Rank` and `Until` (in microseconds
//! since the Unix epoch), which say what of two values is better.

use std::time::Duration;

use kad::{
    message::Record,
    records::{MAX_VALUE_AGE, kept_record, received_at},
    values::CheckedValue,
};
use multibase::Base;
use serde_json::{Map, Value, json};

use crate::belly::{
    backend::{ProviderRow, ValueRow},
    provider::MAX_LIFETIME_S,
    rank::{rank, version},
};

/// Which second of a provider's key it stands under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderPlace {
    pub(crate) key: Vec<u8>,
    /// When it expires, in seconds since the Unix epoch.
    pub(crate) ttl: u64,
}

/// An item: attributes by their names.
#[derive(Debug, Clone, Copy)]
pub struct DynamoItem<'a>(&'a Value);

impl<'a> DynamoItem<'a> {
    /// What stands in an answer as one.
    pub const fn new(item: &'a Value) -> Self {
        Self(item)
    }

    fn attribute(self, name: &str, kind: &str) -> Option<&'a str> {
        self.0.get(name)?.get(kind)?.as_str()
    }

    /// An attribute of bytes; `None` if it is missing or another one.
    pub fn bytes(self, name: &str) -> Option<Vec<u8>> {
        Base::Base64Pad.decode(self.attribute(name, "B")?).ok()
    }

    /// An attribute of a number that is whole and not negative; `None` if it is missing or another one.
    pub fn number(self, name: &str) -> Option<u64> {
        self.attribute(name, "N")?.parse().ok()
    }

    /// Where a provider record stands.
    pub(crate) fn place(self) -> Option<ProviderPlace> {
        Some(ProviderPlace { key: self.bytes("key")?, ttl: self.number("ttl")? })
    }

    /// The provider record in it; `None` if there is none. Where it does not say when it came, it has lived since `lifetime` before its
    /// end.
    pub(in crate::belly) fn provider(self, lifetime: Duration) -> Option<ProviderRow> {
        let ProviderPlace { key, ttl } = self.place()?;
        let id = self.bytes("prov")?;
        let addrs = self.bytes("addrs").unwrap_or_default();
        let usual = lifetime.as_secs().min(MAX_LIFETIME_S.into());
        let received_us =
            self.number("received").unwrap_or(ttl.saturating_sub(usual).saturating_mul(1_000_000));
        // Both are cut to seconds in the same way when it is written.
        let lifetime_s = i32::try_from(ttl.checked_sub(received_us / 1_000_000)?).ok()?;
        let is_fetched = self.0.get("fetched").is_some();
        ProviderRow::of_parts(&key, (&id, &addrs), (i64::try_from(received_us).ok()?, lifetime_s), is_fetched)
    }

    /// Whether a list of providers holds one in this item that is readable, for whoever tries any bytes.
    pub fn is_provider(self) -> bool {
        self.provider(Duration::from_secs(MAX_LIFETIME_S.into())).is_some()
    }

    /// The value in it; `None` if there is none that is one for its key.
    pub(in crate::belly) fn value(self) -> Option<ValueRow> {
        let key = value_key(self.attribute("DSKey", "S")?)?;
        let record = Record::decode(&self.bytes("Value")?).ok()?;
        if record.key != key {
            return None;
        }
        let version = match self.number("Until") {
            Some(until_us) => version(self.bytes("Rank").as_deref(), until_us).ok()?,
            // Whoever wrote it left that to the value.
            None => CheckedValue::of(&key, &record.value).ok()?.version,
        };
        let received = received_at(&record).unwrap_or_default();
        let received_us = u64::try_from(received.as_micros()).ok()?;
        Some(ValueRow { key: key.into(), value: record.value.into(), version, received_us })
    }

    /// Whether it holds a value, for whoever tries any bytes.
    pub fn is_value(self) -> bool {
        self.value().is_some()
    }
}

/// An attribute of bytes.
pub(super) fn bytes(bytes: &[u8]) -> Value {
    json!({ "B": Base::Base64Pad.encode(bytes) })
}

/// An attribute of a number.
pub(super) fn number(number: u64) -> Value {
    json!({ "N": number.to_string() })
}

/// The item of a provider record in a second.
pub(super) fn provider_item(row: &ProviderRow, ttl: u64) -> Value {
    let mut item = Map::from_iter([
        ("key".to_owned(), bytes(&row.key)),
        ("ttl".to_owned(), number(ttl)),
        ("prov".to_owned(), bytes(row.id())),
        ("received".to_owned(), number(row.received_us)),
    ]);
    if !row.addrs().is_empty() {
        drop(item.insert("addrs".to_owned(), bytes(row.addrs())));
    }
    if row.is_fetched {
        drop(item.insert("fetched".to_owned(), json!({ "BOOL": true })));
    }
    item.into()
}

/// The key of a place, as calls have it.
pub(super) fn place_key(place: &ProviderPlace) -> Value {
    json!({ "key": bytes(&place.key), "ttl": number(place.ttl) })
}

/// The item of a value.
pub(super) fn value_item(row: &ValueRow) -> Value {
    let record = kept_record(&row.key, &row.value, Duration::from_micros(row.received_us));
    let kept_until = Duration::from_micros(row.received_us).saturating_add(MAX_VALUE_AGE);
    let valid_until = row.version.map_or(kept_until, |version| version.valid_until.min(kept_until));
    let until_us = u64::try_from(valid_until.as_micros()).unwrap_or(u64::MAX);
    let mut item = json!({
        "DSKey": { "S": value_name(&row.key) },
        "Size": number(record.len() as u64),
        "Expiration": number(valid_until.as_secs() + 1),
        "Value": bytes(&record),
        "Until": number(until_us),
    });
    if let Some(rank) = rank(row.version) {
        item["Rank"] = bytes(&rank);
    }
    item
}

/// The name of a value's item: a slash, and the key in base32 without padding, in capitals.
pub(super) fn value_name(key: &[u8]) -> String {
    format!("/{}", Base::Base32Upper.encode(key))
}

fn value_key(name: &str) -> Option<Vec<u8>> {
    Base::Base32Upper.decode(name.strip_prefix('/')?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> ProviderRow {
        ProviderRow::of_parts(b"key", (b"id", &[0x12, 1, 9]), (1_500_000_700_000, 3600), true).unwrap()
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let item = provider_item(&row(), 1_500_000 + 3600);
        assert_eq!(DynamoItem::new(&item).provider(Duration::ZERO), Some(row()));
        // In a neighbouring second it lives for less.
        let item = provider_item(&row(), 1_500_000 + 3597);
        assert_eq!(DynamoItem::new(&item).provider(Duration::ZERO).unwrap().lifetime_s, 3597);
    }

    #[test]
    fn what_hydra_booster_wrote_is_read() {
        let item = json!({ "key": { "B": "a2V5" }, "ttl": { "N": "1600000000" }, "prov": { "B": "aWQ=" } });
        let read = DynamoItem::new(&item).provider(Duration::from_secs(86_400)).unwrap();
        assert_eq!(
            (&*read.key, read.id(), read.addrs(), read.is_fetched),
            (&b"key"[..], &b"id"[..], &b""[..], false)
        );
        assert_eq!((read.received_us, read.lifetime_s), ((1_600_000_000 - 86_400) * 1_000_000, 86_400));
    }

    #[test]
    fn what_is_no_record_is_none() {
        for item in [
            json!(null),
            json!({}),
            json!({ "key": { "B": "a2V5" }, "ttl": { "N": "1600000000" } }),
            json!({ "key": { "B": "!" }, "ttl": { "N": "1" }, "prov": { "B": "aWQ=" } }),
            json!({ "key": { "B": "a2V5" }, "ttl": { "N": "-1" }, "prov": { "B": "aWQ=" } }),
            json!({ "key": { "B": "a2V5" }, "ttl": { "N": "18446744073709551615" }, "prov": { "B": "aWQ=" }, "received": { "N": "0" } }),
            json!({ "key": { "B": "a2V5" }, "ttl": { "N": "1" }, "prov": { "B": "" } }),
        ] {
            assert_eq!(DynamoItem::new(&item).provider(Duration::from_secs(1)), None, "{item}");
            assert!(!DynamoItem::new(&item).is_value());
        }
    }
}
