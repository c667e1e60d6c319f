//! What is known of one peer, over all runs.

use std::path::Path;

use rusqlite::Connection;
use schema::{RowType as _, TABLES, Timestamp, Visit};

use super::{
    error::{self, damaged},
    intern, physical,
    read::Values,
    resolve::Resolver,
};
use crate::{
    Error, KnownRows,
    limits::{LATEST_VISITS, LISTED_RUNS},
};

/// The rows about a peer by run and kind, of the last runs, the last first; empty if it is not known.
pub(super) fn rows(db: &Connection, path: &Path, peer: &kad::PeerId) -> Result<Vec<KnownRows>, Error> {
    let fail = |error| error::reading(path, error);
    let Some(peer) = intern::find_peer(db, peer).map_err(fail)? else { return Ok(Vec::new()) };
    let mut known = Vec::new();
    for table in TABLES.iter().filter(|table| table.has_subject()) {
        let started = if table.has_encounter {
            ["first", "last"].map(|end| {
                format!("(SELECT started_after_us FROM {} WHERE id = {end}) + run.started_at_us", table.name)
            })
        } else {
            ["run.started_at_us", "NULL"].map(str::to_owned)
        };
        let sql = format!(
            "SELECT run.run_id, count, {}, {} FROM (
                SELECT run, count(*) AS count, min(id) AS first, max(id) AS last FROM {}
                WHERE peer = ?1 GROUP BY run ORDER BY run DESC LIMIT ?2) AS found
             JOIN run ON run.id = found.run",
            started[0], started[1], table.name
        );
        let mut select = db.prepare_cached(&sql).map_err(fail)?;
        let mut rows = select.query((peer, LISTED_RUNS)).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            let id: String = row.get(0).map_err(fail)?;
            let run =
                schema::RunId::parse(&id).ok_or_else(|| damaged(path, format!("`{id}` names no run")))?;
            let first: Option<i64> = row.get(2).map_err(fail)?;
            let last: Option<i64> = row.get(3).map_err(fail)?;
            known.push(KnownRows {
                table: table.name,
                run,
                rows: row.get(1).map_err(fail)?,
                first: first.map(Timestamp),
                last: last.or(first).map(Timestamp),
            });
        }
    }
    known.sort_by_key(|rows| std::cmp::Reverse(rows.run));
    Ok(known)
}

/// The last visits of a peer in any run, the last first.
pub(super) fn visits(db: &Connection, path: &Path, peer: &kad::PeerId) -> Result<Vec<Visit>, Error> {
    let fail = |error| error::reading(path, error);
    let Some(peer) = intern::find_peer(db, peer).map_err(fail)? else { return Ok(Vec::new()) };
    let sql = "SELECT visit.id, run.started_at_us FROM visit JOIN run ON run.id = visit.run
        WHERE visit.peer = ?1 ORDER BY visit.run DESC, visit.id DESC LIMIT ?2";
    let mut select = db.prepare_cached(sql).map_err(fail)?;
    let found =
        select.query_map((peer, LATEST_VISITS), |row| Ok((row.get(0)?, row.get(1)?))).map_err(fail)?;
    let found = found.collect::<rusqlite::Result<Vec<(i64, i64)>>>().map_err(fail)?;
    let mut values = Values { path, resolver: Resolver::new(db, path) };
    let (select, width) = (physical::select(&Visit::TABLE), physical::width(&Visit::TABLE));
    let mut visits = Vec::with_capacity(found.len());
    for (id, began) in found {
        let mut select = db.prepare_cached(&select).map_err(fail)?;
        let mut rows = select.query((id, id)).map_err(fail)?;
        if let Some(row) = rows.next().map_err(fail)? {
            let (cells, encounter) = values.row(&Visit::TABLE, (Timestamp(began), width), row)?;
            let mut cells = schema::cell::Cells::new(cells);
            let visit = Visit::read(&mut cells, encounter);
            visits
                .push(visit.map_err(|bad| Error::bad_cell(&path.display().to_string(), &Visit::TABLE, bad))?);
        }
    }
    Ok(visits)
}
