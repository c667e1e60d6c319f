//! A report from a store: what there is to be read, and what is refused.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use kad::PeerId;
use schema::{
    Measurement, OperationKind, OperationOutcome, PeerNumber, Row, RunEnd, RunId, RunStart, RunState,
    Timestamp, Tool,
};
use serde_json::Value;
use store::{Store, StoreUrl};
use tempfile::TempDir;

use crate::program::{Ended, run};

/// 2026-11-23T00:00:00Z.
const MONDAY: i64 = 1_795_392_000_000_000;

/// Attempts of two days: one of two fleets publishes in each round, and both look.
fn rows() -> Vec<Measurement> {
    let fleets = ["default", "optprov"];
    let mut rows = Vec::new();
    for round in 0..40_u32 {
        let publisher = fleets[round as usize % 2];
        for (place, fleet) in fleets.into_iter().enumerate() {
            for kind in [OperationKind::Provide, OperationKind::Retrieve] {
                let at =
                    MONDAY + i64::from(round) * 3_600_000_000 + i64::from(kind == OperationKind::Retrieve);
                let mut row = Measurement::planned(
                    PeerNumber(0),
                    [u8::try_from(round).expect("few"); 16],
                    kind,
                    Timestamp(at),
                );
                (row.fleet, row.region) = (fleet.to_owned(), "eu-central-1".to_owned());
                row.publisher_fleet = (kind == OperationKind::Retrieve).then(|| publisher.to_owned());
                row.took = Duration::from_millis(100 * (1 + u64::from(round)) / (1 + place as u64));
                row.outcome = if round == 39 { OperationOutcome::TimedOut } else { OperationOutcome::Done };
                row.is_censored = round == 39;
                if kind == OperationKind::Retrieve || fleet == publisher {
                    rows.push(row);
                }
            }
        }
    }
    rows
}

/// A store with these attempts, and where it is.
pub(crate) fn kept(rows: Vec<impl Into<Row>>) -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("perf.sqlite");
    keep(&path, (7, "scheduler"), rows);
    (dir, path.to_str().expect("UTF-8").to_owned())
}

/// Keeps them as a run of one half of perf.
fn keep(path: &Path, (run, part): (u8, &str), rows: Vec<impl Into<Row>>) {
    let store = Store::open(&StoreUrl::Sqlite(path.to_owned())).expect("opened").expect("kept");
    let start = RunStart {
        id: RunId([run; 16]),
        tool: Tool::Perf,
        network: "test".to_owned(),
        started_at: Timestamp(MONDAY),
        version: String::new(),
        seed: 0,
        vantage: String::new(),
        parameters: serde_json::json!({ "part": part }),
    };
    let writer = store.begin_run(&start).expect("begun");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let sender = writer.sender();
        sender.send(Row::Peer(PeerNumber(0), PeerId::random())).await.expect("taken");
        for row in rows {
            sender.send(row.into()).await.expect("taken");
        }
        drop(sender);
        let end = RunEnd {
            finished_at: Timestamp(MONDAY + 150_000_000_000),
            state: RunState::Succeeded,
            summary: serde_json::json!({}),
        };
        writer.finish(end).await.expect("kept");
    });
}

fn report(store: &str, out: &Path, more: &[&str]) -> Ended {
    run(["perf", "report", "--store", store, "--out", out.to_str().expect("UTF-8")].iter().chain(more))
}

fn numbers(out: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(out.join("report.json")).expect("a file")).expect("JSON")
}

