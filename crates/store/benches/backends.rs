//! What each backend does in one run: whole visits with 20 edges each are written and read back on SQLite and on PostgreSQL, and
//! the rows that PostgreSQL then has are inserted into tables of the same form one by one.
//!
//! `cargo bench -p kadscope-store --features postgres --bench backends [-- VISITS]`; 1,000,000 visits unless said otherwise. The
//! server is Debian's, on this machine, without fsync; what it takes is not in the CPU time of this process.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark ends at the first error")]

use std::{error::Error, time::Duration};

use bytes::{BufMut as _, BytesMut};
use kadscope_store::{Store, StoreUrl};
use rustix::time::{ClockId, clock_gettime};
use schema::RunState;
use tokio::time::Instant;
use tokio_postgres::{
    Client, NoTls,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

#[path = "../tests/suite/rows.rs"]
mod rows;
#[path = "../tests/suite/server.rs"]
#[expect(dead_code, reason = "nothing is killed here")]
mod server;

/// Neighbors of each visit.
const NEIGHBORS: u32 = 20;

/// Rows that are made before they are sent: many more than wait for the writer.
const MADE_AT_ONCE: usize = 50_000;

/// Visits whose rows are inserted one by one, at most.
const ONE_BY_ONE: u32 = 5_000;

/// Rows that are inserted one by one in a transaction: what the store writes in one.
const TRANSACTION: usize = 1_000;

/// The tables that the rows of a crawl go to.
const TABLES: [&str; 7] = ["peer", "address", "agent", "protocol_set", "failure", "run_peer", "visit"];

fn main() {
    let visits = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("{visits} visits, {NEIGHBORS} edges, 5 addresses each");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bench.sqlite");
    let sqlite = runtime.block_on(both_ways("SQLite", &StoreUrl::Sqlite(path.clone()), visits));
    sizes("SQLite", std::fs::metadata(&path).unwrap().len(), neighbor_bytes(&path), visits);

    let server = server::Server::start();
    let database = server.database();
    let postgres = runtime.block_on(both_ways("PostgreSQL", &server.url(&database), visits));
    let bytes = |sql: &str| server.sql(&database, sql).parse().unwrap();
    let all = bytes(
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class
        WHERE relnamespace = 'kadscope'::regnamespace AND relkind = 'r'",
    );
    let edges = bytes("SELECT sum(pg_column_size(neighbors)) FROM kadscope.visit");
    sizes("PostgreSQL", all, edges, visits);
    println!(
        "PostgreSQL writes {:.2} and reads {:.2} times as fast as SQLite",
        postgres.0 / sqlite.0,
        postgres.1 / sqlite.1
    );

    let (few, other) = (visits.min(ONE_BY_ONE), server.database());
    runtime.block_on(write(&server.url(&other), few));
    let single = runtime.block_on(one_by_one(server.socket().1, &other, few));
    println!(
        "PostgreSQL, the same rows one by one: {single:.0} visits/s; in batches {:.1} times as many",
        postgres.0 / single
    );
}

/// Writes and reads; visits a second of each.
async fn both_ways(name: &str, url: &StoreUrl, visits: u32) -> (f64, f64) {
    let written = rate(name, "written", visits, write(url, visits).await);
    let (started, before) = (Instant::now(), cpu());
    let store = Store::open_existing(url).unwrap();
    let mut edges = 0;
    for visit in store.visits(rows::start(1).id).unwrap() {
        edges += visit.unwrap().neighbors.map_or(0, |neighbors| neighbors.len() as u64);
    }
    assert_eq!(edges, u64::from(NEIGHBORS) * u64::from(visits));
    (written, rate(name, "read", visits, (started.elapsed(), cpu().saturating_sub(before))))
}

/// How long writing takes, and the CPU time of it, less what making the rows does: some are made, then they are sent.
async fn write(url: &StoreUrl, visits: u32) -> (Duration, Duration) {
    let (started, before) = (Instant::now(), cpu());
    let store = Store::open(url).unwrap().unwrap();
    let writer = store.begin_run(&rows::start(1)).unwrap();
    let sender = writer.sender();
    let (mut wall, mut used) = (started.elapsed(), cpu().saturating_sub(before));
    let mut all = rows::crawl(visits, NEIGHBORS, true);
    loop {
        let made: Vec<_> = all.by_ref().take(MADE_AT_ONCE).collect();
        if made.is_empty() {
            break;
        }
        let (started, before) = (Instant::now(), cpu());
        for row in made {
            sender.send(row).await.unwrap();
        }
        wall += started.elapsed();
        used += cpu().saturating_sub(before);
    }
    let (started, before) = (Instant::now(), cpu());
    writer.finish(rows::end(RunState::Succeeded)).await.unwrap();
    (wall + started.elapsed(), used + cpu().saturating_sub(before))
}

fn rate(name: &str, what: &str, visits: u32, (wall, cpu): (Duration, Duration)) -> f64 {
    let (wall, cpu) = (wall.as_secs_f64(), cpu.as_secs_f64());
    let visits = f64::from(visits);
    println!(
        "{name}: {what} in {wall:.1} s: {:.0} visits/s, {:.0} edges/s, {:.1} us CPU of ours a visit",
        visits / wall,
        visits * f64::from(NEIGHBORS) / wall,
        cpu * 1e6 / visits
    );
    visits / wall
}

fn sizes(name: &str, bytes: u64, edges: u64, visits: u32) {
    let visits = f64::from(visits);
    println!(
        "{name}: {:.0} bytes a visit with its peer, addresses and indexes; {:.2} bytes an edge of these",
        bytes as f64 / visits,
        edges as f64 / visits / f64::from(NEIGHBORS)
    );
}

fn neighbor_bytes(path: &std::path::Path) -> u64 {
    let db = rusqlite::Connection::open(path).unwrap();
    db.query_row("SELECT sum(length(neighbors)) FROM visit", (), |row| row.get(0)).unwrap()
}

/// Any value, as the bytes that it is on its way.
#[derive(Debug)]
struct Raw(Vec<u8>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Raw {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Inserts the rows that a database has into tables of the same form with the same indexes, each by a prepared statement;
/// visits a second.
async fn one_by_one(port: u16, database: &str, visits: u32) -> f64 {
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(port).user("postgres").password(server::PASSWORD).dbname(database);
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET search_path = kadscope").await.unwrap();
    let mut wall = Duration::ZERO;
    for table in TABLES {
        wall += insert(&client, table).await;
    }
    f64::from(visits) / wall.as_secs_f64()
}

async fn insert(client: &Client, table: &str) -> Duration {
    let form = format!("CREATE TABLE {table}_one (LIKE {table} INCLUDING INDEXES)");
    client.batch_execute(&form).await.unwrap();
    let select = client.prepare(&format!("SELECT * FROM {table}")).await.unwrap();
    let rows = client.query(&select, &[]).await.unwrap();
    let places: Vec<_> = (1..=select.columns().len()).map(|n| format!("${n}")).collect();
    let statement = format!("INSERT INTO {table}_one VALUES ({})", places.join(", "));
    let statement = client.prepare(&statement).await.unwrap();
    let started = Instant::now();
    for batch in rows.chunks(TRANSACTION) {
        client.batch_execute("BEGIN").await.unwrap();
        for row in batch {
            let values: Vec<Option<Raw>> = (0..row.len()).map(|column| row.get(column)).collect();
            let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            client.execute(&statement, &values).await.unwrap();
        }
        client.batch_execute("COMMIT").await.unwrap();
    }
    started.elapsed()
}

fn cpu() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}
