//! Rows of measurements: listed, exported at each level of privacy, copied, pruned and deleted as all rows are.

use std::{fs, time::Duration};

use schema::{
    Measurement, MeasurementRequest, OperationKind, OperationOutcome, PeerNumber, RequestPurpose, Row,
    RunEnd, RunId, RunStart, RunState, Timestamp, Tool,
};
use serde_json::Value;
use store::{Store, StoreUrl};

use crate::program::run;

const BEGUN: Timestamp = Timestamp(1_795_000_000_000_000);

/// A run of a scheduler: a server was told to publish, and asked one peer.
async fn measured(path: &std::path::Path) -> (String, kad::PeerId, kad::PeerId) {
    let store = Store::open(&StoreUrl::Sqlite(path.to_owned())).expect("opened").expect("a store");
    let start = RunStart {
        id: RunId::new(BEGUN, [1; 10]),
        tool: Tool::Perf,
        network: "ipfs".to_owned(),
        started_at: BEGUN,
        version: "0.1.0".to_owned(),
        seed: 1,
        vantage: "here".to_owned(),
        parameters: serde_json::json!({}),
    };
    let (server, asked) = (kad::PeerId::random(), kad::PeerId::random());
    let attempt = [9; 16];
    let measurement = Measurement {
        fleet: "optprov".to_owned(),
        region: "eu-central-1".to_owned(),
        version: Some("kadscope/0.1.0".to_owned()),
        key: vec![0x12, 0x20, 0xab, 0xcd],
        cid: "bafysecret".to_owned(),
        failure: Some("dial 192.0.2.7: refused".to_owned()),
        step: Some("provide".to_owned()),
        outcome: OperationOutcome::Failed,
        took: Duration::from_millis(7),
        culprit: Some(PeerNumber(1)),
        ..Measurement::planned(PeerNumber(0), attempt, OperationKind::Provide, BEGUN)
    };
    let request = MeasurementRequest::begun(PeerNumber(1), attempt, RequestPurpose::Give, BEGUN);
    let writer = store.begin_run(&start).expect("begun");
    let rows = writer.sender();
    let peers = [Row::Peer(PeerNumber(0), server), Row::Peer(PeerNumber(1), asked)];
    for row in peers.into_iter().chain([measurement.into(), request.into()]) {
        rows.send(row).await.expect("taken");
    }
    drop(rows);
    let end = RunEnd { finished_at: BEGUN, state: RunState::Succeeded, summary: serde_json::json!({}) };
    writer.finish(end).await.expect("kept");
    (start.id.to_string(), server, asked)
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test]
async fn measurements_are_listed_exported_copied_and_deleted_as_all_rows_are() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = |name: &str| directory.path().join(name).to_str().expect("UTF-8").to_owned();
    let (store, copy, key) = (place("perf.sqlite"), place("copy.sqlite"), place("key"));
    let (id, server, asked) = measured(store.as_ref()).await;
    fs::write(&key, [7; 32]).expect("written");

    let listed = run(["runs", "--store", &store, "--json", "--tool", "perf"]).json();
    assert_eq!((&listed["runs"][0]["run_id"], &listed["runs"][0]["rows"]), (&id.as_str().into(), &2.into()));
    let known = run(["runs", "--store", &store, "--json", "--peer", &asked.to_base58()]).json();
    assert_eq!(known["known"][0]["kind"], "measurement_request");

    let export = |store: &str, words: &[&str]| {
        let kinds = ["export", "--store", store, "--rows", "measurement,measurement_request", "--out", "-"];
        run(kinds.iter().chain(words)).stdout
    };
    let open = export(&store, &["--privacy", "as-is"]);
    let rows = objects(&open);
    assert_eq!((&rows[0]["peer_id"], &rows[0]["cid"]), (&server.to_base58().into(), &"bafysecret".into()));
    assert_eq!(
        (&rows[0]["culprit_peer_id"], &rows[1]["purpose"]),
        (&asked.to_base58().into(), &"give".into())
    );
    assert_eq!(rows[0]["attempt"], rows[1]["attempt"]);

    let hidden = export(&store, &["--privacy", "pseudonymised", "--key-file", &key]);
    for secret in [&*server.to_base58(), &asked.to_base58(), "1220abcd", "bafysecret", "192.0.2.7"] {
        assert!(open.contains(secret) && !hidden.contains(secret), "{secret}");
    }
    let rows = objects(&hidden);
    assert_eq!((&rows[0]["fleet"], &rows[0]["region"]), (&"optprov".into(), &"eu-central-1".into()));
    assert_eq!((&rows[0]["outcome"], &rows[0]["took_us"]), (&"failed".into(), &7000.into()));
    assert_eq!(rows[0]["attempt"], rows[1]["attempt"], "they can still be joined");
    let without = export(&store, &["--privacy", "without-ips"]);
    assert!(without.contains(&server.to_base58()) && !without.contains("192.0.2.7"), "{without}");

    assert_eq!(run(["store", "copy", &store, &copy]).code, 0);
    assert_eq!(export(&copy, &["--privacy", "as-is"]), open);
    let pruned = run(["store", "prune", "--store", &copy, "--keep-visits", "1h", "--json"]).json();
    assert_eq!(pruned["pruned_visits"], 0);
    assert_eq!(export(&copy, &["--privacy", "as-is"]), open, "visits are pruned, measurements are not");
    assert_eq!(run(["runs", &id, "--store", &copy, "--delete", "--yes"]).code, 0);
    assert_eq!(run(["store", "check", "--store", &copy, "--json"]).json()["sound"], true);
}
