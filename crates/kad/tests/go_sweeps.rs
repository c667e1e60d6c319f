//! Publications of go-libp2p-kad-dht that know many peers at once, as they were recorded (`peers/sweeps.sh`): told the same, ours gives the
//! same keys to the same peers, looks into the same parts of the key space, and stops at the same moment.

#![expect(clippy::expect_used, reason = "a test ends at the first error")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use kadscope_kad::{
    Key, PeerId,
    fullrt::{BulkPlan, FanOut, FanOutRules, SortedKeys},
    message::K,
    sweep::{
        Exploration, FAILURES_IN_A_ROW, KeyRegion, PREFIX_LEN_LOOKUPS, SweepJob, SweepPlan, allocate_as_go,
        mean_prefix_len, regions,
    },
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The SHA-256 multihash of a text: what peers and keys of a recording are made of.
fn named(text: &str) -> Vec<u8> {
    [&[0x12, 0x20][..], &Sha256::digest(text)].concat()
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digit = |at: usize| hexadecimal.get(at..at + 2).expect("two digits");
    let byte = |at: usize| u8::from_str_radix(digit(at), 16).expect("hexadecimal");
    (0..hexadecimal.len() / 2).map(|position| byte(2 * position)).collect()
}

/// The scripted peers, by their numbers and in the order of their keys.
struct Peers {
    ids: Vec<PeerId>,
    numbers: BTreeMap<Key, usize>,
    sorted: SortedKeys,
}

impl Peers {
    fn of(count: usize) -> Self {
        let id = |number| PeerId::from_bytes(&named(&format!("peer {number}"))).expect("an id");
        let ids: Vec<PeerId> = (0..count).map(id).collect();
        let numbers: BTreeMap<Key, usize> = ids.iter().map(Key::of_peer).zip(0..).collect();
        let sorted = SortedKeys::new(numbers.keys().copied().collect());
        Self { ids, numbers, sorted }
    }

    fn closest(&self, key: &Key) -> Vec<usize> {
        self.sorted.nearest(key).take(K).map(|position| self.number(position)).collect()
    }

    fn number(&self, position: usize) -> usize {
        self.numbers[&self.sorted.keys()[position]]
    }
}

#[derive(Deserialize)]
struct FullHead {
    library: String,
    peers: usize,
}

#[derive(Deserialize)]
struct FullLine {
    kind: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    keys: Vec<usize>,
    #[serde(default)]
    ends: Vec<End>,
    #[serde(default)]
    cancelled: Vec<usize>,
    returned_us: u64,
    error: String,
    #[serde(default)]
    connected: BTreeMap<usize, bool>,
    #[serde(default)]
    sent: BTreeMap<usize, Vec<usize>>,
}

#[derive(Deserialize)]
struct End {
    peer: usize,
    at_us: u64,
    ok: bool,
}

fn full_lines() -> (Peers, Vec<FullLine>) {
    let mut lines = include_str!("data/fullrt.ndjson").lines();
    let head: FullHead = serde_json::from_str(lines.next().expect("a head")).expect("a head");
    assert_eq!(head.library, "go-libp2p-kad-dht v0.42.1");
    let lines = lines.map(|line| serde_json::from_str(line).expect("a line")).collect();
    (Peers::of(head.peers), lines)
}

#[test]
fn a_fan_out_asks_whom_go_asks_and_ends_when_go_ends() {
    let (peers, lines) = full_lines();
    let (mut seen, mut kinds) = (BTreeSet::new(), BTreeMap::<&str, usize>::new());
    for line in lines.iter().filter(|line| line.kind != "many") {
        *kinds.entry(&line.kind).or_default() += 1;
        let asked: BTreeSet<usize> =
            line.ends.iter().map(|end| end.peer).chain(line.cancelled.iter().copied()).collect();
        let closest: BTreeSet<usize> = peers.closest(&Key::of(&bytes(&line.key))).into_iter().collect();
        assert_eq!(asked, closest);
        let mut fan = FanOut::new(asked.len(), FanOutRules::go());
        let mut ended = None;
        for end in &line.ends {
            let at = Duration::from_micros(end.at_us);
            fan.look(at);
            if let Some(end) = fan.end() {
                ended.get_or_insert((end, at));
                break;
            }
            if end.ok {
                fan.succeeded(at);
            } else {
                fan.failed(at);
            }
            if let Some(end) = fan.end() {
                ended = Some((end, at));
            }
        }
        while fan.end().is_none() {
            let until = fan.until();
            fan.look(until);
            ended = fan.end().map(|end| (end, until));
        }
        let (end, at) = ended.expect("an end");
        seen.insert(end);
        // Go comes to know of an end a little later than it is.
        let returned = Duration::from_micros(line.returned_us);
        assert!(returned + Duration::from_millis(2) >= at, "{end}: {returned:?}, and ours at {at:?}");
        assert!(returned <= at + Duration::from_millis(15), "{end}: {returned:?}, and ours at {at:?}");
        // What had ended by then is what Go did not give up.
        let counted = fan.successes();
        let by_then = line.ends.iter().filter(|end| end.ok && Duration::from_micros(end.at_us) <= at).count();
        assert_eq!(counted, by_then);
        let failed = line.kind == "provide" && counted == 0;
        assert_eq!(line.error, if failed { "failed to complete provide" } else { "" });
    }
    assert_eq!(kinds, BTreeMap::from([("find", 12), ("provide", 12)]));
    assert_eq!(seen.len(), 4, "every end occurs: {seen:?}");
}