#[test]
fn a_report_has_every_number_with_its_interval_and_a_page_that_needs_nothing_else() {
    let (dir, store) = kept(rows());
    let out = dir.path().join("week");
    let ended = report(&store, &out, &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(ended.stdout.contains("Publications") && ended.stdout.contains("p99"), "{}", ended.stdout);
    let numbers = numbers(&out);
    assert_eq!(
        (&numbers["attempts"], &numbers["fleets"]),
        (&120.into(), &serde_json::json!(["default", "optprov"]))
    );
    let median = &numbers["kinds"][0]["fleets"][0]["quantiles"][0];
    assert_eq!((&median["n"], &median["value"]), (&20.into(), &Value::from(1.9)));
    assert!(
        median["low"].as_f64() < median["value"].as_f64()
            && median["high"].as_f64() > median["value"].as_f64()
    );
    let page = fs::read_to_string(out.join("index.html")).expect("a page");
    assert!(!page.contains("src=") && !page.contains("<script") && page.matches("<svg").count() >= 9);
    let readme = fs::read_to_string(out.join("README.md")).expect("a page");
    let stems = |extension: &str| -> BTreeSet<String> {
        let files = fs::read_dir(out.join("figures"))
            .expect("a directory")
            .map(|entry| entry.expect("a file").file_name());
        let names = files.filter_map(|name| Some(name.to_str()?.strip_suffix(extension)?.to_owned()));
        names.collect()
    };
    assert_eq!((stems(".svg"), stems(".json")), (stems(".csv"), stems(".csv")));
    for stem in stems(".svg") {
        assert!(readme.contains(&format!("(figures/{stem}.svg)")), "{stem}");
    }
}

#[test]
fn what_a_scheduler_kept_and_its_server_as_well_counts_once() {
    let of_key = |key: u8| Measurement {
        fleet: "default".to_owned(),
        outcome: OperationOutcome::Done,
        took: Duration::from_millis(5),
        key: vec![0x12, key],
        ..Measurement::planned(PeerNumber(0), [key; 16], OperationKind::Provide, Timestamp(MONDAY))
    };
    let (dir, store) = kept(vec![of_key(1)]);
    keep(store.as_ref(), (3, "server"), vec![of_key(1), of_key(2)]);
    let out = dir.path().join("week");
    assert_eq!(report(&store, &out, &[]).code, 0);
    assert_eq!(
        numbers(&out)["attempts"],
        2,
        "of the one that a scheduler kept, and of the one that only the server did"
    );
}

#[test]
fn a_part_of_the_time_is_reported_alone_and_the_same_rows_give_the_same_files() {
    let (dir, store) = kept(rows());
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    for out in [&one, &other] {
        let ended = report(&store, out, &["--from", "2026-11-23", "--to", "2026-11-24T00:00:00Z", "--json"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert_eq!(serde_json::from_str::<Value>(&ended.stdout).expect("JSON"), numbers(out));
    }
    assert_eq!(numbers(&one)["attempts"], 72);
    for file in ["report.json", "index.html", "README.md", "figures/error-rate.svg"] {
        assert_eq!(
            fs::read(one.join(file)).expect("a file"),
            fs::read(other.join(file)).expect("a file"),
            "{file}"
        );
    }
}

#[test]
fn what_cannot_be_reported_is_said_and_nothing_is_written() {
    let (dir, store) = kept(Vec::<Row>::new());
    let out = dir.path().join("week");
    let long = Measurement { fleet: "x".repeat(300), ..rows().remove(0) };
    let (_other, of_long) = kept(vec![long]);
    let mine = dir.path().join("mine");
    fs::create_dir(&mine).expect("made");
    fs::write(mine.join("thesis.tex"), "mine").expect("written");
    for (code, said, store, out, more) in [
        (2, "is not before", &store, &out, &["--from", "2026-11-24", "--to", "2026-11-23"][..]),
        (2, "is no time", &store, &out, &["--from", "monday"]),
        (2, "there is no run", &store, &out, &["--from", "2027-01-01"]),
        (2, "names a fleet or region of 300 bytes", &of_long, &out, &[]),
        (2, "thesis.tex", &store, &mine, &[]),
        (3, "", &"/nowhere/perf.sqlite".to_owned(), &out, &[]),
    ] {
        let ended = report(store, out, more);
        assert!(ended.code == code && ended.stderr.contains(said), "{said}: {} {}", ended.code, ended.stderr);
        assert!(!dir.path().join("week").exists(), "{said}");
    }
    // A run without attempts is a page that says so.
    assert_eq!(report(&store, &out, &[]).code, 0);
    assert!(fs::read_to_string(out.join("index.html")).expect("a page").contains("There was no attempt"));
}
