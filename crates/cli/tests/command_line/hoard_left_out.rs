//! Whom a study leaves alone, in each of its phases: who asked not to be measured, and who was left out by the plan, which holds for whoever
//! goes on with it.

use std::{
    collections::BTreeSet,
    io::ErrorKind,
    net::TcpListener,
    path::{Path, PathBuf},
};

use kad::{PeerId, lookup::RpcFate};
use rustix::process::Signal;
use schema::{HoardHolder, HoardSight, HolderAnswer, LookupRequest, PeerNumber, RowType, Whereabouts};
use store::{RunFilter, Store, StoreUrl};

use crate::{
    hoard::{Field, SHORT, until},
    program::{Ended, Running, kadscope, run},
};

/// A CID that nobody provides by itself.
const CID: &str = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";

/// A peer of our own that nobody else knows: a port on which somebody waits who never says a word.
struct Trap {
    listener: TcpListener,
    address: String,
}

impl Trap {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("it is ours");
        let address = format!("/ip4/127.0.0.1/tcp/{}", listener.local_addr().expect("bound").port());
        Self { listener, address }
    }

    /// Whether anybody has dialled it since it was asked last.
    fn was_dialled(&self) -> bool {
        let mut was = false;
        loop {
            match self.listener.accept() {
                Ok(_) => was = true,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return was,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// A file with a line for each.
fn list(field: &Field, name: &str, lines: impl IntoIterator<Item = String>) -> String {
    let path: PathBuf = field.directory.path().join(name);
    std::fs::write(&path, lines.into_iter().map(|line| line + "\n").collect::<String>()).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

/// Rows of each run, in the order of the runs, with whom they are of.
fn rows<T: RowType>(field: &Field, peer: impl Fn(&T) -> PeerNumber) -> Vec<Vec<(PeerId, T)>> {
    let store = Store::open_existing(&StoreUrl::Sqlite(field.store().into())).expect("a store");
    let mut runs: Vec<_> = store.runs(&RunFilter::default()).expect("runs");
    runs.sort_by_key(|run| run.start.started_at);
    let of_run = |run: &store::RunInfo| {
        let peers = store.peers(run.start.id).expect("peers");
        let rows = store.rows::<T>(run.start.id).expect("rows").map(|row| row.expect("a row"));
        rows.map(|row| (peers.get(peer(&row)).expect("it was introduced"), row)).collect()
    };
    runs.iter().map(of_run).collect()
}

fn holders(field: &Field) -> Vec<Vec<(PeerId, HoardHolder)>> {
    rows(field, |row: &HoardHolder| row.peer)
}

/// Begins a study, and stops it once each of its keys was looked at.
fn stopped(field: &Field, more: &[&str]) {
    let args = field.args(&[SHORT, &["--for", "8s"], more].concat());
    let mut study = Running::start(&mut kadscope(args));
    until("each key was looked at", || {
        let is_there = Path::new(&field.store()).exists();
        let seen = || field.kept().rounds.into_iter().filter(|round| round.round > 0).map(|round| round.key);
        is_there && seen().collect::<BTreeSet<_>>().len() == 3
    });
    study.send(Signal::TERM);
    let ended = study.wait();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
}

/// Ten of those who hold records where nobody is left out, but not the one that everybody begins with.
fn some_holders(field: &Field) -> BTreeSet<PeerId> {
    let first = field.testnet.bootstrap()[0].rsplit_once("/p2p/").expect("an id").1.parse().expect("an id");
    let all: BTreeSet<PeerId> = holders(field)[0].iter().map(|(peer, _)| *peer).collect();
    let some: BTreeSet<PeerId> = all.into_iter().filter(|peer| *peer != first).take(10).collect();
    assert_eq!(some.len(), 10);
    some
}

#[test]
fn who_opted_out_is_given_nothing_asked_nothing_and_not_looked_at_any_more() {
    let field = Field::new();
    // As it is where nobody has opted out.
    stopped(&field, &[]);
    let some = some_holders(&field);
    let opt_out = list(&field, "opt-out", some.iter().map(ToString::to_string));

    // They opt out while a study goes on: whoever goes on with it leaves them alone, though they hold records.
    let ended = field.study(&["--resume", "latest", "--opt-out", &opt_out]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let sights = rows(&field, |row: &HoardSight| row.peer).remove(1);
    let (left_alone, others): (Vec<_>, Vec<_>) =
        sights.into_iter().partition(|(peer, _)| some.contains(peer));
    assert!(!left_alone.is_empty());
    for (peer, sight) in &left_alone {
        assert_eq!(
            (sight.whereabouts, sight.answer.has_record(), sight.transport),
            (Whereabouts::Undialled, false, None),
            "{peer}: {sight:?}"
        );
    }
    let is_well = |(_, sight): &(PeerId, HoardSight)| sight.answer == HolderAnswer::WithAddresses;
    assert!(
        others
            .iter()
            .filter(|row| row.1.round > 0)
            .filter(|row| row.1.whereabouts != Whereabouts::Undialled)
            .all(is_well)
    );
    assert_asked_nobody(&rows(&field, |row: &LookupRequest| row.peer)[1], &some);

    // Of a study that begins they are given nothing.
    let other = Field { directory: tempfile::tempdir().expect("a directory"), testnet: field.testnet };
    let ended = other.study(&[SHORT, &["--for", "2s", "--opt-out", &opt_out]].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let given = holders(&other).remove(0);
    let is_given = |holder: &HoardHolder| holder.send_error.is_none() && holder.sent_after.is_some();
    assert!(given.iter().all(|(peer, holder)| !some.contains(peer) || !is_given(holder)), "{given:?}");
    assert!(given.iter().filter(|(_, holder)| is_given(holder)).count() >= 3 * 15, "others are");
    assert_asked_nobody(&rows(&other, |row: &LookupRequest| row.peer)[0], &some);
}

fn assert_asked_nobody(requests: &[(PeerId, LookupRequest)], of: &BTreeSet<PeerId>) {
    assert!(!requests.is_empty());
    for (peer, request) in requests.iter().filter(|(peer, _)| of.contains(peer)) {
        assert!(request.sent_after.is_none() && request.fate != RpcFate::Answered, "{peer}: {request:?}");
    }
}

/// Nobody but the system says whether a port was dialled.
#[test]
fn who_opted_out_is_not_dialled_to_begin_with_and_not_as_a_holder_or_a_provider() {
    let field = Field::new();
    let trap = Trap::new();
    // It provides a CID, as far as peers know; nobody answers there.
    let bootstrap = field.testnet.bootstrap().join(",");
    let place = ["--addresses", "loopback", "--bootstrap", &bootstrap];
    let ended = run(["provide", CID, "--json", "--announce", &trap.address].iter().chain(&place));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let provider = ended.json()["provider"].as_str().expect("an id").to_owned();
    assert!(!trap.was_dialled());
    let opt_out = list(&field, "opt-out", [provider.clone()]);

    // A provider of the content.
    let content = |more: &[&str]| {
        let what = ["hoard", "content", CID, "--frame", "one key", "--json", "--observers", "1"];
        let when = ["--every", "1s", "--for", "2s", "--max-requests-per-hour", "1000000", "--store"];
        let store = [field.directory.path().join(format!("{}.sqlite", more.len()))];
        let store = store[0].to_str().expect("UTF-8");
        let ended = run(what.iter().chain(&place).chain(&when).chain(&[store]).chain(more));
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    };
    content(&["--opt-out", &opt_out]);
    assert!(!trap.was_dialled(), "who opted out is not dialled as a provider");
    content(&[]);
    assert!(trap.was_dialled(), "anybody else is");

    // A holder of somebody's key, as a list names it.
    let entry = format!(
        r#"{{"ProviderRecords": [{{"PeerID": "{provider}", "ContentID": "{CID}", "Creator": "{provider}", "ProvideTime": "1s",
            "PublicationTime": "2026-01-01T00:00:00Z", "UserAgent": "x", "PeerMultiaddresses": ["{}"]}}]}}"#,
        trap.address
    );
    let keys = list(&field, "keys.json", [entry]);
    let looked = |more: &[&str]| -> Ended {
        let what = ["--keys", &keys, "--foreign", "--every", "1s", "--for", "1s", "--observers", "1"];
        field.study(&[&what, more].concat())
    };
    assert_eq!(looked(&["--opt-out", &opt_out]).code, 0);
    assert!(!trap.was_dialled(), "who opted out is not dialled as a holder");
    assert_eq!(looked(&[]).code, 0);
    assert!(trap.was_dialled(), "anybody else is");

    // Somebody to begin with.
    let full = format!("{}/p2p/{provider}", trap.address);
    let begun = |more: &[&str]| {
        let ended = field.study(&[SHORT, &["--for", "1s", "--bootstrap", &full], more].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    };
    begun(&["--opt-out", &opt_out]);
    assert!(!trap.was_dialled(), "who opted out is not dialled to begin with");
    begun(&["--without-peers", &provider, "--without-at", "query"]);
    assert!(!trap.was_dialled(), "nor is who is left out at the query");
    begun(&[]);
    assert!(trap.was_dialled(), "anybody else is");
}

#[test]
fn whoever_goes_on_with_a_study_leaves_out_the_same_and_asks_no_more_a_second() {
    let field = Field::new();
    // The one study says who would be chosen; the other leaves ten of them out.
    stopped(&field, &[]);
    let some = some_holders(&field);
    let left_out: Vec<String> = some.iter().map(ToString::to_string).collect();
    let field = Field { directory: tempfile::tempdir().expect("a directory"), testnet: field.testnet };
    let filters =
        ["--without-peers", &left_out.join(","), "--without-at", "query", "--max-requests-per-s", "400"];
    stopped(&field, &filters);
    for more in [&filters[..2], &filters[2..4], &filters[4..]] {
        let refused = field.study(&[&["--resume", "latest"], more].concat());
        assert_eq!(refused.code, 2, "{more:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(more[0]), "{more:?}: {}", refused.stderr);
    }
    let ended = field.study(&["--resume", "latest"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);

    let store = Store::open_existing(&StoreUrl::Sqlite(field.store().into())).expect("a store");
    let runs = store.runs(&RunFilter::default()).expect("runs");
    let plans: Vec<_> = runs.iter().map(|run| &run.start.parameters["plan"]).collect();
    assert_eq!((plans.len(), plans[0]), (2, plans[1]));
    assert_eq!(plans[0]["max_requests_per_s"], 400);
    assert_eq!(plans[0]["filters"]["peers"].as_array().map(Vec::len), Some(10), "{}", plans[0]);
    for (held, asked) in holders(&field).iter().zip(rows(&field, |row: &LookupRequest| row.peer)) {
        assert!(held.iter().all(|(peer, _)| !some.contains(peer)), "they are given nothing");
        assert!(
            asked.iter().all(|(peer, _)| !some.contains(peer)),
            "and are not asked, in the second run neither"
        );
        assert!(!asked.is_empty());
    }
}
