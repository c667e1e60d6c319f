//! What each backend does in one run: whole visits with 20 edges each are written and read back on SQLite and on PostgreSQL, and
//! the rows of some of the visits are inserted into tables of the same form one by one.
//!
//! `cargo bench -p kadscope-store --features postgres --bench backends [-- VISITS]`; 1,000,000 visits unless said otherwise. The
//! server is Debian's, on this machine, without fsync except in the end; what it takes is not in the CPU time of this process.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark ends at the first error")]

use std::{error::Error, time::Duration};

use bytes::{BufMut as _, BytesMut};
use cpu::{cpu, server_cpu};
use kadscope_store::{Store, StoreUrl};
use schema::RunState;
use tokio::{runtime::Runtime, time::Instant};
use tokio_postgres::{
    Client, NoTls,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

#[path = "used/cpu.rs"]
mod cpu;
#[path = "../tests/suite/rows.rs"]
mod rows;
#[path = "../tests/suite/server.rs"]
#[expect(dead_code, reason = "one server is enough here")]
mod server;

/// Neighbors of each visit.
const NEIGHBORS: u32 = 20;

/// Rows that are made before they are sent: many more than wait for the writer.
const MADE_AT_ONCE: usize = 50_000;

/// Visits whose rows are inserted one by one, at most.
const ONE_BY_ONE: u32 = 5_000;

/// Visits that are written to a server that has what is committed on the disk, and those whose rows it is given one by one, at
/// most: each of these takes seven commits.
const DURABLE: u32 = 50_000;
const ONE_BY_ONE_DURABLE: u32 = 500;

/// Rows that whoever inserts them one by one commits together: each by itself, as clients do that say nothing of it, and as many
/// as the store does.
const TRANSACTIONS: [usize; 2] = [1, 1_000];

/// The tables of what is kept once, which has to be found or added and numbered, with the column by which it is known.
const ONCE: [(&str, &str); 5] = [
    ("peer", "peer_id"),
    ("address", "hash"),
    ("agent", "hash"),
    ("protocol_set", "hash"),
    ("failure", "hash"),
];

/// The other tables that the rows of a crawl go to.
const MANY: [&str; 2] = ["run_peer", "visit"];

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
    let before = server_cpu(&server);
    let postgres = runtime.block_on(both_ways("PostgreSQL", &server.url(&database), visits));
    let used = server_cpu(&server).saturating_sub(before).as_secs_f64();
    println!(
        "PostgreSQL: {:.1} us CPU of the server's a visit, written and read",
        used * 1e6 / f64::from(visits)
    );
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
    for transaction in TRANSACTIONS {
        one_by_one(&runtime, &server, visits.min(ONE_BY_ONE), (transaction, postgres.0));
    }

    // As it is installed: what is committed is on the disk.
    server.kill();
    server.run(&["fsync=on"]);
    let some = visits.min(DURABLE);
    let written = runtime.block_on(write(&server.url(&server.database()), some));
    let durable = rate("PostgreSQL with fsync", "written", some, written);
    one_by_one(&runtime, &server, visits.min(ONE_BY_ONE_DURABLE), (1, durable));
}

/// Inserts the rows of a few visits one by one, so many a transaction, beside the store's visits a second.
fn one_by_one(
    runtime: &Runtime,
    server: &server::Server,
    visits: u32,
    (transaction, by_the_store): (usize, f64),
) {
    let database = server.database();
    runtime.block_on(write(&server.url(&database), visits));
    let before = server_cpu(server) + cpu();
    let (wall, rows) = runtime.block_on(insert_all(server.socket().1, &database, transaction));
    let used = (server_cpu(server) + cpu()).saturating_sub(before).as_secs_f64();
    let (count, seconds) = (f64::from(visits), wall.as_secs_f64());
    println!(
        "PostgreSQL, {rows} rows of {visits} visits one by one, {transaction} a transaction: {:.0} rows/s, {:.0} visits/s, \
         {:.0} us CPU of both a visit; by the store {:.1} times as many visits/s",
        rows as f64 / seconds,
        count / seconds,
        used * 1e6 / count,
        by_the_store * seconds / count,
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

/// Inserts the rows that a database has into tables of the same form with the same indexes, each by a prepared statement; how
/// long that takes, and how many there are. What is kept once is found or added, and its number read; whoever does it remembers
/// all of them, so that each is asked for once, and has everything else as it is sent.
async fn insert_all(port: u16, database: &str, transaction: usize) -> (Duration, usize) {
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(port).user("postgres").password(server::PASSWORD).dbname(database);
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET search_path = kadscope").await.unwrap();
    let (mut wall, mut rows) = (Duration::ZERO, 0);
    let once =
        ONCE.iter().map(|&(table, key)| (table, format!("ON CONFLICT ({key}) DO NOTHING RETURNING id")));
    for (table, conflict) in once.chain(MANY.map(|table| (table, String::new()))) {
        let (took, inserted) = insert(&client, table, &conflict, transaction).await;
        wall += took;
        rows += inserted;
    }
    (wall, rows)
}

async fn insert(client: &Client, table: &str, conflict: &str, transaction: usize) -> (Duration, usize) {
    let form = format!("CREATE TABLE {table}_one (LIKE {table} INCLUDING INDEXES INCLUDING IDENTITY)");
    client.batch_execute(&form).await.unwrap();
    let select = client.prepare(&format!("SELECT * FROM {table}")).await.unwrap();
    // Behind the number, where the table gives it.
    let first = usize::from(!conflict.is_empty());
    let names: Vec<_> = select.columns()[first..].iter().map(|column| column.name().to_owned()).collect();
    let places: Vec<_> = (1..=names.len()).map(|n| format!("${n}")).collect();
    let rows = client.query(&select, &[]).await.unwrap();
    let statement =
        format!("INSERT INTO {table}_one ({}) VALUES ({}) {conflict}", names.join(", "), places.join(", "));
    let statement = client.prepare(&statement).await.unwrap();
    let started = Instant::now();
    for batch in rows.chunks(transaction) {
        if transaction > 1 {
            client.batch_execute("BEGIN").await.unwrap();
        }
        for row in batch {
            let values: Vec<Option<Raw>> = (first..row.len()).map(|column| row.get(column)).collect();
            let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            if conflict.is_empty() {
                client.execute(&statement, &values).await.unwrap();
            } else {
                let _: i32 = client.query_one(&statement, &values).await.unwrap().get(0);
            }
        }
        if transaction > 1 {
            client.batch_execute("COMMIT").await.unwrap();
        }
    }
    (started.elapsed(), rows.len())
}
