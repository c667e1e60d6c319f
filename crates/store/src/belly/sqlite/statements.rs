//! What is said to the file, in SQL.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::{
    RecordCounts, RecordPage,
    backend::{ProviderRow, REPLY_BYTES, ReadBatch, ReadReply, ValueRow, WriteBatch, hour, signed},
    page::{PageEnd, RecordCursor, StoredEnd},
    rank::{rank, version},
};

/// Rows that are deleted in one transaction: some milliseconds.
const COLLECT_ROWS: i64 = 1000;

/// Of two records of one provider the newer one stays; what its provider announced, as long as it lives.
const ADD_PROVIDER: &str = "
    INSERT INTO provider (key, id, addrs, received, lifetime, fetched, expires_hour) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key, id) DO UPDATE SET
        addrs = excluded.addrs, received = excluded.received, lifetime = excluded.lifetime,
        fetched = excluded.fetched, expires_hour = excluded.expires_hour
    WHERE iif(excluded.fetched,
        provider.received + 1000000 * provider.lifetime < excluded.received,
        provider.fetched OR excluded.received >= provider.received)";

const PUT_VALUE: &str = "
    INSERT INTO value (key, value, rank, received, expires) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET
        value = excluded.value, rank = excluded.rank, received = excluded.received, expires = excluded.expires
    WHERE value.expires < excluded.received OR (excluded.rank, excluded.value) >= (value.rank, value.value)";

const PROVIDERS: &str = "
    SELECT key, id, addrs, received, lifetime, fetched FROM provider
    WHERE key = ? AND expires_hour >= ? ORDER BY received DESC LIMIT ?";

const VALUE: &str = "SELECT value, rank, received, expires FROM value WHERE key = ? AND expires >= ?";

const TRIM: &str = "
    DELETE FROM provider WHERE rowid IN (
        SELECT rowid FROM provider WHERE key = ? ORDER BY received DESC LIMIT -1 OFFSET ?)";

const PAGE: &str = "
    SELECT key, id, addrs, received, lifetime, fetched FROM provider
    WHERE (key, id) > (?, ?) AND key <= ? AND expires_hour >= ? ORDER BY key, id LIMIT ?";

/// Writes a batch in one transaction.
pub(super) fn write(sql: &mut Connection, batch: &WriteBatch) -> rusqlite::Result<()> {
    let transaction = sql.transaction()?;
    {
        let mut add = transaction.prepare_cached(ADD_PROVIDER)?;
        for row in &batch.providers {
            let expires = hour(row.expires_us());
            let received = signed(row.received_us);
            add.execute(params![
                row.key,
                row.id(),
                row.addrs(),
                received,
                row.lifetime_s,
                row.is_fetched,
                expires
            ])?;
        }
        let mut put = transaction.prepare_cached(PUT_VALUE)?;
        for row in &batch.values {
            let (received, expires) = (signed(row.received_us), signed(row.expires_us()));
            put.execute(params![row.key, row.value, rank(row.version), received, expires])?;
        }
    }
    transaction.commit()
}

/// Reads what is kept under keys, all as it is at one moment.
pub(super) fn read(sql: &mut Connection, batch: &ReadBatch) -> rusqlite::Result<ReadReply> {
    let transaction = sql.transaction()?;
    let mut reply = ReadReply::default();
    {
        let mut providers = transaction.prepare_cached(PROVIDERS)?;
        let (hour, limit) = (hour(batch.now_us), i64::try_from(batch.per_key).unwrap_or(i64::MAX));
        let mut bytes = 0;
        for key in &batch.providers {
            if bytes > REPLY_BYTES {
                break;
            }
            reply.answered += 1;
            for row in providers.query_map(params![key, hour, limit], provider)? {
                let Some(row) = row? else {
                    reply.damaged += 1;
                    continue;
                };
                bytes += row.entry.len() + row.key.len();
                reply.providers.push(row);
            }
        }
        let mut values = transaction.prepare_cached(VALUE)?;
        for key in &batch.values {
            let row = values.query_row(params![key, signed(batch.now_us)], |row| value(key, row));
            match row.optional()? {
                Some(Some(row)) => reply.values.push(row),
                Some(None) => reply.damaged += 1,
                None => {}
            }
        }
    }
    transaction.commit()?;
    Ok(reply)
}

