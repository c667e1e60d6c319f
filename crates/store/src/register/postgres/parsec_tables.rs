//! Parsec's tables: made where there are none, taken as they are where Go's programs would take them, and refused by name where they
//! would not. What is refused is left as it is.

use tokio_postgres::{Client, types::Type};

use crate::{
    Error,
    postgres::{error_text, named_error},
};

/// What Parsec 0.4.0 leaves behind, and all that it accepts.
const VERSION: i64 = 6;

const TABLES: &str = include_str!("../../../migrations/postgres/parsec_0006.sql");

/// Who keeps the version.
const MIGRATIONS: Shape = ("schema_migrations", &[("version", "bigint"), ("dirty", "boolean")]);

/// What Go's programs and ours read and write.
const USED: [Shape; 4] = [
    (
        "schedulers_ecs",
        &[
            ("id", "integer"),
            ("fleets", "text[]"),
            ("dependencies", "jsonb"),
            ("created_at", "timestamp with time zone"),
        ],
    ),
    (
        "nodes_ecs",
        &[
            ("id", "integer"),
            ("cpu", "integer"),
            ("memory", "integer"),
            ("peer_id", "text"),
            ("region", "text"),
            ("cmd", "text"),
            ("fleet", "text"),
            ("dependencies", "jsonb"),
            ("ip_address", "inet"),
            ("server_port", "smallint"),
            ("peer_port", "smallint"),
            ("last_heartbeat", "timestamp with time zone"),
            ("offline_since", "timestamp with time zone"),
            ("created_at", "timestamp with time zone"),
        ],
    ),
    (
        "provides_ecs",
        &[
            ("id", "integer"),
            ("scheduler_id", "integer"),
            ("node_id", "integer"),
            ("rt_size", "integer"),
            ("duration", "double precision"),
            ("cid", "text"),
            ("error", "text"),
            ("created_at", "timestamp with time zone"),
            ("step", "text"),
        ],
    ),
    (
        "retrievals_ecs",
        &[
            ("id", "integer"),
            ("scheduler_id", "integer"),
            ("node_id", "integer"),
            ("rt_size", "integer"),
            ("duration", "double precision"),
            ("cid", "text"),
            ("error", "text"),
            ("created_at", "timestamp with time zone"),
        ],
    ),
];

/// Tables of its first years: they may be there, and are asked for nothing.
const LEGACY: [&str; 4] = ["runs", "nodes", "provides", "retrievals"];

/// A table and its columns with their types.
type Shape = (&'static str, &'static [(&'static str, &'static str)]);

/// What keeps others from migrating meanwhile: the number that golang-migrate makes of a name (`GenerateAdvisoryLockId`), and its
/// salt. Go's programs take the same lock before they look.
const SALT: u32 = 1_486_364_155;

/// What is in a database.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// None of the tables.
    Nothing,
    /// All that are needed.
    Tables,
    /// Something that Go's programs would not take, or would break.
    Refused(String),
}

/// Sees that the tables are there, and makes them if that is wanted.
pub(super) async fn check_or_make(sql: &mut Client, store: &str, makes: bool) -> Result<(), Error> {
    const OPERATION: &str = "make the tables of Parsec";
    let named = |error| named_error(store, OPERATION, &error);
    let mut found = look(sql).await.map_err(named)?;
    if found == Found::Nothing && !makes {
        return Err(Error::NoRegister { store: store.to_owned() });
    }
    if found == Found::Nothing {
        found = make(sql).await.map_err(|error| match error.code() {
            Some(code) if code.code() == "42501" => {
                let detail = format!("there are none, and they cannot be made: {}", error_text(&error));
                Error::ParsecTables { store: store.to_owned(), detail }
            }
            _ => named(error),
        })?;
    }
    match found {
        Found::Nothing | Found::Tables => Ok(()),
        Found::Refused(detail) => Err(Error::ParsecTables { store: store.to_owned(), detail }),
    }
}

/// Makes them, whole or not at all, unless another process has done so meanwhile; returns what was found when nobody else could
/// change it.
async fn make(sql: &mut Client) -> Result<Found, tokio_postgres::Error> {
    let transaction = sql.transaction().await?;
    let name = "SELECT current_database()::text";
    let database: String = transaction.query_typed_one(name, &[]).await?.try_get(0)?;
    let number = lock_number(&database);
    transaction.query_typed("SELECT pg_advisory_xact_lock($1)", &[(&number, Type::INT8)]).await?;
    let found = look(transaction.client()).await?;
    if found == Found::Nothing {
        transaction.batch_execute(TABLES).await?;
        transaction.commit().await?;
    }
    Ok(found)
}

