//! `perf fleet`: who is registered, and how it stands.

use std::time::Duration;

use schema::Timestamp;
use store::{Register, RegisterConfig, ServerEntry, StoreUrl};

use crate::program::run;

/// Now, by the only clock of a test: that of the file system.
fn now() -> Timestamp {
    let file = tempfile::tempfile().expect("a file");
    let modified = file.metadata().and_then(|file| file.modified()).expect("a time");
    Timestamp(0).after(modified.duration_since(std::time::UNIX_EPOCH).expect("after 1970"))
}

fn entry(fleet: &str, entered_at: Timestamp) -> ServerEntry {
    ServerEntry {
        fleet: fleet.to_owned(),
        region: "eu-central-1".to_owned(),
        peer: kad::PeerId::random(),
        http: ([127, 0, 0, 1], 7070).into(),
        peer_port: None,
        cpu: 1,
        memory: 1,
        strategy: Some(schema::Strategy::Default),
        version: "0.1.0".to_owned(),
        command: String::new(),
        dependencies: serde_json::json!({}),
        entered_at,
    }
}

#[tokio::test]
async fn servers_are_listed_with_how_they_stand() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("perf.sqlite");
    let url = format!("sqlite:{}", path.display());
    let listed = |words: &[&str]| run(["perf", "fleet", "--store", &url].iter().chain(words));
    let missing = listed(&[]);
    assert_ne!(missing.code, 0);
    assert!(missing.stderr.contains("there is no such file"), "{}", missing.stderr);
    assert!(!path.exists(), "a list makes nothing");

    let register = Register::open(&StoreUrl::Sqlite(path), RegisterConfig::default()).await.expect("opened");
    let now = now();
    let long_ago = Timestamp(now.0 - 3 * 86_400_000_000);
    for (fleet, heartbeat) in [("a", now), ("b", long_ago), ("b", now)] {
        let id = register.enter_server(&entry(fleet, heartbeat)).await.expect("entered");
        register.heartbeat(id, heartbeat).await.expect("written");
        if fleet == "b" && heartbeat == now {
            register.offline(id, now.after(Duration::from_millis(1))).await.expect("written");
        }
    }
    let said = listed(&["--json"]).json();
    let states = |said: &serde_json::Value| {
        let servers = said["servers"].as_array().expect("a list").iter();
        servers.map(|server| server["state"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((states(&said), &said["gone"]), (vec!["alive".to_owned(), "offline".to_owned()], &1.into()));
    assert_eq!(said["servers"][0]["http"], "127.0.0.1:7070");
    assert!(said["servers"][0]["heartbeat_age_s"].as_u64() < Some(120), "{said}");
    let said = listed(&["--json", "--all", "--fleets", "b"]).json();
    assert_eq!(states(&said), ["late", "offline"]);
    let text = listed(&[]).stdout;
    assert!(
        text.contains("2 servers, 1 of them alive") && text.contains("1 is gone for more than a day"),
        "{text}"
    );
    let refused = listed(&["--parsec-compat"]);
    assert!(refused.stderr.contains("in PostgreSQL alone"), "{}", refused.stderr);
}
