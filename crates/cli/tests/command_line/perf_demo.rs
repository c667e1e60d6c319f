//! The demonstration of perf: what it measures is near what is true, and its seed says what it is.

use std::fs;

use serde_json::Value;

use crate::program::run;

/// As small as it can be.
const SMALL: [&str; 9] = ["perf", "demo", "--peers", "60", "--days", "3", "--rounds", "1", "--seed"];

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[test]
fn what_is_measured_is_near_the_truth_and_the_report_is_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("week");
    let ended = run(SMALL.iter().chain(&["5", "--json", "--out", out.to_str().expect("UTF-8")]));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let shown: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let kept: Value =
        serde_json::from_str(&fs::read_to_string(out.join("report.json")).expect("a file")).expect("JSON");
    assert_eq!(shown, kept);
    assert_eq!(shown["fleets"], serde_json::json!(["default", "fullrt", "optprov", "sweep"]));
    assert_eq!(shown["regions"].as_array().expect("regions").len(), 7);
    // Every kind of probe, both kinds of connections, and each fleet with what others published.
    let kinds: Vec<_> = shown["kinds"].as_array().expect("kinds").iter().map(|kind| &kind["kind"]).collect();
    assert!(kinds.starts_with(&[&"provide".into(), &"retrieve".into(), &"negative".into()]), "{kinds:?}");
    assert_eq!(shown["kinds"][1]["policies"].as_array().expect("policies").len(), 8);
    assert!(shown["matrix"].as_array().expect("pairs").len() > 4);
    for (fleet, truth) in shown["truth"]["fleets"].as_object().expect("fleets") {
        let placed = number(&truth["placed"]) / number(&truth["publications"]);
        let least = if fleet == "fullrt" { 10.0 } else { 15.0 };
        assert!(placed >= least && placed <= 20.0, "{fleet}: {truth}");
        assert_eq!(truth["false_finds"], 0, "{fleet}");
    }
    for (region, truth) in shown["truth"]["regions"].as_object().expect("regions") {
        let (measured, far) = (number(&truth["measured_s"]), number(&truth["true_s"]));
        assert!((measured / far - 1.0).abs() < 0.05, "{region}: {truth}");
    }
    let page = fs::read_to_string(out.join("index.html")).expect("a page");
    assert!(page.contains("Beside the truth") && page.matches("<svg").count() >= 12);
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let [one, same] = ["6", "6"].map(|seed| run(SMALL.iter().chain(&[seed, "--json"])).stdout);
    assert!(!one.is_empty() && one == same, "the same seed gives another report");
}
