//! A server over a live table answers as go-libp2p-kad-dht does: `data/answers.txt`, recorded by `peers/go/golden`.

#![expect(clippy::expect_used, reason = "a test ends at the first error")]

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use kadscope_kad::{
    Key,
    answer::{Answer, Asked, Findings, Known, Query, entry},
    message::{ConnectionType, Message, MessageType, Peer},
    records::{Provided, Providers, Values},
    table::{Newcomer, RoutingTable, TableRules},
};
use libp2p_identity::Keypair;

const RECORDED: &str = include_str!("data/answers.txt");

/// When everything is asked, since the Unix epoch.
const NOW: Duration = Duration::from_secs(1_800_000_000);

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("digits"), 16).expect("a byte"))
        .collect()
}

fn hexed(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string");
        hex
    })
}

/// The id of the peer with this number: a SHA-256 multihash of it.
fn id(number: u32) -> Vec<u8> {
    [&[0x12, 0x20], Key::of(&number.to_be_bytes()).as_bytes().as_slice()].concat()
}

fn host(seed: u8) -> Vec<u8> {
    Keypair::ed25519_from_bytes([seed; 32]).expect("a key").public().to_peer_id().to_bytes()
}

/// What a server knows of a peer.
struct KnownPeer {
    id: Vec<u8>,
    entry: Vec<u8>,
    has_addresses: bool,
}

impl KnownPeer {
    fn new(id: Vec<u8>, has_addresses: bool) -> Self {
        let addrs = has_addresses.then_some(&[4, 1, 2, 3, 4, 6, 0x0f, 0xa1][..]);
        let entry = entry(&id, addrs.into_iter(), ConnectionType::NotConnected);
        Self { id, entry, has_addresses }
    }

    fn known(&self) -> Known<'_> {
        Known { id: &self.id, entry: &self.entry, has_addresses: self.has_addresses }
    }
}

/// A server as it can be put together: a table, whom it knows beside that, and its records.
struct Server {
    own: Vec<u8>,
    asker: Vec<u8>,
    table: RoutingTable<KnownPeer>,
    others: Vec<KnownPeer>,
    providers: Providers,
    values: Values,
    names: BTreeMap<Vec<u8>, String>,
}

impl Server {
    fn new() -> Self {
        let (own, asker) = (host(7), host(8));
        let others = [own.clone(), asker.clone(), id(3000)].map(|id| KnownPeer::new(id, true)).into();
        let names = [(own.clone(), "own"), (asker.clone(), "asker"), (id(3000), "3000")];
        Self {
            table: RoutingTable::new(Key::of(&own), TableRules::default()),
            own,
            asker,
            others,
            providers: Providers::default(),
            values: Values::default(),
            names: names.map(|(id, name)| (id, name.to_owned())).into(),
        }
    }

    fn insert(&mut self, number: u32) -> bool {
        self.names.insert(id(number), number.to_string());
        let peer = KnownPeer::new(id(number), !number.is_multiple_of(7));
        let newcomer = Newcomer { key: Key::of(&peer.id), peer, groups: Vec::new(), is_replaceable: false };
        self.table.insert(newcomer, NOW).is_ok()
    }

    fn answer(&mut self, request: &[u8]) -> Answer {
        match Asked::read(request, &self.asker) {
            Ok(Asked::Answered(answer)) => answer,
            Ok(Asked::Lookup(lookup)) => Answer::Message(self.look_up(&lookup)),
            Ok(Asked::Provide(provide)) => {
                self.providers.add(1, provide.key(), (&self.asker, provide.addrs()), NOW);
                Answer::Nothing
            }
            Ok(Asked::Put(put)) if self.values.put(1, put.key(), &put.value(), NOW) => {
                Answer::Message(put.answer())
            }
            Ok(Asked::Put(_)) | Err(_) => Answer::Reset,
        }
    }

    fn look_up(&self, lookup: &Query<'_>) -> Vec<u8> {
        let mut found = Findings::in_table(&self.table, lookup.key(), KnownPeer::known);
        let other = self.others.iter().find(|other| other.id == lookup.key());
        found.target = found.target.or_else(|| other.map(KnownPeer::known));
        let provided: Vec<Provided<'_>> = self.providers.get(1, lookup.key(), NOW).collect();
        found.providers = provided.iter().map(Provided::known).collect();
        found.record = self.values.get(1, lookup.key(), NOW);
        lookup.answer(&self.own, &self.asker, &found)
    }

    /// What came of a request, in the words of the record.
    fn say(&mut self, request: &[u8]) -> String {
        match self.answer(request) {
            Answer::Nothing => "nothing".to_owned(),
            Answer::Reset => "reset".to_owned(),
            Answer::Close | Answer::HangUp => "what no rule asks for".to_owned(),
            Answer::Message(message) => {
                let Message { key, record, closer_peers, provider_peers, .. } =
                    Message::decode(&message).expect("a message");
                let value = record.map_or("-".to_owned(), |record| hexed(&record.value));
                format!(
                    "{} {value} {} {}",
                    hexed(&key),
                    self.peers(&closer_peers),
                    self.peers(&provider_peers)
                )
            }
        }
    }

    fn peers(&self, peers: &[Peer]) -> String {
        if peers.is_empty() {
            return "-".to_owned();
        }
        let names: Vec<_> =
            peers.iter().map(|peer| format!("{}/{}", self.names[&peer.id], peer.addrs.len())).collect();
        names.join(",")
    }
}

#[test]
fn a_server_answers_as_gos_does() {
    let mut server = Server::new();
    let mut asked = BTreeMap::new();
    for line in RECORDED.lines().filter(|line| !line.starts_with('#')) {
        if let Some(peer) = line.strip_prefix("peer ") {
            let (number, is_added) = peer.split_once(' ').expect("two words");
            assert_eq!(server.insert(number.parse().expect("a number")).to_string(), is_added, "{line}");
            continue;
        }
        let (request, expected) = line.split_once(" = ").expect("an answer");
        let [_, name, request] = request.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let request = bytes(request);
        assert_eq!(server.say(&request), expected, "{name}");
        let kind = Message::decode(&request).expect("a message").kind;
        *asked.entry(format!("{kind:?}")).or_insert(0) += 1;
    }
    let kinds = [
        MessageType::PutValue,
        MessageType::GetValue,
        MessageType::AddProvider,
        MessageType::GetProviders,
        MessageType::FindNode,
        MessageType::Ping,
    ];
    assert!(kinds.iter().all(|kind| asked.contains_key(&format!("{kind:?}"))), "{asked:?}");
}
