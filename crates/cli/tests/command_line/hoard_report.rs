//! A report of a study from a store: what there is to be read, and what is refused.

use std::{fs, path::Path, time::Duration};

use kad::{PeerId, Persistence};
use schema::{
    HoardHolder, HoardKey, HoardRound, HoardSight, HolderAnswer, PeerNumber, PublisherEnd, RoundEnd, Row,
    RunEnd, RunId, RunStart, RunState, Strategy, Timestamp, Tool, Whereabouts,
};
use serde_json::Value;
use store::{Store, StoreUrl};
use tempfile::TempDir;

use crate::program::{Ended, run};

/// 2026-11-23T00:00:00Z.
pub(crate) const MONDAY: i64 = 1_795_392_000_000_000;

const HOLDERS: u16 = 3;

pub(crate) fn key() -> Vec<u8> {
    [&[0x12, 0x20][..], &[7; 32]].concat()
}

/// A key with three holders and one round, in which two of them give the record.
fn rows() -> Vec<Row> {
    let published_at = Timestamp(MONDAY);
    let mut rows: Vec<Row> =
        (0..=u32::from(HOLDERS)).map(|n| Row::Peer(PeerNumber(n), PeerId::random())).collect();
    for rank in 1..=HOLDERS {
        rows.push(holder(rank).into());
        rows.push(sight(rank).into());
    }
    rows.push(
        HoardKey {
            peer: PeerNumber(0),
            key: key(),
            arm: 0,
            arm_name: "<i>arm</i>".to_owned(),
            position: 0,
            strategy: Some(Strategy::Default),
            persistence: Some(Persistence::Go),
            k: HOLDERS,
            publisher_end: PublisherEnd::Closed,
            published_at,
            took: Duration::from_secs(9),
            failure: None,
            holders: HOLDERS.into(),
            sent: HOLDERS.into(),
        }
        .into(),
    );
    let began_at = Timestamp(MONDAY + 180_000_000);
    rows.push(
        HoardRound {
            key: key(),
            arm: 0,
            round: 1,
            planned_at: began_at,
            began_at,
            ended_at: began_at,
            rounds_in_flight: 0,
            requests_in_flight: 0,
            end: RoundEnd::Whole,
            holders: HOLDERS,
            reached: HOLDERS,
            keeping: 2,
            with_addresses: 2,
        }
        .into(),
    );
    rows
}

fn holder(rank: u16) -> HoardHolder {
    let address: kad::Multiaddr = "/ip4/192.0.2.1/tcp/4001".parse().expect("an address");
    HoardHolder {
        peer: PeerNumber(rank.into()),
        key: key(),
        arm: 0,
        rank,
        common_prefix_len: 3,
        agent: Some("kubo/0.38.1".to_owned()),
        first_addresses: (rank == 3).then(|| address.into()).into_iter().collect(),
        chosen_after: Duration::ZERO,
        sent_after: Some(Duration::from_secs(1)),
        send_error: None,
    }
}

fn sight(rank: u16) -> HoardSight {
    HoardSight {
        peer: PeerNumber(rank.into()),
        key: key(),
        arm: 0,
        round: 1,
        planned_after: Duration::from_secs(180),
        after: Duration::from_secs(181),
        whereabouts: Whereabouts::SameAddress,
        first_dial_error: None,
        first_dial_took: Some(Duration::from_millis(20)),
        current_dial_error: None,
        current_dial_took: None,
        current_addresses: Vec::new(),
        transport: None,
        round_trip: None,
        agent: None,
        answer: if rank == 1 { HolderAnswer::WithoutRecord } else { HolderAnswer::WithAddresses },
        answer_error: None,
        answer_took: Some(Duration::from_millis(20)),
        provider_addresses: 1,
        other_providers: 0,
        closer: 20,
        attempts: 1,
    }
}

/// A store with a study, and a run of another tool.
fn kept() -> (TempDir, String) {
    kept_with(Vec::new())
}

/// The same, with more rows in the study.
pub(crate) fn kept_with(more: Vec<Row>) -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("hoard.sqlite");
    let store = Store::open(&StoreUrl::Sqlite(path.clone())).expect("opened").expect("kept");
    let study = rows().into_iter().chain(more).collect();
    for (run, tool, rows) in [(7, Tool::Hoard, study), (8, Tool::Perf, Vec::new())] {
        let start = RunStart {
            id: RunId([run; 16]),
            tool,
            network: "test".to_owned(),
            started_at: Timestamp(MONDAY),
            version: String::new(),
            seed: 0,
            vantage: String::new(),
            parameters: serde_json::json!({}),
        };
        let writer = store.begin_run(&start).expect("begun");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let sender = writer.sender();
            for row in rows {
                sender.send(row).await.expect("taken");
            }
            drop(sender);
            let (finished_at, state) = (Timestamp(MONDAY + 400_000_000), RunState::Succeeded);
            writer.finish(RunEnd { finished_at, state, summary: serde_json::json!({}) }).await.expect("kept");
        });
    }
    (dir, path.to_str().expect("UTF-8").to_owned())
}

