//! The belly's calls, as requests to `DynamoDB`.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{HttpClient, HttpClientConfig, WebRoots};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    DynamoUrl,
    aws::{AwsProfiles, CredentialChain, Place, Service},
    calls::{CallFailure, Calls},
    item::{DynamoItem, ProviderPlace, bytes, number, place_key, provider_item},
    places::seconds,
    tables::{self, named},
    values,
};
use crate::belly::{
    BellyConfig, BellyError, RecordCounts, RecordCursor, RecordPage,
    backend::{
        BackendNotes, Fault, Nature, ProviderRow, REPLY_BYTES, ReadBatch, ReadReply, ValueRow, WriteBatch,
    },
    page::{ListedProvider, PageEnd},
};

/// Connections to `DynamoDB`, and with that requests at once.
const CONNECTIONS: usize = 32;

/// How long a request may take.
const REQUEST_TIME: Duration = Duration::from_secs(5);

/// The longest answer, in bytes: `DynamoDB` gives 1 MiB of items at once, in base64 here.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// Items that one request asks for of a key, at most and at least.
const ITEMS_A_CALL: usize = 1000;
const FEWEST_ITEMS_A_CALL: usize = 100;

/// Requests that are made for the providers of one key at most: providers that announce themselves again and again have many items.
const MAX_CALLS_A_KEY: usize = 32;

/// How tables are made by hand.
const MADE_BY: &str = "`aws dynamodb create-table`: for providers with the key `key` (B, HASH) and `ttl` (N, RANGE), for values with `DSKey` (S, HASH)";

/// Tables in `DynamoDB`.
#[derive(Debug)]
pub(crate) struct DynamoBelly {
    inner: Arc<Inner>,
    per_s: u32,
}

#[derive(Debug)]
struct Inner {
    calls: Calls,
    url: DynamoUrl,
    values_table: String,
    collisions: AtomicU64,
    unplaced: AtomicU64,
}

impl DynamoBelly {
    /// Finds out who asks and where, and looks at the tables.
    pub(crate) async fn open(url: &DynamoUrl, config: &BellyConfig) -> Result<Self, BellyError> {
        let calls = reached(url, config).await.map_err(|fault| refused(&url.table, fault))?;
        let values_table = url.values_table();
        for (table, layout) in [(&url.table, tables::PROVIDERS), (&values_table, tables::VALUES)] {
            let is_there = tables::ready(&calls, table, layout, config.makes_tables).await;
            if !is_there.map_err(|fault| refused(table, fault))? {
                return Err(BellyError::NoTables { store: named(table), by: MADE_BY });
            }
        }
        let inner = Inner {
            calls,
            url: url.clone(),
            values_table,
            collisions: AtomicU64::new(0),
            unplaced: AtomicU64::new(0),
        };
        Ok(Self { inner: Arc::new(inner), per_s: config.statements_per_s })
    }

    /// What a batch has is few where the ceiling of requests is low: each of it is one.
    pub(crate) fn nature(&self) -> Nature {
        let share = |of: u32, most: usize| usize::try_from(self.per_s / of).unwrap_or(most).clamp(1, most);
        Nature {
            is_shared: true,
            keys_a_read: share(16, 32),
            rows_a_write: share(4, CONNECTIONS),
            readers: 4,
        }
    }

    /// What it counts of itself.
    pub(crate) fn notes(&self) -> BackendNotes {
        let Inner { calls, collisions, unplaced, .. } = &*self.inner;
        BackendNotes {
            requests: Some(calls.made()),
            collisions: collisions.load(Relaxed),
            throttled: calls.throttled(),
            unplaced: unplaced.load(Relaxed),
        }
    }

