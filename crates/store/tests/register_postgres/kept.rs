//! Measurements on their way into Parsec's tables: what stands there in the end, whatever becomes of the database meanwhile.

use std::{sync::Arc, time::Duration};

use kadscope_store::{Error, ParsecKind, ParsecRow, PgVariables, Register, SchedulerId, ServerId, StoreUrl};
use schema::Timestamp;
use tokio::time::{Instant, timeout};

use crate::{
    parsec,
    proxy::Proxy,
    register::{at, scheduler, server},
    server::{PASSWORD, Server},
};

const CID: &str = "QmfKswoMA9d5HeNsiJxQDarGxzRvtoyiWDBNWN9tuMsw73";

/// More than anything here takes.
const LONG: Duration = Duration::from_secs(120);

/// The measurement number `n`: publications and retrievals in turn, one in ten failed.
fn measurement(n: u32, scheduler: SchedulerId, server: ServerId) -> ParsecRow {
    ParsecRow {
        kind: match n % 2 {
            0 => ParsecKind::Provide { step: "provide".to_owned() },
            _ => ParsecKind::Retrieval,
        },
        scheduler,
        server,
        table_size: u64::from(n),
        took: Duration::from_micros(n.into()),
        cid: format!("cid {n}"),
        failure: (n % 10 == 3).then(|| "not found".to_owned()),
        created_at: at(n.into()),
    }
}

/// Of both tables the numbers of what is there, in the order in which it was written.
fn written(postgres: &Server, database: &str) -> Vec<u32> {
    let of = |table: &str| {
        let rows = postgres.sql(database, &format!("SELECT rt_size FROM {table} ORDER BY id"));
        rows.lines().map(|line| line.parse().unwrap()).collect::<Vec<u32>>()
    };
    let (provides, retrievals) = (of("provides_ecs"), of("retrievals_ecs"));
    assert!(provides.is_sorted() && retrievals.is_sorted(), "they stand in their order");
    let mut all = [provides, retrievals].concat();
    all.sort_unstable();
    all
}

async fn entered(url: &StoreUrl) -> (Register, SchedulerId, ServerId) {
    let register = Register::open(url, parsec()).await.unwrap();
    let scheduler = register.enter_scheduler(&scheduler()).await.unwrap();
    let server = register.enter_server(&server(1, "a")).await.unwrap();
    (register, scheduler, server)
}

