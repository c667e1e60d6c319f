//! A scheduler over Parsec's tables whose database is killed and comes back: its rounds go on, and every attempt is kept once.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use schema::Measurement;
use serde_json::Value;
use store::{Register, RegisterConfig, RunFilter, Store};
use tokio::time::Instant;

use crate::{
    go_server::GoServer,
    server::{PASSWORD, Server},
};

/// How long the database is away. The real thing, ten minutes, is a recipe in docs/perf.md.
const AWAY: Duration = Duration::from_secs(5);

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

/// Has servers of Go registered and alive.
fn register(server: &Server, database: &str, servers: &[GoServer]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = RegisterConfig { parsec_tables: true, ..RegisterConfig::default() };
        let register = Register::open(&server.url(database), config).await.unwrap();
        for one in servers {
            register.enter_server(&one.entry()).await.unwrap();
        }
        register.close(PATIENCE).await.unwrap();
    });
    // They live as long as the test, by any clock.
    server.sql(database, "UPDATE nodes_ecs SET last_heartbeat = now() + interval '1 day'");
}

fn begin(server: &Server, url: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kadscope"));
    command.args(["perf", "scheduler", "--fleets", "default", "--parsec-compat", "--interval", "100ms"]);
    command.args(["--store", url, "--json"]).env_clear().env("PGPASSWORD", PASSWORD);
    command.env("XDG_STATE_HOME", server.spills().parent().unwrap());
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

fn end(scheduler: Child) -> Value {
    kill_process(Pid::from_child(&scheduler), Signal::TERM).unwrap();
    let output = scheduler.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_database_that_is_killed_under_a_scheduler_costs_no_round_and_no_row() {
    let server = Server::start();
    let database = server.database();
    let servers = [GoServer::start(), GoServer::start()];
    register(&server, &database, &servers);
    let url = format!("postgres://postgres@127.0.0.1:{}/{database}", server.socket().1);
    let scheduler = begin(&server, &url);
    let published = || servers.iter().map(GoServer::publications).sum::<usize>();
    until("it measures", || published() >= 5);
    server.kill();
    let (before, away) = (published(), Instant::now());
    until("rounds go on without the database", || away.elapsed() >= AWAY);
    let meanwhile = published() - before;
    assert!(meanwhile >= 10, "{meanwhile} rounds in {AWAY:?}");
    server.run(&[]);
    let back = published();
    until("rounds go on with the database", || published() >= back + 5);
    let summary = end(scheduler);
    let all = published();
    assert_eq!(summary["rounds"]["begun"], all as u64);
    // In Parsec's tables and in ours, each once. The last round may have been told to end before anybody looked for it.
    let count = |of: &str| server.sql(&database, &format!("SELECT count(*), count(DISTINCT cid) FROM {of}"));
    assert_eq!(count("provides_ecs"), format!("{all}|{all}"));
    let looked = [all, all - 1].map(|count| format!("{count}|{count}"));
    assert!(looked.contains(&count("retrievals_ecs")), "{}", count("retrievals_ecs"));
    let store = Store::open_existing(&server.url(&database)).unwrap();
    let run = store.runs(&RunFilter::default()).unwrap().remove(0).start.id;
    let mut attempts: Vec<_> =
        store.rows::<Measurement>(run).unwrap().map(|row| row.unwrap().attempt).collect();
    let kept = attempts.len();
    attempts.sort_unstable();
    attempts.dedup();
    assert!([2 * all, 2 * all - 1].contains(&kept), "{kept} rows of {all} rounds");
    assert_eq!(attempts.len(), kept);
}

/// A dry run of somebody who has mistaken the database.
#[test]
fn a_dry_run_makes_no_tables() {
    let server = Server::start();
    let database = server.database();
    let url = format!("postgres://postgres@127.0.0.1:{}/{database}", server.socket().1);
    let mut command = Command::new(env!("CARGO_BIN_EXE_kadscope"));
    command.args(["perf", "scheduler", "--fleets", "default", "--dry-run", "--store", &url]);
    let ended = command.env_clear().env("PGPASSWORD", PASSWORD).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(said.contains("no server was ever entered"), "{said}");
    server.sql(
        &database,
        "DO $$ BEGIN ASSERT (SELECT count(*) FROM pg_tables WHERE schemaname = 'public') = 0; END $$",
    );
}
