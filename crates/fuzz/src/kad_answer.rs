//! The answering rules of a server: nobody speaks for another, what is kept has bounds and vouches for its key, and an
//! answer is a message that holds what it may.

use std::{collections::HashSet, time::Duration};

use kad::{
    answer::{Answer, Asked, Findings, Known, MAX_KEY_BYTES, MAX_PROVIDER_ADDRESSES, Provide, Put, Query},
    message::{ConnectionType, K, MAX_MESSAGE_BYTES, Message, MessageType, Peer, Record, write_peer},
    records::{Providers, Values},
    values::MAX_VALUE_BYTES,
};

/// Who asks: an identity multihash, as short as a peer id can be.
const ASKER: &[u8] = &[0, 1, b'a'];

/// Who answers.
const OWN: &[u8] = &[0, 1, b'o'];

/// A peer that is known without addresses.
const MUTE: &[u8] = &[0, 1, b'm'];

/// What comes between an address and the id of the peer there: `/p2p/`, and the length of an id of three bytes.
const P2P: &[u8] = &[0xa5, 0x03, 3];

/// The address of all peers that are known: `/tcp/1`.
const ADDRESS: &[u8] = &[6, 0, 1];

/// The key of an answer to FIND_NODE.
static EMPTY: Vec<u8> = Vec::new();

/// When records are given, as the time since the Unix epoch.
const NOW: Duration = Duration::from_secs(1_800_000_000);

/// Reads the bytes as a request, and does what it asks for.
pub fn check(bytes: &[u8]) {
    let Ok(whole) = Message::decode(bytes) else {
        return assert!(
            !matches!(Asked::read(bytes, ASKER), Ok(Asked::Put(_))),
            "a record that is none is kept"
        );
    };
    let asked = Asked::read(bytes, ASKER);
    assert!(asked.is_ok(), "a message is refused as none");
    match asked {
        Ok(Asked::Lookup(lookup)) => look_up(&lookup, &whole),
        Ok(Asked::Provide(provide)) => provided(&provide, &whole),
        Ok(Asked::Put(put)) => kept(&put, &whole),
        Ok(Asked::Answered(Answer::Message(reply))) => {
            assert_eq!(whole.kind, MessageType::Ping);
            echoes(&reply, &whole);
        }
        Ok(Asked::Answered(Answer::Nothing)) => unreachable!("a request is passed over"),
        Ok(Asked::Answered(Answer::Close | Answer::HangUp)) => unreachable!("no rule asks for that"),
        Ok(Asked::Answered(Answer::Reset)) | Err(_) => {}
    }
}

/// The request without the peers in it.
fn echoes(reply: &[u8], request: &Message) {
    let expected = Message { closer_peers: Vec::new(), provider_peers: Vec::new(), ..request.clone() };
    assert_eq!(Message::decode(reply), Ok(expected));
}

fn entry(id: &[u8], addrs: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    write_peer(&mut out, id, addrs.iter().copied(), ConnectionType::NotConnected);
    out
}

/// A server that knows more than an answer takes: itself, the asker and one without addresses among them.
fn look_up(lookup: &Query<'_>, request: &Message) {
    assert_eq!((lookup.kind(), lookup.key()), (request.kind, request.key.as_slice()));
    assert!(!request.key.is_empty());
    let ids: Vec<[u8; 3]> = b"oam".iter().copied().chain(0x80..0xa0).map(|name| [0, 1, name]).collect();
    let entries: Vec<Vec<u8>> =
        ids.iter().map(|id| entry(id, if id == MUTE { &[] } else { &[ADDRESS] })).collect();
    let known: Vec<Known<'_>> =
        ids.iter().zip(&entries).map(|(id, entry)| Known { id, entry, has_addresses: id != MUTE }).collect();
    let target = known.iter().find(|peer| peer.id == lookup.key()).copied();
    let large = entry(b"provider", &[&[4; 1000]]);
    let provider = Known { id: b"provider", entry: &large, has_addresses: true };
    let found = Findings { target, closest: known, providers: vec![provider; 3], record: Some(b"\x0a\x01k") };
    let reply = lookup.answer(OWN, ASKER, &found);
    assert!(reply.len() <= MAX_MESSAGE_BYTES);
    let Ok(reply) = Message::decode(&reply) else { unreachable!("an answer is no message") };
    let is_find_node = request.kind == MessageType::FindNode;
    assert_eq!((reply.kind, &reply.key), (request.kind, if is_find_node { &EMPTY } else { &request.key }));
    // Nobody moves up for the one without addresses.
    assert!((K - usize::from(is_find_node)..=K + 1).contains(&reply.closer_peers.len()));
    let is_target = |peer: &Peer| is_find_node && peer.id == request.key;
    assert!(reply.closer_peers.iter().all(|peer| (peer.id != OWN && peer.id != ASKER) || is_target(peer)));
    assert!(!is_find_node || reply.closer_peers.iter().all(|peer| !peer.addrs.is_empty()));
    let unique: HashSet<_> = reply.closer_peers.iter().map(|peer| &peer.id).collect();
    assert_eq!(unique.len(), reply.closer_peers.len(), "a peer is named twice");
    assert_eq!(reply.provider_peers.len(), if request.kind == MessageType::GetProviders { 3 } else { 0 });
    assert_eq!(reply.record.is_some(), request.kind == MessageType::GetValue);
}

