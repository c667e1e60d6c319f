//! The suite of every belly, on PostgreSQL, and what only a database has.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first error")]

#[path = "suite/belly_killed.rs"]
mod killed;
#[path = "suite/proxy.rs"]
mod proxy;
#[path = "suite/server.rs"]
#[expect(dead_code, reason = "it is stopped and filled up elsewhere")]
mod server;
#[path = "suite/belly.rs"]
mod suite;

use std::{collections::BTreeSet, fs, sync::Arc, time::Duration};

use kadscope_store::{
    Belly, BellyConfig, BellyError, BellyUrl, Kept, PgVariables, ReadFailure, Reading, StoreUrl,
};
use proxy::Proxy;
use server::Server;
use suite::{HOUR, Place, START, add, config, ids};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

fn belly_of(url: StoreUrl) -> BellyUrl {
    match url {
        StoreUrl::Postgres(url) => BellyUrl::Postgres(url),
        other => panic!("{other}"),
    }
}

fn place() -> (Arc<Server>, String, Place) {
    let server = Server::shared();
    let database = server.database();
    let url = belly_of(server.url(&database));
    (server, database, Place { url, is_kept: true })
}

macro_rules! on_postgres {
    ($($name:ident)+) => {$(
        #[tokio::test]
        async fn $name() {
            let (_server, _, place) = place();
            suite::$name(&place).await;
        }
    )+};
}

on_postgres! {
    two_providers_of_a_key_in_one_second_are_both_kept
    the_newest_come_first_and_the_oldest_make_room
    addresses_live_a_day_and_records_two
    what_is_added_is_in_the_very_next_answer
    what_others_say_never_outlives_what_a_provider_says
    the_better_value_stays
    pages_advance_and_end_while_records_come
    records_are_counted
    what_has_expired_is_collected_while_others_read
    closing_loses_nothing
    what_nobody_is_given_is_deleted
}

#[test]
fn a_kill_loses_a_second_at_most() {
    let (_server, _, place) = place();
    let password = server::PASSWORD.replace(' ', "%20").replace('/', "%2F").replace('@', "%40");
    let url = place.url.to_string().replace("postgres@", &format!("postgres:{password}@"));
    killed::a_kill_loses_a_second_at_most(&place, "a_belly_that_is_killed", &url);
}

/// The process that is killed.
#[test]
fn a_belly_that_is_killed() {
    killed::write_until_killed(|url| url.parse().unwrap());
}

/// What one process was told is in the answers of another one within a second, whatever that one knew before.
#[tokio::test]
async fn what_one_belly_is_told_another_one_answers_within_a_second() {
    let (_server, _, place) = place();
    let as_it_is = BellyConfig::default();
    let (here, there) = (place.open_with(as_it_is).await, place.open_with(as_it_is).await);
    let began = Instant::now();
    for round in 0..5u32 {
        let key = round.to_be_bytes();
        assert_eq!(ids(&there, &key, START + began.elapsed()).await, Vec::<Vec<u8>>::new());
        for id in [b"one", b"two"] {
            let told = Instant::now();
            add(&here, &key, id, START + began.elapsed());
            while !ids(&there, &key, START + began.elapsed()).await.contains(&id.to_vec()) {
                sleep(Duration::from_millis(5)).await;
            }
            assert!(told.elapsed() < SECOND, "{:?}", told.elapsed());
        }
    }
    here.close().await.unwrap();
    there.close().await.unwrap();
}

