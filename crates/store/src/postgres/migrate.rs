//! The layout of the database and its versions, in a schema of its own: `kadscope`.
//!
//! Whoever changes it holds a lock for as long, so that of several programs which begin at once one does it. Closed names that
//! this version has and the database does not are added; those of newer versions stay.

use kad::{
    failure::{FailureClass, Phase, SkipReason},
    network::AddressOutcome,
};
use schema::{RunState, TABLES, Tool, table::Holds};
use tokio_postgres::{Client, types::Type};

use super::{
    layout::{self, OUTCOME, PgColumn, REASON},
    views,
};

/// The first half of every lock's number that is ours: `kads`. The second half is a run's, and 0 stands for the layout.
pub(crate) const LOCKS: i32 = 0x6b61_6473;

/// The newest version of the layout.
pub(crate) const VERSION: i32 = 1;

/// What is found in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// No schema of this name.
    Nothing,
    /// A schema of this name that is none of ours.
    Foreign,
    /// A layout of ours.
    Version(i32),
}

/// Looks at a database.
pub(crate) async fn look(sql: &Client) -> Result<Found, tokio_postgres::Error> {
    let there = "SELECT to_regnamespace('kadscope') IS NOT NULL, to_regclass('kadscope.layout') IS NOT NULL";
    let row = sql.query_typed_one(there, &[]).await?;
    match (row.try_get(0)?, row.try_get(1)?) {
        (false, _) => Ok(Found::Nothing),
        (true, false) => {
            let objects = "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('kadscope')";
            let count: i64 = sql.query_typed_one(objects, &[]).await?.try_get(0)?;
            Ok(if count == 0 { Found::Nothing } else { Found::Foreign })
        }
        (true, true) => {
            let version = "SELECT coalesce(max(version), 0) FROM kadscope.layout";
            Ok(Found::Version(sql.query_typed_one(version, &[]).await?.try_get(0)?))
        }
    }
}

/// Brings a database to the newest version, unless a newer one or somebody else's schema is there; returns what was found
/// when nobody else could change it.
pub(crate) async fn migrate(sql: &mut Client) -> Result<Found, tokio_postgres::Error> {
    let transaction = sql.transaction().await?;
    let lock = "SELECT pg_advisory_xact_lock($1, 0)";
    transaction.query_typed(lock, &[(&LOCKS, Type::INT4)]).await?;
    let found = look(transaction.client()).await?;
    if matches!(found, Found::Nothing | Found::Version(0)) {
        transaction.batch_execute("CREATE SCHEMA IF NOT EXISTS kadscope").await?;
        for statement in first() {
            transaction.batch_execute(&statement).await?;
        }
    }
    if matches!(found, Found::Nothing | Found::Version(0..=VERSION)) {
        add_names(transaction.client()).await?;
        transaction.commit().await?;
    }
    Ok(found)
}

/// The statements of the first version.
fn first() -> Vec<String> {
    let mut all = vec![
        "CREATE TABLE layout (version integer NOT NULL, made_at timestamptz NOT NULL DEFAULT now())"
            .to_owned(),
        format!("INSERT INTO layout (version) VALUES ({VERSION})"),
    ];
    for (name, values) in enums() {
        let values: Vec<_> = values.iter().map(|value| format!("'{value}'")).collect();
        all.push(format!("CREATE TYPE {name} AS ENUM ({})", values.join(", ")));
    }
    all.push(include_str!("../../migrations/postgres/0001_runs.sql").to_owned());
    for table in TABLES {
        all.extend(tables(table));
        all.extend(views::statements(table));
    }
    all.push(include_str!("../../migrations/postgres/0002_peers.sql").to_owned());
    all
}