/// What is kept of a provider is what the asker said of itself.
fn provided(provide: &Provide<'_>, request: &Message) {
    assert_eq!((request.kind, provide.key()), (MessageType::AddProvider, request.key.as_slice()));
    assert!((1..=MAX_KEY_BYTES).contains(&provide.key().len()));
    assert!(provide.addrs().len() <= MAX_PROVIDER_ADDRESSES);
    let own = request.provider_peers.iter().filter(|peer| peer.id == ASKER);
    let said: Vec<&Vec<u8>> = own.flat_map(|peer| &peer.addrs).collect();
    for (position, addr) in provide.addrs().iter().enumerate() {
        let named = [addr.as_ref(), P2P, ASKER].concat();
        assert!(!addr.is_empty() && !provide.addrs()[..position].contains(addr), "{addr} is kept twice");
        assert!(said.iter().any(|said| **said == addr.as_ref() || **said == named), "nobody said {addr}");
    }
    let mut store = Providers::default();
    store.add(1, provide.key(), (ASKER, provide.addrs()), NOW);
    let kept: Vec<_> = store.get(1, provide.key(), NOW).collect();
    assert!(kept.len() == 1 && store.get(2, provide.key(), NOW).next().is_none());
    for provided in kept {
        let addrs: Vec<&[u8]> = provide.addrs().iter().map(AsRef::as_ref).collect();
        assert_eq!((&*provided.id, &*provided.entry), (ASKER, &*entry(ASKER, &addrs)));
    }
}

/// What is kept under a key is a value for that key and for no other.
fn kept(put: &Put<'_>, request: &Message) {
    assert_eq!((request.kind, put.key()), (MessageType::PutValue, request.key.as_slice()));
    let value = put.value();
    assert!(value.value.len() <= MAX_VALUE_BYTES);
    assert!(put.key().starts_with(b"/pk/") || put.key().starts_with(b"/ipns/"));
    let record = request.record.as_ref();
    assert!(record.is_some_and(|record| record.key == put.key() && record.value == value.value));
    let answer = put.answer();
    echoes(&answer, request);
    let again = Asked::read(&answer, ASKER);
    assert!(matches!(again, Ok(Asked::Put(again)) if again.value() == value));

    let mut other = request.clone();
    let changed = [Some(&mut other.key), other.record.as_mut().map(|record| &mut record.key)];
    changed.into_iter().flatten().filter_map(|key| key.last_mut()).for_each(|last| *last ^= 1);
    let other = other.encode();
    assert!(!matches!(Asked::read(&other, ASKER), Ok(Asked::Put(_))), "a value is kept under another's key");

    let mut store = Values::default();
    let now = value.version.map_or(NOW, |version| version.valid_until.min(NOW));
    assert!(store.put(1, put.key(), &value, now) && store.put(1, put.key(), &value, now));
    let given = store.get(1, put.key(), now).and_then(|record| Record::decode(record).ok());
    assert!(given.is_some_and(|given| given.key == put.key() && given.value == value.value));
}
