//! Publications of go-libp2p-kad-dht that were recorded (`peers/provides.sh`), decided anew: told the same in the same order, ours
//! asks the same peers at each step, gives the record to the same peers no later than Go did, ends its search at the same step for
//! the same reason, and lets its caller go on when Go did. Fed with the same lookups, ours estimates the same size of the network.

#![expect(clippy::expect_used, clippy::panic, reason = "a test ends at the first error")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use kadscope_kad::{
    Key, Persistence,
    lookup::{ALPHA, BETA, Candidate, Lookup, LookupKind, LookupTarget, Rules, Start, Step, Termination},
    message::K,
    optimistic::OptimisticRules,
    size::{ClosestSeen, SizeEstimator},
};
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

/// One publication, or a lookup that feeds the estimate alone.
#[derive(Deserialize)]
struct Recorded {
    client: usize,
    number: usize,
    way: String,
    key: String,
    own: usize,
    /// The estimate that it went by; 0 if there was none.
    size: i32,
    #[serde(default)]
    events: Vec<Happened>,
    tracked: Option<Tracked>,
}

/// Something that happened.
#[derive(Deserialize)]
struct Happened {
    is: String,
    peer: usize,
    ok: bool,
    #[serde(default)]
    heard: Vec<usize>,
    #[serde(default)]
    asked: Vec<usize>,
    #[serde(default)]
    why: String,
}

/// What Go's estimate was fed with, and what it said then.
#[derive(Deserialize)]
struct Tracked {
    closest: Vec<usize>,
    table: usize,
    size: i32,
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<char> = hexadecimal.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("hexadecimal");
    digits.chunks(2).map(byte).collect()
}

/// A recorded publication beside ours.
struct Beside<'a> {
    what: String,
    ids: &'a [Vec<u8>],
    places: &'a BTreeMap<Vec<u8>, usize>,
    lookup: Lookup,
    is_classic: bool,
    /// Candidates of ours that were asked and of which nothing came, by the peer's place.
    open: BTreeMap<usize, Candidate>,
    /// To whom ours gives the record; the classic way without telling the lookup.
    ours: BTreeMap<usize, Option<Candidate>>,
    /// To whom Go gave it so far.
    theirs: BTreeSet<usize>,
    /// Gifts before the step that led to them.
    early: Vec<&'a Happened>,
    /// Whom the second part asks.
    follow_up: BTreeSet<usize>,
    done: usize,
    /// After how many gifts were done ours let its caller go on.
    may_return: Option<usize>,
}

impl<'a> Beside<'a> {
    fn new(ids: &'a [Vec<u8>], places: &'a BTreeMap<Vec<u8>, usize>, recorded: &'a Recorded) -> Self {
        let seeds: Vec<&[u8]> = recorded.events[0].heard.iter().map(|&peer| &*ids[peer]).collect();
        let target = LookupTarget { kind: LookupKind::Closest, preimage: &bytes(&recorded.key) };
        let start = Start { own: &ids[recorded.own], peers: &seeds };
        let mut lookup = Lookup::new(target, start, Rules::go());
        let is_classic = recorded.way == "classic" || recorded.size == 0;
        if !is_classic {
            lookup = lookup.giving(OptimisticRules::new(recorded.size, K, Persistence::Go));
        }
        Self {
            what: format!("client {}, {} ({})", recorded.client, recorded.number, recorded.way),
            ids,
            places,
            lookup,
            is_classic,
            open: BTreeMap::new(),
            ours: BTreeMap::new(),
            theirs: BTreeSet::new(),
            early: Vec::new(),
            follow_up: BTreeSet::new(),
            done: 0,
            may_return: None,
        }
    }

    fn place(&self, candidate: Candidate) -> usize {
        self.places[&self.lookup.peer(candidate).expect("a candidate of its own").to_bytes()]
    }

    /// Does what it says. Gives whom it asks, in order.
    fn obey(&mut self) -> Vec<usize> {
        let mut asked = Vec::new();
        loop {
            match self.lookup.step() {
                Step::Ask(candidate) => {
                    let place = self.place(candidate);
                    assert_eq!(self.open.insert(place, candidate), None, "{}: {place} is asked", self.what);
                    asked.push(place);
                }
                Step::Give(candidate) => {
                    let twice = self.ours.insert(self.place(candidate), Some(candidate));
                    assert_eq!(twice, None, "{}", self.what);
                }
                Step::MayReturn => self.may_return = Some(self.done),
                Step::Wait | Step::Done => break,
            }
        }
        asked
    }

