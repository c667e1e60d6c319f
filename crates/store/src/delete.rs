//! Takes a crawl out of the file, and all that only it refers to.

use std::path::Path;

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use schema::CrawlId;

use crate::{Error, alive::Alive, codec, crawls, resolve::damaged};

/// What is tried.
const OPERATION: &str = "delete a crawl";

/// Deletes the crawl in row `crawl`. What was in its place is overwritten; the file keeps its size, and the room is used
/// by later crawls.
///
/// Fails with [`Error::Running`] while a crawl is under way: its writer remembers numbers of what is kept once.
pub(crate) fn crawl(
    db: &mut Connection,
    path: &Path,
    crawl: i64,
    fail: impl Fn(rusqlite::Error) -> Error + Copy,
) -> Result<(), Error> {
    // References are followed here; checking each of them again would read whole tables for each row.
    for (name, on) in [("secure_delete", true), ("foreign_keys", false)] {
        db.pragma_update(None, name, on).map_err(fail)?;
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    if let Some(id) = running(&transaction, path).map_err(fail)? {
        return Err(Error::Running { path: path.to_owned(), operation: OPERATION, id });
    }
    delete_rows(&transaction, crawl).map_err(fail)?;
    delete_addresses(&transaction, path, fail)?;
    transaction.commit().map_err(fail)
}

/// A crawl that is under way; `None` if there is none.
fn running(db: &Connection, path: &Path) -> rusqlite::Result<Option<CrawlId>> {
    let unfinished = crawls::all(db)?.into_iter().filter(|crawl| crawl.state.is_none());
    Ok(unfinished.map(|crawl| crawl.start.id).find(|&id| Alive::is_held(path, id)))
}

fn delete_rows(transaction: &Transaction<'_>, crawl: i64) -> rusqlite::Result<()> {
    for sql in [
        "DELETE FROM resolved_visit WHERE visit IN (SELECT id FROM visit WHERE crawl = ?1)",
        "DELETE FROM address_visit WHERE visit IN (SELECT id FROM visit WHERE crawl = ?1)",
        "DELETE FROM visit WHERE crawl = ?1",
        "DELETE FROM crawl_peer WHERE crawl = ?1",
        "DELETE FROM crawl WHERE id = ?1",
    ] {
        transaction.execute(sql, (crawl,))?;
    }
    transaction.execute_batch(
        "DELETE FROM peer WHERE id NOT IN (SELECT peer FROM crawl_peer);
         DELETE FROM agent WHERE id NOT IN (SELECT agent FROM visit WHERE agent IS NOT NULL);
         DELETE FROM protocol_set WHERE id NOT IN (SELECT protocols FROM visit WHERE protocols IS NOT NULL);
         DELETE FROM failure WHERE id NOT IN (
             SELECT failure FROM address_visit WHERE failure IS NOT NULL
             UNION SELECT failure FROM resolved_visit WHERE failure IS NOT NULL
             UNION SELECT connect_error FROM visit WHERE connect_error IS NOT NULL
             UNION SELECT identify_error FROM visit WHERE identify_error IS NOT NULL
             UNION SELECT crawl_error FROM visit WHERE crawl_error IS NOT NULL);",
    )
}

/// Deletes the addresses that no visit names. Some stand in blobs alone, which are read here.
fn delete_addresses(
    transaction: &Transaction<'_>,
    path: &Path,
    fail: impl Fn(rusqlite::Error) -> Error + Copy,
) -> Result<(), Error> {
    let mut used: HashSet<i64, RandomState> = HashSet::default();
    let named = "SELECT address FROM address_visit UNION SELECT address FROM resolved_visit";
    let mut named = transaction.prepare(named).map_err(fail)?;
    for id in named.query_map((), |row| row.get(0)).map_err(fail)? {
        used.insert(id.map_err(fail)?);
    }
    let lists = "SELECT DISTINCT listen_addrs FROM visit WHERE listen_addrs IS NOT NULL";
    let mut lists = transaction.prepare(lists).map_err(fail)?;
    let mut lists = lists.query(()).map_err(fail)?;
    while let Some(row) = lists.next().map_err(fail)? {
        let blob = row.get_ref(0).and_then(|value| Ok(value.as_blob()?)).map_err(fail)?;
        let ids = codec::decode_ids(blob)
            .ok_or_else(|| damaged(path, "addresses that were never written".to_owned()))?;
        used.extend(ids);
    }
    let mut all = transaction.prepare("SELECT id FROM address").map_err(fail)?;
    let all = all.query_map((), |row| row.get::<_, i64>(0)).map_err(fail)?;
    let all = all.collect::<rusqlite::Result<Vec<_>>>().map_err(fail)?;
    let mut delete = transaction.prepare("DELETE FROM address WHERE id = ?1").map_err(fail)?;
    for id in all.into_iter().filter(|id| !used.contains(id)) {
        delete.execute((id,)).map_err(fail)?;
    }
    Ok(())
}
