//! What a belly does in a second, and what a record and an answer cost: in memory, in an SQLite file and in a PostgreSQL database.
//!
//! `cargo bench -p kadscope-store --features postgres --bench belly [-- RECORDS]`; 1,000,000 records unless said otherwise, and a fifth of
//! them where something else than memory keeps them. The server is on this machine, without fsync; what it takes is said apart.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark ends at the first error")]

use std::{fs, hint::black_box, time::Duration};

use cpu::{cpu, server_cpu};
use kad::{answer::entry, message::ConnectionType};
use kadscope_store::{Belly, BellyConfig, BellyUrl, Kept, NewProvider, Reading, StoreUrl};
use tokio::time::{Instant, sleep};

#[path = "used/cpu.rs"]
mod cpu;
#[path = "../tests/suite/server.rs"]
#[expect(dead_code, reason = "one server is enough here")]
mod server;

const START: Duration = Duration::from_secs(1_767_225_600);

/// Questions that wait at a time.
const AT_ONCE: u32 = 4096;

/// Of a key, a multihash; and of a provider, its id and its entry with two addresses.
struct Made {
    id: [u8; 38],
    entry: Vec<u8>,
}

fn key(number: u32) -> [u8; 34] {
    let mut key = [0x12; 34];
    // Spread as hashes are.
    for (place, byte) in key.iter_mut().skip(2).enumerate() {
        let turned = u64::from(number).wrapping_add(place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        *byte = turned.to_be_bytes()[1];
    }
    key[2..6].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_be_bytes());
    key
}

fn made(number: u32) -> Made {
    let mut id = [7; 38];
    id[34..].copy_from_slice(&number.to_be_bytes());
    let addrs = [vec![4, 1, 2, 3, 4, 6, 15, 161], vec![4, 1, 2, 3, 4, 145, 2, 15, 161, 204, 3]];
    let entry = entry(&id, addrs.iter().map(Vec::as_slice), ConnectionType::NotConnected);
    Made { id, entry }
}

fn main() {
    let records = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let providers: Vec<_> = (0..1024).map(made).collect();
    println!(
        "{records} records, each of a key of its own, with two addresses: {} bytes an entry",
        providers[0].entry.len()
    );
    runtime.block_on(async {
        in_memory(records, &providers).await;
        let fewer = records / 5;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("belly.sqlite");
        durable("SQLite", &BellyUrl::Sqlite(path.clone()), fewer, &providers, None).await;
        let size = fs::metadata(&path).unwrap().len();
        println!("SQLite: {:.0} bytes of the file a record", size as f64 / f64::from(fewer));
        let server = server::Server::start();
        let database = server.database();
        let StoreUrl::Postgres(url) = server.url(&database) else { panic!("another store") };
        durable("PostgreSQL", &BellyUrl::Postgres(url), fewer, &providers, Some(&server)).await;
        let sql = "SELECT pg_total_relation_size('kadscope_belly.provider')";
        let size: f64 = server.sql(&database, sql).parse().unwrap();
        println!("PostgreSQL: {:.0} bytes of the database a record", size / f64::from(fewer));
    });
}

/// Does something so many times; says how often a second, and what CPU time each took.
struct Clock {
    began: Instant,
    cpu: Duration,
}

impl Clock {
    fn start() -> Self {
        Self { began: Instant::now(), cpu: cpu() }
    }

    fn say(&self, what: &str, times: u32) {
        let (took, used) = (self.began.elapsed().as_secs_f64(), cpu().saturating_sub(self.cpu).as_secs_f64());
        let times = f64::from(times);
        println!("{what}: {:.0} a second, {:.2} us of CPU each", times / took, used * 1e6 / times);
    }
}

fn add(belly: &Belly, number: u32, provider: &Made, now: Duration) -> bool {
    belly.add_provider(&key(number), NewProvider::new(&provider.id, &provider.entry).unwrap(), now)
        == Kept::Yes
}