    /// What the loop was told is written down a moment after, so that a gift can stand before the one step that led to it.
    fn tell(&mut self, event: &'a Happened) {
        let is_gift = matches!(event.is.as_str(), "gives" | "gave");
        if is_gift && !self.ours.contains_key(&event.peer) && self.lookup.termination().is_none() {
            return self.early.push(event);
        }
        self.take(event);
        if event.is == "told" {
            for gift in std::mem::take(&mut self.early) {
                self.take(gift);
            }
        }
    }

    fn take(&mut self, event: &Happened) {
        match event.is.as_str() {
            "told" => self.told(event),
            "end" => {
                let ours = self.lookup.termination().expect("it is over").name();
                assert_eq!(ours, event.why, "{}: why it ended", self.what);
            }
            "late" | "then" => self.came(event.peer, event.ok, &[]),
            "asks" => self.asks(event.peer),
            "gives" => self.gives(event.peer),
            "gave" => self.gave(event),
            "returned" => self.returned(),
            other => panic!("{}: {other}", self.what),
        }
    }

    fn told(&mut self, event: &Happened) {
        assert_eq!(self.lookup.termination(), None, "{}: it is over before Go's", self.what);
        self.came(event.peer, event.ok, &event.heard);
        let asked = self.obey();
        if self.lookup.termination().is_none() {
            assert_eq!(asked, event.asked, "{}: whom it asks", self.what);
        } else {
            assert!(event.asked.is_empty(), "{}: it goes on where Go's does", self.what);
            self.follow_up.extend(asked);
        }
    }

    fn came(&mut self, peer: usize, ok: bool, closer: &[usize]) {
        let Some(candidate) = self.open.remove(&peer) else { panic!("{}: {peer} was not asked", self.what) };
        if ok {
            self.lookup.answered(candidate, closer.iter().map(|&peer| &*self.ids[peer]));
        } else {
            self.lookup.failed(candidate);
        }
        if self.lookup.termination().is_some() {
            let asked = self.obey();
            self.follow_up.extend(asked);
        }
    }

    /// Nobody whom the search asked is waited for any more: dials were given up.
    fn give_up_dials(&mut self) {
        let still = std::mem::take(&mut self.open);
        let (follow_up, search): (Vec<_>, Vec<_>) =
            still.into_iter().partition(|(peer, _)| self.follow_up.contains(peer));
        self.open = follow_up.into_iter().collect();
        for (_, candidate) in search {
            self.lookup.failed(candidate);
        }
        let asked = self.obey();
        self.follow_up.extend(asked);
    }

    fn asks(&mut self, peer: usize) {
        if !self.follow_up.contains(&peer) {
            self.give_up_dials();
        }
        assert!(self.follow_up.contains(&peer), "{}: the follow-up asks {peer}", self.what);
    }

    fn gives(&mut self, peer: usize) {
        if !self.ours.contains_key(&peer) {
            self.give_up_dials();
            if self.is_classic {
                self.give_to_all();
            }
        }
        assert!(self.ours.contains_key(&peer), "{}: {peer} is given the record", self.what);
        assert!(self.theirs.insert(peer), "{}: {peer} is given it twice", self.what);
    }

    /// The classic way: to all of the closest, once the lookup is over.
    fn give_to_all(&mut self) {
        assert_eq!(self.lookup.step(), Step::Done, "{}: it is over", self.what);
        for closest in self.lookup.clone().outcome().closest {
            self.ours.insert(self.places[&closest.peer.to_bytes()], None);
        }
    }

    fn gave(&mut self, event: &Happened) {
        self.done += 1;
        if let Some(Some(candidate)) = self.ours.get(&event.peer) {
            self.lookup.gave(*candidate, event.ok);
        }
        let asked = self.obey();
        self.follow_up.extend(asked);
    }