/// The record of a row; `None` if no belly has written it.
fn provider(row: &Row<'_>) -> rusqlite::Result<Option<ProviderRow>> {
    let blob = |at| row.get_ref(at)?.as_blob().map_err(rusqlite::Error::from);
    let parts = (blob(1)?, blob(2)?);
    Ok(ProviderRow::of_parts(blob(0)?, parts, (row.get(3)?, row.get(4)?), row.get(5)?))
}

fn value(key: &[u8], row: &Row<'_>) -> rusqlite::Result<Option<ValueRow>> {
    let (value, rank): (Vec<u8>, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?);
    let (received_us, expires_us): (u64, u64) = (row.get(2)?, row.get(3)?);
    let version = version(rank.as_deref(), expires_us).ok();
    Ok(version.map(|version| ValueRow { key: key.into(), value: value.into(), version, received_us }))
}

/// Deletes the oldest records of keys that have more than so many.
pub(super) fn trim(sql: &mut Connection, keys: &[Arc<[u8]>], per_key: usize) -> rusqlite::Result<()> {
    let transaction = sql.transaction()?;
    for key in keys {
        transaction
            .prepare_cached(TRIM)?
            .execute(params![key, i64::try_from(per_key).unwrap_or(i64::MAX)])?;
    }
    transaction.commit()
}

/// Deletes some of what has expired; `true` if there may be more.
pub(super) fn collect(sql: &mut Connection, now_us: u64) -> rusqlite::Result<bool> {
    let transaction = sql.transaction()?;
    let providers = transaction.execute(
        "DELETE FROM provider WHERE rowid IN (SELECT rowid FROM provider WHERE expires_hour < ? LIMIT ?)",
        params![hour(now_us), COLLECT_ROWS],
    )?;
    let values = transaction.execute(
        "DELETE FROM value WHERE key IN (SELECT key FROM value WHERE expires < ? LIMIT ?)",
        params![signed(now_us), COLLECT_ROWS],
    )?;
    transaction.commit()?;
    if providers + values > 0 {
        sql.execute_batch("PRAGMA incremental_vacuum(512)")?;
    }
    Ok(i64::try_from(providers.max(values)).unwrap_or(COLLECT_ROWS) >= COLLECT_ROWS)
}

pub(super) fn counts(sql: &Connection) -> rusqlite::Result<RecordCounts> {
    sql.query_row("SELECT providers, \"values\" FROM tally", (), |row| {
        Ok(RecordCounts { providers: row.get(0)?, values: row.get(1)?, is_exact: true })
    })
}

/// The records behind a place, at most `limit`.
pub(super) fn page(
    sql: &Connection,
    after: Option<RecordCursor>,
    limit: usize,
    now_us: u64,
) -> rusqlite::Result<RecordPage> {
    let after = if let Some(RecordCursor(PageEnd::Stored(end))) = after {
        end
    } else {
        let last = sql.query_row("SELECT key FROM provider ORDER BY key DESC LIMIT 1", (), |row| row.get(0));
        StoredEnd { last: last.optional()?.unwrap_or_default(), ..StoredEnd::default() }
    };
    let limit = limit.max(1);
    let mut statement = sql.prepare_cached(PAGE)?;
    let rows = statement
        .query_map(
            params![after.key, after.id, after.last, hour(now_us), i64::try_from(limit).unwrap_or(i64::MAX)],
            provider,
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(RecordPage::of_rows(rows, limit, now_us, after.last))
}