async fn in_memory(records: u32, providers: &[Made]) {
    let belly = Belly::in_memory(&BellyConfig { provider_bytes: 4 << 30, ..BellyConfig::default() });
    let (before, clock) = (rss_bytes(), Clock::start());
    let of = |number: u32| &providers[number as usize % providers.len()];
    for number in 0..records {
        assert!(add(&belly, number, of(number), START));
    }
    clock.say("memory, ADD of a new key", records);
    let (grown, counted) = (rss_bytes() - before, belly.backlog().memory_bytes);
    let each = |bytes: usize| bytes as f64 / f64::from(records);
    println!("memory: {:.0} bytes a record, counted as {:.0}", each(grown), each(counted));
    let clock = Clock::start();
    for number in 0..records {
        assert!(add(&belly, number, of(number), START + Duration::from_secs(60)));
    }
    clock.say("memory, ADD again", records);
    for (what, first, found) in [("hit", 0, 1), ("miss", records, 0)] {
        let clock = Clock::start();
        let mut message = Vec::new();
        for number in first..first + records {
            let Reading::Known(held) = belly.providers(&key(number), 0, START) else { panic!("not known") };
            message.clear();
            held.known(START).for_each(|known| message.extend_from_slice(known.entry));
            assert_eq!(black_box(message.len()) > 0, found > 0);
        }
        clock.say(&format!("memory, GET, a {what}"), records);
    }
    let clock = Clock::start();
    for round in 0..records / 1024 {
        for provider in providers {
            assert!(add(&belly, u32::MAX, provider, START + Duration::from_millis(round.into())));
        }
    }
    clock.say("memory, ADD to a key with 1,024 providers", records / 1024 * 1024);
    belly.close().await.unwrap();
}

async fn durable(
    name: &str,
    url: &BellyUrl,
    records: u32,
    providers: &[Made],
    server: Option<&server::Server>,
) {
    let config = BellyConfig { statements_per_s: 1000, ..BellyConfig::default() };
    let belly = Belly::open(url, config).await.unwrap();
    let of_server = || server.map_or(Duration::ZERO, server_cpu);
    let say_server = |before: Duration, what: &str| {
        if server.is_some() {
            let used = of_server().saturating_sub(before).as_secs_f64() * 1e6 / f64::from(records);
            println!("{name}, {what}: {used:.2} us of CPU of the server's each");
        }
    };
    let (before, clock) = (of_server(), Clock::start());
    for number in 0..records {
        // Whoever sends more than is written is slowed down here; a hydra drops it.
        while !add(&belly, number, &providers[number as usize % providers.len()], START) {
            sleep(Duration::from_millis(5)).await;
        }
    }
    assert!(belly.flush().await);
    clock.say(&format!("{name}, ADD, written"), records);
    say_server(before, "ADD");
    println!("{name}: {} statements for {records} records", belly.backlog().statements);
    belly.close().await.unwrap();

    let belly = Belly::open(url, config).await.unwrap();
    let (before, clock) = (of_server(), Clock::start());
    let mut slowest = Duration::ZERO;
    for first in (0..records).step_by(AT_ONCE as usize) {
        let asked = Instant::now();
        let end = (first + AT_ONCE).min(records);
        let waiting: Vec<_> =
            (first..end).map(|number| belly.providers(&key(number), u64::from(number % 64), START)).collect();
        for reading in waiting {
            let held = reading.wait().await.unwrap();
            assert_eq!(held.live(START), 1);
        }
        slowest = slowest.max(asked.elapsed());
    }
    clock.say(&format!("{name}, GET of a key that memory does not have, {AT_ONCE} at once"), records);
    say_server(before, "GET");
    println!("{name}: {} statements for {records} keys, {slowest:?} at most", belly.backlog().statements);
    let clock = Clock::start();
    for number in 0..records {
        let Reading::Known(held) = belly.providers(&key(number), 0, START) else { panic!("not known") };
        assert_eq!(black_box(held.live(START)), 1);
    }
    clock.say(&format!("{name}, GET of a key that was read"), records);
    belly.close().await.unwrap();
}

/// What this process has in memory.
fn rss_bytes() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
