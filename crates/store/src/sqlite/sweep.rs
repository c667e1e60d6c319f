//! Deletes what nothing refers to any more, in bounded steps while others write.
//!
//! What is referred to is read first, without keeping anybody from writing. Each step then takes the right to write, adds what
//! was written since, and deletes some of the rest. Whoever writes remembers numbers of what is kept once; each step counts up
//! `sweep`, and a writer that finds it changed forgets them before it uses one.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, TransactionBehavior};
use schema::TABLES;

use super::{codec, error::damaged, physical};
use crate::{Error, limits::SWEEP_STEP, number_set::NumberSet};

/// What rows refer to directly: the first to go, since the others are referred to by them.
const FIRST: [&str; 3] = ["fates", "endpoint", "description"];

/// What is referred to by rows, and by what is [`FIRST`].
const THEN: [&str; 4] = ["agent", "protocol_set", "failure", "address"];

/// Where numbers stand: a statement that gives those behind a row's number, and of which table they are.
struct Source {
    /// The table that has them.
    from: &'static str,
    /// The column.
    column: String,
    /// What it refers to.
    to: &'static str,
    /// How.
    by: By,
}

/// How a column refers to rows.
#[derive(Debug, Clone, Copy)]
enum By {
    Number,
    AddressList,
    /// Both addresses and failures.
    Fates,
}

/// Says, in the transaction that deletes rows, that what they referred to is to go: who is killed before leaves that to the next.
pub(super) fn is_due_from_now_on(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE sweep SET is_due = 1 WHERE is_due = 0")?.execute(()).map(drop)
}

/// Whether somebody began and did not come to the end.
pub(super) fn is_due(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT is_due FROM sweep")?.query_row((), |row| row.get(0))
}

/// Deletes the rows of all tables of what is kept once that nothing refers to.
pub(super) fn sweep(
    db: &mut Connection,
    path: &Path,
    fail: impl Fn(rusqlite::Error) -> Error + Copy,
) -> Result<(), Error> {
    for tables in [FIRST.as_slice(), THEN.as_slice()] {
        let sources = sources(tables);
        let mut used = Used::default();
        used.read(db, path, (&sources, fail))?;
        for &table in tables {
            delete_unused(db, path, (table, &sources, &mut used), fail)?;
        }
    }
    // A peer is one of a run, whether it was visited or not.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    transaction.execute("UPDATE sweep SET count = count + 1, is_due = 0", ()).map_err(fail)?;
    transaction.execute("DELETE FROM peer WHERE id NOT IN (SELECT peer FROM run_peer)", ()).map_err(fail)?;
    transaction.commit().map_err(fail)
}

/// Where numbers of these tables stand.
fn sources(tables: &[&'static str]) -> Vec<Source> {
    let mut sources = Vec::new();
    for rows in TABLES {
        for (column, kind) in physical::columns(rows) {
            let to = tables.iter().find(|to| kind.ends_with(&format!("REFERENCES {to}")));
            sources.extend(to.map(|&to| Source { from: rows.name, column, to, by: By::Number }));
        }
    }
    if tables.contains(&"address") {
        let one = |from, column: &str, to, by| Source { from, column: column.to_owned(), to, by };
        sources.push(one("description", "agent", "agent", By::Number));
        sources.push(one("description", "protocols", "protocol_set", By::Number));
        sources.push(one("description", "listen_addrs", "address", By::AddressList));
        sources.push(one("fates", "list", "address", By::Fates));
        let lists = physical::address_lists();
        sources.extend(lists.into_iter().map(|(from, column)| one(from, column, "address", By::AddressList)));
    }
    sources
}

/// What is referred to, and up to which row of each table that was read.
#[derive(Debug, Default)]
struct Used {
    numbers: BTreeMap<&'static str, NumberSet>,
    read: BTreeMap<(&'static str, String), i64>,
}

impl Used {
    /// Reads what was not read yet.
    fn read(
        &mut self,
        db: &Connection,
        path: &Path,
        (sources, fail): (&[Source], impl Fn(rusqlite::Error) -> Error + Copy),
    ) -> Result<(), Error> {
        for source in sources {
            let key = (source.from, source.column.clone());
            let after = self.read.get(&key).copied().unwrap_or(i64::MIN);
            let sql = format!("SELECT id, {} FROM {} WHERE id > ?1 ORDER BY id", source.column, source.from);
            let mut select = db.prepare_cached(&sql).map_err(fail)?;
            let mut rows = select.query((after,)).map_err(fail)?;
            let mut last = after;
            while let Some(row) = rows.next().map_err(fail)? {
                last = row.get(0).map_err(fail)?;
                match source.by {
                    By::Number => {
                        let id: Option<i64> = row.get(1).map_err(fail)?;
                        self.add(source.to, id);
                    }
                    By::AddressList | By::Fates => {
                        let blob: Option<Vec<u8>> = row.get(1).map_err(fail)?;
                        self.add_list(source.by, &blob.unwrap_or_default())
                            .ok_or_else(|| damaged(path, "addresses that were never written".to_owned()))?;
                    }
                }
            }
            self.read.insert(key, last);
        }
        Ok(())
    }

    fn add(&mut self, table: &'static str, ids: impl IntoIterator<Item = i64>) {
        let numbers = self.numbers.entry(table).or_default();
        for id in ids {
            numbers.insert(id);
        }
    }

    fn add_list(&mut self, by: By, blob: &[u8]) -> Option<()> {
        match by {
            By::Fates => {
                for fate in codec::decode_fates(blob)? {
                    self.add("address", [fate.address]);
                    if fate.outcome == codec::FAILED {
                        self.add("failure", [fate.cause]);
                    }
                }
            }
            By::Number | By::AddressList => {
                self.add("address", codec::decode_ids(blob)?);
            }
        }
        Some(())
    }
}

/// Deletes the rows of a table that nothing refers to, some thousand at a time.
fn delete_unused(
    db: &mut Connection,
    path: &Path,
    (table, sources, used): (&'static str, &[Source], &mut Used),
    fail: impl Fn(rusqlite::Error) -> Error + Copy,
) -> Result<(), Error> {
    let mut after = i64::MIN;
    loop {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        used.read(&transaction, path, (sources, fail))?;
        let mut ids = Vec::new();
        {
            let sql = format!("SELECT id FROM {table} WHERE id > ?1 ORDER BY id LIMIT ?2");
            let mut select = transaction.prepare_cached(&sql).map_err(fail)?;
            let mut rows = select.query((after, SWEEP_STEP)).map_err(fail)?;
            while let Some(row) = rows.next().map_err(fail)? {
                ids.push(row.get::<_, i64>(0).map_err(fail)?);
            }
            let mut delete =
                transaction.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?1")).map_err(fail)?;
            let none = NumberSet::default();
            let kept = used.numbers.get(table).unwrap_or(&none);
            for &id in ids.iter().filter(|&&id| !kept.contains(id)) {
                delete.execute((id,)).map_err(fail)?;
            }
            transaction.execute("UPDATE sweep SET count = count + 1", ()).map_err(fail)?;
        }
        transaction.commit().map_err(fail)?;
        let Some(&last) = ids.last() else { return Ok(()) };
        after = last;
    }
}
