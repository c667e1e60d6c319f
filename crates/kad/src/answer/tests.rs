//! Answers: what is in them, who is left out, and what is refused.

use std::time::Duration;

use libp2p_identity::{Keypair, PeerId};
use multiaddr::Multiaddr;

use super::*;
use crate::{
    message::{ConnectionType, Message, Peer, Record, write_peer},
    table::{Newcomer, TableRules},
};

fn entry(id: &[u8], addrs: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    write_peer(&mut out, id, addrs.iter().copied(), ConnectionType::NotConnected);
    out
}

fn ids(peers: &[Peer]) -> Vec<&[u8]> {
    peers.iter().map(|p| p.id.as_slice()).collect()
}

/// What the server `own` answers to `ask` out of what it has found.
fn look_up(kind: MessageType, key: &[u8], found: &Findings<'_>) -> Message {
    let request = Message::new(kind, key.to_vec()).encode();
    let Ok(Asked::Lookup(lookup)) = Asked::read(&request, b"ask") else { panic!("no lookup") };
    assert_eq!((lookup.kind(), lookup.key()), (kind, key));
    Message::decode(&lookup.answer(b"own", b"ask", found)).expect("ours")
}

fn answered(request: &Message) -> Option<Answer> {
    match Asked::read(&request.encode(), b"ask").expect("a message") {
        Asked::Answered(answer) => Some(answer),
        _ => None,
    }
}

#[test]
fn find_node_names_the_target_first_and_leaves_out_server_asker_and_the_addressless() {
    let names: [&[u8]; 6] = [b"own", b"ask", b"near", b"mute", b"target", b"far"];
    let entries: Vec<_> =
        names.iter().map(|id| entry(id, if *id == b"mute" { &[] } else { &[b"addr"] })).collect();
    let known = |i: usize| Known { id: names[i], entry: &entries[i], has_addresses: i != 3 };
    let found =
        Findings { target: Some(known(4)), closest: (0..6).map(known).collect(), ..Findings::default() };
    let reply = look_up(MessageType::FindNode, b"target", &found);
    assert_eq!((ids(&reply.closer_peers), reply.key.len()), (vec![&b"target"[..], b"near", b"far"], 0));
    let reply = look_up(MessageType::GetProviders, b"target", &found);
    assert_eq!(ids(&reply.closer_peers), [b"near".as_slice(), b"mute", b"target", b"far"]);
}

