//! Takes a run out of the file, and all that only it refers to.

use std::path::Path;

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use schema::TABLES;

use super::{codec, error::damaged, physical};
use crate::Error;

/// Deletes the run in row `run`. What was in its place is overwritten; the file keeps its size, and the room is used
/// by later runs.
pub(super) fn run(
    db: &mut Connection,
    path: &Path,
    run: i64,
    fail: impl Fn(rusqlite::Error) -> Error + Copy,
) -> Result<(), Error> {
    // References are followed here; checking each of them again would read whole tables for each row.
    for (name, on) in [("secure_delete", true), ("foreign_keys", false)] {
        db.pragma_update(None, name, on).map_err(fail)?;
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    delete_rows(&transaction, run).map_err(fail)?;
    sweep(&transaction, path, fail)?;
    transaction.commit().map_err(fail)
}

fn delete_rows(db: &Transaction<'_>, run: i64) -> rusqlite::Result<()> {
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

/// Deletes what nothing refers to any more, and says so to the writers, who remember numbers of what is kept once.
fn sweep(
    db: &Transaction<'_>,
    path: &Path,
    fail: impl Fn(rusqlite::Error) -> Error + Copy,
) -> Result<(), Error> {
    let unused = |table: &str, mut used: Vec<String>, more: &[&str]| {
        used.extend(more.iter().map(|&sql| sql.to_owned()));
        let sql = format!("DELETE FROM {table} WHERE id NOT IN ({})", used.join(" UNION ALL "));
        db.execute(&sql, ()).map(drop)
    };
    db.execute("UPDATE sweep SET count = count + 1", ()).map_err(fail)?;
    unused("peer", Vec::new(), &["SELECT peer FROM run_peer"]).map_err(fail)?;
    for table in ["fates", "endpoint", "description"] {
        unused(table, physical::references_to(table), &[]).map_err(fail)?;
    }
    let described = ["SELECT agent FROM description WHERE agent IS NOT NULL"];
    unused("agent", Vec::new(), &described).map_err(fail)?;
    let described = ["SELECT protocols FROM description WHERE protocols IS NOT NULL"];
    unused("protocol_set", physical::references_to("protocol_set"), &described).map_err(fail)?;
    let mut used = Used::default();
    used.read(db, path, fail)?;
    for (table, used) in [("address", &used.addresses), ("failure", &used.failures)] {
        delete_others(db, table, used).map_err(fail)?;
    }
    Ok(())
}

/// What rows refer to that stand in blobs, which are read here, and beside them.
#[derive(Debug, Default)]
struct Used {
    addresses: HashSet<i64, RandomState>,
    failures: HashSet<i64, RandomState>,
}

impl Used {
    fn read(
        &mut self,
        db: &Connection,
        path: &Path,
        fail: impl Fn(rusqlite::Error) -> Error + Copy,
    ) -> Result<(), Error> {
        let never = || damaged(path, "addresses that were never written".to_owned());
        for (table, used) in [("address", &mut self.addresses), ("failure", &mut self.failures)] {
            for sql in physical::references_to(table) {
                let mut select = db.prepare(&sql).map_err(fail)?;
                for id in select.query_map((), |row| row.get::<_, i64>(0)).map_err(fail)? {
                    used.insert(id.map_err(fail)?);
                }
            }
        }
        let mut blobs = |sql: &str, take: &mut dyn FnMut(&mut Self, &[u8]) -> Option<()>| {
            let mut select = db.prepare(sql).map_err(fail)?;
            let mut rows = select.query(()).map_err(fail)?;
            while let Some(row) = rows.next().map_err(fail)? {
                let blob = row.get_ref(0).and_then(|value| Ok(value.as_blob()?)).map_err(fail)?;
                take(self, blob).ok_or_else(never)?;
            }
            Ok::<_, Error>(())
        };
        for sql in physical::address_lists() {
            blobs(&sql, &mut |used, blob| {
                used.addresses.extend(codec::decode_ids(blob)?);
                Some(())
            })?;
        }
        blobs("SELECT list FROM fates", &mut |used, blob| {
            for fate in codec::decode_fates(blob)? {
                used.addresses.insert(fate.address);
                if fate.outcome == codec::FAILED {
                    used.failures.insert(fate.cause);
                }
            }
            Some(())
        })
    }
}

fn delete_others(
    db: &Transaction<'_>,
    table: &str,
    used: &HashSet<i64, RandomState>,
) -> rusqlite::Result<()> {
    let mut all = db.prepare(&format!("SELECT id FROM {table}"))?;
    let all = all.query_map((), |row| row.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut delete = db.prepare(&format!("DELETE FROM {table} WHERE id = ?1"))?;
    for id in all.into_iter().filter(|id| !used.contains(id)) {
        delete.execute((id,))?;
    }
    Ok(())
}
