//! Operations that are explained from a store: one of which it is known who held it up, one that failed, and one of a server that tells
//! nothing.

use std::time::Duration;

use kad::{
    PeerId, Persistence,
    failure::{Failure, FailureClass, Phase},
    lookup::RpcFate,
};
use schema::{
    ConnectionPolicy, Measurement, MeasurementRequest, OperationKind, OperationOutcome, PeerNumber,
    RequestPurpose, Row, Strategy, Timestamp,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    perf_report::kept,
    program::{Ended, run},
};

/// 2026-11-23T00:00:00Z.
const MONDAY: Timestamp = Timestamp(1_795_392_000_000_000);

const SILENT: [u8; 32] = [2; 32];

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn peer(hash: [u8; 32]) -> PeerId {
    PeerId::from_bytes(&[&[0x12, 0x20][..], &hash].concat()).expect("an id")
}

fn operation(attempt: u8, outcome: OperationOutcome, took_ms: u64) -> Measurement {
    Measurement {
        fleet: "default".to_owned(),
        region: "eu-central-1".to_owned(),
        strategy: Some(Strategy::Default),
        policy: Some(ConnectionPolicy::Warm),
        persistence: Some(Persistence::Go),
        began_at: Some(MONDAY),
        took: Duration::from_millis(took_ms),
        outcome,
        ..Measurement::planned(PeerNumber(0), [attempt; 16], OperationKind::Provide, MONDAY)
    }
}

fn request(attempt: u8, to: u32, (asked, ended): (u64, u64)) -> MeasurementRequest {
    MeasurementRequest {
        heard_after: Duration::from_millis(asked),
        asked_after: Duration::from_millis(asked),
        sent_after: Some(ms(asked)),
        ended_after: Some(ms(ended)),
        fate: RpcFate::Answered,
        ..MeasurementRequest::begun(PeerNumber(to), [attempt; 16], RequestPurpose::Find, MONDAY)
    }
}

/// A search that was over after 400 ms, and waited for somebody until the timeout.
fn rows() -> Vec<Row> {
    let held_up = Measurement {
        culprit: Some(PeerNumber(2)),
        culprit_time: Some(ms(9_600)),
        searched_after: Some(ms(400)),
        ..operation(1, OperationOutcome::Done, 10_100)
    };
    let silent = MeasurementRequest {
        agent: Some("kubo/0.40.0/\u{1b}[2J".to_owned()),
        heard_by: Some(PeerNumber(1)),
        fate: RpcFate::Failed,
        failure: Some(Failure::new(Phase::Request, FailureClass::Timeout)),
        ..request(1, 2, (100, 10_100))
    };
    let told_nothing = Measurement { policy: None, ..operation(3, OperationOutcome::Done, 60_000) };
    let peers = [[1; 32], SILENT].map(peer);
    let mut rows: Vec<Row> = (1..).map(PeerNumber).zip(peers).map(|(n, peer)| Row::Peer(n, peer)).collect();
    rows.extend([held_up.into(), request(1, 1, (0, 100)).into(), silent.into()]);
    rows.extend([operation(2, OperationOutcome::Failed, 30).into(), request(2, 1, (0, 30)).into()]);
    rows.push(told_nothing.into());
    rows
}

fn explain(store: &str, more: &[&str]) -> Ended {
    run(["perf", "explain", "--store", store].iter().chain(more))
}

fn json(ended: &Ended) -> Value {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    serde_json::from_str(&ended.stdout).expect("JSON")
}

fn store() -> (TempDir, String) {
    kept(rows())
}

#[test]
fn the_slowest_is_explained_with_who_held_it_up() {
    let (_dir, store) = store();
    let ended = explain(&store, &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let text = &ended.stdout;
    assert!(text.contains("2 operations, 10 s in all; 1 held up"), "{text}");
    assert!(text.contains(&format!("held up by {}", peer(SILENT))), "{text}");
    assert!(text.contains("it did not answer: timeout (in search, by in_flight)"), "{text}");
    assert!(text.contains("without this peer: 9.6 s faster"), "{text}");
    assert!(!text.contains('\u{1b}'), "no terminal is told anything: {text:?}");
}

#[test]
fn the_pieces_that_are_printed_add_up() {
    let (_dir, store) = store();
    let all = json(&explain(&store, &["--slowest", "10", "--json"]));
    let operations = all["operations"].as_array().expect("a list");
    let took: Vec<_> = operations.iter().map(|one| one["operation"]["took_ns"].as_u64()).collect();
    assert_eq!(took, [Some(10_100_000_000), Some(30_000_000)], "the slowest first");
    for one in operations {
        let path = one["operation"]["critical_path"].as_array().expect("a path");
        let piece = |piece: &Value| Some(piece["until_ns"].as_u64()? - piece["from_ns"].as_u64()?);
        let sum: Option<u64> = path.iter().map(piece).sum();
        assert_eq!(sum, one["operation"]["took_ns"].as_u64());
    }
    let summary = &all["summary"];
    assert_eq!((&summary["operations"], &summary["held_up"]), (&2.into(), &1.into()));
    assert_eq!(summary["peers"][0]["name"], peer(SILENT).to_string());
}

#[test]
fn some_are_asked_for_alone() {
    let (_dir, store) = store();
    let failed = json(&explain(&store, &["--failed", "--json"]));
    assert_eq!(failed["operations"].as_array().map(Vec::len), Some(1));
    assert_eq!(failed["operations"][0]["operation"]["outcome"], "failed");
    let one = json(&explain(&store, &["--operation", &"01".repeat(16), "--json"]));
    assert_eq!((one["summary"].is_null(), one["operations"].as_array().map(Vec::len)), (true, Some(1)));
    // That of a server that tells nothing, and one that never was.
    for missing in ["03", "04"] {
        let ended = explain(&store, &["--operation", &missing.repeat(16)]);
        assert!(ended.code == 2 && ended.stderr.contains("has no such operation"), "{}", ended.stderr);
    }
    assert_eq!(explain(&store, &["--operation", "5f"]).code, 2);
}
