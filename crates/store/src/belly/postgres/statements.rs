//! What is said to the database, in SQL: each a statement that is a transaction of its own.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::TryStreamExt as _;
use tokio_postgres::{
    Client, Error, Row,
    types::{ToSql, Type},
};

use super::super::{
    RecordCounts, RecordPage,
    backend::{ProviderRow, REPLY_BYTES, ReadBatch, ReadReply, ValueRow, WriteBatch, hour, signed},
    page::{PageEnd, RecordCursor, StoredEnd},
    rank::{rank, version},
};

/// Rows that are deleted by one statement: some milliseconds.
const COLLECT_ROWS: i64 = 1000;

/// Of two records of one provider the newer one stays; what its provider announced, as long as it lives. A row that was not there
/// before has no transaction that has ended it.
const ADD_PROVIDERS: &str = "
    WITH kept AS (
        INSERT INTO kadscope_belly.provider AS p (key, id, addrs, received, lifetime, fetched, expires_hour)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (key, id) DO UPDATE SET
            addrs = excluded.addrs, received = excluded.received, lifetime = excluded.lifetime,
            fetched = excluded.fetched, expires_hour = excluded.expires_hour
        WHERE CASE WHEN excluded.fetched THEN p.received + 1000000 * p.lifetime::bigint < excluded.received
            ELSE p.fetched OR excluded.received >= p.received END
        RETURNING xmax = 0 AS is_new
    )
    UPDATE kadscope_belly.tally SET providers = providers + (SELECT count(*) FROM kept WHERE is_new) WHERE slot = $8";

const PUT_VALUES: &str = "
    WITH kept AS (
        INSERT INTO kadscope_belly.value AS v (key, value, rank, received, expires)
        SELECT * FROM unnest($1, $2, $3, $4, $5)
        ON CONFLICT (key) DO UPDATE SET
            value = excluded.value, rank = excluded.rank, received = excluded.received, expires = excluded.expires
        WHERE v.expires < excluded.received OR (excluded.rank, excluded.value) >= (v.rank, v.value)
        RETURNING xmax = 0 AS is_new
    )
    UPDATE kadscope_belly.tally SET \"values\" = \"values\" + (SELECT count(*) FROM kept WHERE is_new) WHERE slot = $6";

/// Of each key the newest, in the order of the keys. The sum keeps the planner, which knows nothing of tables that were just filled, from
/// reading all that has not expired for each key.
const PROVIDERS: &str = "
    SELECT k.n, p.* FROM unnest($1) WITH ORDINALITY AS k(key, n) CROSS JOIN LATERAL (
        SELECT key, id, addrs, received, lifetime, fetched FROM kadscope_belly.provider
        WHERE key = k.key AND expires_hour + 0 >= $2 ORDER BY received DESC LIMIT $3
    ) AS p ORDER BY k.n, p.received DESC";

const VALUES: &str = "
    SELECT key, value, rank, received, expires FROM kadscope_belly.value WHERE key = ANY($1) AND expires + 0 >= $2";

const PAGE: &str = "
    SELECT 0::bigint, key, id, addrs, received, lifetime, fetched FROM kadscope_belly.provider
    WHERE (key, id) > ($1, $2) AND key <= $5 AND expires_hour + 0 >= $3 ORDER BY key, id LIMIT $4";

const LAST_KEY: &str = "SELECT key FROM kadscope_belly.provider ORDER BY key DESC LIMIT 1";

const LEASE: &str = "
    INSERT INTO kadscope_belly.lease AS l (name, holder, until)
    VALUES ('collect', $1, clock_timestamp() + $2 * interval '1 second')
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE l.holder = excluded.holder OR l.until < clock_timestamp() RETURNING true";

