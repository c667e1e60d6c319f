//! Studies of what others provide: what is refused before anybody is asked, and what is kept of a key that nobody provides.

use std::{collections::BTreeMap, path::Path};

use kad::retrieval::RetrievalVerdict;
use rustix::process::Signal;
use schema::{HoardDial, HoardRound, HoardWalk, RoundEnd, RowType};
use store::{RunFilter, Store, StoreUrl};

use crate::{
    hoard::until,
    program::{Ended, Running, Testnet, kadscope, run},
};

/// A CID of an empty directory: version 1.
const CID: &str = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";

/// A study of a network in which nothing may be asked: nobody is there.
fn refused(more: &[&str]) -> Ended {
    let nobody = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    let place = ["hoard", "content", "--addresses", "loopback", "--bootstrap", nobody];
    run(place.iter().chain(more).copied())
}

#[test]
fn what_cannot_be_studied_is_refused_before_anybody_is_asked_and_the_line_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let store = directory.path().join("a.sqlite").to_str().expect("UTF-8").to_owned();
    let empty = file("empty", "# nothing\n\n");
    let malformed = file("malformed", &format!("{CID}\n\nbafynonsense # no CID\n"));
    for (more, said) in [
        (vec![CID], "--frame"),
        (vec!["bafynonsense", "--frame", "one"], "bafynonsense"),
        (vec!["--frame", "none"], "there is no key to look at"),
        (vec!["--keys", &empty, "--frame", "none"], "there is no key in it"),
        (vec!["--keys", &malformed, "--frame", "two"], "line 3 is no CID"),
        (
            vec![CID, "--frame", "one", "--max-requests-per-hour", "1", "--store", &store],
            "--max-requests-per-hour",
        ),
        (vec![CID, "--frame", "one", "--store", "none"], "--store none"),
    ] {
        let ended = refused(&more);
        assert_eq!(ended.code, 2, "{more:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{more:?}: {}", ended.stderr);
    }
    assert!(!Path::new(&store).exists(), "nothing was written");
}

#[test]
fn a_dry_run_says_the_frame_the_sample_and_the_burden_and_asks_nobody() {
    let directory = tempfile::tempdir().expect("a directory");
    let keys = directory.path().join("keys");
    let digests = (0..40).map(|number| format!("1220{}\n", format!("{number:02x}").repeat(32)));
    std::fs::write(&keys, digests.collect::<String>()).expect("it is written");
    let keys = keys.to_str().expect("UTF-8");
    let more =
        ["--keys", keys, "--frame", "forty keys", "--sample", "10", "--seed", "3", "--dry-run", "--json"];
    let ended = refused(&more);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let said: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let (plan, burden) = (&said["plan"], &said["burden"]);
    assert_eq!((&plan["frame"]["words"], &plan["frame"]["keys"]), (&"forty keys".into(), &40.into()));
    assert_eq!(plan["keys"]["keys"].as_array().map(Vec::len), Some(10));
    assert_eq!(burden["records"], 0);
    assert!(burden["requests_per_hour"].as_f64().is_some_and(|asked| asked > 100.0), "{burden}");
}

#[test]
fn a_key_that_nobody_provides_is_looked_at_to_the_end_and_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let testnet = Testnet::healthy(40);
    let store = directory.path().join("a.sqlite");
    let first = testnet.bootstrap()[0].to_owned();
    let ended = run([
        "hoard",
        "content",
        CID,
        "--frame",
        "one key",
        "--json",
        "--addresses",
        "loopback",
        "--bootstrap",
        &first,
        "--store",
        store.to_str().expect("UTF-8"),
        "--max-requests-per-hour",
        "1000000",
        "--every",
        "2s",
        "--for",
        "6s",
        "--observers",
        "1",
    ]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let said: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((&said["end"], &said["keys"]), (&"done".into(), &1.into()));
    // Nobody has a record: nothing is available, and that is known.
    let available = &said["available"][0];
    assert_eq!((&available["rule"], &available["unknown"]), (&"dialled".into(), &0.into()));
    assert_eq!((&available["share"]["hits"], &available["share"]["n"]), (&0.into(), &1.into()));
    let store = Store::open_existing(&StoreUrl::Sqlite(store)).expect("a store");
    let id = store.runs(&RunFilter::default()).expect("runs")[0].start.id;
    let rounds: Vec<HoardRound> = store.rows(id).expect("rows").map(|row| row.expect("a row")).collect();
    let walks: Vec<HoardWalk> = store.rows(id).expect("rows").map(|row| row.expect("a row")).collect();
    assert_eq!(rounds.iter().filter(|round| round.round > 0).count(), 3);
    assert!(!walks.is_empty() && walks.iter().all(|walk| walk.providers == 0 && walk.answered > 0));
    assert_eq!(store.rows::<HoardDial>(id).expect("rows").count(), 0);
}

