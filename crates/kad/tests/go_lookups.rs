//! Lookups of go-libp2p-kad-dht that were recorded (`peers/lookups.sh`), decided anew: told the same in the same order,
//! ours asks the same peers at each step, and ends with the same peers for the same reason.

#![expect(clippy::expect_used, clippy::panic, reason = "a test ends at the first error")]

use std::{collections::BTreeMap, fs, path::Path};

use kadscope_kad::lookup::{
    ALPHA, BETA, Candidate, Enough, Lookup, LookupKind, LookupTarget, Rules, Start, Step, Termination,
};
use kadscope_kad::message::K;
use serde::Deserialize;

/// The first line of a recording.
#[derive(Deserialize)]
struct Head {
    library: String,
    k: usize,
    alpha: usize,
    beta: usize,
    /// Ids in hexadecimal. Peers are places in this list from here on.
    peers: Vec<String>,
}

/// One lookup.
#[derive(Deserialize)]
struct Recorded {
    lookup: usize,
    kind: String,
    target: String,
    enough: usize,
    own: usize,
    seeds: Vec<usize>,
    asked: Vec<usize>,
    steps: Vec<Line>,
    end: String,
    /// What was found before the end, and was not seen by Go's loop.
    #[serde(default)]
    held: Vec<Found>,
    late: Vec<Line>,
    follow_up: Vec<usize>,
    then: Vec<Line>,
    closest: Vec<usize>,
    providers: Vec<usize>,
}

/// What came of one request.
#[derive(Deserialize)]
struct Line {
    peer: usize,
    /// `None` if the peer failed.
    closer: Option<Vec<usize>>,
    #[serde(default)]
    found: Vec<Found>,
    #[serde(default)]
    connected: bool,
    #[serde(default)]
    asked: Vec<usize>,
}

/// What an answer held beside closer peers.
#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    providers: Vec<usize>,
    #[serde(default)]
    bare: Vec<usize>,
    #[serde(default)]
    value: bool,
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<char> = hexadecimal.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("hexadecimal");
    digits.chunks(2).map(byte).collect()
}

/// A recorded lookup beside ours.
struct Beside<'a> {
    ids: &'a [Vec<u8>],
    places: &'a BTreeMap<Vec<u8>, usize>,
    lookup: Lookup,
    /// Candidates of ours that were asked and of which nothing came, by the peer's place.
    open: BTreeMap<usize, Candidate>,
}

impl<'a> Beside<'a> {
    fn new(ids: &'a [Vec<u8>], places: &'a BTreeMap<Vec<u8>, usize>, recorded: &Recorded) -> Self {
        let kind = LookupKind::from_name(&recorded.kind).expect("a kind");
        let enough = match (kind, recorded.enough) {
            (LookupKind::Value, quorum) => Enough::go_quorum(quorum),
            (_, 0) => Enough::All,
            (_, count) => Enough::Count(count),
        };
        let seeds: Vec<&[u8]> = recorded.seeds.iter().map(|&peer| &*ids[peer]).collect();
        let target = LookupTarget { kind, preimage: &bytes(&recorded.target) };
        let start = Start { own: &ids[recorded.own], peers: &seeds };
        let lookup = Lookup::new(target, start, Rules::go().until(enough));
        Self { ids, places, lookup, open: BTreeMap::new() }
    }

    /// Whom it asks now, in order.
    fn ask(&mut self) -> Vec<usize> {
        let mut asked = Vec::new();
        while let Step::Ask(candidate) = self.lookup.step() {
            let id = self.lookup.peer(candidate).expect("a candidate of its own").to_bytes();
            let place = self.places[&id];
            assert_eq!(self.open.insert(place, candidate), None, "{place} is being asked");
            asked.push(place);
        }
        asked
    }

    fn find(&mut self, all: &[Found]) {
        for found in all {
            for &provider in &found.providers {
                self.lookup.provider(&self.ids[provider], true);
            }
            for &provider in &found.bare {
                self.lookup.provider(&self.ids[provider], false);
            }
            if found.value {
                self.lookup.value();
            }
        }
    }

    fn tell(&mut self, line: &Line) {
        self.find(&line.found);
        if line.connected {
            let sought =
                *self.open.iter().find(|&(&peer, _)| self.is_target(peer)).expect("the peer is asked").1;
            self.lookup.connected(sought);
        }
        let candidate = self.open.remove(&line.peer).unwrap_or_else(|| panic!("{} was not asked", line.peer));
        if let Some(closer) = &line.closer {
            self.lookup.answered(candidate, closer.iter().map(|&peer| &*self.ids[peer]));
        } else {
            self.lookup.failed(candidate);
        }
    }

