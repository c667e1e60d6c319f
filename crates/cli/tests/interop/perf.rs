//! Servers and a scheduler of ours as programs, in a network of go-libp2p-kad-dht alone: what is published is held there and found, every
//! attempt is a row, and a server that is killed costs its own attempts and nobody else's.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use schema::{Measurement, MeasurementRequest, OperationKind, OperationOutcome, RequestPurpose};
use serde_json::Value;
use store::{RunFilter, Store, StoreUrl};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{program::kadscope, servers::servers};

/// More than hold a record.
const PEERS: u64 = 24;

/// The closest of a key, who are given its records.
const HOLDERS: u32 = 20;

/// How many publications there are to be before somebody is killed, and after it.
const PUBLICATIONS: usize = 6;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(40);

/// A program of ours that runs. Dropped, it is killed.
struct Running {
    /// `None` once it was waited for.
    child: Option<Child>,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        Self { child: Some(child), stderr }
    }

    /// Reads what it says until a line has this in it; returns the rest of that line.
    fn told(&mut self, awaited: &str) -> String {
        let mut line = String::new();
        while self.stderr.read_line(&mut line).expect("readable") > 0 {
            if let Some((_, rest)) = line.split_once(awaited) {
                return rest.trim().to_owned();
            }
            line.clear();
        }
        panic!("it ended and did not say {awaited}")
    }

    /// Tells it to end, and waits for that.
    fn end(mut self, signal: Signal) -> (Output, String) {
        let child = self.child.take().expect("it runs");
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("it runs");
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).expect("readable");
        (child.wait_with_output().expect("an end"), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// A network of others, and a store in which servers of ours register.
struct Place {
    directory: TempDir,
    bootstrap: Vec<String>,
}

impl Place {
    fn store(&self) -> String {
        self.file("perf.sqlite")
    }

    fn file(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// A server that is ready.
    async fn server(&self, fleet: &str) -> Running {
        let store = self.store();
        let words =
            ["perf", "server", "--fleet", fleet, "--routing", fleet, "--region", "here", "--store", &store];
        let where_it_is = ["--listen", "127.0.0.1:0", "--startup-delay", "100ms", "--addresses", "loopback"];
        let mut server = kadscope();
        server.args(words).args(where_it_is).arg("--bootstrap").args(&self.bootstrap);
        let mut server = Running::start(&mut server);
        let at = server.told("the HTTP API is at http://");
        until("the server is ready", || run(&["perf", "health", &at]).status.success()).await;
        server
    }

    /// All attempts that are kept, and the requests in them.
    fn kept(&self) -> (Vec<Measurement>, Vec<MeasurementRequest>) {
        let store = Store::open_existing(&StoreUrl::Sqlite(self.store().into())).expect("a store");
        let runs = store.runs(&RunFilter::default()).expect("runs");
        let mut scheduled = runs.iter().filter(|run| run.start.parameters["part"] == "scheduler");
        let Some(run) = scheduled.next() else { return (Vec::new(), Vec::new()) };
        let rows = store.rows::<Measurement>(run.start.id).expect("rows").map(|row| row.expect("a row"));
        let requests = store.rows::<MeasurementRequest>(run.start.id).expect("rows");
        (rows.collect(), requests.map(|row| row.expect("a row")).collect())
    }

    /// How many attempts of a kind came to this.
    fn count(&self, kind: OperationKind, outcome: OperationOutcome) -> usize {
        self.kept().0.iter().filter(|row| row.is_whole && row.kind == kind && row.outcome == outcome).count()
    }
}

/// Waits until something is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Runs our program to its end.
fn run(words: &[&str]) -> Output {
    kadscope().args(words).output().expect("it starts")
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn fleets_measure_a_network_of_go_and_a_server_that_is_killed_costs_its_own_attempts_alone() {
    use OperationKind::{Provide, Retrieve};
    use OperationOutcome::{Done, Unreachable};
    let network = servers(PEERS, "-transport tcp -security noise");
    let place =
        Place { directory: tempfile::tempdir().expect("a directory"), bootstrap: network.bootstrap() };
    let mut alive = Vec::new();
    for fleet in ["default", "optprov", "default"] {
        alive.push(place.server(fleet).await);
    }
    let store = place.store();
    let rounds =
        ["perf", "scheduler", "--fleets", "default,optprov", "--interval", "500ms", "--read-back", "0s,1s"];
    let ends = ["--json", "--stop-timeout", "10s", "--seed", "7", "--store", &store];
    let scheduler = Running::start(kadscope().args(rounds).args(ends));

    until("publications", || place.count(Provide, Done) >= PUBLICATIONS).await;
    let (killed, _) = alive.remove(2).end(Signal::KILL);
    assert_eq!(killed.status.code(), None);
    let before = place.count(Provide, Done);
    until("publications go on", || place.count(Provide, Done) >= before + PUBLICATIONS).await;
    until("somebody is missed", || {
        [Provide, Retrieve].iter().all(|kind| place.count(*kind, Unreachable) > 0)
    })
    .await;
    let (ended, said) = scheduler.end(Signal::TERM);
    assert!(ended.status.success(), "{said}");
    for server in alive {
        let (ended, said) = server.end(Signal::TERM);
        assert!(ended.status.success(), "{said}");
    }

    let (rows, requests) = place.kept();
    check_rows(&rows, &json(&ended));
    check_holders(&rows, &requests);
    check_pages(&place, &rows);
}

/// Every attempt is a row, and only those of the server that was killed failed.
fn check_rows(rows: &[Measurement], summary: &Value) {
    let whole: Vec<_> = rows.iter().filter(|row| row.is_whole).collect();
    let counts = summary["attempts"].as_array().expect("a list").iter();
    let told: u64 = counts.map(|count| count["count"].as_u64().expect("a number")).sum();
    assert_eq!(whole.len() as u64, told, "{summary}");
    let mut missed: Vec<_> =
        whole.iter().filter(|row| row.outcome == OperationOutcome::Unreachable).collect();
    missed.dedup_by_key(|row| row.server);
    assert_eq!(missed.len(), 1, "{missed:?}");
    let killed = missed[0].server;
    // What was under way at the very end was cut off.
    let failed =
        |row: &&&Measurement| !matches!(row.outcome, OperationOutcome::Done | OperationOutcome::Cancelled);
    let failed: Vec<_> = whole.iter().filter(failed).filter(|row| row.server != killed).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(whole.iter().all(|row| row.own_record != Some(true)));
    let fleets = |kind| {
        let of_kind =
            whole.iter().filter(move |row| row.kind == kind && row.outcome == OperationOutcome::Done);
        let mut fleets: Vec<_> = of_kind.map(|row| row.fleet.as_str()).collect();
        fleets.sort_unstable();
        fleets.dedup();
        fleets
    };
    for kind in [OperationKind::Provide, OperationKind::Retrieve] {
        assert_eq!(fleets(kind), ["default", "optprov"]);
    }
}

/// Those who were given a record have it.
fn check_holders(rows: &[Measurement], requests: &[MeasurementRequest]) {
    let published = |row: &&Measurement| {
        row.is_whole && row.kind == OperationKind::Provide && row.outcome == OperationOutcome::Done
    };
    for row in rows.iter().filter(published) {
        let read = requests
            .iter()
            .filter(|request| request.attempt == row.attempt && request.purpose == RequestPurpose::ReadBack);
        let (at_once, later): (Vec<_>, Vec<_>) =
            read.partition(|request| request.read_back_after == Some(Duration::ZERO));
        // Nobody says that a record has come: who is asked at once may have it a moment later.
        let has = later.iter().filter(|request| request.has_record == Some(true)).count();
        let sent = row.holders_sent.map(|sent| sent as usize);
        assert_eq!([at_once.len(), later.len(), has].map(Some), [sent; 3], "{row:?}");
        if row.fleet == "default" {
            assert_eq!(row.holders_sent, Some(HOLDERS), "{row:?}");
        } else {
            assert!(row.holders_sent > Some(0), "{row:?}");
        }
    }
}

/// The report and the explanations are made of that store.
fn check_pages(place: &Place, rows: &[Measurement]) {
    let (store, out) = (place.store(), place.file("report"));
    let report = run(&["perf", "report", "--store", &store, "--out", &out]);
    assert!(report.status.success(), "{report:?}");
    let report = fs::read_to_string(Path::new(&out).join("report.json")).expect("a report");
    for fleet in ["default", "optprov"] {
        assert!(report.contains(fleet), "{report}");
    }
    let explained = json(&run(&["perf", "explain", "--store", &store, "--json"]));
    let shares = explained["summary"]["accepted"].as_array().expect("a list");
    assert!(
        !shares.is_empty() && shares.iter().all(|share| share["agent"] == "kadscope-dhtservers/1"),
        "{shares:?}"
    );
    let told = rows.iter().filter(|row| row.is_whole && row.began_at.is_some());
    assert_eq!(explained["summary"]["operations"].as_u64(), Some(told.count() as u64));
}