/// All rows of a kind, of all runs.
fn rows<T: RowType>(path: &Path) -> Vec<T> {
    let store = Store::open_existing(&StoreUrl::Sqlite(path.to_owned())).expect("a store");
    let runs = store.runs(&RunFilter::default()).expect("runs");
    let of = |run: &store::RunInfo| {
        store.rows::<T>(run.start.id).expect("rows").map(|row| row.expect("a row")).collect::<Vec<T>>()
    };
    runs.iter().flat_map(of).collect()
}

/// Two keys, one of which somebody provides who is there; the process is killed twice while it looks.
#[test]
fn a_study_that_is_killed_goes_on_and_no_look_is_lost_or_made_twice() {
    const PROVIDED: &str = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
    let directory = tempfile::tempdir().expect("a directory");
    let (testnet, path) = (Testnet::healthy(40), directory.path().join("a.sqlite"));
    let (first, store) = (testnet.bootstrap()[0], path.to_str().expect("UTF-8"));
    let network = ["--addresses", "loopback", "--bootstrap", first];
    let mut provider =
        Running::start(&mut kadscope(["provide", PROVIDED, "--serve-for", "1h"].iter().chain(&network)));
    provider.await_stderr(|line| line.contains("serving as"));

    let place = ["hoard", "content", "--json", "--store", store, "--max-requests-per-hour", "1000000"];
    let what = [CID, PROVIDED, "--frame", "two keys", "--every", "2s", "--for", "20s", "--observers", "1"];
    let looks = |end: Option<RoundEnd>| {
        let all = || rows::<HoardRound>(&path).into_iter().filter(|round| round.round > 0);
        if path.exists() { all().filter(|round| end.is_none_or(|end| round.end == end)).count() } else { 0 }
    };
    let mut study = Running::start(&mut kadscope(place.iter().chain(&network).chain(&what)));
    for more in [3, 6] {
        until("some looks are kept", || looks(Some(RoundEnd::Whole)) >= more);
        study.send(Signal::KILL);
        assert_eq!(study.code_unread(), None, "a signal ended it");
        study = Running::start(&mut kadscope(place.iter().chain(&network).chain(&["--resume", "latest"])));
    }
    let ended = study.wait();
    assert_eq!(ended.code, 0, "{}", ended.stderr);

    let mut times: BTreeMap<(Vec<u8>, u32), usize> = BTreeMap::new();
    for round in rows::<HoardRound>(&path).into_iter().filter(|round| round.round > 0) {
        *times.entry((round.key, round.round)).or_default() += 1;
    }
    assert_eq!(times.len(), 2 * 10, "no look is lost: {times:?}");
    assert!(times.values().all(|&times| times == 1), "and none is made twice: {times:?}");
    let dials = rows::<HoardDial>(&path);
    let dialled_of = &dials.first().expect("somebody was dialled").key;
    for round in rows::<HoardRound>(&path).iter().filter(|round| round.round > 0 && round.key == *dialled_of)
    {
        let dialled = dials.iter().filter(|dial| dial.round == round.round).count();
        // A look that a kill cut off behind its dial was made again.
        assert!(round.end != RoundEnd::Whole || [1, 2].contains(&dialled), "{dialled} dials of {round:?}");
    }
    assert!(dials.iter().all(|dial| dial.verdict != RetrievalVerdict::Unreachable), "{dials:?}");
    provider.send(Signal::TERM);
    provider.wait();
}
