//! Takes runs out of a database, and looks whether what is in it fits together.

use schema::{RunId, RunState, TABLES};
use tokio_postgres::types::Type;

use super::{
    client::{BY_INDEX, WHOLE_TABLES},
    error::named,
    layout::{self, Kind, Refers},
    migrate::LOCKS,
    reader::Reader,
};
use crate::Error;

/// What is tried.
const DELETE: &str = "delete a run";

impl Reader {
    /// Deletes a run with all of its rows, and what only it refers to.
    ///
    /// Fails with [`Error::Running`] while it is under way. What is kept once stays while any run is under way: its writer may
    /// be about to refer to it. The next deletion finds it.
    pub(super) async fn delete(&mut self, id: RunId) -> Result<(), Error> {
        let stored = self.run(id).await?;
        let run = stored.id;
        let (client, store) = self.client().await?;
        if stored.info().state == RunState::Running {
            return Err(Error::Running { store: store.to_owned(), operation: DELETE, id });
        }
        let fail = |error: tokio_postgres::Error| named(store, DELETE, &error);
        let transaction = client.sql.transaction().await.map_err(fail)?;
        for table in TABLES.iter().map(|table| table.name).chain(["run_peer"]) {
            let delete = format!("DELETE FROM {table} WHERE run = $1");
            transaction.query_typed(&delete, &[(&run, Type::INT4)]).await.map_err(fail)?;
        }
        let delete = "DELETE FROM run WHERE id = $1";
        transaction.query_typed(delete, &[(&run, Type::INT4)]).await.map_err(fail)?;
        transaction.commit().await.map_err(fail)?;
        self.forget_unused().await
    }

    /// Deletes what is kept once and nothing refers to, unless a run is under way.
    pub(super) async fn forget_unused(&mut self) -> Result<(), Error> {
        let (client, store) = self.client().await?;
        let fail = |error: tokio_postgres::Error| named(store, DELETE, &error);
        let transaction = client.sql.transaction().await.map_err(fail)?;
        transaction
            .batch_execute("SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on")
            .await
            .map_err(fail)?;
        // Whoever begins a run waits until this is over.
        transaction.batch_execute("LOCK TABLE run IN SHARE ROW EXCLUSIVE MODE").await.map_err(fail)?;
        let writers = "SELECT EXISTS (SELECT FROM run JOIN pg_locks ON objid = run.id::bigint::oid
            WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND objsubid = 2
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
        let row =
            transaction.query_typed_one(writers, &[(&i64::from(LOCKS), Type::INT8)]).await.map_err(fail)?;
        if row.try_get(0).map_err(fail)? {
            return Ok(());
        }
        for statement in unused() {
            transaction.batch_execute(&statement).await.map_err(fail)?;
        }
        transaction.commit().await.map_err(fail)
    }

    /// Compares what is computed with what it is computed from, and looks for numbers that stand for nothing.
    pub(super) async fn check(&mut self) -> Result<(), Error> {
        const OPERATION: &str = "check it";
        let (client, store) = self.client().await?;
        let fail = |error: tokio_postgres::Error| named(store, OPERATION, &error);
        client.sql.batch_execute(WHOLE_TABLES).await.map_err(fail)?;
        for (wrong, statement) in checks() {
            let found = client.sql.query_typed(&statement, &[]).await.map_err(fail)?;
            if let Some(row) = found.first() {
                let example: String = row.try_get(0).map_err(fail)?;
                let detail = format!("{wrong}: {example}");
                return Err(Error::Damaged { store: store.to_owned(), operation: OPERATION, detail });
            }
        }
        client.sql.batch_execute(BY_INDEX).await.map_err(fail)
    }
}

/// The table that a kind of numbers refers to.
const fn referred(refers: Refers) -> &'static str {
    match refers {
        Refers::Address => "address",
        Refers::Agent => "agent",
        Refers::Protocols => "protocol_set",
        Refers::Failure | Refers::Prefixes => "failure",
    }
}