#[test]
fn many_keys_go_to_whom_go_gives_them_in_its_order() {
    let (peers, lines) = full_lines();
    let line = lines.iter().find(|line| line.kind == "many").expect("one");
    let keys: Vec<Vec<u8>> = line.keys.iter().map(|number| named(&format!("key {number}"))).collect();
    let mut plan = BulkPlan::new(&keys, peers.ids.len());
    assert_eq!((keys.len(), plan.order().len()), (120, 100));
    let order: Vec<usize> = plan.order().iter().map(|&(_, given)| line.keys[given]).collect();
    let mut given: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    while let Some(jobs) = plan.next_chunk_among(&peers.sorted) {
        for job in jobs {
            let keys = job.keys.iter().map(|&key| order[key]);
            given.entry(peers.number(job.peer)).or_default().extend(keys);
        }
    }
    let asked: BTreeSet<usize> = line.connected.keys().copied().collect();
    assert_eq!(asked, given.keys().copied().collect());
    let connected = |peer: &usize| line.connected[peer];
    given.retain(|peer, _| connected(peer));
    // Two workers may have a peer of two chunks at once, so what a peer is given of both comes in any order.
    let sets = |all: &BTreeMap<usize, Vec<usize>>| -> BTreeMap<usize, BTreeSet<usize>> {
        all.iter().map(|(peer, keys)| (*peer, keys.iter().copied().collect())).collect()
    };
    assert_eq!(sets(&line.sent), sets(&given));
    let in_order = line.sent.iter().filter(|(peer, keys)| given[peer] == **keys).count();
    assert!(in_order * 10 >= line.sent.len() * 8, "{in_order} of {}", line.sent.len());
}

#[derive(Deserialize)]
struct SweepHead {
    library: String,
    peers: usize,
    own: String,
    keys: Vec<usize>,
    dead: BTreeSet<usize>,
}

#[derive(Deserialize)]
struct SweepLine {
    #[serde(default)]
    target: String,
    #[serde(default)]
    closest: Vec<usize>,
    #[serde(default)]
    sent: BTreeMap<usize, Vec<usize>>,
}

/// A recorded sweep beside ours.
struct Beside {
    peers: Peers,
    dead: BTreeSet<usize>,
    order: Key,
    keys: Vec<Vec<u8>>,
    places: Vec<Key>,
    /// What Go did, the next one last.
    lines: Vec<SweepLine>,
}

impl Beside {
    fn recorded() -> Self {
        let mut lines = include_str!("data/sweep.ndjson").lines();
        let head: SweepHead = serde_json::from_str(lines.next().expect("a head")).expect("a head");
        assert_eq!(head.library, "go-libp2p-kad-dht v0.42.1");
        let mut lines: Vec<SweepLine> =
            lines.map(|line| serde_json::from_str(line).expect("a line")).collect();
        lines.reverse();
        let keys: Vec<Vec<u8>> = head.keys.iter().map(|number| named(&format!("key {number}"))).collect();
        let places = keys.iter().map(|key| Key::of(key)).collect();
        let (peers, order) = (Peers::of(head.peers), Key::of(&bytes(&head.own)));
        Self { peers, dead: head.dead, order, keys, places, lines }
    }

    fn next(&mut self) -> SweepLine {
        self.lines.pop().expect("Go goes on")
    }

    fn ids(&self, numbers: &[usize]) -> Vec<PeerId> {
        numbers.iter().map(|&number| self.peers.ids[number]).collect()
    }

    /// Explores as Go did: its lookups look for keys that share 15 bits with ours.
    fn explore(&mut self, mut exploration: Exploration) -> Exploration {
        while let Some(target) = exploration.next() {
            let line = self.next();
            let shared = Key::of(&target).common_prefix_len(&Key::of(&bytes(&line.target)));
            assert!(shared >= 15, "ours looks elsewhere: {shared} bits");
            exploration.found(&self.ids(&line.closest));
        }
        exploration
    }

