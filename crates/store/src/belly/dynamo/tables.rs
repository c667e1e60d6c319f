//! The tables: whether they are there and as they have to be, and how they are made.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::calls::{CallFailure, Calls};
use crate::belly::backend::Fault;

/// How long a table may take to be there once it is asked for.
const MAX_MAKING: Duration = Duration::from_secs(120);

/// How often it is asked whether it is.
const ASK_EVERY: Duration = Duration::from_millis(500);

const CHECK: &str = "look at the table";
const MAKE: &str = "make the table";

/// What a table is like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Each attribute of the key with its type, and which part it is.
    key: &'static [(&'static str, &'static str, &'static str)],
    /// The attribute by which `DynamoDB` deletes what has expired.
    expiry: &'static str,
}

/// Provider records, as hydra-booster's provider store had them.
pub(super) const PROVIDERS: Layout =
    Layout { key: &[("key", "B", "HASH"), ("ttl", "N", "RANGE")], expiry: "ttl" };

/// Values, as its datastore had them.
pub(super) const VALUES: Layout = Layout { key: &[("DSKey", "S", "HASH")], expiry: "Expiration" };

/// Makes sure that a table is there; `false` if it is missing and not to be made. One of another layout is left as it is.
pub(super) async fn ready(calls: &Calls, table: &str, layout: Layout, makes: bool) -> Result<bool, Fault> {
    let deadline = Instant::now() + MAX_MAKING;
    let mut is_made = false;
    loop {
        match described(calls, table).await {
            Ok(described) if is_active(&described) => {
                fits(&described, table, layout)?;
                if is_made {
                    expire(calls, table, layout).await?;
                }
                return Ok(true);
            }
            Ok(_) => {}
            Err(failure) if failure.is("ResourceNotFoundException") && !makes => return Ok(false),
            // What was asked for may not be visible yet.
            Err(failure) if failure.is("ResourceNotFoundException") && is_made => {}
            Err(failure) if failure.is("ResourceNotFoundException") => {
                make(calls, table, layout).await?;
                is_made = true;
            }
            Err(failure) => return Err(failure.fault(&named(table), CHECK)),
        }
        if Instant::now() >= deadline {
            return Err(Fault::Away(format!("the table {table} is not ready")));
        }
        sleep(ASK_EVERY).await;
    }
}

/// What `DynamoDB` says of a table.
pub(super) async fn described(calls: &Calls, table: &str) -> Result<Value, CallFailure> {
    let mut answer = calls.call("DescribeTable", &json!({ "TableName": table })).await?;
    Ok(answer.get_mut("Table").map(Value::take).unwrap_or_default())
}

/// How a table is called in errors.
pub(super) fn named(table: &str) -> String {
    format!("dynamodb://table={table}")
}

fn is_active(described: &Value) -> bool {
    matches!(described.get("TableStatus").and_then(Value::as_str), Some("ACTIVE" | "UPDATING"))
}

/// Refuses a table with another key than its layout has.
fn fits(described: &Value, table: &str, layout: Layout) -> Result<(), Fault> {
    let list = |name: &str| described.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let (schema, types) = (list("KeySchema"), list("AttributeDefinitions"));
    let has = |list: &[Value], name: &str, field: &str, value: &str| {
        list.iter().any(|each| each["AttributeName"] == name && each[field] == value)
    };
    let is_fitting = schema.len() == layout.key.len()
        && layout.key.iter().all(|&(name, kind, part)| {
            has(&schema, name, "KeyType", part) && has(&types, name, "AttributeType", kind)
        });
    if is_fitting {
        return Ok(());
    }
    let wanted: Vec<_> =
        layout.key.iter().map(|(name, kind, part)| format!("{name} ({kind}, {part})")).collect();
    let detail = format!("its key is not {}", wanted.join(" and "));
    Err(Fault::Failed(crate::Error::Layout { store: named(table), operation: CHECK, detail }))
}

async fn make(calls: &Calls, table: &str, layout: Layout) -> Result<(), Fault> {
    let each = |field: &'static str,
                value: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        let list = layout.key.iter().map(|part| json!({ "AttributeName": part.0, field: value(part) }));
        list.collect::<Value>()
    };
    let body = json!({
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": each("KeyType", |part| part.2),
        "AttributeDefinitions": each("AttributeType", |part| part.1),
    });
    match calls.call("CreateTable", &body).await {
        Ok(_) => Ok(()),
        // Another one makes it.
        Err(failure) if failure.is("ResourceInUseException") => Ok(()),
        Err(failure) => Err(failure.fault(&named(table), MAKE)),
    }
}

/// Has `DynamoDB` delete what has expired.
async fn expire(calls: &Calls, table: &str, layout: Layout) -> Result<(), Fault> {
    let specification = json!({ "AttributeName": layout.expiry, "Enabled": true });
    let body = json!({ "TableName": table, "TimeToLiveSpecification": specification });
    match calls.call("UpdateTimeToLive", &body).await {
        Ok(_) => Ok(()),
        // Another one has done it.
        Err(failure) if failure.is("ValidationException") => Ok(()),
        Err(failure) => Err(failure.fault(&named(table), MAKE)),
    }
}