/// For each table of what is kept once, the numbers that rows have of it.
fn used() -> Vec<(&'static str, Vec<(String, String)>)> {
    let mut all: Vec<(&str, Vec<_>)> =
        ["address", "agent", "protocol_set", "failure"].map(|table| (table, Vec::new())).to_vec();
    for table in TABLES {
        let data = table.name;
        for column in layout::columns(table) {
            let Some(refers) = column.refers else { continue };
            let name = &column.name;
            let numbers = match (refers, column.kind) {
                (Refers::Prefixes, _) => {
                    format!(
                        "SELECT -3 - code AS id FROM {data}, unnest({data}.{name}) AS code WHERE code <= -3"
                    )
                }
                (_, Kind::Int) => {
                    format!("SELECT {data}.{name} AS id FROM {data} WHERE {data}.{name} IS NOT NULL")
                }
                _ => format!(
                    "SELECT element AS id FROM {data}, unnest({data}.{name}) AS element WHERE element IS NOT NULL"
                ),
            };
            let uses = all.iter_mut().find(|(kept, _)| *kept == referred(refers));
            if let Some((_, uses)) = uses {
                uses.push((format!("{data}.{name}"), numbers));
            }
        }
    }
    all
}

/// The statements that delete what nothing refers to.
fn unused() -> Vec<String> {
    let peers =
        "DELETE FROM peer WHERE NOT EXISTS (SELECT FROM run_peer WHERE run_peer.peer = peer.id)".to_owned();
    let others = used().into_iter().map(|(table, uses)| {
        let all: Vec<_> = uses.into_iter().map(|(_, numbers)| numbers).collect();
        let all = all.join(" UNION ");
        format!(
            "DELETE FROM {table} WHERE NOT EXISTS (SELECT FROM ({all}) AS used WHERE used.id = {table}.id)"
        )
    });
    std::iter::once(peers).chain(others).collect()
}

/// What must not be there, and statements that find an example of it.
fn checks() -> Vec<(String, String)> {
    let counted: Vec<_> = TABLES.iter().map(|table| format!("SELECT run FROM {}", table.name)).collect();
    let mut all = vec![
        ("a run has other counts than its rows".to_owned(), format!(
            "SELECT run_id FROM run
             LEFT JOIN (SELECT run, count(*) AS n FROM run_peer GROUP BY run) AS peers ON peers.run = run.id
             LEFT JOIN (SELECT run, count(*) AS n FROM ({}) AS every GROUP BY run) AS rows ON rows.run = run.id
             LEFT JOIN (SELECT run, count(*) AS n, sum(cardinality(neighbors)) AS edges FROM visit GROUP BY run)
                 AS visits ON visits.run = run.id
             WHERE peer_count <> coalesce(peers.n, 0) OR row_count <> coalesce(rows.n, 0)
                OR visit_count <> coalesce(visits.n, 0) OR edge_count <> coalesce(visits.edges, 0) LIMIT 1",
            counted.join(" UNION ALL ")
        )),
        ("a number of a run stands for no peer".to_owned(),
         "SELECT run_peer.run || ', ' || number FROM run_peer LEFT JOIN peer ON peer.id = peer WHERE peer.id IS NULL LIMIT 1"
            .to_owned()),
    ];
    for table in TABLES {
        let data = table.name;
        all.push((format!("rows of {data} belong to no run"), format!(
            "SELECT run::text FROM {data} AS t WHERE NOT EXISTS (SELECT FROM run WHERE run.id = t.run) LIMIT 1"
        )));
        all.push((
            format!("a row of {data} is there twice"),
            format!("SELECT id::text FROM {data} GROUP BY id HAVING count(*) > 1 LIMIT 1"),
        ));
    }
    for (table, uses) in used() {
        for (place, numbers) in uses {
            all.push((
                format!("a number in {place} stands for no {table}"),
                format!(
                    "SELECT used.id::text FROM ({numbers}) AS used LEFT JOIN {table} ON {table}.id = used.id
                 WHERE {table}.id IS NULL LIMIT 1"
                ),
            ));
        }
    }
    all
}
