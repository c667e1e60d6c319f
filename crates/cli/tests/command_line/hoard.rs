//! Studies of who keeps records: what is kept of one that ends, that is stopped or killed, and how it goes on.

use std::{collections::BTreeMap, path::Path, time::Duration};

use rustix::process::Signal;
use schema::{HoardHolder, HoardKey, HoardRound, HoardSight, HolderAnswer, RoundEnd, Whereabouts};
use store::{RunFilter, Store, StoreUrl};
use tokio::time::Instant;

use crate::program::{Ended, Running, Testnet, kadscope, run};

/// A short study: every key once a second, or so often.
pub(crate) const SHORT: &[&str] =
    &["--cids", "3", "--publish-every", "200ms", "--every", "1s", "--observers", "2", "--seed", "7"];

/// A study of a network of peers that are all well.
pub(crate) struct Field {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) testnet: Testnet,
}

impl Field {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory"), testnet: Testnet::healthy(40) }
    }

    pub(crate) fn store(&self) -> String {
        self.directory.path().join("a.sqlite").to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn args(&self, more: &[&str]) -> Vec<String> {
        let first = self.testnet.bootstrap()[0].to_owned();
        let store = self.store();
        let place =
            ["hoard", "run", "--json", "--addresses", "loopback", "--bootstrap", &first, "--store", &store];
        place.iter().chain(more).map(|&arg| arg.to_owned()).collect()
    }

    pub(crate) fn study(&self, more: &[&str]) -> Ended {
        run(self.args(more))
    }

    pub(crate) fn kept(&self) -> Kept {
        Kept::read(Path::new(&self.store()))
    }
}

/// What a store has of studies, all runs together.
pub(crate) struct Kept {
    pub(crate) keys: Vec<HoardKey>,
    pub(crate) holders: Vec<HoardHolder>,
    sights: Vec<HoardSight>,
    pub(crate) rounds: Vec<HoardRound>,
}

impl Kept {
    pub(crate) fn read(path: &Path) -> Self {
        let store = Store::open_existing(&StoreUrl::Sqlite(path.to_owned())).expect("a store");
        let mut kept = Self { keys: Vec::new(), holders: Vec::new(), sights: Vec::new(), rounds: Vec::new() };
        for run in store.runs(&RunFilter::default()).expect("runs") {
            let id = run.start.id;
            kept.keys.extend(store.rows::<HoardKey>(id).expect("rows").map(|row| row.expect("a row")));
            kept.holders.extend(store.rows::<HoardHolder>(id).expect("rows").map(|row| row.expect("a row")));
            kept.sights.extend(store.rows::<HoardSight>(id).expect("rows").map(|row| row.expect("a row")));
            kept.rounds.extend(store.rows::<HoardRound>(id).expect("rows").map(|row| row.expect("a row")));
        }
        kept
    }

    /// How often each round of each key stands there, missed ones and those that were stopped included.
    pub(crate) fn times(&self) -> BTreeMap<(&[u8], u32), usize> {
        let mut times = BTreeMap::new();
        for round in &self.rounds {
            *times.entry((&round.key[..], round.round)).or_default() += 1;
        }
        times
    }
}

pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_study_keeps_its_keys_holders_sights_and_every_round() {
    let field = Field::new();
    let ended = field.study(&[SHORT, &["--for", "3s"]].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let summary = ended.json();
    assert_eq!(
        (&summary["end"], &summary["keys"], &summary["failed_keys"]),
        (&"done".into(), &3.into(), &0.into())
    );

    let kept = field.kept();
    assert_eq!((kept.keys.len(), kept.holders.len()), (3, 60));
    assert!(kept.keys.iter().all(|key| key.holders == 20 && key.sent == 20), "{:?}", kept.keys);
    let times = kept.times();
    assert_eq!(times.len(), 3 * 4, "round 0 has the readings: {times:?}");
    assert!(times.values().all(|&times| times == 1), "the last ones, too, and none twice: {times:?}");
    let late = kept.rounds.iter().filter(|round| round.round > 0 && round.end != RoundEnd::Whole).count();
    assert!(late <= 3, "{late} rounds of 9");
    let of_rounds = |sight: &&HoardSight| sight.round > 0;
    assert!(kept.sights.iter().filter(of_rounds).all(|sight| {
        (sight.whereabouts, sight.answer) == (Whereabouts::SameAddress, HolderAnswer::WithAddresses)
    }));
    let listed = run(["runs", "--store", &field.store(), "--json", "--tool", "hoard"]).json();
    assert_eq!(listed["runs"][0]["state"], "succeeded", "{listed}");
}

#[test]
fn who_stops_a_study_keeps_what_was_seen_and_goes_on_with_it() {
    let field = Field::new();
    let args = field.args(&[SHORT, &["--for", "6s"]].concat());
    let mut study = Running::start(&mut kadscope(args));
    study.await_stderr(|line| line.contains("done"));
    study.send(Signal::TERM);
    let ended = study.wait();
    assert_eq!((ended.code, &ended.json()["end"]), (130, &"stopped".into()), "{}", ended.stderr);
    goes_on(&field);
}

#[test]
fn a_study_that_was_killed_goes_on_where_it_was() {
    let field = Field::new();
    let args = field.args(&[SHORT, &["--for", "6s"]].concat());
    let mut study = Running::start(&mut kadscope(args));
    until("a round is kept", || {
        Path::new(&field.store()).exists() && field.kept().rounds.iter().any(|round| round.round > 0)
    });
    study.send(Signal::KILL);
    assert_eq!(study.code_unread(), None, "a signal ended it");
    goes_on(&field);
}

/// A study that ended too early goes on: every round of every key stands once, whatever came of it.
pub(crate) fn goes_on(field: &Field) {
    let before = field.kept();
    let ended = field.study(&["--resume", "latest"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let after = field.kept();
    let keys: std::collections::BTreeSet<_> = after.keys.iter().map(|key| key.key.clone()).collect();
    assert_eq!((keys.len(), after.keys.len()), (3, 3), "no key is published twice");
    let times = after.times();
    assert!(times.values().all(|&times| times == 1), "{times:?}");
    assert_eq!(times.len(), 3 * 7, "{times:?}");
    assert!(after.rounds.len() > before.rounds.len());
    for round in after.rounds.iter().filter(|round| round.round > 0) {
        let published = after.keys.iter().find(|key| key.key == round.key).expect("published").published_at;
        let planned = round.planned_at.since(published).as_secs_f64();
        assert!((planned - f64::from(round.round)).abs() < 1e-3, "the schedule is kept: {round:?}");
    }
}

#[test]
fn what_a_study_would_be_is_said_and_nothing_is_published() {
    let field = Field::new();
    let planned = field.study(&["--preset", "rfm17.1", "--servers", "10000", "--dry-run"]).json();
    assert_eq!(planned["burden"]["records"], 2000);
    assert_eq!(planned["plan"]["preset"], "rfm17.1");
    assert!(!Path::new(&field.store()).exists());
    let first = field.testnet.bootstrap()[0].to_owned();
    let place = ["hoard", "run", "--addresses", "loopback", "--bootstrap", &first];
    let text = run(place.iter().chain(&["--preset", "rfm17", "--dry-run"])).stdout;
    assert!(text.contains("1,000,000 on strangers' disks"), "{text}");
}

#[test]
fn what_cannot_be_studied_is_refused_by_name() {
    let field = Field::new();
    let refused = |more: &[&str], said: &str| {
        let ended = field.study(more);
        assert_eq!(ended.code, 2, "{more:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    };
    refused(&["--preset", "rfm18"], "rfm17.1");
    refused(&["--every", "500ms"], "at least 1 s");
    refused(&["--k", "0"], "--k");
    refused(&["--strategies", "indexer"], "indexer");
    refused(&["--preset", "rfm17"], "--max-records");
    refused(&["--keys", "/nowhere"], "/nowhere");
    refused(&["--foreign"], "--keys");
    refused(&["--store", "none"], "--store");
    let ended = field.study(&["--resume", "latest"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "there is no store: {ended:?}");
    assert!(!Path::new(&field.store()).exists(), "nothing is made by who is refused");
}

#[test]
fn strangers_are_given_records_by_who_said_so_alone() {
    let field = Field::new();
    let first = field.testnet.bootstrap()[0].to_owned();
    let any = [
        "hoard",
        "run",
        "--addresses",
        "any",
        "--bootstrap",
        &first,
        "--cids",
        "2",
        "--store",
        &field.store(),
    ];
    let ended = run(any);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "nobody can be asked: {ended:?}");
    assert!(ended.stderr.contains("--yes says to give 40 records to strangers"), "{}", ended.stderr);
    assert!(!Path::new(&field.store()).exists());
}

/// CID Hoarder measured Amino where its help's own name for another network was given; its crawl for programs' names always did.
#[test]
fn another_network_is_studied_by_its_own_protocol_from_the_first_crawl_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let scenario = directory.path().join("lab.toml");
    let agents = "[[agents]]\nname = 'lab/1'\nshare = 0.8\n[[agents]]\nname = 'other/1'\nshare = 0.2\n";
    std::fs::write(&scenario, format!("peers = 60\nseed = 8\nprotocol = '/lab/kad/1'\n{agents}"))
        .expect("written");
    let field = Field { directory, testnet: Testnet::start(&scenario) };
    let network = field.directory.path().join("network.toml");
    std::fs::write(&network, field.testnet.network_file("[\"/lab/kad/1\"]")).expect("written");
    let place =
        ["hoard", "run", "--json", "--without-agents", "other", "--for", "2s", "--store", &field.store()];
    let study = |network: &str| run(place.iter().chain(SHORT).chain(&["--network", network]));
    let ended = study("celestia_mocha_4");
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("celestia_mocha_4") && ended.stderr.contains("known are"),
        "{}",
        ended.stderr
    );
    assert!(!Path::new(&field.store()).exists(), "no other network is taken in its place");

    let ended = study(network.to_str().expect("UTF-8"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let kept = field.kept();
    assert_eq!(kept.keys.len(), 3);
    assert!(kept.holders.len() > 3 * 15, "as far as servers name others: {}", kept.holders.len());
    let agents: Vec<_> = kept.holders.iter().map(|holder| holder.agent.as_deref()).collect();
    assert!(
        agents.iter().all(|agent| *agent == Some("lab/1")),
        "names are known before the first key: {agents:?}"
    );
    let seen = |sight: &&HoardSight| sight.answer == HolderAnswer::WithAddresses;
    assert_eq!(kept.sights.iter().filter(seen).count(), kept.sights.len());
    // By the other protocol nobody of it is understood.
    let first = field.testnet.bootstrap()[0].to_owned();
    let amino = ["--addresses", "loopback", "--bootstrap", &first];
    let ended = run(place.iter().chain(SHORT).chain(&amino));
    assert_ne!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(field.kept().keys.len(), 3, "nothing was published");
}