    /// Writes all, at once as far as there are connections. What is written twice comes to the same.
    pub(crate) async fn write(&self, batch: Arc<WriteBatch>) -> Result<(), Fault> {
        let mut writing = JoinSet::new();
        for at in 0..batch.providers.len() {
            let (inner, batch) = (Arc::clone(&self.inner), Arc::clone(&batch));
            writing.spawn(async move {
                let Some(row) = batch.providers.get(at) else { return Ok(()) };
                inner
                    .put_provider(row)
                    .await
                    .map_err(|failure| failure.fault(&named(&inner.url.table), "write"))
            });
        }
        for at in 0..batch.values.len() {
            let (inner, batch) = (Arc::clone(&self.inner), Arc::clone(&batch));
            writing.spawn(async move {
                let Some(row) = batch.values.get(at) else { return Ok(()) };
                inner
                    .put_value(row)
                    .await
                    .map_err(|failure| failure.fault(&named(&inner.values_table), "write"))
            });
        }
        while let Some(written) = writing.join_next().await {
            written.map_err(|_| Fault::Away("a request was broken off".to_owned()))??;
        }
        Ok(())
    }

    /// Asks for each key's providers, and for all values together.
    pub(crate) async fn read(&self, _reader: usize, batch: Arc<ReadBatch>) -> Result<ReadReply, Fault> {
        let mut reading = JoinSet::new();
        for at in 0..batch.providers.len() {
            let (inner, batch) = (Arc::clone(&self.inner), Arc::clone(&batch));
            reading.spawn(async move {
                let Some(key) = batch.providers.get(at) else { return (at, Ok(Vec::new())) };
                (at, inner.providers(key, batch.per_key, batch.now_us).await)
            });
        }
        let values = self.inner.values(&batch.values);
        let mut lists: Vec<Vec<ProviderRow>> = vec![Vec::new(); batch.providers.len()];
        while let Some(read) = reading.join_next().await {
            let (at, list) = read.map_err(|_| Fault::Away("a request was broken off".to_owned()))?;
            let list = list.map_err(|failure| failure.fault(&named(&self.inner.url.table), "read"))?;
            if let Some(place) = lists.get_mut(at) {
                *place = list;
            }
        }
        let values =
            values.await.map_err(|failure| failure.fault(&named(&self.inner.values_table), "read"))?;
        let (providers, answered) = as_much_as_fits(lists);
        Ok(ReadReply { providers, values, answered, damaged: 0 })
    }

    /// Nobody collects but `DynamoDB` itself.
    #[expect(clippy::unused_async, reason = "others ask their database")]
    pub(crate) async fn lease(&self, _length: Duration) -> Result<bool, Fault> {
        Ok(false)
    }

    /// There is nothing to do.
    #[expect(clippy::unused_async, reason = "others ask their database")]
    pub(crate) async fn collect(&self, _now_us: u64) -> Result<bool, Fault> {
        Ok(false)
    }

    /// Nothing of it is held.
    #[expect(clippy::unused_async, reason = "others give up what they hold")]
    pub(crate) async fn close(&self) {}

    /// What has too many providers loses them when they expire.
    #[expect(clippy::unused_async, reason = "other backends are asked")]
    pub(crate) async fn trim(&self, _keys: Arc<Vec<Arc<[u8]>>>, _per_key: usize) -> Result<(), Fault> {
        Ok(())
    }

    /// Whether it answers.
    pub(crate) async fn ping(&self) -> Result<(), Fault> {
        self.described(&self.inner.url.table).await.map(drop)
    }

    /// How many items the tables have, as `DynamoDB` counts them: every six hours or so, those that have expired included.
    pub(crate) async fn counts(&self) -> Result<RecordCounts, Fault> {
        let count = |described: Value| described.get("ItemCount").and_then(Value::as_u64).unwrap_or(0);
        let providers = count(self.described(&self.inner.url.table).await?);
        let values = count(self.described(&self.inner.values_table).await?);
        Ok(RecordCounts { providers, values, is_exact: false })
    }

    async fn described(&self, table: &str) -> Result<Value, Fault> {
        let described = tables::described(&self.inner.calls, table).await;
        described.map_err(|failure| failure.fault(&named(table), "look at the table"))
    }

