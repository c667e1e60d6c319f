//! What changes would save, of a study in a store: its numbers are those of the library, and what cannot be said is refused.

use std::{fs, time::Duration};

use kad::lookup::Termination;
use schema::{HoardLookup, HoardWalk, Row, Timestamp};
use serde_json::Value;

use crate::{
    hoard_report::{MONDAY, kept_with, key},
    program::{Ended, run},
};

/// As small as what it is to show allows.
const SMALL: [&str; 9] = ["hoard", "demo", "--peers", "120", "--cids", "8", "--seed", "5", "--json"];

fn savings(run_id: &str, store: &str, more: &[&str]) -> Ended {
    run(["hoard", "savings", run_id, "--store", store].iter().chain(more))
}

/// A lookup of the only round of the study, of which no request is kept.
fn walk(lookup: HoardLookup, ending: Termination) -> Row {
    HoardWalk {
        key: key(),
        arm: 0,
        round: 1,
        lookup,
        began_at: Timestamp(MONDAY + 180_000_000),
        took: Duration::from_secs(1),
        ending,
        asked: 3,
        answered: 3,
        failed: 0,
        contacted: 3,
        tree_depth: 1,
        hops_to_closest: None,
        providers: 1,
        first_combo: 2,
        upgraded_combo: 2,
        closest: Vec::new(),
    }
    .into()
}

#[test]
fn the_numbers_of_a_store_are_those_of_the_study_in_memory() {
    let dir = tempfile::tempdir().expect("a directory");
    let (file, out) = (dir.path().join("demo.sqlite"), dir.path().join("savings"));
    let (file, out) = (file.to_str().expect("UTF-8"), out.to_str().expect("UTF-8"));
    let demo = run(SMALL.iter().chain(&["--keep", file]));
    assert_eq!(demo.code, 0, "{}", demo.stderr);
    let demo = demo.json();
    let run_id = demo["runs"][0].as_str().expect("a run");
    let ended = savings(run_id, file, &["--json", "--out", out]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let said = ended.json();
    assert!(said["retrievals"].as_u64().expect("a number") > 100, "{}", said["retrievals"]);
    for (name, value) in demo["savings"].as_object().expect("numbers") {
        assert_eq!(&said[name], value, "{name}");
    }
    let kept = fs::read_to_string(format!("{out}/report.json")).expect("a file");
    assert_eq!(serde_json::from_str::<Value>(&kept).expect("JSON"), said);
    assert!(fs::exists(format!("{out}/figures/savings-by-age.svg")).expect("a directory"));

    // What is tried is what was asked for, beside the first answer on addresses as they were given.
    let own = ["--json", "--policy", "wait_for_addresses", "--address-ttl", "2h", "--look-again", "never"];
    let own = savings(run_id, file, &own).json();
    let tried = own["changes"].as_array().expect("changes").iter();
    let tried: Vec<_> = tried.map(|change| (&change["policy"], &change["address_lifetime_s"])).collect();
    let (first, waits, two_hours) =
        (Value::from("first_answer"), Value::from("wait_for_addresses"), 7200.into());
    assert_eq!(
        tried,
        [(&first, &Value::Null), (&first, &two_hours), (&waits, &Value::Null), (&waits, &two_hours)]
    );
    assert_eq!(own["changes"][0]["all"]["ways"].as_array().expect("ways").len(), 1);
    assert_eq!(own["changes"][0]["all"]["id_only"], said["changes"][0]["all"]["id_only"]);

    let text = savings(run_id, file, &["--arm", "default"]).stdout;
    assert!(text.contains("first answer") && text.lines().all(|line| line.chars().count() <= 110), "{text}");
    let unknown = savings(run_id, file, &["--arm", "other"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("no arm \"other\": there are default"), "{}", unknown.stderr);
}

#[test]
fn what_says_nothing_is_refused_by_name_and_nothing_is_written() {
    let (study, other) = ("07".repeat(16), "08".repeat(16));
    let exhaustive = |ending| walk(HoardLookup::Exhaustive, ending);
    for (rows, run_id, code, said) in [
        (vec![], &*other, 2, "is one of `perf`"),
        (vec![], &*study, 2, "no lookup that wants all providers"),
        (
            vec![walk(HoardLookup::First, Termination::Stopped)],
            &study,
            2,
            "no lookup that wants all providers",
        ),
        (vec![exhaustive(Termination::Completed)], &study, 2, "no request is kept"),
        (vec![], "x", 2, "32 digits"),
        (vec![], &*"09".repeat(16), 3, &*"09".repeat(16)),
    ] {
        let (dir, store) = kept_with(rows);
        let out = dir.path().join("savings");
        let ended = savings(run_id, &store, &["--out", out.to_str().expect("UTF-8")]);
        assert_eq!(ended.code, code, "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert!(!out.exists());
    }
    let (dir, store) = kept_with(Vec::new());
    let nowhere = dir.path().join("nowhere.sqlite");
    let missing = savings(&study, nowhere.to_str().expect("UTF-8"), &[]);
    assert_eq!(missing.code, 3, "{}", missing.stderr);
    let many = (1..40).map(|n| format!("{n}h")).collect::<Vec<_>>().join(",");
    let many = savings(&study, &store, &["--address-ttl", &many]);
    assert_eq!(many.code, 2, "{}", many.stderr);
}