    /// Go's caller goes on.
    fn returned(&mut self) {
        if self.is_classic {
            assert_eq!(self.done, self.theirs.len(), "{}: all gifts are done", self.what);
            return;
        }
        let may_return = self.may_return.unwrap_or_else(|| panic!("{}: Go's caller goes on", self.what));
        assert!(may_return >= 15.min(self.ours.len()), "{}: gifts that are waited for", self.what);
    }

    fn end(self) {
        let ours: BTreeSet<usize> = self.ours.into_keys().collect();
        assert_eq!(ours, self.theirs, "{}: who is given the record", self.what);
    }
}

/// Runs ours beside a recorded one. Gives why both ended.
fn compare(ids: &[Vec<u8>], places: &BTreeMap<Vec<u8>, usize>, recorded: &Recorded) -> Termination {
    let mut ours = Beside::new(ids, places, recorded);
    let asked = ours.obey();
    if ours.lookup.termination().is_none() {
        assert_eq!(asked, recorded.events[0].asked, "{}: whom it asks first", ours.what);
    } else {
        ours.follow_up.extend(asked);
    }
    for event in &recorded.events[1..] {
        ours.tell(event);
    }
    let termination = ours.lookup.termination().expect("it is over");
    ours.end();
    termination
}

/// Feeds ours with what Go's was fed with. Gives how many estimates were compared.
fn estimate(ids: &[Vec<u8>], lines: &[Recorded]) -> usize {
    let mut estimators: BTreeMap<usize, SizeEstimator> = BTreeMap::new();
    let mut compared = 0;
    for line in lines {
        let new = || SizeEstimator::new(Key::of(&ids[line.own]));
        let ours = estimators.entry(line.client).or_insert_with(new);
        let said = |ours: &mut SizeEstimator| ours.estimate(Duration::ZERO).map_or(0, |size| size.go);
        let what = format!("client {}, {}", line.client, line.number);
        assert_eq!(said(ours), line.size, "{what}: what it goes by");
        let Some(tracked) = &line.tracked else { continue };
        let closest: Vec<Key> = tracked.closest.iter().map(|&peer| Key::of(&ids[peer])).collect();
        let key = Key::of(&bytes(&line.key));
        let seen = ClosestSeen { key, closest: &closest, answered: &[] };
        ours.track(seen, |_| tracked.table, Duration::ZERO).expect("20 peers");
        assert_eq!(said(ours), tracked.size, "{what}: what it says then");
        compared += usize::from(tracked.size != 0);
    }
    compared
}

/// Reads one recording.
fn read(name: &str) -> (Vec<Vec<u8>>, Vec<Recorded>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines();
    let head: Head = serde_json::from_str(lines.next().expect("a first line")).expect("a head");
    assert_eq!((head.k, head.alpha, head.beta), (K, ALPHA, BETA), "{}", head.library);
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}"));
    (head.peers.iter().map(|id| bytes(id)).collect(), lines.map(line).collect())
}

const RECORDINGS: [&str; 3] =
    ["provides-healthy.ndjson", "provides-third-dead.ndjson", "provides-half-dead.ndjson"];

#[test]
fn ours_gives_the_record_to_whom_go_gave_it_and_returns_when_it_did() {
    let mut ends: BTreeMap<(&str, Termination), usize> = BTreeMap::new();
    for name in RECORDINGS {
        let (ids, lines) = read(name);
        let places: BTreeMap<_, _> = ids.iter().cloned().zip(0..).collect();
        for line in lines.iter().filter(|line| line.way != "lookup") {
            let way = if line.way == "classic" { "classic" } else { "optimistic" };
            *ends.entry((way, compare(&ids, &places, line))).or_default() += 1;
        }
    }
    let of = |way: &str| ends.iter().filter(|((known, _), _)| *known == way).map(|(_, count)| count).sum();
    let (classic, optimistic): (usize, usize) = (of("classic"), of("optimistic"));
    assert!(classic >= 30 && optimistic >= 30, "{ends:?}");
    assert!(ends.contains_key(&("optimistic", Termination::Stopped)), "{ends:?}");
}

#[test]
fn ours_estimates_the_size_that_go_estimated() {
    for name in RECORDINGS {
        let (ids, lines) = read(name);
        let compared = estimate(&ids, &lines);
        assert!(compared >= 16, "{name}: {compared}");
    }
}
