//! The crawls in a store.

use rusqlite::{Connection, OptionalExtension, Row};
use schema::{CrawlEnd, CrawlId, CrawlStart, RunState, Timestamp};

/// How many rows a crawl has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Peers that were heard of.
    pub peers: u64,
    /// Visits, several for a peer that was tried again.
    pub visits: u64,
    /// Neighbors of all visits.
    pub edges: u64,
}

/// A crawl in a store.
#[derive(Debug, Clone, PartialEq)]
pub struct CrawlInfo {
    /// What was known when it began.
    pub start: CrawlStart,
    /// What was known when it ended; `None` if it is under way or was interrupted.
    pub end: Option<CrawlEnd>,
    /// How it stands.
    pub state: RunState,
    /// What is committed of it.
    pub totals: Totals,
}

/// A crawl as it is stored.
pub(crate) struct StoredCrawl {
    pub(crate) row: i64,
    pub(crate) start: CrawlStart,
    pub(crate) totals: Totals,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) state: Option<String>,
    pub(crate) summary: serde_json::Value,
}

const SELECT: &str = "SELECT id, crawl_id, network, started_at_us, version, seed, vantage, parameters,
    finished_at_us, state, summary, peer_count, visit_count, edge_count FROM crawl";

/// All of them, in the order of their start.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<StoredCrawl>> {
    let mut select = db.prepare_cached(&format!("{SELECT} ORDER BY started_at_us, id"))?;
    select.query_map((), stored)?.collect()
}

/// One of them; `None` if there is no such crawl.
pub(crate) fn one(db: &Connection, id: CrawlId) -> rusqlite::Result<Option<StoredCrawl>> {
    let mut select = db.prepare_cached(&format!("{SELECT} WHERE crawl_id = ?1"))?;
    select.query_row((id.to_string(),), stored).optional()
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredCrawl> {
    let invalid = |column: &str| {
        let index = row.as_ref().column_index(column).unwrap_or(0);
        rusqlite::Error::InvalidColumnType(index, column.to_owned(), rusqlite::types::Type::Text)
    };
    let json = |column| -> rusqlite::Result<serde_json::Value> {
        let Some(text) = row.get::<_, Option<String>>(column)? else { return Ok(serde_json::Value::Null) };
        serde_json::from_str(&text).map_err(|_| invalid(column))
    };
    let start = CrawlStart {
        id: CrawlId::parse(&row.get::<_, String>("crawl_id")?).ok_or_else(|| invalid("crawl_id"))?,
        network: row.get("network")?,
        started_at: Timestamp(row.get("started_at_us")?),
        version: row.get("version")?,
        seed: row.get::<_, String>("seed")?.parse().map_err(|_| invalid("seed"))?,
        vantage: row.get("vantage")?,
        parameters: json("parameters")?,
    };
    Ok(StoredCrawl {
        row: row.get("id")?,
        start,
        totals: Totals {
            peers: row.get("peer_count")?,
            visits: row.get("visit_count")?,
            edges: row.get("edge_count")?,
        },
        finished_at: row.get::<_, Option<i64>>("finished_at_us")?.map(Timestamp),
        state: row.get("state")?,
        summary: json("summary")?,
    })
}