const COLLECT: &str = "
    WITH providers AS (
        DELETE FROM kadscope_belly.provider WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM kadscope_belly.provider WHERE expires_hour < $1 LIMIT $3 FOR UPDATE SKIP LOCKED))
        RETURNING 1
    ), \"values\" AS (
        DELETE FROM kadscope_belly.value WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM kadscope_belly.value WHERE expires < $2 LIMIT $3 FOR UPDATE SKIP LOCKED))
        RETURNING 1
    ), gone AS (SELECT (SELECT count(*) FROM providers) AS providers, (SELECT count(*) FROM \"values\") AS \"values\")
    UPDATE kadscope_belly.tally AS t
    SET providers = t.providers - gone.providers, \"values\" = t.\"values\" - gone.\"values\"
    FROM gone WHERE slot = $4 RETURNING greatest(gone.providers, gone.\"values\")";

const TRIM: &str = "
    WITH gone AS (
        DELETE FROM kadscope_belly.provider WHERE ctid = ANY(ARRAY(
            SELECT old.ctid FROM unnest($1) AS k(key) CROSS JOIN LATERAL (
                SELECT ctid FROM kadscope_belly.provider WHERE key = k.key ORDER BY received DESC OFFSET $2 FOR UPDATE
            ) AS old))
        RETURNING 1
    )
    UPDATE kadscope_belly.tally SET providers = providers - (SELECT count(*) FROM gone) WHERE slot = $3";

const COUNTS: &str = "SELECT coalesce(sum(providers), 0)::bigint, coalesce(sum(\"values\"), 0)::bigint FROM kadscope_belly.tally";

/// Writes a batch, a statement for each kind.
pub(super) async fn write(sql: &Client, batch: &WriteBatch, tally: i32) -> Result<(), Error> {
    if !batch.providers.is_empty() {
        add_providers(sql, &batch.providers, tally).await?;
    }
    if !batch.values.is_empty() {
        put_values(sql, &batch.values, tally).await?;
    }
    Ok(())
}

async fn add_providers(sql: &Client, rows: &[ProviderRow], tally: i32) -> Result<(), Error> {
    let mut rows: Vec<_> = rows.iter().collect();
    // In one order everywhere: two processes that write the same keys never wait for each other in a circle.
    rows.sort_unstable_by_key(|row| (&row.key, row.id()));
    let keys: Vec<&[u8]> = rows.iter().map(|row| &*row.key).collect();
    let ids: Vec<&[u8]> = rows.iter().map(|row| row.id()).collect();
    let addrs: Vec<&[u8]> = rows.iter().map(|row| row.addrs()).collect();
    let received: Vec<i64> = rows.iter().map(|row| signed(row.received_us)).collect();
    let lifetimes: Vec<i32> =
        rows.iter().map(|row| i32::try_from(row.lifetime_s).unwrap_or(i32::MAX)).collect();
    let fetched: Vec<bool> = rows.iter().map(|row| row.is_fetched).collect();
    let expires: Vec<i32> = rows.iter().map(|row| hour(row.expires_us())).collect();
    sql.query_typed(
        ADD_PROVIDERS,
        &[
            (&keys, Type::BYTEA_ARRAY),
            (&ids, Type::BYTEA_ARRAY),
            (&addrs, Type::BYTEA_ARRAY),
            (&received, Type::INT8_ARRAY),
            (&lifetimes, Type::INT4_ARRAY),
            (&fetched, Type::BOOL_ARRAY),
            (&expires, Type::INT4_ARRAY),
            (&tally, Type::INT4),
        ],
    )
    .await
    .map(drop)
}

async fn put_values(sql: &Client, rows: &[ValueRow], tally: i32) -> Result<(), Error> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_unstable_by_key(|row| &row.key);
    let keys: Vec<&[u8]> = rows.iter().map(|row| &*row.key).collect();
    let values: Vec<&[u8]> = rows.iter().map(|row| &*row.value).collect();
    let ranks: Vec<Option<Vec<u8>>> = rows.iter().map(|row| rank(row.version)).collect();
    let received: Vec<i64> = rows.iter().map(|row| signed(row.received_us)).collect();
    let expires: Vec<i64> = rows.iter().map(|row| signed(row.expires_us())).collect();
    sql.query_typed(
        PUT_VALUES,
        &[
            (&keys, Type::BYTEA_ARRAY),
            (&values, Type::BYTEA_ARRAY),
            (&ranks, Type::BYTEA_ARRAY),
            (&received, Type::INT8_ARRAY),
            (&expires, Type::INT8_ARRAY),
            (&tally, Type::INT4),
        ],
    )
    .await
    .map(drop)
}

/// Reads what is kept under keys, a statement for each kind.
pub(super) async fn read(sql: &Client, batch: &ReadBatch) -> Result<ReadReply, Error> {
    let mut reply = ReadReply { answered: batch.providers.len(), ..ReadReply::default() };
    if !batch.providers.is_empty() {
        let keys: Vec<&[u8]> = batch.providers.iter().map(|key| &**key).collect();
        let (hour, limit) = (hour(batch.now_us), i64::try_from(batch.per_key).unwrap_or(i64::MAX));
        let parameters: [(&(dyn ToSql + Sync), Type); 3] =
            [(&keys, Type::BYTEA_ARRAY), (&hour, Type::INT4), (&limit, Type::INT8)];
        let mut rows = pin!(sql.query_typed_raw(PROVIDERS, parameters).await?);
        let mut bytes = 0;
        while let Some(row) = rows.try_next().await? {
            let Some(provider) = provider(&row)? else {
                reply.damaged += 1;
                continue;
            };
            // The key that is begun is finished; of those behind it nothing is taken, and they are asked for again.
            let key = row.try_get::<_, i64>(0)?;
            if bytes > REPLY_BYTES
                && reply.providers.last().is_some_and(|last: &ProviderRow| last.key != provider.key)
            {
                reply.answered = usize::try_from(key - 1).unwrap_or_default();
                break;
            }
            bytes += provider.entry.len() + provider.key.len();
            reply.providers.push(provider);
        }
    }
    if !batch.values.is_empty() {
        let keys: Vec<&[u8]> = batch.values.iter().map(|key| &**key).collect();
        let now = signed(batch.now_us);
        let rows = sql.query_typed(VALUES, &[(&keys, Type::BYTEA_ARRAY), (&now, Type::INT8)]).await?;
        for row in rows {
            match value(&row)? {
                Some(value) => reply.values.push(value),
                None => reply.damaged += 1,
            }
        }
    }
    Ok(reply)
}

/// The record of a row; `None` if no belly has written it.
fn provider(row: &Row) -> Result<Option<ProviderRow>, Error> {
    let parts = (row.try_get(2)?, row.try_get(3)?);
    Ok(ProviderRow::of_parts(row.try_get(1)?, parts, (row.try_get(4)?, row.try_get(5)?), row.try_get(6)?))
}

fn value(row: &Row) -> Result<Option<ValueRow>, Error> {
    let (key, value): (&[u8], &[u8]) = (row.try_get(0)?, row.try_get(1)?);
    let (received, expires): (i64, i64) = (row.try_get(3)?, row.try_get(4)?);
    let received_us = u64::try_from(received).unwrap_or_default();
    let version = version(row.try_get(2)?, u64::try_from(expires).unwrap_or_default());
    Ok(version.ok().map(|version| ValueRow { key: key.into(), value: value.into(), version, received_us }))
}

/// Takes or renews the lease, by the server's clock; whether it is this process'.
pub(super) async fn lease(sql: &Client, holder: &[u8], length: Duration) -> Result<bool, Error> {
    let seconds = length.as_secs_f64();
    let parameters: &[(&(dyn ToSql + Sync), Type)] = &[(&holder, Type::BYTEA), (&seconds, Type::FLOAT8)];
    sql.query_typed(LEASE, parameters).await.map(|rows| !rows.is_empty())
}

/// Gives the lease back.
pub(super) async fn release(sql: &Client, holder: &[u8]) -> Result<(), Error> {
    let release = "DELETE FROM kadscope_belly.lease WHERE holder = $1";
    sql.query_typed(release, &[(&holder, Type::BYTEA)]).await.map(drop)
}

/// Deletes some of what has expired; `true` if there may be more.
pub(super) async fn collect(sql: &Client, now_us: u64, tally: i32) -> Result<bool, Error> {
    let (hour, now) = (hour(now_us), signed(now_us));
    let rows = sql
        .query_typed(
            COLLECT,
            &[(&hour, Type::INT4), (&now, Type::INT8), (&COLLECT_ROWS, Type::INT8), (&tally, Type::INT4)],
        )
        .await?;
    let gone = rows.first().map(|row| row.try_get::<_, i64>(0)).transpose()?;
    Ok(gone.is_some_and(|gone| gone >= COLLECT_ROWS))
}

/// Deletes the oldest records of keys that have more than so many.
pub(super) async fn trim(sql: &Client, keys: &[Arc<[u8]>], per_key: usize, tally: i32) -> Result<(), Error> {
    let keys: Vec<&[u8]> = keys.iter().map(|key| &**key).collect();
    let per_key = i64::try_from(per_key).unwrap_or(i64::MAX);
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&keys, Type::BYTEA_ARRAY), (&per_key, Type::INT8), (&tally, Type::INT4)];
    sql.query_typed(TRIM, &parameters).await.map(drop)
}

