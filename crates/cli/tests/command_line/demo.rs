//! The demo from end to end.

use serde_json::Value;

use crate::program::{kadscope, run};

#[test]
fn everything_is_found_and_every_fault_is_called_by_its_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_str().expect("UTF-8");
    let ended = run(["demo", "--peers", "150", "--json", "--dir", path]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let summary = ended.json();
    let truth = &summary["truth"];
    for share in ["peer_recall", "peer_precision", "edge_recall", "edge_precision", "reachability_accuracy"] {
        assert_eq!(truth[share], 1.0, "{share}: {truth:#}");
    }
    assert_eq!(truth["wrong_classes"], 0, "{truth:#}");
    for state in truth["states"].as_array().expect("a list") {
        assert_eq!(state["right"], state["peers"], "{state:#}");
    }
    assert_eq!(summary["state"], "succeeded");
    assert_eq!(summary["peers"]["discovered"], 150);
    assert_eq!(summary["edges"], truth["edges"]["found"]);
    assert_promised_fields(&summary);

    // What the next commands are about is there.
    let store = format!("{path}/kadscope-demo.sqlite");
    let listed = run(["crawls", "--json", "--store", &store]).json();
    let crawl = &listed["crawls"][0];
    assert_eq!(crawl["crawl_id"], summary["crawl_id"]);
    assert_eq!((&crawl["state"], &crawl["peers"]), (&Value::from("succeeded"), &Value::from(150)));
    assert_eq!(crawl["edges_kept"], summary["edges"]);
    let truth = std::fs::read(dir.path().join("truth.json")).expect("the truth");
    let truth: Value = serde_json::from_slice(&truth).expect("JSON");
    assert_eq!(truth["peers"].as_array().expect("a list").len(), 150);
}

/// The fields that programs may rely on.
fn assert_promised_fields(summary: &Value) {
    for field in ["crawl_id", "network", "state", "started_at", "finished_at"] {
        assert!(summary[field].is_string(), "{field}");
    }
    for field in ["duration_s", "edges", "cpu_s", "peak_rss_bytes"] {
        assert!(summary[field].as_f64().is_some_and(|number| number > 0.0), "{field}");
    }
    for field in
        ["/peers/reachable", "/peers/unreachable", "/requests/sent", "/requests/saved", "/requests/failed"]
    {
        assert!(summary.pointer(field).is_some_and(Value::is_u64), "{field}");
    }
    for field in ["errors", "agents", "protocols", "transports"] {
        let counts = summary[field].as_object().expect("an object");
        assert!(!counts.is_empty() && counts.values().all(Value::is_u64), "{field}");
    }
    for field in ["p50", "p90", "p99"] {
        assert!(summary["rtt_ms"][field].is_f64(), "{field}");
    }
}

#[test]
fn people_get_the_summary_the_truth_and_what_to_do_next() {
    let dir = tempfile::tempdir().expect("a directory");
    let output =
        kadscope(["demo", "--peers", "20", "--seed", "3"]).current_dir(dir.path()).output().expect("an end");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0));
    for part in ["Peers", "Agents", "Beside the truth", "all right", "What each peer does", "What next"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    assert!(!text.contains("not all right") && !text.contains('\x1b'), "{text}");
    assert!(text.contains("crawls --store kadscope-demo/kadscope-demo.sqlite"), "{text}");
    assert!(dir.path().join("kadscope-demo/truth.json").is_file());
}

/// What the demo says of a network, and how right it is.
fn shown<const N: usize>(options: [&str; N]) -> Value {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_str().expect("UTF-8");
    let ended = run(["demo", "--json", "--dir", path].iter().chain(&options).copied());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.json()["truth"].clone()
}

#[test]
fn a_crawl_by_its_defaults_of_a_world_is_right_in_everything() {
    let truth = shown(["--world", "--peers", "400"]);
    for share in ["peer_recall", "peer_precision", "edge_recall", "edge_precision", "reachability_accuracy"] {
        assert_eq!(truth[share], 1.0, "{share}: {truth:#}");
    }
    for none in ["wrong_classes", "wrong_identities", "wrong_addresses"] {
        assert_eq!(truth[none], 0, "{none}: {truth:#}");
    }
    assert!(truth["states"].as_array().expect("a list").len() >= 12, "{truth:#}");
}

/// Peers that come and go a hundred times as fast as they do, in each of the ways that there are to be away.
const RESTLESS: &str = r#"
peers = 300
seed = 8
transports = { both = 0.8, all = 0.2 }
addresses = { ip4 = 0.5, ip6 = 0.2, dual = 0.3 }
[life]
speed = 100.0
learn_s = 120.0
[[life.classes]]
name = "moving"
share = 0.3
up = { law = "weibull", median_s = 3600, shape = 0.6 }
down = { law = "log_normal", median_s = 1200, sigma = 1.0 }
moves = { share = 0.5, addresses = 3 }
[[life.classes]]
name = "dropped"
share = 0.3
up = { law = "weibull", median_s = 3600, shape = 0.6 }
down = { law = "log_normal", median_s = 1200, sigma = 1.0 }
absence = "dropped"
[[life.classes]]
name = "rotating"
share = 0.3
up = { law = "exponential", median_s = 1800 }
down = { law = "exponential", median_s = 600 }
absence = "unreachable"
rotates = { share = 0.8, ids = 3 }
"#;

#[test]
fn a_crawl_of_a_world_whose_peers_come_and_go_is_right_at_some_moment_of_each_visit() {
    let dir = tempfile::tempdir().expect("a directory");
    let scenario = dir.path().join("restless.toml");
    std::fs::write(&scenario, RESTLESS).expect("written");
    let truth = shown(["--world", "--scenario", scenario.to_str().expect("UTF-8")]);
    for none in [
        "wrong_outcomes",
        "edges_never_listed",
        "edges_missed",
        "peers_missed",
        "peers_invented",
        "visits_beyond",
    ] {
        assert_eq!(truth[none], 0, "{none}: {truth:#}");
    }
    let before = truth["churn"]["before"].as_object().expect("counts");
    assert!(before.values().filter_map(Value::as_u64).sum::<u64>() >= 12, "{truth:#}");
    for some in ["visits", "edges_expected", "peers_expected"] {
        assert!(truth[some].as_u64() > Some(100), "{some}: {truth:#}");
    }
}

#[test]
fn a_record_that_one_head_is_given_is_answered_by_the_others_and_a_lookup_finds_the_heads() {
    let dir = tempfile::tempdir().expect("a directory");
    let ended = run(["demo", "--hydra", "--json", "--dir", dir.path().to_str().expect("UTF-8")]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let shown = ended.json();
    let answers = shown["answers"].as_array().expect("answers");
    assert_eq!(answers.len(), 4);
    for answer in answers {
        assert_eq!(
            (&answer["has_record"], &answer["with_addresses"]),
            (&true.into(), &true.into()),
            "{answer}"
        );
    }
    assert_eq!(shown["heads_found"], shown["heads_true"], "{shown}");
}