    /// A page of the records in the order in which the table has them.
    pub(crate) async fn page(
        &self,
        after: Option<RecordCursor>,
        limit: usize,
        now_us: u64,
    ) -> Result<RecordPage, Fault> {
        let table = &self.inner.url.table;
        let mut body = json!({
            "TableName": table,
            "Limit": limit.clamp(1, ITEMS_A_CALL),
            "FilterExpression": "#t >= :now",
            "ExpressionAttributeNames": { "#t": "ttl" },
            "ExpressionAttributeValues": { ":now": number(now_us / 1_000_000) },
        });
        if let Some(RecordCursor(PageEnd::Item { key, ttl })) = after {
            body["ExclusiveStartKey"] = place_key(&ProviderPlace { key, ttl });
        }
        let answer = self.inner.calls.call("Scan", &body).await;
        let answer = answer.map_err(|failure| failure.fault(&named(table), "list records"))?;
        let last = answer.get("LastEvaluatedKey").and_then(|last| DynamoItem::new(last).place());
        let rows = items(&answer).filter_map(|item| item.provider(self.inner.url.ttl));
        let rows = rows.filter(|row| row.expires_us() >= now_us).collect();
        let next = last.map(|ProviderPlace { key, ttl }| RecordCursor(PageEnd::Item { key, ttl }));
        let records = newest_of_each(rows).iter().map(|row| ListedProvider::of_row(row, now_us)).collect();
        Ok(RecordPage { records, next })
    }
}

impl Inner {
    /// Writes a record into the second in which it expires, or near it if another provider stands there.
    async fn put_provider(&self, row: &ProviderRow) -> Result<(), CallFailure> {
        let longest_us = u64::try_from(self.url.ttl.as_micros()).unwrap_or(u64::MAX);
        let expires_us = row.expires_us().min(row.received_us.saturating_add(longest_us));
        for ttl in seconds(row.id(), expires_us / 1_000_000) {
            // A record of the same provider gives way to a newer one, but not what it announced itself to what others say.
            let own = if row.is_fetched {
                "attribute_exists(fetched)"
            } else {
                "(attribute_exists(fetched) OR attribute_not_exists(received) OR received <= :r)"
            };
            let body = json!({
                "TableName": self.url.table,
                "Item": provider_item(row, ttl),
                "ConditionExpression": format!("attribute_not_exists(#k) OR (prov = :p AND {own})"),
                "ExpressionAttributeNames": { "#k": "key" },
                "ExpressionAttributeValues": values_of(row),
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            });
            match self.calls.call("PutItem", &body).await {
                Err(CallFailure::Refused { name, item, .. }) if name == "ConditionalCheckFailedException" => {
                    let there = item.as_ref().and_then(|item| DynamoItem::new(item).bytes("prov"));
                    if there.is_some_and(|there| there == row.id()) {
                        // It has said so later, or itself.
                        return Ok(());
                    }
                    self.collisions.fetch_add(1, Relaxed);
                }
                written => return written.map(drop),
            }
        }
        // Every second that was tried is taken: the key has so many providers that this one is not missed.
        self.unplaced.fetch_add(1, Relaxed);
        Ok(())
    }

    async fn put_value(&self, row: &ValueRow) -> Result<(), CallFailure> {
        values::put(&self.calls, &self.values_table, row, row.received_us).await
    }

    /// The providers of a key, the newest record of each, the newest first.
    async fn providers(
        &self,
        key: &[u8],
        per_key: usize,
        now_us: u64,
    ) -> Result<Vec<ProviderRow>, CallFailure> {
        let limit = per_key.min(usize::try_from(self.url.query_limit).unwrap_or(usize::MAX));
        let (mut rows, mut seen) = (Vec::new(), HashSet::new());
        let mut body = json!({
            "TableName": self.url.table,
            "KeyConditionExpression": "#k = :k AND #t >= :now",
            "ExpressionAttributeNames": { "#k": "key", "#t": "ttl" },
            "ExpressionAttributeValues": { ":k": bytes(key), ":now": number(now_us / 1_000_000) },
            "ScanIndexForward": false,
            // Twice as many, since each provider may be there twice.
            "Limit": limit.saturating_mul(2).clamp(FEWEST_ITEMS_A_CALL, ITEMS_A_CALL),
        });
        for _ in 0..MAX_CALLS_A_KEY {
            let answer = self.calls.call("Query", &body).await?;
            for row in items(&answer).filter_map(|item| item.provider(self.url.ttl)) {
                let is_live = row.expires_us() >= now_us;
                if is_live && rows.len() < limit && seen.insert(row.id().to_vec()) {
                    rows.push(row);
                }
            }
            match answer.get("LastEvaluatedKey") {
                Some(last) if rows.len() < limit => body["ExclusiveStartKey"] = last.clone(),
                _ => break,
            }
        }
        Ok(rows)
    }