/// One of several collects; when it has gone, another one does.
#[tokio::test]
async fn one_of_several_collects() {
    let (server, database, place) = place();
    let config = BellyConfig { collect_interval: SECOND, ..config() };
    let holder = || {
        server.sql(
            &database,
            "SELECT encode(holder, 'hex') FROM kadscope_belly.lease WHERE until > clock_timestamp()",
        )
    };
    let (first, second) = (place.open_with(config).await, place.open_with(config).await);
    add(&first, b"key", b"peer", START);
    add(&second, b"key", b"peer", START);
    let began = Instant::now();
    let mut holders = BTreeSet::new();
    while began.elapsed() < SECOND * 3 {
        holders.extend(Some(holder()).filter(|holder| !holder.is_empty()));
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(holders.len(), 1, "{holders:?}");
    // Without a word, whether it is the one that collects or not.
    drop(first);
    add(&second, b"old", b"peer", START);
    assert!(second.flush().await);
    add(&second, b"new", b"peer", START + HOUR * 60);
    assert!(second.flush().await);
    while second.counts().await.unwrap().providers != 1 {
        assert!(began.elapsed() < SECOND * 30, "nobody collects: {:?}", second.counts().await);
        sleep(Duration::from_millis(20)).await;
    }
    second.close().await.unwrap();
    assert_eq!(holder(), "", "whoever closes gives the lease back");
}

#[tokio::test]
async fn tables_are_not_made_where_that_is_switched_off() {
    let (_server, _, place) = place();
    let without = BellyConfig { makes_tables: false, ..config() };
    let error = Belly::open(&place.url, without).await.map(drop).unwrap_err();
    assert!(matches!(error, BellyError::NoTables { .. }), "{error}");
    place.open().await.close().await.unwrap();
    place.open_with(without).await.close().await.unwrap();
}

/// Rows that others wrote are no answers, and keep nobody from his own.
#[tokio::test]
async fn rows_that_no_belly_has_written_are_left_out() {
    let (server, database, place) = place();
    let belly = place.open().await;
    add(&belly, b"key", b"peer", START);
    belly.close().await.unwrap();
    server.sql(
        &database,
        "INSERT INTO kadscope_belly.provider SELECT 'key', id, addrs, received, lifetime, false, 1000000 FROM (VALUES
            ('a'::bytea, '\\xff'::bytea, 1::bigint, 1), ('', '', 1, 1), ('b', '', -1, 1), ('c', '', 1, -1),
            (decode(repeat('00', 200), 'hex'), '', 1, 1), ('d', '\\x1200ff', 1, 1)
        ) AS bad (id, addrs, received, lifetime)",
    );
    let belly = place.open().await;
    assert_eq!(ids(&belly, b"key", START).await, [b"peer"]);
    assert_eq!(belly.provider_records(None, 100, START).await.unwrap().records.len(), 1);
    belly.close().await.unwrap();
}

async fn through_proxy(config: BellyConfig) -> (Arc<Server>, Proxy, Belly) {
    let server = Server::shared();
    let direct = server.url(&server.database()).to_string();
    let port: u16 = direct.split([':', '/']).find_map(|part| part.parse().ok()).unwrap();
    let proxy = Proxy::start(port).await;
    let url = direct.replace(&format!(":{port}/"), &format!(":{}/", proxy.port));
    let variables = PgVariables::read(|name| (name == "PGPASSWORD").then(|| server::PASSWORD.to_owned()));
    let url = BellyUrl::parse(&url).unwrap().with_variables(&variables);
    let belly = Belly::open(&url, config).await.unwrap();
    (server, proxy, belly)
}

/// Asks and tells for four seconds, so many keys a step; how often others than the one that asks so much were answered, and how long
/// that took at most.
async fn load(belly: &Belly, phase: u32, per_step: u32) -> (u32, Duration) {
    let (began, mut answered, mut slowest, mut step) = (Instant::now(), 0, Duration::ZERO, 0u32);
    while began.elapsed() < SECOND * 4 {
        step += 1;
        let now = START + began.elapsed() + SECOND * (phase * 100);
        let key = |n: u32| [phase.to_be_bytes(), step.to_be_bytes(), n.to_be_bytes()].concat();
        let many: Vec<_> = (0..per_step).map(|n| belly.providers(&key(n), 1, now)).collect();
        for n in 0..per_step {
            add(belly, &key(n), b"peer", now);
        }
        let others: Vec<_> =
            (0..8).map(|n| belly.providers(&key(per_step + n), u64::from(n) + 2, now)).collect();
        let asked = Instant::now();
        for reading in others {
            answered += u32::from(reading.wait().await.is_ok());
        }
        slowest = slowest.max(asked.elapsed());
        // Nobody waits for these: they are not asked for any more.
        drop(many);
    }
    (answered, slowest)
}

