//! The tables of a belly, in a schema of their own: `kadscope_belly`.

use tokio_postgres::Client;

use super::super::BellyError;
use crate::{
    Error,
    postgres::{LOCKS, named_error},
};

/// The newest version of the layout.
const VERSION: i32 = 1;

/// The file that makes the tables.
const FILE: &str = "crates/store/migrations/postgres/belly_0001.sql";

const TABLES: &str = include_str!("../../../migrations/postgres/belly_0001.sql");

/// Sees that the tables are there, and makes them if that is wanted.
pub(super) async fn check_or_make(
    sql: &mut Client,
    store: &str,
    makes_tables: bool,
) -> Result<(), BellyError> {
    const OPERATION: &str = "make the tables of a belly";
    let named = |error| named_error(store, OPERATION, &error);
    let found = match version(sql).await.map_err(named)? {
        None if !makes_tables => return Err(BellyError::NoTables { store: store.to_owned(), by: FILE }),
        None => make(sql).await.map_err(named)?,
        Some(version) => version,
    };
    match u32::try_from(found) {
        Ok(1..=1) => Ok(()),
        Ok(version @ 2..) => {
            let supported = VERSION.unsigned_abs();
            Err(Error::NewerDatabase { store: store.to_owned(), version, supported }.into())
        }
        _ => {
            let detail = "the schema kadscope_belly is none of a belly's".to_owned();
            Err(Error::Layout { store: store.to_owned(), operation: OPERATION, detail }.into())
        }
    }
}

/// The version of the layout; `None` if there is none.
async fn version(sql: &Client) -> Result<Option<i32>, tokio_postgres::Error> {
    // Read from the catalog itself: a name that was looked up in vain is remembered, and not looked up again when another process has
    // made it meanwhile.
    let there = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'kadscope_belly' AND c.relname = 'layout')";
    if !sql.query_one(there, &[]).await?.try_get(0)? {
        return Ok(None);
    }
    let version = "SELECT coalesce(max(version), 0) FROM kadscope_belly.layout";
    sql.query_one(version, &[]).await?.try_get(0).map(Some)
}

/// Makes them, unless another process has done so meanwhile.
async fn make(sql: &mut Client) -> Result<i32, tokio_postgres::Error> {
    let transaction = sql.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1, 1)", &[&LOCKS]).await?;
    if let Some(version) = version(transaction.client()).await? {
        return Ok(version);
    }
    transaction.batch_execute(TABLES).await?;
    transaction.commit().await?;
    Ok(VERSION)
}
