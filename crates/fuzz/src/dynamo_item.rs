//! Items of `DynamoDB`: whatever stands in one, it is a record or none.

use serde_json::Value;
use store::belly::DynamoItem;

/// Reads the bytes as JSON, and that as an item.
pub fn check(bytes: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(bytes) else { return };
    let item = DynamoItem::new(&json);
    if item.is_provider() {
        assert!(item.bytes("key").is_some() && item.bytes("prov").is_some_and(|id| !id.is_empty()), "{json}");
        assert!(item.number("ttl").is_some(), "{json}");
    }
    if item.is_value() {
        assert!(item.bytes("Value").is_some(), "{json}");
    }
}