fn lock_number(database: &str) -> i64 {
    let name = format!("public\0{}\0{database}", MIGRATIONS.0);
    i64::from(crc32(name.as_bytes()).wrapping_mul(SALT))
}

/// CRC-32 of ISO 3309, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

/// Looks, and changes nothing.
async fn look(sql: &Client) -> Result<Found, tokio_postgres::Error> {
    let names: Vec<_> = USED.iter().map(|(name, _)| *name).chain(LEGACY).chain([MIGRATIONS.0]).collect();
    let there = "SELECT relname::text FROM pg_catalog.pg_class
        WHERE relnamespace = to_regnamespace('public') AND relname = ANY($1) AND relkind IN ('r', 'p', 'v', 'm', 'f')
        ORDER BY relname";
    let rows = sql.query_typed(there, &[(&names, Type::TEXT_ARRAY)]).await?;
    let there: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let others: Vec<_> = there.iter().map(String::as_str).filter(|name| *name != MIGRATIONS.0).collect();
    if !there.iter().any(|name| name == MIGRATIONS.0) {
        return Ok(match &*others {
            [] => Found::Nothing,
            others => Found::Refused(format!(
                "{} without schema_migrations, at which Go's programs would stop in the middle of a migration",
                is_there(others)
            )),
        });
    }
    if let Some(wrong) = differs(sql, MIGRATIONS).await? {
        return Ok(Found::Refused(format!("{wrong}: it is another program's")));
    }
    if let Some(found) = of_version(sql, &others).await? {
        return Ok(found);
    }
    for shape in USED {
        if !others.contains(&shape.0) {
            return Ok(Found::Refused(format!("{} is not there, though the version is {VERSION}", shape.0)));
        }
        if let Some(wrong) = differs(sql, shape).await? {
            return Ok(Found::Refused(wrong));
        }
    }
    Ok(Found::Tables)
}

fn is_there(names: &[&str]) -> String {
    format!("{} {} there", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

/// What the version alone says; `None` if it is the right one.
async fn of_version(sql: &Client, others: &[&str]) -> Result<Option<Found>, tokio_postgres::Error> {
    let select = "SELECT version, dirty FROM public.schema_migrations ORDER BY version DESC LIMIT 1";
    let rows = sql.query_typed(select, &[]).await?;
    let Some(row) = rows.first() else {
        return Ok(Some(match others {
            // A program of Go makes this table first of all.
            [] => Found::Nothing,
            others => {
                Found::Refused(format!("schema_migrations has no version, though {}", is_there(others)))
            }
        }));
    };
    let (version, is_dirty): (i64, bool) = (row.try_get(0)?, row.try_get(1)?);
    let wrong = match (version, is_dirty) {
        (version, true) => {
            format!("they are dirty at version {version}: a migration of Parsec stopped in the middle")
        }
        (VERSION, false) => return Ok(None),
        (version, false) if version < VERSION => {
            format!(
                "they are at version {version}, and {VERSION} is needed: start a program of Parsec 0.4.0 once"
            )
        }
        (version, false) => {
            format!("they are at version {version}, and Parsec's programs stop at any but {VERSION}")
        }
    };
    Ok(Some(Found::Refused(wrong)))
}

/// What keeps a table from being used; `None` if nothing does. It may be a view, and have more columns, as long as nobody has to fill them.
async fn differs(sql: &Client, (table, columns): Shape) -> Result<Option<String>, tokio_postgres::Error> {
    let select = "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull AND NOT atthasdef AND attidentity = ''
        FROM pg_catalog.pg_attribute
        WHERE attrelid = to_regclass('public.' || $1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
    let rows = sql.query_typed(select, &[(&table, Type::TEXT)]).await?;
    let mut there = Vec::with_capacity(rows.len());
    for row in &rows {
        let column: (String, String, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        there.push(column);
    }
    for (name, kind) in columns {
        match there.iter().find(|(found, ..)| found == name) {
            None => return Ok(Some(format!("{table} has no column {name}"))),
            Some((_, found, _)) if found != kind => {
                return Ok(Some(format!("{table}.{name} is of type {found}, not {kind}")));
            }
            Some(_) => {}
        }
    }
    let foreign =
        there.iter().find(|(name, _, must)| *must && columns.iter().all(|(known, _)| known != name));
    Ok(foreign
        .map(|(name, ..)| format!("{table}.{name} has to be filled, and no program of Parsec knows it")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the catalogue of CRCs, and the number that golang-migrate's rule comes to for a database `parsec` when another
    /// program (Python's `zlib.crc32`) computes it.
    #[test]
    fn the_lock_is_that_of_golang_migrate() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(lock_number("parsec"), 764_166_086);
    }
}
