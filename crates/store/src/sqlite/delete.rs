//! Takes a run out of the file, or the old visits of all runs, and then what only they refer to.

use std::{io, path::Path};

use rusqlite::{Connection, TransactionBehavior, params};
use schema::{TABLES, Timestamp};

use super::{alone::Alone, open::beside, sweep};
use crate::{
    Error, Pruned,
    limits::{PRUNE_STEP, VACUUM_STEP},
};

/// Begins to delete: of two at a time, one could take what the other has just read for all there is. [`Error::Deleting`] while
/// somebody else deletes.
pub(super) fn begin(database: &Path, operation: &'static str) -> Result<Alone, Error> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            Error::ReadOnly { store: database.display().to_string(), operation }
        }
        _ => Error::Io { path: database.to_owned(), operation, source },
    };
    let alone = Alone::take(&beside(database, "-delete.lock")).map_err(failed)?;
    alone.ok_or_else(|| Error::Deleting { store: database.display().to_string(), operation })
}

/// Makes a connection fit to delete: what was in the place of rows is overwritten.
fn prepare(db: &Connection) -> rusqlite::Result<()> {
    // References are followed by the sweep; checking each of them again would read whole tables for each row.
    for (name, on) in [("secure_delete", true), ("foreign_keys", false)] {
        db.pragma_update(None, name, on)?;
    }
    Ok(())
}

/// Deletes the run in row `run`. What was in its place is overwritten; the file keeps its size, and the room is used
/// by later runs.
pub(super) fn run(
    db: &mut Connection,
    path: &Path,
    run: i64,
    fail: impl Fn(rusqlite::Error) -> Error + Copy,
) -> Result<(), Error> {
    prepare(db).map_err(fail)?;
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    delete_rows(&transaction, run).and_then(|()| transaction.commit()).map_err(fail)?;
    sweep::sweep(db, path, fail)
}

fn delete_rows(db: &Connection, run: i64) -> rusqlite::Result<()> {
    sweep::is_due_from_now_on(db)?;
    for table in TABLES {
        let name = table.name;
        db.execute(
            &format!(
                "DELETE FROM {name} WHERE id IN (
                    SELECT {name}.id FROM batch JOIN {name} ON {name}.id BETWEEN batch.first AND batch.last
                    WHERE batch.run = ?1 AND batch.kind = (SELECT id FROM name WHERE name = ?2))"
            ),
            (run, name),
        )?;
    }
    for sql in [
        "DELETE FROM batch WHERE run = ?1",
        "DELETE FROM run_peer WHERE run = ?1",
        "DELETE FROM run WHERE id = ?1",
    ] {
        db.execute(sql, (run,))?;
    }
    Ok(())
}

/// Deletes the visits that began before a moment, in steps between which others write, then what only they refer to, and
/// gives the room back to the system.
pub(super) fn prune(
    db: &mut Connection,
    path: &Path,
    before: Timestamp,
    fail: impl Fn(rusqlite::Error) -> Error + Copy,
) -> Result<Pruned, Error> {
    prepare(db).map_err(fail)?;
    let mut pruned = Pruned::default();
    loop {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let (batches, visits) = prune_step(&transaction, before).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        pruned.visits += visits;
        if batches == 0 {
            break;
        }
    }
    if sweep::is_due(db).map_err(fail)? {
        sweep::sweep(db, path, fail)?;
    }
    pruned.bytes = give_back(db).map_err(fail)?;
    Ok(pruned)
}

/// Deletes some batches of visits; returns how many, and how many visits these were.
fn prune_step(db: &Connection, before: Timestamp) -> rusqlite::Result<(u64, u64)> {
    let sql = "SELECT kind, first, last, run FROM batch
        WHERE kind = (SELECT id FROM name WHERE name = 'visit') AND latest_us < ?1 ORDER BY first LIMIT ?2";
    let mut select = db.prepare_cached(sql)?;
    let found = select.query_map(params![before.0, PRUNE_STEP], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    let found = found.collect::<rusqlite::Result<Vec<(i64, i64, i64, i64)>>>()?;
    if !found.is_empty() {
        sweep::is_due_from_now_on(db)?;
    }
    let mut visits = 0;
    for &(kind, first, last, run) in &found {
        let counted: (i64, i64) = db
            .prepare_cached(
                "SELECT count(*), coalesce(sum(neighbor_count), 0) FROM visit WHERE id BETWEEN ?1 AND ?2",
            )?
            .query_row((first, last), |row| Ok((row.get(0)?, row.get(1)?)))?;
        db.prepare_cached("DELETE FROM visit WHERE id BETWEEN ?1 AND ?2")?.execute((first, last))?;
        db.prepare_cached("DELETE FROM batch WHERE kind = ?1 AND first = ?2")?.execute((kind, first))?;
        db.prepare_cached(
            "UPDATE run SET visit_count = visit_count - ?2, row_count = row_count - ?2, edge_count = edge_count - ?3,
                pruned_count = pruned_count + ?2 WHERE id = ?1",
        )?
        .execute((run, counted.0, counted.1))?;
        visits += counted.0.cast_unsigned();
    }
    Ok((found.len() as u64, visits))
}

/// Gives free pages back, some at a time; returns how many bytes these were.
fn give_back(db: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let (page, before) = (pragma("page_size")?, pragma("page_count")?);
    while pragma("freelist_count")? > 0 {
        let free = pragma("freelist_count")?;
        // Each row of this pragma is a page that was given back.
        let mut vacuum = db.prepare(&format!("PRAGMA incremental_vacuum({VACUUM_STEP})"))?;
        let mut rows = vacuum.query(())?;
        while rows.next()?.is_some() {}
        drop(rows);
        if pragma("freelist_count")? >= free {
            break;
        }
    }
    Ok(before.saturating_sub(pragma("page_count")?) * page)
}