/// However much is asked, the database is asked no more than was set; nobody's first question waits for thousands of another one's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_times_the_requests_are_no_more_statements() {
    const CEILING: u32 = 40;
    let config = BellyConfig {
        statements_per_s: CEILING,
        waiting_reads: 4096,
        read_deadline: SECOND * 2,
        ..BellyConfig::default()
    };
    let (_server, proxy, belly) = through_proxy(config).await;
    proxy.forget();
    for (phase, per_step) in [(0, 200), (1, 2000)] {
        let (answered, slowest) = load(&belly, phase, per_step).await;
        assert!(answered > 50, "{answered} answers");
        assert!(slowest < SECOND, "an asker of its own waited {slowest:?}");
    }
    // Turns are counted where they are granted, and here where they come: those of a quarter of a second may have been on their way.
    for seconds in [1, 4] {
        let (most, late) = (proxy.most_within(SECOND * seconds), CEILING / 4);
        assert!(most <= CEILING * seconds + late, "{most} in {seconds} s");
    }
    let backlog = belly.backlog();
    assert!(backlog.reads_waiting <= 4096 && backlog.write_bytes <= 17 << 20, "{backlog:?}");
    belly.close().await.unwrap();
}

/// A database that does not answer: what is asked fails at once, what is kept waits within a bound, and when it is back all goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stalls_costs_neither_memory_nor_time() {
    let config = BellyConfig { backlog_bytes: 4 << 20, read_deadline: SECOND, ..BellyConfig::default() };
    let (_server, proxy, belly) = through_proxy(config).await;
    add(&belly, b"before", b"peer", START);
    assert!(belly.flush().await);
    let memory = rss_bytes();
    proxy.pause(true);
    let (began, mut number, mut failed, mut kept, mut shed) = (Instant::now(), 0u32, 0u32, 0u32, 0u32);
    while began.elapsed() < SECOND * 10 {
        let now = START + began.elapsed();
        for _ in 0..500 {
            number += 1;
            match add(&belly, &number.to_be_bytes(), b"peer", now) {
                Kept::Yes => kept += 1,
                Kept::Shed(_) => shed += 1,
                Kept::Worse => panic!("nothing is better"),
            }
            match belly.providers(&(number + 1_000_000_000).to_be_bytes(), u64::from(number % 50), now) {
                Reading::Shed(ReadFailure::Away) => failed += 1,
                Reading::Unread(_) | Reading::Shed(_) => {}
                Reading::Known(known) => panic!("{known:?}"),
            }
        }
        sleep(Duration::from_millis(10)).await;
    }
    let more = rss_bytes().saturating_sub(memory);
    assert!(more < 64 << 20, "{more} bytes more");
    let backlog = belly.backlog();
    assert!(backlog.is_away && failed > 1000 && shed > 1000, "{failed} {shed} {backlog:?}");
    assert!(backlog.write_bytes < 5 << 20, "{backlog:?}");
    assert_eq!(backlog.shed_writes.iter().sum::<u64>(), u64::from(shed));
    proxy.pause(false);
    let back = Instant::now();
    let is_there = async |now: Duration| {
        belly.providers(b"before", 1, now).wait().await.is_ok_and(|held| held.live(now) == 1)
    };
    while !is_there(START + began.elapsed()).await {
        assert!(back.elapsed() < SECOND, "not back after {:?}", back.elapsed());
        sleep(Duration::from_millis(5)).await;
    }
    assert!(belly.flush().await);
    assert_eq!(add(&belly, b"after", b"peer", START + began.elapsed()), Kept::Yes);
    assert!(belly.flush().await);
    assert_eq!(belly.counts().await.unwrap().providers, u64::from(kept) + 2);
    belly.close().await.unwrap();
}

/// What this process has in memory.
fn rss_bytes() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
