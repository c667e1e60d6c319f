//! Threads and processes that write one database at once, some of which are killed.
//!
//! Such a process is this test program itself, run for the one test that starts it with [`CHILD`] set.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use kadscope_store::{Store, StoreUrl};
use schema::{PeerNumber, Row, RunState};

use crate::{LIMITS, conformance, rows, server::Server};

/// Set in a child: the number of its run and the database.
const CHILD: &str = "KADSCOPE_STORE_TEST_CHILD";

const TEST: &str = "together::whoever_writes_at_once_or_is_killed_has_its_own_rows_once";

/// The rows of a crawl that never ends: of the same peers at the same addresses whoever makes them.
fn endless() -> impl Iterator<Item = Row> {
    (0..).flat_map(|n| {
        let mut visit = rows::visit(n);
        visit.neighbors = Some((0..n.min(20)).map(PeerNumber).collect());
        [Row::Peer(visit.peer, rows::peer(n)), Row::Visit(Box::new(visit))]
    })
}

/// Writes until it is killed, and prints what is committed.
#[expect(clippy::print_stdout, reason = "a child tells its parent what it did")]
async fn write_for_ever(run: u8, server: &str) {
    let variables =
        kadscope_store::PgVariables::read(|name| env::var(name).ok().filter(|_| name.starts_with("PG")));
    let url = StoreUrl::parse(server).unwrap().with_variables(&variables);
    let store = Store::open_with(&url, LIMITS()).unwrap().unwrap();
    let writer = store.begin_run(&rows::start(run)).unwrap();
    let mut progress = writer.progress();
    tokio::spawn(async move {
        while progress.changed().await.is_ok() {
            println!("committed {}", progress.borrow_and_update().visits);
        }
    });
    conformance::send(&writer, endless()).await;
}

fn spawn(run: u8, url: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture"])
        .env(CHILD, format!("{run} {url}"))
        .env("PGPASSWORD", crate::server::PASSWORD)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads what a child says until so many of its visits are committed, then kills it.
fn kill_after(mut child: Child, visits: u64) {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut committed = lines.filter_map(|line| line.strip_prefix("committed ")?.parse::<u64>().ok());
    let reached = committed.find(|&committed| committed >= visits);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(reached.is_some(), "it ended by itself");
}

#[tokio::test]
async fn whoever_writes_at_once_or_is_killed_has_its_own_rows_once() {
    if let Ok(told) = env::var(CHILD) {
        let (run, url) = told.split_once(' ').unwrap();
        return write_for_ever(run.parse().unwrap(), url).await;
    }
    let server = Server::start();
    let database = server.database();
    let store = Store::open_with(&server.url(&database), LIMITS()).unwrap().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/{database}", server.socket().1);
    let killed: Vec<_> = (1..=4_u8)
        .map(|run| {
            let child = spawn(run, &url);
            std::thread::spawn(move || kill_after(child, 200 * u64::from(run)))
        })
        .collect();
    let all: Vec<_> = rows::crawl(800, 20, true).collect();
    let writing: Vec<_> = (5..=8_u8)
        .map(|run| {
            let (url, rows) = (server.url(&database), all.clone());
            std::thread::spawn(move || {
                let store = Store::open_with(&url, LIMITS()).unwrap().unwrap();
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(conformance::keep(&store, &rows::start(run), rows.into_iter()))
            })
        })
        .collect();
    for written in writing {
        assert_eq!(written.join().unwrap().visits, 800);
    }
    for killed in killed {
        killed.join().unwrap();
    }
    for run in 5..=8 {
        assert!(conformance::read(&store, rows::start(run).id) == all, "run {run}");
    }
    for run in 1..=4_u8 {
        let id = rows::start(run).id;
        // The server notices by itself that whoever held the lock has gone.
        let info = loop {
            let info = store.run(id).unwrap();
            if info.state != RunState::Running {
                break info;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(info.state, RunState::Interrupted);
        assert!(info.totals.visits >= 200 * u64::from(run), "{:?}", info.totals);
        let sent = endless().take(2 * usize::try_from(info.totals.peers).unwrap());
        let (peers, visits): (Vec<_>, Vec<_>) = sent.partition(|row| matches!(row, Row::Peer(..)));
        let visits = visits.into_iter().take(usize::try_from(info.totals.visits).unwrap());
        assert!(conformance::read(&store, id) == peers.into_iter().chain(visits).collect::<Vec<_>>());
    }
    store.check().unwrap();
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(server.sql(&database, deadlocks), "0");
}
