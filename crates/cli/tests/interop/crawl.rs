//! Runs `kadscope crawl`, reads what it kept, and compares that with the truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use schema::Visit;
use serde_json::{Value, json};
use store::{RunFilter, Store, StoreUrl};
use tempfile::TempDir;

use crate::{
    program::{Network, kadscope},
    truth::{Tables, Truth},
};

/// A crawl of tens of peers on one machine that takes longer has waited for something that did not come.
const MAX_DURATION_S: f64 = 10.0;

/// How often tables may have changed between the two looks at them before that counts as a failure.
const MAX_LOOKS: usize = 5;

/// What a crawl brought.
#[derive(Debug)]
pub(crate) struct Crawled {
    pub(crate) code: Option<i32>,
    pub(crate) summary: Value,
    /// The last visit of each peer.
    pub(crate) visits: BTreeMap<String, Visit>,
    pub(crate) tables: Tables,
}

/// A crawl to be: where to begin, and all further arguments.
#[derive(Debug)]
pub(crate) struct Crawl {
    command: Command,
    kept: TempDir,
}

impl Crawl {
    /// A crawl on this machine alone.
    pub(crate) fn new(bootstrap: &[String], args: &[&str]) -> Self {
        Self::by(kadscope(), bootstrap, args)
    }

    /// The same by a program of ours that runs elsewhere.
    pub(crate) fn by(command: Command, bootstrap: &[String], args: &[&str]) -> Self {
        let mut crawl = Self::at_defaults(command);
        crawl.command.args(["--addresses", "loopback", "--bootstrap"]).args(bootstrap).args(args);
        crawl
    }

    /// A crawl of the network that the environment names, of which nothing is told but to keep what it finds.
    pub(crate) fn at_defaults(mut command: Command) -> Self {
        let kept = tempfile::tempdir().expect("a directory");
        let store = format!("sqlite:{}", kept.path().join("crawl.sqlite").display());
        command.args(["crawl", "--neighbors", "--json", "--store", &store]);
        Self { command, kept }
    }

    /// Runs it.
    pub(crate) fn run(mut self) -> Crawled {
        let output = self.command.output().unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        let said = String::from_utf8_lossy(&output.stderr);
        let summary = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}\n{said}"));
        let (visits, tables) = read(&StoreUrl::Sqlite(self.kept.path().join("crawl.sqlite")));
        Crawled { code: output.status.code(), summary, visits, tables }
    }
}

/// The last visit of each peer of the one crawl in a store, and the neighbors of those that answered.
fn read(url: &StoreUrl) -> (BTreeMap<String, Visit>, Tables) {
    let store = Store::open_existing(url).expect("a store");
    let crawl = store.runs(&RunFilter::default()).expect("crawls").pop().expect("a crawl").start.id;
    let peers = store.peers(crawl).expect("peers");
    let name = |number| peers.get(number).expect("a peer").to_string();
    let mut visits = BTreeMap::new();
    for visit in store.visits(crawl).expect("visits") {
        let visit = visit.expect("a visit");
        visits.insert(name(visit.peer), visit);
    }
    let mut tables = Tables::new();
    for row in store.neighbors(crawl).expect("neighbors") {
        let (peer, neighbors) = row.expect("a row");
        tables.insert(name(peer), neighbors.into_iter().map(name).collect());
    }
    (visits, tables)
}

/// Crawls while nobody's routing table changes.
pub(crate) fn while_still(network: &mut Network, crawl: impl Fn(&Truth) -> Crawl) -> (Truth, Crawled) {
    let mut before = network.truth();
    for _ in 0..MAX_LOOKS {
        let crawled = crawl(&before).run();
        let after = network.truth();
        if before.tables() == after.tables() {
            return (after, crawled);
        }
        before = after;
    }
    panic!("the routing tables changed during each of {MAX_LOOKS} crawls");
}

impl Crawled {
    /// A number of the summary.
    pub(crate) fn number(&self, path: &str) -> u64 {
        self.summary
            .pointer(path)
            .and_then(Value::as_u64)
            .unwrap_or_else(|| panic!("{path}: {}", self.summary))
    }

    /// Whether it is as complete and as right as can be: all peers, all edges, agents and protocols, and no failure.
    #[track_caller]
    pub(crate) fn assert_equals(&self, truth: &Truth) {
        self.assert_reached_all(truth);
        self.assert_says_who_they_are(truth);
        assert_eq!(self.tables, truth.tables());
        for none in ["/errors", "/request_errors", "/identify_errors"] {
            assert_eq!(self.summary.pointer(none), Some(&json!({})), "{none}");
        }
        let edges: usize = self.tables.values().map(BTreeSet::len).sum();
        assert_eq!(self.number("/edges"), edges as u64);
    }

    /// Whether every peer was found and reached, in the time that this takes at the most.
    #[track_caller]
    pub(crate) fn assert_reached_all(&self, truth: &Truth) {
        assert_eq!((self.code, &self.summary["state"]), (Some(0), &json!("succeeded")), "{}", self.summary);
        let found: BTreeSet<&String> = self.visits.keys().collect();
        assert_eq!(found, truth.peers.iter().map(|peer| &peer.id).collect::<BTreeSet<_>>());
        assert!(self.visits.values().all(Visit::is_reachable), "{}", self.summary);
        assert_eq!(self.number("/peers/reachable"), truth.peers.len() as u64);
        let duration = self.summary["duration_s"].as_f64().expect("a number");
        assert!(duration < MAX_DURATION_S, "it took {duration} s");
    }

    /// Whether agents and protocols are those that the peers told.
    #[track_caller]
    pub(crate) fn assert_says_who_they_are(&self, truth: &Truth) {
        for peer in &truth.peers {
            let visit = &self.visits[&peer.id];
            assert_eq!(visit.met.agent_version.as_ref(), Some(&peer.agent), "{}", peer.id);
            assert_eq!(visit.met.protocols, peer.protocols, "{}", peer.id);
        }
    }
}
