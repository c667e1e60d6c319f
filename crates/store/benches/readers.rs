//! What reading a large store costs: weeks of crawls and of monitors, of peers of which some change from run to run.
//!
//! `cargo bench -p kadscope-store --bench readers [-- VISITS [NEIGHBORS]]`; 1,000,000 visits without neighbors unless said otherwise,
//! 27,000,000 are a month. Each measurement is a process of its own, whose memory is what reading takes.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark ends at the first error")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use kad::PeerId;
use kadscope_store::{ColumnValues, RunFilter, Scan, Store, StoreUrl};
use rustix::{
    fs::{Advice, fadvise},
    time::{ClockId, clock_gettime},
};
use schema::{RowType as _, Visit};
use tokio::time::Instant;

#[path = "readers/fill.rs"]
mod fill;
#[path = "../tests/suite/rows.rs"]
#[expect(dead_code, reason = "other tests begin runs with it")]
mod rows;

/// The columns of a churn report.
const CHURN: [&str; 7] =
    ["run_id", "peer_id", "started_at", "ended_at", "reachable", "connect_error_class", "agent"];

/// The peers that are asked for: each has rows in more runs than are listed.
const ASKED_FOR: [u32; 4] = [7, 4_711, 12_345, 19_999];

/// How many visits are read as rows, at most.
const READ_ROWS: usize = 300_000;

/// Set in a process that measures: what, and the store.
const MEASURE: &str = "KADSCOPE_BENCH_READERS";

/// Measures something of the store at a path.
type Measure = fn(&Path);

/// What is measured, each in a process of its own.
const MEASUREMENTS: [(&str, Measure); 4] =
    [("scan", scan), ("half", scan_half), ("rows", read_rows), ("peer", ask_for_peers)];

fn main() {
    if let Ok(told) = env::var(MEASURE) {
        let (what, path) = told.split_once(' ').unwrap();
        let (_, measure) = MEASUREMENTS.iter().find(|(name, _)| *name == what).unwrap();
        return measure(Path::new(path));
    }
    let mut numbers = env::args().filter_map(|argument| argument.parse().ok());
    let (visits, neighbors) = (numbers.next().unwrap_or(1_000_000), numbers.next().unwrap_or(0));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bench.sqlite");
    fill::fill(&path, visits, neighbors);
    for (what, _) in MEASUREMENTS {
        let told = format!("{what} {}", path.display());
        let ended = Command::new(env::current_exe().unwrap()).env(MEASURE, told).status().unwrap();
        assert!(ended.success(), "{what}");
    }
}

fn open(path: &Path) -> Store {
    Store::open_existing(&StoreUrl::Sqlite(path.to_owned())).unwrap()
}

/// The columns of a churn report, of all runs.
fn scan(path: &Path) {
    scan_columns(path, &RunFilter::default(), "all of it");
}

/// The same of the middle half of the time.
fn scan_half(path: &Path) {
    let runs = open(path).runs(&RunFilter::default()).unwrap();
    let at = |part: usize| Some(runs[runs.len() * part / 4].start.started_at);
    let middle = RunFilter { since: at(1), until: at(3), ..RunFilter::default() };
    scan_columns(path, &middle, "half of it, by time");
}

fn scan_columns(path: &Path, runs: &RunFilter, what: &str) {
    let store = open(path);
    let scan = Scan { runs: runs.clone(), table: &Visit::TABLE, columns: &CHURN };
    for round in ["first", "again"] {
        let (spent, before) = (Spent::begin(), resident_kib("VmRSS:"));
        let (mut visits, mut reached, mut last) = (0, 0, None);
        for batch in store.scan(&scan).unwrap() {
            let batch = batch.unwrap();
            visits += batch.rows;
            if let (ColumnValues::Times(started), ColumnValues::Numbers(reachable)) =
                (&batch.columns[2], &batch.columns[4])
            {
                last = last.max(started.iter().copied().max().flatten());
                reached += reachable.iter().flatten().sum::<i64>();
            }
        }
        std::hint::black_box((reached, last));
        spent.tell(&format!("churn columns, {what}, {round}"), visits);
        let peak = resident_kib("VmHWM:");
        println!("    resident: {before} KiB before, {peak} KiB at most");
    }
}

/// Whole visits.
fn read_rows(path: &Path) {
    let store = open(path);
    let runs = store.runs(&RunFilter::default()).unwrap();
    for round in ["first", "again"] {
        let (spent, mut visits) = (Spent::begin(), 0);
        for run in &runs {
            if visits >= READ_ROWS {
                break;
            }
            visits += store.visits(run.start.id).unwrap().map(Result::unwrap).count();
        }
        spent.tell(&format!("whole visits, {round}"), visits);
        println!("    resident: {} KiB at most", resident_kib("VmHWM:"));
    }
}

/// What `kadscope runs --peer` asks, with the file opened: of peers that were not asked for before, once without any page of the
/// file in memory, once with all that it needed.
fn ask_for_peers(path: &Path) {
    for number in ASKED_FOR {
        let peer = rows::peer(number);
        forget(path);
        let cold = ask(path, &peer);
        let warm = (0..5).map(|_| ask(path, &peer)).min().unwrap();
        println!("a peer: {:.1} ms cold, {:.1} ms warm", ms(cold), ms(warm));
    }
}

fn ask(path: &Path, peer: &PeerId) -> Duration {
    let started = Instant::now();
    let history = open(path).peer_history(peer).unwrap();
    assert!(!history.known.is_empty() && !history.visits.is_empty());
    started.elapsed()
}

/// Has the system drop what it remembers of the file.
fn forget(path: &Path) {
    let wal = PathBuf::from(format!("{}-wal", path.display()));
    for file in [path, &wal].into_iter().filter_map(|path| fs::File::open(path).ok()) {
        file.sync_all().unwrap();
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
    }
}

/// What was used since a moment.
struct Spent {
    wall: Instant,
    cpu: Duration,
}

impl Spent {
    fn begin() -> Self {
        Self { wall: Instant::now(), cpu: cpu() }
    }

    fn tell(&self, what: &str, visits: usize) {
        let (wall, cpu) = (self.wall.elapsed().as_secs_f64(), cpu().saturating_sub(self.cpu).as_secs_f64());
        println!(
            "{what}: {visits} visits in {wall:.2} s, {:.0}/s; {:.2} us CPU a visit, {:.0} a second of CPU",
            visits as f64 / wall,
            cpu * 1e6 / visits as f64,
            visits as f64 / cpu
        );
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn cpu() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}

/// Memory of this process, as Linux says it.
fn resident_kib(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