pub(super) async fn counts(sql: &Client) -> Result<RecordCounts, Error> {
    let row = sql.query_typed_one(COUNTS, &[]).await?;
    let count = |at| row.try_get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or_default());
    Ok(RecordCounts { providers: count(0)?, values: count(1)?, is_exact: true })
}

/// The records behind a place, at most `limit`.
pub(super) async fn page(
    sql: &Client,
    after: Option<&RecordCursor>,
    limit: usize,
    now_us: u64,
) -> Result<RecordPage, Error> {
    let after = if let Some(RecordCursor(PageEnd::Stored(end))) = after {
        end.clone()
    } else {
        let last = sql.query_typed(LAST_KEY, &[]).await?;
        let last = last.first().map(|row| row.try_get::<_, Vec<u8>>(0)).transpose()?;
        StoredEnd { last: last.unwrap_or_default(), ..StoredEnd::default() }
    };
    let StoredEnd { key, id, last } = &after;
    let (hour, limit) = (hour(now_us), limit.max(1));
    let rows_wanted = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = sql
        .query_typed(
            PAGE,
            &[
                (&key, Type::BYTEA),
                (&id, Type::BYTEA),
                (&hour, Type::INT4),
                (&rows_wanted, Type::INT8),
                (&last, Type::BYTEA),
            ],
        )
        .await?;
    let rows = rows.iter().map(provider).collect::<Result<Vec<_>, _>>()?;
    Ok(RecordPage::of_rows(rows, limit, now_us, after.last))
}