#[test]
fn k_peers_answer_and_a_target_that_is_none_of_them() {
    let names: Vec<[u8; 1]> = (0..30).map(|n| [n]).collect();
    let entries: Vec<_> = names.iter().map(|id| entry(id, &[b"addr"])).collect();
    let mut closest: Vec<_> =
        names.iter().zip(&entries).map(|(id, entry)| Known { id, entry, has_addresses: true }).collect();
    let ask = |closest: &[Known<'_>], target: Option<Known<'_>>| {
        let found = Findings { target, closest: closest.to_vec(), ..Findings::default() };
        let reply = look_up(MessageType::FindNode, b"key", &found);
        reply.closer_peers.into_iter().map(|peer| peer.id[0]).collect::<Vec<_>>()
    };
    assert_eq!(ask(&closest, None), (0..20).collect::<Vec<_>>());
    assert_eq!(ask(&closest, Some(closest[0])), (0..20).collect::<Vec<_>>());
    assert_eq!(ask(&closest[1..], Some(closest[0])), (0..=20).collect::<Vec<_>>());
    // Nobody moves up for those whose addresses are not known, and a target without any is not named.
    closest[0].has_addresses = false;
    closest[7].has_addresses = false;
    assert_eq!(ask(&closest, Some(closest[0])).len(), 18);
}

#[test]
fn a_live_table_answers() {
    let peers: Vec<Vec<u8>> =
        (0..60_u8).map(|n| [&[0x12, 0x20][..], Key::of(&[n]).as_bytes()].concat()).collect();
    let mut table = RoutingTable::new(Key::of(b"own"), TableRules::default());
    for id in &peers {
        let peer = (id.clone(), entry(id, &[b"addr"]));
        let newcomer = Newcomer { key: Key::of(id), peer, groups: Vec::new(), is_replaceable: false };
        drop(table.insert(newcomer, Duration::ZERO));
    }
    let found = Findings::in_table(&table, &peers[3], |(id, entry)| Known { id, entry, has_addresses: true });
    let mut nearest: Vec<_> = table.iter().map(|entry| entry.peer.0.as_slice()).collect();
    nearest.sort_by_key(|id| Key::of(id).distance(&Key::of(&peers[3])));
    let reply = look_up(MessageType::FindNode, &peers[3], &found);
    assert_eq!(ids(&reply.closer_peers), nearest[..K]);
    assert_eq!(reply.closer_peers[0].id, peers[3]);
    let request = Message::new(MessageType::FindNode, peers[3].clone()).encode();
    let Ok(Asked::Lookup(lookup)) = Asked::read(&request, &peers[3]) else { panic!("no lookup") };
    let reply = Message::decode(&lookup.answer(b"own", &peers[3], &found)).expect("ours");
    assert_eq!(ids(&reply.closer_peers), nearest[..=K], "the asker asks for itself");
}

#[test]
fn providers_and_records_answer_those_who_ask_for_them_within_one_message() {
    let (near, provider) = (entry(b"near", &[b"addr"]), entry(b"prov", &[&[4; 1000]]));
    let record = Record { key: b"key".to_vec(), value: b"v".to_vec(), time_received: "then".to_owned() };
    let encoded = record.encode();
    let known = |entry| Known { id: b"id", entry, has_addresses: true };
    let few = Findings {
        closest: vec![known(&near)],
        providers: vec![known(&provider)],
        record: Some(&encoded),
        ..Findings::default()
    };
    let reply = look_up(MessageType::GetProviders, b"key", &few);
    assert_eq!(
        (ids(&reply.closer_peers), ids(&reply.provider_peers)),
        (vec![&b"near"[..]], vec![&b"prov"[..]])
    );
    assert_eq!(reply.record, None);
    let reply = look_up(MessageType::GetValue, b"key", &few);
    assert_eq!((reply.closer_peers.len(), reply.provider_peers.len(), reply.record), (1, 0, Some(record)));
    assert_eq!(look_up(MessageType::FindNode, b"key", &few).provider_peers, []);

    let many = Findings { providers: vec![known(&provider); 5000], ..few };
    let request = Message::new(MessageType::GetProviders, b"key".to_vec()).encode();
    let Ok(Asked::Lookup(lookup)) = Asked::read(&request, b"ask") else { panic!("no lookup") };
    let length = lookup.answer(b"own", b"ask", &many).len();
    assert!((MAX_MESSAGE_BYTES - 2000..=MAX_MESSAGE_BYTES).contains(&length), "{length}");
}

#[test]
fn ping_is_echoed_and_what_breaks_a_rule_resets() {
    let ping = Message::new(MessageType::Ping, Vec::new());
    assert_eq!(answered(&ping), Some(Answer::Message(ping.encode())));
    let of = |kind, key: &[u8]| answered(&Message::new(kind, key.to_vec()));
    assert_eq!(of(MessageType::Unknown(9), b"k"), Some(Answer::Reset));
    assert_eq!(of(MessageType::FindNode, b""), Some(Answer::Reset));
    assert_eq!(of(MessageType::PutValue, b"k"), Some(Answer::Reset));
    assert_eq!(of(MessageType::GetValue, b""), Some(Answer::Reset));
    assert_eq!(of(MessageType::GetValue, &[1; MAX_KEY_BYTES + 1]), None);
    for kind in [MessageType::GetProviders, MessageType::AddProvider] {
        assert_eq!(of(kind, b""), Some(Answer::Reset));
        assert_eq!(of(kind, &[1; MAX_KEY_BYTES + 1]), Some(Answer::Reset));
    }
    assert!(Asked::read(&[0x0a], b"").is_err());
}

/// `ADD_PROVIDER` of a key by peers with these addresses.
fn announcement(peers: &[(PeerId, &[&str])]) -> Vec<u8> {
    let mut message = Message::new(MessageType::AddProvider, b"key".to_vec());
    let peer = |(id, addrs): &(PeerId, &[&str])| {
        let addrs: Vec<Multiaddr> = addrs.iter().map(|addr| addr.parse().expect("an address")).collect();
        Peer::new(id, &addrs)
    };
    message.provider_peers = peers.iter().map(peer).collect();
    message.encode()
}

#[test]
fn a_provider_speaks_for_itself_alone() {
    let (own, other) = (PeerId::random(), PeerId::random());
    let asked = |request: &[u8]| match Asked::read(request, &own.to_bytes()).expect("a message") {
        Asked::Provide(provide) => {
            assert_eq!(provide.key(), b"key");
            Some(provide.addrs().iter().map(ToString::to_string).collect::<Vec<_>>())
        }
        Asked::Answered(Answer::Reset) => None,
        asked => panic!("{asked:?}"),
    };
    let (one, two) = ("/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.2/udp/2/quic-v1");
    let (named, misnamed) = (format!("{two}/p2p/{own}"), format!("/ip4/127.0.0.3/tcp/3/p2p/{other}"));
    let request = announcement(&[(other, &[two]), (own, &[one, &named, one, &misnamed])]);
    assert_eq!(asked(&request), Some(vec![one.to_owned(), two.to_owned()]));
    assert_eq!(asked(&announcement(&[(other, &[one])])), None);
    assert_eq!(asked(&announcement(&[(own, &[])])), None);
    assert_eq!(asked(&announcement(&[(own, &[&misnamed])])), Some(Vec::new()));
    assert_eq!(asked(&announcement(&[])), None);
    let many: Vec<String> = (1..100).map(|port| format!("/ip4/127.0.0.1/tcp/{port}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let kept = asked(&announcement(&[(own, &many[..50]), (own, &many[50..])])).expect("taken");
    assert_eq!(kept, many[..MAX_PROVIDER_ADDRESSES]);
}

/// Whether a value is taken under a key. If so, the answer is the request without the peers in it.
fn is_put(request_key: &[u8], key: &[u8], value: &[u8]) -> bool {
    let mut put = Message::new(MessageType::PutValue, request_key.to_vec());
    put.record = Some(Record { key: key.to_vec(), value: value.to_vec(), time_received: String::new() });
    put.closer_peers = vec![Peer::default()];
    let request = put.encode();
    put.closer_peers.clear();
    match Asked::read(&request, b"ask").expect("a message") {
        Asked::Put(taken) => {
            assert_eq!((taken.key(), taken.value().value, taken.answer()), (key, value, put.encode()));
            true
        }
        Asked::Answered(Answer::Reset) => false,
        asked => panic!("{asked:?}"),
    }
}

#[test]
fn a_public_key_is_taken_under_its_own_id() {
    let public = Keypair::generate_ecdsa().public();
    let key = [b"/pk/", &public.to_peer_id().to_bytes()[..]].concat();
    let value = public.encode_protobuf();
    assert!(is_put(&key, &key, &value));
    assert!(!is_put(&key, &key, &value[1..]));
    assert!(!is_put(b"/pk/", &key, &value));
    let other = [b"/pk/", &PeerId::random().to_bytes()[..]].concat();
    assert!(!is_put(&other, &other, &value));
    for namespace in [b"/px/", b"/pk:", b"xpk/"] {
        let key = [namespace, &public.to_peer_id().to_bytes()[..]].concat();
        assert!(!is_put(&key, &key, &value));
    }
}

/// The first record of a name that Go recorded: its key and its bytes.
fn recorded() -> (Vec<u8>, Vec<u8>) {
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("a byte")).collect()
    };
    let line = include_str!("../../tests/data/values.txt")
        .lines()
        .find(|line| line.starts_with("value "))
        .expect("one");
    let words: Vec<&str> = line.split(' ').collect();
    (bytes(words[2]), bytes(words[3]))
}

#[test]
fn a_record_is_taken_under_the_name_that_signed_it() {
    let (key, value) = recorded();
    assert!(is_put(&key, &key, &value));
    assert!(!is_put(&key, &key, &value[1..]));
    let other = [b"/ipns/", &PeerId::random().to_bytes()[..]].concat();
    assert!(!is_put(&other, &other, &value) && !is_put(&other, &key, &value));
}
