//! The demonstration of hoard: what it says of holders is what these do, and its seed says what it is.

use std::fs;

use serde_json::Value;

use crate::program::run;

/// As small as what it is to show allows.
const SMALL: [&str; 7] = ["hoard", "demo", "--peers", "120", "--cids", "12", "--seed"];

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// What stands of a program: in truth and as it was seen.
fn of<'a>(shown: &'a Value, program: &str, aspect: &str) -> &'a Value {
    let times = shown["truth"]["times"].as_array().expect("times");
    let is_it = |time: &&Value| time["seen"]["program"] == program && time["seen"]["aspect"] == aspect;
    times.iter().find(is_it).expect("a program")
}

#[test]
fn times_to_live_are_within_their_intervals_and_the_report_is_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("study");
    let ended = run(SMALL.iter().chain(&["5", "--json", "--out", out.to_str().expect("UTF-8")]));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let shown = ended.json();
    let kept: Value =
        serde_json::from_str(&fs::read_to_string(out.join("report.json")).expect("a file")).expect("JSON");
    assert_eq!(shown, kept);
    assert_eq!((&shown["plan"]["preset"], &shown["arms"][0]["keys"]), (&"rfm17.1".into(), &12.into()));
    let took = &shown["arms"][0]["publication"]["took"];
    assert!(number(&took[0]["value"]) > 0.1, "it is some way from peer to peer: {took}");
    for (program, seconds, clock) in [
        ("ten-minutes/1", 600, "published"),
        ("fifteen-minutes/1", 900, "closed"),
        ("half-an-hour/1", 1800, "published"),
    ] {
        let time = of(&shown, program, "addresses");
        assert_eq!(time["true_s"], serde_json::json!([seconds]));
        assert_eq!(time["true_clock"], clock);
        // Publications are as near to each other as two rounds are: by which clock it runs cannot be clear, so each has its own fit.
        let fits = time["seen"]["fits"].as_array().expect("fits");
        let seen = &fits.iter().find(|fit| fit["clock"] == clock).expect("a fit")["time_s"];
        // Looks and times to live are of the same whole minutes, so a time may lie at the very end of what was seen.
        let (after, by, truth) = (number(&seen["after"]), number(&seen["by"]), f64::from(seconds));
        assert!(after <= truth && truth <= by && by - after < 240.0, "{program}: {seen}");
    }
    // Where it is not clear, the table has a row by each clock.
    let readme = fs::read_to_string(out.join("README.md")).expect("a file");
    let unclear = shown["life"]["times"].as_array().expect("times").iter();
    let unclear: Vec<_> = unclear.filter(|time| time["is_clear"] == false).collect();
    assert!(!unclear.is_empty());
    for time in unclear {
        let program = time["program"].as_str().unwrap_or("(all)");
        let aspect = time["aspect"].as_str().expect("a name");
        for clock in ["published", "closed"] {
            assert!(
                readme.contains(&format!("| {program} | {aspect} | {clock} | no |")),
                "{program} {clock}"
            );
        }
    }
    // What lasts longer than the study is said to last as long as it at least.
    for (program, aspect) in [("two-days/1", "addresses"), ("ten-minutes/1", "record")] {
        let time = &of(&shown, program, aspect)["seen"];
        assert_eq!(time["times_s"], serde_json::json!([]), "{time}");
        assert!(number(&time["longer_than_s"]) > 2400.0, "{time}");
    }
    let nothing = &shown["truth"]["keeps_nothing"];
    let (low, high) = (number(&nothing["estimate"]["low"]), number(&nothing["estimate"]["high"]));
    let truth = number(&nothing["truth"]["share"]);
    assert!(truth > 0.0 && low <= truth && truth <= high, "{nothing}");
    let page = fs::read_to_string(out.join("index.html")).expect("a page");
    assert!(page.contains("Beside the truth") && page.contains("<svg"));
}

#[test]
fn the_same_seed_gives_the_same_study() {
    let [one, same] = ["6", "6"].map(|seed| run(SMALL.iter().chain(&[seed])).stdout);
    assert!(one.contains("fifteen-minutes/1") && one == same, "{one}\n{same}");
    assert!(one.lines().all(|line| line.chars().count() <= 100), "{one}");
}