/// The table of a kind of rows with its indexes: by run, and by peer and time. Those with encounters are divided by month.
fn tables(table: &schema::Table) -> Vec<String> {
    let data = table.name;
    let columns: Vec<_> = layout::columns(table).iter().map(definition).collect();
    let divided = if table.has_encounter { " PARTITION BY RANGE (started_at)" } else { "" };
    let mut all = vec![
        format!("CREATE TABLE {data} ({}){divided}", columns.join(", ")),
        format!("CREATE INDEX {data}_by_run ON {data} (run, id)"),
    ];
    if table.has_subject() {
        let time = if table.has_encounter { ", started_at" } else { "" };
        all.push(format!("CREATE INDEX {data}_by_peer ON {data} (peer{time})"));
    }
    if table.has_encounter {
        all.push(format!("CREATE INDEX {data}_by_time ON {data} USING brin (started_at)"));
        let (first, last) = super::months::ENDS;
        all.push(format!(
            "CREATE TABLE {data}_before PARTITION OF {data} FOR VALUES FROM (MINVALUE) TO ('{first}')"
        ));
        all.push(format!(
            "CREATE TABLE {data}_after PARTITION OF {data} FOR VALUES FROM ('{last}') TO (MAXVALUE)"
        ));
    }
    all
}

fn definition(column: &PgColumn) -> String {
    format!("{} {}{}", column.name, column.sql, if column.nullable { "" } else { " NOT NULL" })
}

/// Every enum with its labels.
pub(crate) fn enums() -> Vec<(String, Vec<&'static str>)> {
    let mut all: Vec<(String, Vec<_>)> = vec![
        ("tool".to_owned(), Tool::ALL.iter().map(|tool| tool.name()).collect()),
        ("run_state".to_owned(), RunState::ALL.iter().map(|state| state.name()).collect()),
        ("failure_class".to_owned(), FailureClass::ALL.iter().map(|class| class.name()).collect()),
        ("phase".to_owned(), Phase::ALL.iter().map(|phase| phase.name()).collect()),
        (REASON.to_owned(), SkipReason::ALL.iter().map(|reason| reason.name()).collect()),
        (OUTCOME.to_owned(), AddressOutcome::NAMES.to_vec()),
    ];
    for table in TABLES {
        for column in table.all_columns() {
            let Holds::Name(names) = column.holds else { continue };
            let name = layout::enum_name(table, column);
            if all.iter().all(|(known, _)| *known != name) {
                all.push((name, names()));
            }
        }
    }
    all
}

/// Adds the closed names that the database does not have yet.
async fn add_names(sql: &Client) -> Result<(), tokio_postgres::Error> {
    let labels = "SELECT typname::text, enumlabel::text FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid
        WHERE typnamespace = to_regnamespace('kadscope')";
    let there: Vec<(String, String)> = sql
        .query_typed(labels, &[])
        .await?
        .iter()
        .map(|row| Ok::<_, tokio_postgres::Error>((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_, _>>()?;
    for (name, values) in enums() {
        for value in values {
            if !there.iter().any(|(enumeration, label)| *enumeration == name && label == value) {
                sql.batch_execute(&format!("ALTER TYPE {name} ADD VALUE IF NOT EXISTS '{value}'")).await?;
            }
        }
    }
    Ok(())
}

/// Has the driver learn every enum. It would else ask for one while the rows wait in which it met it, and wait for ever for the
/// answer that comes behind them.
pub(crate) async fn learn_types(sql: &Client) -> Result<(), tokio_postgres::Error> {
    let scalars = enums().into_iter().map(|(name, _)| format!("NULL::{name}"));
    let arrays = [OUTCOME, REASON].map(|name| format!("NULL::{name}[]"));
    let all: Vec<_> = scalars.chain(arrays).collect();
    sql.prepare(&format!("SELECT {}", all.join(", "))).await.map(drop)
}

/// The numbers of the types of which arrays are made.
pub(crate) async fn element_types(sql: &Client) -> Result<[u32; 2], tokio_postgres::Error> {
    let find = "SELECT 'address_outcome'::regtype::oid, 'skip_reason'::regtype::oid";
    let row = sql.query_typed_one(find, &[]).await?;
    Ok([row.try_get(0)?, row.try_get(1)?])
}
