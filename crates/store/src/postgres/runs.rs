//! The runs in a database: how one begins, and how they are listed.

use schema::{RunEnd, RunId, RunStart, RunState, Timestamp, Tool};
use tokio_postgres::{Client, Row, types::Type};

use super::{
    encode::big,
    error::{damaged, named, unknown},
    migrate::LOCKS,
    text::{kept_json, read_json},
    values::{Label, Moment},
};
use crate::{Error, RunInfo, Totals};

/// Writes that a run begins, of which so many visits were pruned elsewhere, and holds its lock before anybody can know of it; returns its number. `None` if it is there.
pub(super) async fn insert(
    sql: &mut Client,
    start: &RunStart,
    pruned: u64,
) -> Result<Option<i32>, tokio_postgres::Error> {
    let transaction = sql.transaction().await?;
    let insert = "INSERT INTO run (run_id, tool, network, started_at, version, seed, vantage, parameters, pruned_count)
        VALUES ($1, $2::text::tool, $3, $4, $5, $6::text::numeric, $7, $8::text::jsonb, $9)
        ON CONFLICT (run_id) DO NOTHING RETURNING id";
    let (id, seed, started_at) = (start.id.to_string(), start.seed.to_string(), Moment(start.started_at));
    let parameters = kept_json(&start.parameters).to_string();
    let text = Type::TEXT;
    let inserted = transaction
        .query_typed(
            insert,
            &[
                (&id, text.clone()),
                (&start.tool.name(), text.clone()),
                (&start.network, text.clone()),
                (&started_at, Type::TIMESTAMPTZ),
                (&start.version, text.clone()),
                (&seed, text.clone()),
                (&start.vantage, text.clone()),
                (&parameters, text),
                (&big(pruned), Type::INT8),
            ],
        )
        .await?;
    let Some(row) = inserted.first() else { return Ok(None) };
    let run: i32 = row.try_get(0)?;
    let lock = "SELECT pg_advisory_lock($1, $2)";
    transaction.query_typed(lock, &[(&LOCKS, Type::INT4), (&run, Type::INT4)]).await?;
    transaction.commit().await?;
    Ok(Some(run))
}

/// A run as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) id: i32,
    pub(super) start: RunStart,
    end: Option<RunEnd>,
    totals: Totals,
    /// Whether somebody holds its lock.
    is_alive: bool,
}

impl Stored {
    /// Whether it may have ended between the two looks that were taken at it.
    pub(super) const fn is_doubtful(&self) -> bool {
        self.end.is_none() && !self.is_alive
    }

    pub(super) fn info(self) -> RunInfo {
        let without_end = if self.is_alive { RunState::Running } else { RunState::Interrupted };
        let state = self.end.as_ref().map_or(without_end, |end| end.state);
        RunInfo { start: self.start, end: self.end, state, totals: self.totals }
    }
}

const SELECT: &str = "SELECT id, run_id, tool, network, started_at, version, seed::text, vantage, parameters::text,
    finished_at, state, summary::text, peer_count, row_count, visit_count, edge_count, pruned_count,
    EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND objid = run.id::bigint::oid
        AND objsubid = 2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    FROM run";

/// Every run, in the order of their start.
pub(super) async fn all(sql: &Client, store: &str) -> Result<Vec<Stored>, Error> {
    select(sql, store, "$2 = ''", "").await
}

/// One of them; `None` if it is not there.
pub(super) async fn one(sql: &Client, store: &str, id: RunId) -> Result<Option<Stored>, Error> {
    Ok(select(sql, store, "run_id = $2", &id.to_string()).await?.pop())
}

async fn select(sql: &Client, store: &str, which: &str, id: &str) -> Result<Vec<Stored>, Error> {
    let statement = format!("{SELECT} WHERE {which} ORDER BY started_at, id");
    let found = sql
        .query_typed(&statement, &[(&i64::from(LOCKS), Type::INT8), (&id, Type::TEXT)])
        .await
        .map_err(|error| named(store, Error::READ, &error))?;
    found.iter().map(|row| stored(row, store)).collect()
}

fn stored(row: &Row, store: &str) -> Result<Stored, Error> {
    let get = Get { row, store };
    let tool: Label = get.at(2)?;
    let start = RunStart {
        id: RunId::parse(&get.at::<String>(1)?).ok_or_else(|| damaged(store, "a run's id is none"))?,
        tool: Tool::from_name(&tool.0).ok_or_else(|| unknown(store, "tool", &tool.0))?,
        network: get.at(3)?,
        started_at: get.at::<Moment>(4)?.0,
        version: get.at(5)?,
        seed: get.at::<String>(6)?.parse().map_err(|_| damaged(store, "a run's seed is none"))?,
        vantage: get.at(7)?,
        parameters: get.json(8)?,
    };
    let finished_at: Option<Timestamp> = get.at::<Option<Moment>>(9)?.map(|moment| moment.0);
    let state: Option<Label> = get.at(10)?;
    let end = match state.zip(finished_at) {
        None => None,
        Some((Label(name), finished_at)) => {
            let state = RunState::from_name(&name).ok_or_else(|| unknown(store, "state of a run", &name))?;
            Some(RunEnd { finished_at, state, summary: get.json(11)? })
        }
    };
    let [peers, rows, visits, edges, pruned] = [12, 13, 14, 15, 16].map(|column| get.count(column));
    let totals = Totals { peers: peers?, rows: rows?, visits: visits?, edges: edges?, pruned: pruned? };
    Ok(Stored { id: get.at(0)?, start, end, totals, is_alive: get.at(17)? })
}

/// Takes values out of a row.
struct Get<'a> {
    row: &'a Row,
    store: &'a str,
}

impl Get<'_> {
    fn at<T: for<'r> tokio_postgres::types::FromSql<'r>>(&self, column: usize) -> Result<T, Error> {
        self.row.try_get(column).map_err(|error| named(self.store, Error::READ, &error))
    }

    fn count(&self, column: usize) -> Result<u64, Error> {
        self.at::<i64>(column).map(i64::cast_unsigned)
    }

    fn json(&self, column: usize) -> Result<serde_json::Value, Error> {
        let Some(text) = self.at::<Option<String>>(column)? else { return Ok(serde_json::Value::Null) };
        let value = serde_json::from_str(&text).map_err(|_| damaged(self.store, "a run's JSON is none"))?;
        Ok(read_json(&value))
    }
}
