//! Reads the runs in the file.

use rusqlite::{Connection, OptionalExtension, Row};
use schema::{RunEnd, RunId, RunStart, RunState, Timestamp, Tool};

use crate::{RunFilter, Totals};

/// A run as it is stored.
#[derive(Debug)]
pub(super) struct StoredRun {
    pub(super) row: i64,
    pub(super) start: RunStart,
    pub(super) totals: Totals,
    /// `None` if it has none, or if its state is a name that is not known.
    pub(super) end: Option<RunEnd>,
    /// As it stands in the file.
    pub(super) state: Option<String>,
}

const SELECT: &str = "SELECT id, run_id, tool, network, started_at_us, version, seed, vantage, parameters,
    finished_at_us, state, summary, peer_count, row_count, visit_count, edge_count, pruned_count FROM run";

/// Those that a filter may admit, in the order of their start.
pub(super) fn all(db: &Connection, filter: &RunFilter) -> rusqlite::Result<Vec<StoredRun>> {
    let sql = format!(
        "{SELECT} WHERE (?1 IS NULL OR tool = ?1) AND (?2 IS NULL OR network = ?2)
            AND (?3 IS NULL OR finished_at_us IS NULL OR finished_at_us >= ?3) AND (?4 IS NULL OR started_at_us < ?4)
         ORDER BY started_at_us, id"
    );
    let (tool, since) = (filter.tool.map(Tool::name), filter.since.map(|since| since.0));
    let until = filter.until.map(|until| until.0);
    db.prepare_cached(&sql)?.query_map((tool, &filter.network, since, until), stored)?.collect()
}

/// One of them; `None` if there is no such run.
pub(super) fn one(db: &Connection, id: RunId) -> rusqlite::Result<Option<StoredRun>> {
    let mut select = db.prepare_cached(&format!("{SELECT} WHERE run_id = ?1"))?;
    select.query_row((id.to_string(),), stored).optional()
}

/// The names of those without an end: under way, or interrupted.
pub(super) fn without_end(db: &Connection) -> rusqlite::Result<Vec<RunId>> {
    let mut select = db.prepare_cached("SELECT run_id FROM run WHERE state IS NULL")?;
    let names = select.query_map((), |row| row.get::<_, String>(0))?;
    // Another name is none that a file could be called by.
    names.filter_map(|name| name.map(|name| RunId::parse(&name)).transpose()).collect()
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredRun> {
    let invalid = |column: &str| {
        let index = row.as_ref().column_index(column).unwrap_or(0);
        rusqlite::Error::InvalidColumnType(index, column.to_owned(), rusqlite::types::Type::Text)
    };
    let json = |column| -> rusqlite::Result<serde_json::Value> {
        let Some(text) = row.get::<_, Option<String>>(column)? else { return Ok(serde_json::Value::Null) };
        serde_json::from_str(&text).map_err(|_| invalid(column))
    };
    let start = RunStart {
        id: RunId::parse(&row.get::<_, String>("run_id")?).ok_or_else(|| invalid("run_id"))?,
        tool: Tool::from_name(&row.get::<_, String>("tool")?).ok_or_else(|| invalid("tool"))?,
        network: row.get("network")?,
        started_at: Timestamp(row.get("started_at_us")?),
        version: row.get("version")?,
        seed: row.get::<_, String>("seed")?.parse().map_err(|_| invalid("seed"))?,
        vantage: row.get("vantage")?,
        parameters: json("parameters")?,
    };
    let state: Option<String> = row.get("state")?;
    let finished_at = row.get::<_, Option<i64>>("finished_at_us")?.map(Timestamp);
    let known = state.as_deref().and_then(RunState::from_name);
    let end = match known.zip(finished_at) {
        None => None,
        Some((state, finished_at)) => Some(RunEnd { finished_at, state, summary: json("summary")? }),
    };
    Ok(StoredRun {
        row: row.get("id")?,
        start,
        totals: Totals {
            peers: row.get("peer_count")?,
            rows: row.get("row_count")?,
            visits: row.get("visit_count")?,
            edges: row.get("edge_count")?,
            pruned: row.get("pruned_count")?,
        },
        end,
        state,
    })
}