fn report(store: &str, out: &Path, run_id: &str, more: &[&str]) -> Ended {
    let out = out.to_str().expect("UTF-8");
    run(["hoard", "report", "--store", store, "--run", run_id, "--out", out].iter().chain(more))
}

#[test]
fn a_study_becomes_numbers_figures_and_a_page_that_needs_nothing_else() {
    let (dir, store) = kept();
    let out = dir.path().join("study");
    let ended = report(&store, &out, &"07".repeat(16), &["--apart", "kubo"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let numbers = fs::read_to_string(out.join("report.json")).expect("a file");
    let numbers: Value = serde_json::from_str(&numbers).expect("JSON");
    let age = &numbers["arms"][0]["ages"][0];
    assert_eq!(age["holders"]["keeping"]["mean"]["mean"], Value::from(2.0));
    assert_eq!(age["holders_apart"]["online"]["median"]["value"], Value::from(3.0));
    let html = fs::read_to_string(out.join("index.html")).expect("a file");
    for loads in ["<script", "<link", "@import", "url(http", "<i>arm"] {
        assert!(!html.contains(loads), "{loads}");
    }
    for file in
        ["README.md", "figures/holders-keeping.svg", "figures/holders-keeping.csv", "figures/in-degree.json"]
    {
        assert!(out.join(file).is_file(), "{file}");
    }
}

#[test]
fn what_one_study_has_published_another_one_watches() {
    let (dir, store) = kept();
    let (out, file) = (dir.path().join("study"), dir.path().join("holders.json"));
    let holders = file.to_str().expect("UTF-8");
    for _ in 0..2 {
        let ended = report(&store, &out, &"07".repeat(16), &["--holders", holders]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "a file of its own is written anew");
    }
    let written: Value = serde_json::from_str(&fs::read_to_string(&file).expect("a file")).expect("JSON");
    let records = written["ProviderRecords"].as_array().expect("records");
    assert_eq!((records.len(), &records[0]["UserAgent"]), (3, &"kubo/0.38.1".into()));
    let plan = ["hoard", "run", "--store", "none", "--keys", holders, "--foreign", "--dry-run", "--json"];
    let planned = run(plan);
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let keys = &planned.json()["plan"]["keys"];
    assert_eq!(keys["keys"].as_array().expect("keys").len(), 1, "{keys}");
    // What is something else stays.
    let other = dir.path().join("other.json");
    fs::write(&other, "{}").expect("written");
    let ended = report(&store, &out, &"07".repeat(16), &["--holders", other.to_str().expect("UTF-8")]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("is not a list of keys with their holders"), "{}", ended.stderr);
    assert_eq!(fs::read_to_string(&other).expect("a file"), "{}");
}

#[test]
fn lives_are_told_by_whose_addresses_holders_have() {
    let (dir, store) = kept();
    let out = dir.path().join("study");
    let ranges = dir.path().join("ranges");
    let path = ranges.to_str().expect("UTF-8");
    fs::write(&ranges, "# ours\n192.0.2.0/24 example\n").expect("written");
    let ended = report(&store, &out, &"07".repeat(16), &["--clouds", path, "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let of_cloud = |numbers: &Value| -> Vec<Value> {
        let curves = numbers["life"]["curves"].as_array().expect("curves").iter();
        let curves = curves.filter(|curve| curve["by"] == "cloud" && curve["aspect"] == "record");
        curves.map(|curve| curve["group"].clone()).collect()
    };
    assert_eq!(of_cloud(&ended.json()), ["no address", "example"]);
    assert_eq!(of_cloud(&report(&store, &out, &"07".repeat(16), &["--json"]).json()), Vec::<Value>::new());
    fs::write(&ranges, "192.0.2.0/24 example\nexample\n").expect("written");
    let ended = report(&store, &out, &"07".repeat(16), &["--clouds", path]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("line 2: not a range"), "{}", ended.stderr);
}

#[test]
fn what_is_no_study_or_no_crawl_is_refused_by_name_and_nothing_is_written() {
    let (dir, store) = kept();
    let out = dir.path().join("study");
    let (study, other) = ("07".repeat(16), "08".repeat(16));
    for (run_id, more, said) in [
        (&*other, &[][..], "is one of `perf`"),
        (&*study, &["--crawl", &*other][..], "of --crawl is one of `perf`"),
        ("x", &[][..], "32 digits"),
    ] {
        let ended = report(&store, &out, run_id, more);
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    let unknown = report(&store, &out, &"09".repeat(16), &[]);
    assert_ne!(unknown.code, 0);
    assert!(unknown.stderr.contains(&"09".repeat(16)), "{}", unknown.stderr);
    assert!(!out.exists());
}