    fn is_target(&self, peer: usize) -> bool {
        self.lookup.state(self.open[&peer]).is_some() && self.ids[peer] == self.lookup.preimage()
    }

    fn fail_open(&mut self) {
        for candidate in std::mem::take(&mut self.open).into_values() {
            self.lookup.failed(candidate);
        }
    }
}

/// Runs ours beside a recorded one. Gives why both ended.
fn compare(ids: &[Vec<u8>], places: &BTreeMap<Vec<u8>, usize>, recorded: &Recorded) -> Termination {
    let mut ours = Beside::new(ids, places, recorded);
    let what = format!("lookup {} ({})", recorded.lookup, recorded.kind);
    assert_eq!(ours.ask(), recorded.asked, "{what}: whom it asks first");
    for (number, line) in recorded.steps.iter().enumerate() {
        assert_eq!(ours.lookup.termination(), None, "{what}: it is over before step {number}");
        ours.tell(line);
        let asked = if ours.lookup.termination().is_none() { ours.ask() } else { Vec::new() };
        assert_eq!(asked, line.asked, "{what}: whom it asks at step {number}");
    }
    let termination = ours.lookup.termination().expect("it is over");
    assert_eq!(termination.name(), recorded.end, "{what}: why it ended");
    ours.find(&recorded.held);
    for line in &recorded.late {
        ours.tell(line);
    }
    // Dials that were given up.
    ours.fail_open();
    let mut asked = ours.ask();
    asked.sort_unstable();
    let mut follow_up = recorded.follow_up.clone();
    follow_up.sort_unstable();
    assert_eq!(asked, follow_up, "{what}: whom the follow-up asks");
    for line in &recorded.then {
        ours.tell(line);
    }
    assert_eq!(ours.lookup.step(), Step::Done, "{what}");
    end_alike(ours, recorded);
    termination
}

fn end_alike(ours: Beside<'_>, recorded: &Recorded) {
    let outcome = ours.lookup.outcome();
    let place = |id: Vec<u8>| ours.places[&id];
    let closest: Vec<_> = outcome.closest.iter().map(|peer| place(peer.peer.to_bytes())).collect();
    // Go leaves the closer peers out of the answer that makes enough providers, and asks nobody any more.
    if outcome.kind != LookupKind::Providers || outcome.termination != Termination::Stopped {
        assert_eq!(closest, recorded.closest, "lookup {}: the closest peers", recorded.lookup);
    }
    let mut providers: Vec<_> = outcome.providers.iter().map(|found| place(found.peer.to_bytes())).collect();
    let mut given = recorded.providers.clone();
    providers.sort_unstable();
    given.sort_unstable();
    given.dedup();
    match recorded.enough {
        0 => assert_eq!(providers, given, "lookup {}: the providers", recorded.lookup),
        // Which of the providers in one answer Go takes is drawn at random.
        _ => assert_eq!(providers.len(), given.len(), "lookup {}: how many providers", recorded.lookup),
    }
}

/// Replays one recording, and counts how its lookups ended by kind.
fn replay(name: &str, ends: &mut BTreeMap<(String, Termination), usize>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines();
    let head: Head = serde_json::from_str(lines.next().expect("a first line")).expect("a head");
    assert_eq!((head.k, head.alpha, head.beta), (K, ALPHA, BETA), "{}", head.library);
    let ids: Vec<_> = head.peers.iter().map(|id| bytes(id)).collect();
    let places: BTreeMap<_, _> = ids.iter().cloned().zip(0..).collect();
    for line in lines {
        let recorded: Recorded = serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}"));
        let end = compare(&ids, &places, &recorded);
        *ends.entry((recorded.kind, end)).or_default() += 1;
    }
}

#[test]
fn ours_asks_whom_go_asked_and_ends_as_it_did() {
    let mut ends = BTreeMap::new();
    for name in ["go-3.ndjson", "go-60.ndjson", "go-200.ndjson", "go-1000.ndjson"] {
        replay(name, &mut ends);
    }
    let kinds: Vec<_> = LookupKind::ALL.iter().map(|kind| kind.name()).collect();
    let of = |wanted: &str| {
        ends.iter().filter(|((kind, _), _)| kind == wanted).map(|(_, count)| count).sum::<usize>()
    };
    assert!(kinds.iter().all(|kind| of(kind) >= 40), "{ends:?}");
    assert!(ends.values().sum::<usize>() >= 200, "{ends:?}");
    for end in [Termination::Stopped, Termination::Starvation, Termination::Completed] {
        assert!(ends.keys().any(|&(_, known)| known == end), "nothing ended by {end}");
    }
}
