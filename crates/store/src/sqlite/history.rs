//! What is known of one peer, over all runs.

use std::path::Path;

use rusqlite::Connection;
use schema::{RowType as _, TABLES, Table, Timestamp, Visit, cell::Cells};

use super::{
    error::{self, damaged},
    intern, physical,
    read::Values,
};
use crate::{
    Error, KnownRows,
    limits::{LATEST_VISITS, LISTED_RUNS},
};

/// The rows of one kind about a peer by run, as SQL: out of indexes alone, so that a run costs no page of its own.
pub(super) fn select_known(table: &Table) -> String {
    let started = if table.has_encounter {
        ["min", "max"].map(|end| format!("{end}(started_after_us)"))
    } else {
        ["0", "0"].map(str::to_owned)
    };
    format!(
        "SELECT run.run_id, count, run.started_at_us + first, run.started_at_us + last FROM (
            SELECT run, count(*) AS count, {} AS first, {} AS last FROM {}
            WHERE peer = ?1 GROUP BY run ORDER BY run DESC LIMIT ?2) AS found
         JOIN run INDEXED BY run_in_short ON run.id = found.run",
        started[0], started[1], table.name
    )
}

/// The last visits of a peer and the starts of their runs, as SQL.
pub(super) const SELECT_VISITS: &str =
    "SELECT visit.id, run.started_at_us FROM visit JOIN run INDEXED BY run_in_short ON run.id = visit.run
    WHERE visit.peer = ?1 ORDER BY visit.run DESC, visit.started_after_us DESC LIMIT ?2";

/// The rows about a peer by run and kind, of the last runs, the last first; empty if it is not known.
pub(super) fn rows(db: &Connection, path: &Path, peer: &kad::PeerId) -> Result<Vec<KnownRows>, Error> {
    let fail = |error| error::reading(path, error);
    let Some(peer) = intern::find_peer(db, peer).map_err(fail)? else { return Ok(Vec::new()) };
    let mut known = Vec::new();
    for table in TABLES.iter().filter(|table| table.has_subject()) {
        let sql = select_known(table);
        let mut select = db.prepare_cached(&sql).map_err(fail)?;
        let mut rows = select.query((peer, LISTED_RUNS)).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            let id: String = row.get(0).map_err(fail)?;
            let run =
                schema::RunId::parse(&id).ok_or_else(|| damaged(path, format!("`{id}` names no run")))?;
            known.push(KnownRows {
                table: table.name,
                run,
                rows: row.get(1).map_err(fail)?,
                first: row.get::<_, Option<i64>>(2).map_err(fail)?.map(Timestamp),
                last: row.get::<_, Option<i64>>(3).map_err(fail)?.map(Timestamp),
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
    let mut select = db.prepare_cached(SELECT_VISITS).map_err(fail)?;
    let found =
        select.query_map((peer, LATEST_VISITS), |row| Ok((row.get(0)?, row.get(1)?))).map_err(fail)?;
    let found = found.collect::<rusqlite::Result<Vec<(i64, i64)>>>().map_err(fail)?;
    let mut values = Values::new(db, path, &Visit::TABLE);
    let mut select = db.prepare_cached(&physical::select(&Visit::TABLE)).map_err(fail)?;
    let (mut rows, mut starts) = (Vec::with_capacity(found.len()), Vec::with_capacity(found.len()));
    for (id, began) in found {
        let row = values.rows(select.query((id, id)).map_err(fail)?)?;
        starts.extend(row.iter().map(|_| Timestamp(began)));
        rows.extend(row);
    }
    values.look_up(&rows)?;
    let visits = rows.iter().zip(starts).map(|(row, began)| {
        let (cells, encounter) = values.row(&Visit::TABLE, began, row)?;
        let visit = Visit::read(&mut Cells::new(cells), encounter);
        visit.map_err(|bad| Error::bad_cell(&path.display().to_string(), &Visit::TABLE, bad))
    });
    visits.collect()
}
