//! The dashboard and the alert rules of `docs/dashboards`: every query is asked of a real Prometheus that scrapes a monitor, or a crawl,
//! and gives what the program itself says; every rule fires where it is to, and nowhere else.

#[path = "../../../hydra/tests/heads/dashboard/server.rs"]
mod server;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::Command,
};

use serde_json::Value;

use self::server::{Prometheus, program};
use crate::{
    program::{Running, Testnet, kadscope},
    watching::url,
};

/// How many peers the network has. All of them are well.
const PEERS: u32 = 40;

fn dashboards() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/dashboards")
}

/// Every query of the dashboard with the title of its panel, over a range of this test.
fn queries() -> Vec<(String, String)> {
    let text = fs::read_to_string(dashboards().join("network.json")).expect("a dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    assert!(dashboard["schemaVersion"].as_u64() >= Some(39) && dashboard["uid"].is_string());
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().expect("an id")).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
    let mut queries = Vec::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().expect("a title");
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty() && panel["gridPos"]["w"].as_u64() > Some(0), "{title}");
        for target in targets {
            let query = target["expr"].as_str().expect("a query");
            let query = query.replace("$__rate_interval", "10s").replace("$job", ".+");
            queries.push((title.to_owned(), query));
        }
    }
    queries
}

/// The address at which a command that stays up is asked.
fn address(staying: &mut Running) -> SocketAddr {
    let said = staying.await_stderr(|line| line.contains("metrics, health and readiness are at"));
    let url = url(&said);
    url.trim_start_matches("http://").trim_end_matches('/').parse().expect("an address")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_gives_numbers_and_those_of_the_program() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("a.sqlite");
    let testnet = Testnet::healthy(PEERS);
    let bootstrap = testnet.bootstrap().join(",");
    let place = ["--addresses", "loopback", "--bootstrap", &bootstrap, "--metrics-addr", "127.0.0.1:0"];
    let of_store = ["monitor", "--look-after", "1s", "--store", store.to_str().expect("UTF-8")];
    let mut monitor = Running::start(&mut kadscope(of_store.iter().chain(&place)));
    let walk = ["crawl", "--store", "none", "--strategy", "random-walk", "--for", "10m"];
    let mut crawl = Running::start(&mut kadscope(walk.iter().chain(&place)));
    let of_monitor = Prometheus::of(address(&mut monitor)).await;
    let of_crawl = Prometheus::of(address(&mut crawl)).await;

    let mut seen = BTreeMap::new();
    for (title, query) in queries() {
        let asked = if query.contains("kadscope_crawl_") { &of_crawl } else { &of_monitor };
        let answer = asked.until(&query, |samples| !samples.is_empty()).await;
        assert!(answer.iter().all(|sample| !sample.value.is_infinite()), "{title}: {query}: {answer:?}");
        seen.insert((title, query), answer);
    }
    assert!(seen.len() > 20, "{}", seen.len());
    let up =
        |samples: &[server::Sample]| samples.len() == 1 && (samples[0].value - f64::from(PEERS)).abs() < 0.5;
    of_monitor.until("kadscope_monitor_peers_up", up).await;
    let reached = "kadscope_crawl_peers{state=\"reachable\"}";
    of_crawl.until(reached, up).await;
}

/// The rules say nothing of metrics that are not there, and their own tests pass.
#[test]
fn every_alert_fires_where_it_is_to_and_nowhere_else() {
    let promtool = program().with_file_name("promtool");
    let checked = |words: &[&str]| {
        let ended = Command::new(&promtool).args(words).current_dir(dashboards()).output().expect("an end");
        let said =
            String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{words:?}: {said}");
    };
    checked(&["check", "rules", "alerts.yml"]);
    checked(&["test", "rules", "alerts_test.yml"]);
}