/// The same inputs as those of a round that Go's programs were seen to run: the rows are the same.
#[tokio::test]
async fn a_round_of_go_and_the_same_of_ours_are_the_same_rows() {
    let postgres = Server::shared();
    let database = postgres.database();
    let register = Register::open(&postgres.url(&database), parsec()).await.unwrap();
    let numbers = "ALTER TABLE schedulers_ecs ALTER id RESTART WITH 36; ALTER TABLE nodes_ecs ALTER id RESTART WITH 2;
        ALTER TABLE provides_ecs ALTER id RESTART WITH 5428; ALTER TABLE retrievals_ecs ALTER id RESTART WITH 5427";
    postgres.sql(&database, numbers);
    let mut starts = scheduler();
    starts.fleets = vec!["default".to_owned()];
    starts.entered_at = Timestamp(1_795_230_900_839_454);
    let scheduler = register.enter_scheduler(&starts).await.unwrap();
    let retriever = register.enter_server(&server(2, "default")).await.unwrap();
    postgres.sql(&database, "ALTER TABLE nodes_ecs ALTER id RESTART WITH 62");
    let mut entry = server(1, "default");
    entry.region = "region-s1".to_owned();
    entry.peer = "12D3KooWGi8wSZYwjnvJDvaHiisJa6dh9J367bPyMofDMsX9cAwP".parse().unwrap();
    entry.http.set_port(7071);
    entry.peer_port = Some(4101);
    entry.entered_at = Timestamp(1_795_230_719_968_434);
    let publisher = register.enter_server(&entry).await.unwrap();
    register.heartbeat(publisher, Timestamp(1_795_231_925_063_994)).await.unwrap();
    assert_eq!((scheduler.0, retriever.0, publisher.0), (36, 2, 62));
    let row = |kind, server, table_size, nanos, micros| ParsecRow {
        kind,
        scheduler,
        server,
        table_size,
        took: Duration::from_nanos(nanos),
        cid: CID.to_owned(),
        failure: None,
        created_at: Timestamp(micros),
    };
    let step = ParsecKind::Provide { step: "provide".to_owned() };
    register.keep(row(step, publisher, 61, 65_110_581, 1_795_230_900_929_659)).await.unwrap();
    register.keep(row(ParsecKind::Retrieval, retriever, 59, 5_166_922, 1_795_230_900_938_240)).await.unwrap();
    register.close(LONG).await.unwrap();
    let read = |what: &str| postgres.sql(&database, &format!("SET timezone = 'UTC'; SELECT {what}"));
    assert_eq!(
        read("id, fleets, created_at FROM schedulers_ecs"),
        "36|{default}|2026-11-21 03:15:00.839454+00"
    );
    assert_eq!(
        read("id, cpu, memory, peer_id, region, fleet, ip_address, server_port, peer_port, last_heartbeat, offline_since IS NULL,
            created_at FROM nodes_ecs WHERE id = 62"),
        "62|512|1024|12D3KooWGi8wSZYwjnvJDvaHiisJa6dh9J367bPyMofDMsX9cAwP|region-s1|default|127.0.0.11|7071|4101|\
         2026-11-21 03:32:05.063994+00|t|2026-11-21 03:11:59.968434+00"
    );
    assert_eq!(
        read(
            "id, scheduler_id, node_id, rt_size, duration, cid, error IS NULL, created_at, step FROM provides_ecs"
        ),
        format!("5428|36|62|61|0.065110581|{CID}|t|2026-11-21 03:15:00.929659+00|provide")
    );
    assert_eq!(
        read(
            "id, scheduler_id, node_id, rt_size, duration, cid, error IS NULL, created_at FROM retrievals_ecs"
        ),
        format!("5427|36|2|59|0.005166922|{CID}|t|2026-11-21 03:15:00.93824+00")
    );
    assert_eq!(read("count(*) FROM kadscope_register.keeper"), "0", "nothing will be sent again");
}

/// Several steps are a row each, and what programs of Go break on is not written.
#[tokio::test]
async fn several_steps_are_a_row_each_and_no_value_breaks_programs_of_go() {
    let postgres = Server::shared();
    let database = postgres.database();
    let (register, scheduler, server) = entered(&postgres.url(&database)).await;
    let whole = measurement(0, scheduler, server);
    for (step, table_size, failure) in [
        ("announce", 61, None),
        ("index_ad", u64::MAX, Some("Too Many\0Requests")),
        ("availability", 1 << 31, Some("")),
    ] {
        let failure = failure.map(str::to_owned);
        let kind = ParsecKind::Provide { step: step.to_owned() };
        register.keep(ParsecRow { kind, table_size, failure, ..whole.clone() }).await.unwrap();
    }
    let nameless = ParsecRow { cid: String::new(), ..whole };
    assert!(matches!(register.keep(nameless).await, Err(Error::ParsecValue { .. })));
    register.close(LONG).await.unwrap();
    assert_eq!(
        postgres.sql(&database, "SELECT step, rt_size, error, duration FROM provides_ecs ORDER BY id"),
        "announce|61||0\nindex_ad|2147483647|Too Many\u{fffd}Requests|0\navailability|2147483647|failed|0"
    );
}

/// The database is killed again and again while measurements come: in the end each is there once, in order.
#[tokio::test]
async fn a_database_that_is_killed_has_each_measurement_once() {
    let postgres = Arc::new(Server::start());
    let database = postgres.database();
    let (register, scheduler, server) = entered(&postgres.url(&database)).await;
    let killer = Arc::clone(&postgres);
    let killing = tokio::task::spawn_blocking(move || {
        for _ in 0..4 {
            killer.kill();
            killer.run(&[]);
        }
    });
    let mut kept = 0;
    while !killing.is_finished() || kept < 3000 {
        let begun = Instant::now();
        register.keep(measurement(kept, scheduler, server)).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody who measures waits for a database");
        kept += 1;
        if kept % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    killing.await.unwrap();
    register.close(LONG).await.unwrap();
    assert_eq!(written(&postgres, &database), (0..kept).collect::<Vec<_>>());
    assert_eq!(postgres.spills().read_dir().map_or(0, Iterator::count), 0);
}

/// The connection ends within a commit, so that nobody knows what came of it: the batch is sent again, and not taken twice.
#[tokio::test]
async fn a_batch_whose_commit_nobody_heard_of_is_there_once() {
    let postgres = Arc::new(Server::start());
    let database = postgres.database();
    let (register, scheduler, server) = entered(&postgres.url(&database)).await;
    let ending = {
        let (postgres, database) = (Arc::clone(&postgres), database.clone());
        tokio::task::spawn_blocking(move || {
            let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE application_name = 'kadscope' AND query LIKE '%COMMIT%' AND pid <> pg_backend_pid()";
            let ended = (0..25).map(|_| postgres.sql(&database, sql).parse::<u32>().unwrap());
            ended.sum::<u32>()
        })
    };
    let mut kept = 0;
    while !ending.is_finished() {
        register.keep(measurement(kept, scheduler, server)).await.unwrap();
        kept += 1;
        // So that batches are small and commits many.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(ending.await.unwrap() > 0, "a connection was ended");
    register.close(LONG).await.unwrap();
    assert_eq!(written(&postgres, &database), (0..kept).collect::<Vec<_>>());
}

/// More comes while the database is away than memory holds: the rest waits in a file, which is gone in the end.
#[tokio::test]
async fn measurements_wait_in_a_file_while_the_database_is_away() {
    let postgres = Server::start();
    let database = postgres.database();
    let (register, scheduler, server) = entered(&postgres.url(&database)).await;
    postgres.kill();
    for n in 0..12_500 {
        register.keep(measurement(n, scheduler, server)).await.unwrap();
    }
    let files = || postgres.spills().read_dir().map_or(0, Iterator::count);
    let written_down = async {
        while files() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, written_down).await.unwrap();
    postgres.run(&[]);
    register.close(LONG).await.unwrap();
    assert_eq!(written(&postgres, &database), (0..12_500).collect::<Vec<_>>());
    assert_eq!(files(), 0);
}

/// Who ends while the database is away waits no longer than was said, and says what is left: the next one brings it, once.
#[tokio::test]
async fn what_is_left_at_the_end_is_said_and_brought_by_the_next() {
    let postgres = Server::start();
    let database = postgres.database();
    let url = postgres.url(&database);
    let (register, scheduler, server) = entered(&url).await;
    for n in 0..50 {
        register.keep(measurement(n, scheduler, server)).await.unwrap();
    }
    let first = async {
        while written(&postgres, &database).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, first).await.unwrap();
    postgres.kill();
    for n in 50..120 {
        register.keep(measurement(n, scheduler, server)).await.unwrap();
    }
    let begun = Instant::now();
    let ended = register.close(Duration::from_millis(300)).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let Error::Away { left: Some(left), .. } = &ended else { panic!("{ended}") };
    assert!(left.is_file() && ended.to_string().contains(&left.display().to_string()), "{ended}");
    assert!(matches!(register.keep(measurement(0, scheduler, server)).await, Err(Error::WriterDied { .. })));
    postgres.run(&[]);
    let next = Register::open(&url, parsec()).await.unwrap();
    assert_eq!(written(&postgres, &database), (0..120).collect::<Vec<_>>());
    assert!(!left.exists());
    next.close(LONG).await.unwrap();
    next.close(LONG).await.unwrap();
    assert_eq!(postgres.sql(&database, "SELECT count(*) FROM kadscope_register.keeper"), "0");
}

/// A database that does not answer at all holds up neither who measures nor who ends.
#[tokio::test]
async fn a_database_that_hangs_holds_up_nobody() {
    let postgres = Server::shared();
    let proxy = Proxy::start(postgres.socket().1).await;
    let database = postgres.database();
    let state = tempfile::tempdir().unwrap();
    let variables = PgVariables::read(|name| match name {
        "PGPASSWORD" => Some(PASSWORD.to_owned()),
        "XDG_STATE_HOME" => Some(state.path().to_str().unwrap().to_owned()),
        _ => None,
    });
    let url = format!("postgres://postgres@127.0.0.1:{}/{database}", proxy.port);
    let url = StoreUrl::parse(&url).unwrap().with_variables(&variables);
    let (register, scheduler, server) = entered(&url).await;
    proxy.pause(true);
    let begun = Instant::now();
    for n in 0..500 {
        register.keep(measurement(n, scheduler, server)).await.unwrap();
    }
    let ended = register.close(Duration::from_millis(200)).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(matches!(&ended, Error::Away { left: Some(_), .. }), "{ended}");
    proxy.pause(false);
    drop(register);
    drop(Register::open(&url, parsec()).await.unwrap());
    assert_eq!(written(&postgres, &database), (0..500).collect::<Vec<_>>());
}

/// Somebody takes a server out of the tables: its measurements are left out, those of others are there.
#[tokio::test]
async fn measurements_of_whom_the_tables_do_not_know_hold_up_no_others() {
    let postgres = Server::shared();
    let database = postgres.database();
    let (register, scheduler, gone) = entered(&postgres.url(&database)).await;
    let stays = register.enter_server(&server(2, "a")).await.unwrap();
    postgres.sql(&database, &format!("DELETE FROM nodes_ecs WHERE id = {}", gone.0));
    for n in 0..100 {
        let of = if n % 3 == 0 { gone } else { stays };
        register.keep(measurement(n, scheduler, of)).await.unwrap();
    }
    register.close(LONG).await.unwrap();
    assert_eq!(written(&postgres, &database), (0..100).filter(|n| n % 3 != 0).collect::<Vec<_>>());
}