    async fn values(&self, keys: &[Arc<[u8]>]) -> Result<Vec<ValueRow>, CallFailure> {
        let mut rows = Vec::new();
        for keys in keys.chunks(values::KEYS_A_CALL) {
            rows.extend(values::get(&self.calls, &self.values_table, keys.iter().map(|key| &**key)).await?);
        }
        Ok(rows)
    }
}

/// Why a belly is not opened.
fn refused(table: &str, fault: Fault) -> BellyError {
    match fault {
        Fault::Failed(error) => error.into(),
        Fault::Away(why) => {
            crate::Error::Backend { store: named(table), operation: "reach it", source: why.into() }.into()
        }
    }
}

/// Who asks, and where.
async fn reached(url: &DynamoUrl, config: &BellyConfig) -> Result<Calls, Fault> {
    let away = |error: &dyn std::fmt::Display| Fault::Away(error.to_string());
    let client = HttpClient::new(HttpClientConfig {
        request_time: REQUEST_TIME,
        max_body_bytes: MAX_ANSWER_BYTES,
        connections_per_host: CONNECTIONS,
        // Without roots whoever is asked without TLS can still be asked.
        roots: WebRoots::of_system().unwrap_or_default(),
        ..HttpClientConfig::default()
    });
    let client = client.map_err(|error| away(&error))?;
    let profiles = AwsProfiles::read(&url.variables).map_err(|failure| away(&failure))?;
    let said = super::aws::Said { region: url.region.as_deref(), endpoint: url.endpoint.as_deref() };
    let place = Place::of(Service::DynamoDb, &url.variables, &profiles, Some(said), &client).await;
    let place = place.map_err(|failure| away(&failure))?;
    let chain = CredentialChain::new(url.variables.clone(), client.clone());
    Ok(Calls::new(client, place, chain, url.now, config.statements_per_s))
}

fn values_of(row: &ProviderRow) -> Value {
    let own = bytes(row.id());
    if row.is_fetched { json!({ ":p": own }) } else { json!({ ":p": own, ":r": number(row.received_us) }) }
}

fn items(answer: &Value) -> impl Iterator<Item = DynamoItem<'_>> {
    answer.get("Items").and_then(Value::as_array).into_iter().flatten().map(DynamoItem::new)
}

/// The rows of as many keys as one answer may have, and of how many that is: of one at least.
fn as_much_as_fits(lists: Vec<Vec<ProviderRow>>) -> (Vec<ProviderRow>, usize) {
    let (mut rows, mut answered, mut taken) = (Vec::new(), 0, 0);
    for list in lists {
        let size: usize = list.iter().map(|row| row.key.len() + row.entry.len()).sum();
        if answered > 0 && taken + size > REPLY_BYTES {
            break;
        }
        taken += size;
        answered += 1;
        rows.extend(list);
    }
    (rows, answered)
}

/// Of records of one key and provider that lie near each other, the newest.
fn newest_of_each(rows: Vec<ProviderRow>) -> Vec<ProviderRow> {
    let mut seen = HashSet::new();
    let mut newest: Vec<_> =
        rows.into_iter().rev().filter(|row| seen.insert((row.key.clone(), row.id().to_vec()))).collect();
    newest.reverse();
    newest
}
