//! Values: of two under one key the better one stays, whoever writes the other.
//!
//! Which is better is not for a database to say, so it is decided here about what was read, and written only if nobody has written
//! meanwhile.

use serde_json::{Value, json};

use super::{
    calls::{CallFailure, Calls},
    item::{DynamoItem, value_item, value_name},
};
use crate::belly::backend::ValueRow;
use kad::values::CheckedValue;

/// How often it is tried where others write the same value.
const TRIES: usize = 5;

/// Keys that one call may ask for (Source: `DynamoDB`, `BatchGetItem`).
pub(super) const KEYS_A_CALL: usize = 100;

/// How often the rest of an answer is asked for that was too much at once.
const MAX_PARTS: usize = 16;

/// Writes a value, unless the one that is there is better.
pub(super) async fn put(calls: &Calls, table: &str, row: &ValueRow, now_us: u64) -> Result<(), CallFailure> {
    let key = json!({ "DSKey": { "S": value_name(&row.key) } });
    for _ in 0..TRIES {
        let body = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
        let found = calls.call("GetItem", &body).await?;
        let found = found.get("Item");
        if found.is_some_and(|item| stays(item, row, now_us)) {
            return Ok(());
        }
        let mut body = json!({ "TableName": table, "Item": value_item(row) });
        body["ExpressionAttributeNames"] = json!({ "#v": "Value" });
        if let Some(old) = found.and_then(|item| item.get("Value")) {
            body["ConditionExpression"] = "#v = :old".into();
            body["ExpressionAttributeValues"] = json!({ ":old": old });
        } else {
            body["ConditionExpression"] = "attribute_not_exists(#v)".into();
        }
        match calls.call("PutItem", &body).await {
            // Somebody has written it meanwhile.
            Err(failure) if failure.is("ConditionalCheckFailedException") => {}
            written => return written.map(drop),
        }
    }
    Err(CallFailure::Away("a value changes faster than it can be written".to_owned()))
}

/// Whether the value in an item stays although this one is offered.
fn stays(item: &Value, offered: &ValueRow, now_us: u64) -> bool {
    let Some(kept) = DynamoItem::new(item).value() else { return false };
    let is_live = |row: &ValueRow| {
        let valid_us = row.version.map_or(u128::MAX, |version| version.valid_until.as_micros());
        valid_us >= now_us.into()
    };
    is_live(&kept) && !checked(offered).beats(&checked(&kept))
}

fn checked(row: &ValueRow) -> CheckedValue<'_> {
    CheckedValue { value: &row.value, version: row.version }
}

/// The values of keys, those that are there.
pub(super) async fn get(
    calls: &Calls,
    table: &str,
    keys: impl Iterator<Item = &[u8]>,
) -> Result<Vec<ValueRow>, CallFailure> {
    let keys: Vec<_> = keys.map(|key| json!({ "DSKey": { "S": value_name(key) } })).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    let mut wanted = json!({ table: { "Keys": keys } });
    for _ in 0..MAX_PARTS {
        let mut answer = calls.call("BatchGetItem", &json!({ "RequestItems": wanted })).await?;
        let items = answer.get("Responses").and_then(|tables| tables.get(table)).and_then(Value::as_array);
        rows.extend(items.into_iter().flatten().filter_map(|item| DynamoItem::new(item).value()));
        match answer.get_mut("UnprocessedKeys").map(Value::take) {
            Some(Value::Object(rest)) if !rest.is_empty() => wanted = rest.into(),
            _ => return Ok(rows),
        }
    }
    Err(CallFailure::Throttled)
}
