//! Our tables, in a schema of their own: `kadscope_register`.

use tokio_postgres::{Client, types::Type};

use crate::{
    Error,
    postgres::{LOCKS, named_error},
};

/// The newest version of the layout.
const VERSION: i32 = 1;

const TABLES: &str = include_str!("../../../migrations/postgres/register_0001.sql");

/// Sees that the tables are there, and makes them if that is wanted.
pub(super) async fn check_or_make(sql: &mut Client, store: &str, makes: bool) -> Result<(), Error> {
    const OPERATION: &str = "make the tables of a register";
    let named = |error| named_error(store, OPERATION, &error);
    let found = match version(sql).await.map_err(named)? {
        None if !makes => return Err(Error::NoRegister { store: store.to_owned() }),
        None => make(sql).await.map_err(named)?,
        Some(version) => version,
    };
    match u32::try_from(found) {
        Ok(1..=1) => Ok(()),
        Ok(version @ 2..) => {
            let supported = VERSION.unsigned_abs();
            Err(Error::NewerDatabase { store: store.to_owned(), version, supported })
        }
        _ => {
            let detail = "the schema kadscope_register is none of a register's".to_owned();
            Err(Error::Layout { store: store.to_owned(), operation: OPERATION, detail })
        }
    }
}

/// The version of the layout; `None` if there is none.
async fn version(sql: &Client) -> Result<Option<i32>, tokio_postgres::Error> {
    // Read from the catalog itself: a name that was looked up in vain is remembered, and not looked up again when another process has
    // made it meanwhile.
    let there = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'kadscope_register' AND c.relname = 'layout')";
    if !sql.query_typed_one(there, &[]).await?.try_get(0)? {
        return Ok(None);
    }
    let version = "SELECT coalesce(max(version), 0) FROM kadscope_register.layout";
    sql.query_typed_one(version, &[]).await?.try_get(0).map(Some)
}

/// Makes them, unless another process has done so meanwhile.
async fn make(sql: &mut Client) -> Result<i32, tokio_postgres::Error> {
    let transaction = sql.transaction().await?;
    let lock = "SELECT pg_advisory_xact_lock($1, 2)";
    transaction.query_typed(lock, &[(&LOCKS, Type::INT4)]).await?;
    if let Some(version) = version(transaction.client()).await? {
        return Ok(version);
    }
    transaction.batch_execute(TABLES).await?;
    transaction.commit().await?;
    Ok(VERSION)
}
