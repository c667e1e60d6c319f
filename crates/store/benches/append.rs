//! What keeping a crawl costs: CPU time and bytes a visit, for 10,000 visits of 197 neighbors and 5 addresses each.
//!
//! `cargo bench -p kadscope-store --bench append [-- PEERS]`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark ends at the first error")]

use std::{fs, path::Path, time::Duration};

use kadscope_store::{Limits, RunFilter, Store, StoreUrl, Totals};
use rustix::time::{ClockId, clock_gettime};
use schema::RunState;

#[path = "../tests/suite/rows.rs"]
mod rows;

const NEIGHBORS: u32 = 197;

fn main() {
    let peers = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(10_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bench.sqlite");
    println!("{peers} peers, {NEIGHBORS} neighbors, 5 addresses a visit");
    for (crawl, keep_neighbors) in [(1, true), (2, true), (3, false)] {
        let size = database_bytes(&path);
        let figures = runtime.block_on(append(&path, crawl, peers, keep_neighbors));
        let bytes = database_bytes(&path) - size;
        let visits = figures.totals.visits as f64;
        println!(
            "crawl {crawl} into one file, neighbors {}: {:.1} us CPU a visit ({:.1} us more to make and send it), \
             {:.2} s, {:.0} bytes a visit",
            if keep_neighbors { "kept" } else { "not kept" },
            figures.writer_cpu.as_secs_f64() * 1e6 / visits,
            figures.making_cpu.as_secs_f64() * 1e6 / visits,
            figures.wall.as_secs_f64(),
            bytes as f64 / visits,
        );
    }
    println!("peak memory: {}", peak_memory());
    read(&path);
    let edges = f64::from(NEIGHBORS) * f64::from(peers) * 2.0;
    println!("neighbors: {:.3} bytes an edge", neighbor_bytes(&path) as f64 / edges);
}

struct Figures {
    totals: Totals,
    /// CPU time of the whole process less the time for making the rows.
    writer_cpu: Duration,
    /// CPU time for making the rows, sent to nobody.
    making_cpu: Duration,
    wall: Duration,
}

async fn append(path: &Path, crawl: u8, peers: u32, keep_neighbors: bool) -> Figures {
    let before = cpu();
    for row in rows::crawl(peers, NEIGHBORS, keep_neighbors) {
        std::hint::black_box(row);
    }
    let making_cpu = since(before);

    let url = StoreUrl::Sqlite(path.to_owned());
    let started = tokio::time::Instant::now();
    let before = cpu();
    let store = Store::open_with(&url, Limits::default()).unwrap().unwrap();
    let writer = store.begin_run(&rows::start(crawl)).unwrap();
    let sender = writer.sender();
    for row in rows::crawl(peers, NEIGHBORS, keep_neighbors) {
        sender.send(row).await.unwrap();
    }
    let totals = writer.finish(rows::end(RunState::Succeeded)).await.unwrap();
    drop(store);
    Figures {
        totals,
        making_cpu,
        writer_cpu: since(before).saturating_sub(making_cpu),
        wall: started.elapsed(),
    }
}

fn read(path: &Path) {
    let store = Store::open_existing(&StoreUrl::Sqlite(path.to_owned())).unwrap();
    let id = store.runs(&RunFilter::default()).unwrap()[0].start.id;
    let before = cpu();
    let visits = store.visits(id).unwrap().map(Result::unwrap).count();
    println!("read: {:.1} us CPU a visit", since(before).as_secs_f64() * 1e6 / visits as f64);
    let before = cpu();
    let edges: usize = store.neighbors(id).unwrap().map(|neighbors| neighbors.unwrap().1.len()).sum();
    println!("read neighbors only: {:.1} ns CPU an edge", since(before).as_secs_f64() * 1e9 / edges as f64);
    let before = cpu();
    store.check().unwrap();
    let megabytes = database_bytes(path) as f64 / 1e6;
    println!("check: {:.2} ms CPU a megabyte", since(before).as_secs_f64() * 1e3 / megabytes);
}

/// The most memory that this process had at once, as Linux says it.
fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}

fn neighbor_bytes(path: &Path) -> u64 {
    let db = rusqlite::Connection::open(path).unwrap();
    db.query_row("SELECT sum(length(neighbors)) FROM visit", (), |row| row.get(0)).unwrap()
}

fn database_bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

/// CPU time of this process since it had used `before`.
fn since(before: Duration) -> Duration {
    cpu().saturating_sub(before)
}

fn cpu() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}
