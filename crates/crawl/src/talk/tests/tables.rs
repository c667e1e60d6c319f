//! Conversations with servers that answer from a table, rightly or not.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use kad::message::{K, MessageView};

use super::*;

/// Which peers of a table a server names for a target: places in the table.
type Rule = fn(&Server, &[u8]) -> Vec<usize>;

/// A server with a table.
struct Server {
    endpoint: Endpoint,
    table: Vec<PeerId>,
    keys: Vec<Key>,
    rule: Rule,
    /// Answers for these prefixes end their stream for this reason.
    unreadable: (Range<u32>, FailureClass),
    /// How many requests it answers before it falls silent.
    patience: usize,
    opened: u32,
    over: HashSet<StreamId>,
    /// How many requests it read.
    read: usize,
    events: VecDeque<Result<Event, Failure>>,
}

impl Server {
    fn new(table: Vec<PeerId>, rule: Rule) -> Self {
        Self {
            endpoint: Script::new(Habit::Silent).endpoint,
            keys: table.iter().map(Key::of_peer).collect(),
            table,
            rule,
            unreadable: (0..0, FailureClass::Other),
            patience: usize::MAX,
            opened: 0,
            over: HashSet::new(),
            read: 0,
            events: VecDeque::new(),
        }
    }

    /// The `K` whose keys come first when they are compared with `to`.
    fn closest(&self, to: &Key) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.table.len()).collect();
        places.sort_by_cached_key(|&place| self.keys[place].distance(to));
        places.truncate(K);
        places
    }

    fn message(&self, target: &[u8]) -> Vec<u8> {
        let mut message = Message::new(MessageType::FindNode, Vec::new());
        let named = (self.rule)(self, target).into_iter();
        message.closer_peers = named.map(|place| Peer::new(&self.table[place], &[])).collect();
        message.encode()
    }
}

impl Connection for Server {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn open(&mut self, protocol: &str, _: usize) -> StreamId {
        self.opened += 1;
        let stream = StreamId(self.opened);
        self.events.push_back(Ok(Event::Accepted(stream)));
        if protocol == kad::identify::IDENTIFY_PROTOCOL {
            self.events.push_back(Ok(Event::Message(stream, scripted().encode())));
            self.events.push_back(Ok(Event::Ended(stream, None)));
        }
        stream
    }

    fn send(&mut self, stream: StreamId, message: &[u8]) {
        if self.over.contains(&stream) {
            return;
        }
        self.read += 1;
        if self.read > self.patience {
            return;
        }
        let target = MessageView::decode(message).expect("a request").key;
        let shared = Key::of(target).common_prefix_len(&Key::of_peer(&PEER));
        let (unreadable, class) = &self.unreadable;
        let event = if unreadable.contains(&shared) {
            self.over.insert(stream);
            Event::Ended(stream, Some(Failure::new(Phase::Request, *class)))
        } else {
            Event::Message(stream, self.message(target))
        };
        self.events.push_back(Ok(event));
    }

    fn finish(&mut self, _: StreamId) {}

    fn reset(&mut self, _: StreamId) {}

    async fn next(&mut self) -> Result<Event, Failure> {
        match self.events.pop_front() {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        None
    }

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    async fn close(self) {}
}

fn honest(server: &Server, target: &[u8]) -> Vec<usize> {
    server.closest(&Key::of(target))
}

/// By the hash of the hash.
fn hashed_twice(server: &Server, target: &[u8]) -> Vec<usize> {
    server.closest(&Key::of(Key::of(target).as_bytes()))
}

/// At random: by a hash of the target and the place.
fn at_random(server: &Server, target: &[u8]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..server.table.len()).collect();
    places.sort_by_cached_key(|place| *Key::of(&[target, &place.to_be_bytes()].concat()).as_bytes());
    places.truncate(K);
    places
}

/// Leaves the first of the table out of the answers for one bit, and names it in those for none.
fn hides_one(server: &Server, target: &[u8]) -> Vec<usize> {
    let shared = Key::of(target).common_prefix_len(&Key::of_peer(&PEER));
    let mut places = server.closest(&Key::of(target));
    match shared {
        0 => places[K - 1] = 0,
        1 => places.retain(|&place| place != 0),
        _ => {}
    }
    places
}

/// The same `n` peers in every run. Like ids of RSA keys.
fn peers(n: usize) -> Vec<PeerId> {
    let hashes = (0..n).map(|n| Key::of(&n.to_be_bytes()));
    let multihash = |hash: Key| [&[0x12, 32], &hash.as_bytes()[..]].concat();
    hashes.map(|hash| PeerId::from_bytes(&multihash(hash)).expect("an id")).collect()
}

async fn read(server: &mut Server, wave: usize, manner: &Manner) -> (TalkOutcome, HashSet<Vec<u8>>) {
    let mut found = HeardPeers::new(&PEER.to_bytes(), Arc::default());
    let said = Talk::new(server, *PEER, wave, manner).run(&mut found).await;
    (said, found.peers().map(|peer| peer.id.to_vec()).collect())
}

fn count(said: &TalkOutcome, which: fn(PrefixOutcome) -> bool) -> usize {
    said.prefixes.iter().filter(|&&outcome| which(outcome)).count()
}

const fn is_saved(outcome: PrefixOutcome) -> bool {
    matches!(outcome, PrefixOutcome::Saved)
}

const fn is_answered(outcome: PrefixOutcome) -> bool {
    matches!(outcome, PrefixOutcome::Answered { .. })
}