    /// What the peers at these places, a region whose prefix has so many bits, are sent of some keys.
    fn sent(&self, places: &[Key], prefix_len: u32, keys: &[usize]) -> BTreeMap<usize, BTreeSet<usize>> {
        let of_region: Vec<Key> = keys.iter().map(|&key| self.places[key]).collect();
        let given = allocate_as_go(&of_region, places, prefix_len, K).into_iter().zip(places);
        let given = given.filter(|(all, _)| !all.is_empty());
        let of_peer = |all: Vec<usize>| all.into_iter().map(|key| keys[key]).collect();
        given.map(|(all, place)| (self.peers.numbers[place], of_peer(all))).collect()
    }

    /// Ours beside what Go sent: the same, but for dead peers, of whom Go knows after the third failure.
    fn compare(&self, ours: &BTreeMap<usize, BTreeSet<usize>>, go: &BTreeMap<usize, Vec<usize>>) {
        let both: (BTreeSet<_>, BTreeSet<_>) = (ours.keys().collect(), go.keys().collect());
        assert_eq!(both.0, both.1);
        for (peer, keys) in ours {
            let sent: BTreeSet<usize> = go[peer].iter().copied().collect();
            if self.dead.contains(peer) {
                assert!(sent.is_subset(keys) && sent.len() == keys.len().min(FAILURES_IN_A_ROW), "{peer}");
            } else {
                assert_eq!(&sent, keys, "{peer}");
            }
        }
    }

    /// Looks these keys up one by one, and gives each to its closest.
    fn look_up_each(&mut self, all: Vec<usize>) {
        let mut ours: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut go: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut waiting: BTreeSet<Vec<u8>> = all.iter().map(|&key| self.keys[key].clone()).collect();
        // Two keys are looked up beside each other.
        while !waiting.is_empty() || self.lines.last().is_some_and(|line| !line.sent.is_empty()) {
            let line = self.next();
            if line.sent.is_empty() {
                assert!(waiting.remove(&bytes(&line.target)), "Go looks up another key");
            }
            for (peer, keys) in line.sent {
                go.entry(peer).or_default().extend(keys);
            }
        }
        for key in all {
            for peer in self.peers.closest(&self.places[key]) {
                ours.entry(peer).or_default().insert(key);
            }
        }
        self.compare(&ours, &go);
    }
}

#[test]
fn a_sweep_looks_where_go_looks_and_gives_the_same_keys_to_the_same_peers() {
    let mut beside = Beside::recorded();
    // It looks up itself first, then as long as prefixes are.
    assert_eq!(Key::of(&bytes(&beside.next().target)), beside.order);
    let measured: Vec<Vec<PeerId>> = (0..PREFIX_LEN_LOOKUPS)
        .map(|_| {
            let line = beside.next();
            beside.ids(&line.closest)
        })
        .collect();
    let prefix_len = mean_prefix_len(measured.iter().map(Vec::as_slice));
    let mut plan = SweepPlan::new(&beside.places, prefix_len);
    let (mut explored, mut individual, mut lookups) = (0, 0, 0);
    while let Some(job) = plan.next_job() {
        match job {
            SweepJob::Explore(prefix, mut keys) => {
                let before = beside.lines.len();
                let exploration = beside.explore(Exploration::new(prefix, K, beside.order));
                lookups += before - beside.lines.len();
                let found = exploration.explored();
                keys.extend(plan.take_within(&found.prefix));
                let places: Vec<Key> = found.peers.keys().copied().collect();
                let all = regions(&places, found.prefix, K, &beside.order);
                let mut of_region = vec![Vec::new(); all.len()];
                for key in keys {
                    let region = KeyRegion::of_key(&all, &beside.places[key]).expect("a region");
                    of_region[region].push(key);
                }
                // Go sends region by region, and its lookups alone part what it sends.
                let mut ours: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
                for (region, keys) in all.iter().zip(&of_region) {
                    for (peer, keys) in beside.sent(&places[region.peers.clone()], region.prefix.len(), keys)
                    {
                        ours.entry(peer).or_default().extend(keys);
                    }
                }
                let go = beside.next().sent;
                beside.compare(&ours, &go);
                explored += 1;
            }
            SweepJob::Each(keys) => {
                individual += keys.len();
                beside.look_up_each(keys);
            }
        }
    }
    assert!(beside.lines.is_empty(), "Go does more");
    assert!(
        explored >= 12 && individual >= 1 && lookups >= 2 * explored,
        "{explored} {individual} {lookups}"
    );
}