#[tokio::test(start_paused = true)]
async fn requests_are_saved_where_answers_agree() {
    let mut server = Server::new(peers(30), honest);
    let (said, named) = read(&mut server, 3, &manner(&["/kad"])).await;
    assert_eq!((count(&said, is_answered), count(&said, is_saved), server.read), (3, 13, 3));
    assert!(named.len() >= 29, "{}", named.len());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_saved_where_answers_contradict_each_other() {
    for rule in [hashed_twice as Rule, at_random] {
        let mut server = Server::new(peers(150), rule);
        let (said, named) = read(&mut server, 3, &manner(&["/kad"])).await;
        assert_eq!((count(&said, is_answered), count(&said, is_saved)), (PREFIXES, 0));
        assert!(named.len() > 100, "with all prefixes most of 150 are named: {}", named.len());
    }
}

#[tokio::test(start_paused = true)]
async fn one_peer_that_an_earlier_answer_hides_is_enough() {
    let mut table = peers(200);
    let shared = |peer: &PeerId| Key::of_peer(peer).common_prefix_len(&Key::of_peer(&PEER));
    table.retain(|peer| shared(peer) < 2);
    table.truncate(30);
    let deepest = (0..table.len()).max_by_key(|&place| shared(&table[place])).expect("some");
    table.swap(0, deepest);
    assert_eq!(shared(&table[0]), 1);
    // One of no other bucket than the first would be no contradiction.
    let (said, _) = read(&mut Server::new(table.clone(), hides_one), 3, &manner(&["/kad"])).await;
    assert_eq!((count(&said, is_answered), count(&said, is_saved)), (PREFIXES, 0));
    let (said, _) = read(&mut Server::new(table, honest), 3, &manner(&["/kad"])).await;
    assert_eq!(count(&said, is_saved), 13);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_costs_its_own_prefix_only() {
    for class in [FailureClass::MessageTooLarge, FailureClass::Malformed] {
        for wave in [3, PREFIXES] {
            let mut server = Server::new(peers(30), honest);
            server.unreadable = (1..2, class);
            let (said, named) = read(&mut server, wave, &manner(&["/kad"])).await;
            assert_eq!(said.prefixes[1], PrefixOutcome::Failed(class));
            assert_eq!(count(&said, |p| is_answered(p) || is_saved(p)), PREFIXES - 1, "{:?}", said.prefixes);
            assert_eq!(server.opened, 3, "identify, the first stream and the one after it");
            assert_eq!(said.crawl_error.map(|f| f.class), Some(class));
            assert!(named.len() >= 29);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn several_answers_that_are_too_large_cost_no_more() {
    let mut server = Server::new(peers(30), honest);
    server.unreadable = (0..15, FailureClass::MessageTooLarge);
    let (said, named) = read(&mut server, PREFIXES, &manner(&["/kad"])).await;
    let failed = PrefixOutcome::Failed(FailureClass::MessageTooLarge);
    assert_eq!(said.prefixes[..15], [failed; 15]);
    assert_eq!((said.prefixes[15], named.len()), (PrefixOutcome::Answered { peers: 20 }, 20));
}

/// A table as js-libp2p keeps it: up to 20 peers in each of the 64 leaves of six bits.
fn leaves(peers: Vec<PeerId>) -> Vec<PeerId> {
    let mut sizes: HashMap<u16, usize> = HashMap::new();
    let keep = |peer: &PeerId| {
        let size = sizes.entry(Key::of_peer(peer).prefix16() >> 10).or_default();
        *size += 1;
        *size <= K
    };
    let mut table = peers;
    table.retain(keep);
    table
}

#[tokio::test(start_paused = true)]
async fn a_table_of_twenty_in_each_leaf_is_read_whole_if_that_is_wished_for() {
    let whole = Manner { whole_tables: true, ..manner(&["/kad"]) };
    for (network, at_most) in [(60, 12), (200, 40), (5_000, 200)] {
        let table = leaves(peers(network));
        let (said, named) = read(&mut Server::new(table.clone(), honest), 3, &manner(&["/kad"])).await;
        assert!(named.len() < table.len(), "prefixes alone leave some of {network} out");
        assert!(said.open_buckets != 0, "which is marked");
        assert_eq!(said.further, FurtherRequests::default());

        let mut server = Server::new(table.clone(), honest);
        let (said, named) = read(&mut server, 3, &whole).await;
        assert_eq!(named.len(), table.len(), "of {network}");
        assert_eq!((said.open_buckets, &said.crawl_error), (0, &None));
        assert!((1..=at_most).contains(&said.further.answered), "{} for {network}", said.further.answered);
        assert_eq!(server.read, count(&said, is_answered) + usize::from(said.further.answered));
    }
}

#[tokio::test(start_paused = true)]
async fn further_requests_are_bounded_and_what_stays_unread_is_marked() {
    let whole = Manner { whole_tables: true, ..manner(&["/kad"]) };
    let table = peers(8_000);
    let (said, named) = read(&mut Server::new(table.clone(), honest), 3, &whole).await;
    assert_eq!(usize::from(said.further.answered), deeper::MAX_FURTHER);
    assert!(named.len() < table.len() && said.open_buckets != 0);
    assert!(named.len() > deeper::MAX_FURTHER * K / 4, "{}", named.len());
}

#[tokio::test(start_paused = true)]
async fn where_further_requests_fail_their_buckets_stay_open() {
    let whole = Manner { whole_tables: true, ..manner(&["/kad"]) };
    let mut server = Server::new(leaves(peers(3_000)), honest);
    server.patience = PREFIXES + 10;
    let (said, _) = read(&mut server, PREFIXES, &whole).await;
    assert_eq!(count(&said, is_answered), PREFIXES);
    assert_eq!(said.further.answered, 10);
    assert!((1..=16).contains(&said.further.failed), "what left with them: {}", said.further.failed);
    assert_eq!(said.crawl_error.map(|f| f.class), Some(FailureClass::Timeout));
    assert!(said.open_buckets & 1 == 1, "half of all peers are not read");
}
