//! Answers: what is in them, who is left out, and what is refused.

use libp2p_identity::{Keypair, PeerId};
use multiaddr::Multiaddr;

use super::*;
use crate::message::{ConnectionType, Message, Peer, Record, write_peer};

fn entry(id: &[u8], addrs: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    write_peer(&mut out, id, addrs.iter().copied(), ConnectionType::NotConnected);
    out
}

fn ids(peers: &[Peer]) -> Vec<&[u8]> {
    peers.iter().map(|p| p.id.as_slice()).collect()
}

/// What the server `own` answers to `ask` out of what it has found.
fn look_up(kind: MessageType, key: &[u8], found: &Found<'_>) -> Message {
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
    let found = Found { target: Some(known(4)), closest: (0..6).map(known).collect(), ..Found::default() };
    let reply = look_up(MessageType::FindNode, b"target", &found);
    assert_eq!(ids(&reply.closer_peers), [b"target".as_slice(), b"near", b"far"]);
    let reply = look_up(MessageType::GetProviders, b"target", &found);
    assert_eq!(ids(&reply.closer_peers), [b"near".as_slice(), b"mute", b"target", b"far"]);
}

#[test]
fn at_most_k_peers_answer() {
    let names: Vec<[u8; 1]> = (0..30).map(|n| [n]).collect();
    let entries: Vec<_> = names.iter().map(|id| entry(id, &[b"addr"])).collect();
    let closest =
        names.iter().zip(&entries).map(|(id, entry)| Known { id, entry, has_addresses: true }).collect();
    let reply = look_up(MessageType::FindNode, b"key", &Found { closest, ..Found::default() });
    assert_eq!(reply.closer_peers.len(), K);
}

#[test]
fn providers_and_records_answer_those_who_ask_for_them_within_one_message() {
    let (near, provider) = (entry(b"near", &[b"addr"]), entry(b"prov", &[&[4; 1000]]));
    let record = Record { key: b"key".to_vec(), value: b"v".to_vec(), time_received: "then".to_owned() };
    let encoded = record.encode();
    let known = |entry| Known { id: b"id", entry, has_addresses: true };
    let few = Found {
        closest: vec![known(&near)],
        providers: vec![known(&provider)],
        record: Some(&encoded),
        ..Found::default()
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

    let many = Found { providers: vec![known(&provider); 5000], ..few };
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
    for kind in [MessageType::GetProviders, MessageType::GetValue, MessageType::AddProvider] {
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
            assert_eq!((taken.key(), taken.value(), taken.answer()), (key, value, put.encode()));
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

#[test]
fn an_ipns_record_is_taken_if_its_name_signed_it() {
    for (keys, says_key) in [(Keypair::generate_ed25519(), false), (Keypair::generate_ecdsa(), true)] {
        let key = [b"/ipns/", &keys.public().to_peer_id().to_bytes()[..]].concat();
        let record = |data: &[u8], signed: &[u8]| {
            let mut record = Vec::new();
            if says_key {
                write_bytes(&mut record, 7, &keys.public().encode_protobuf());
            }
            let signed = [b"ipns-signature:", signed].concat();
            write_bytes(&mut record, 8, &keys.sign(&signed).expect("a signature"));
            write_bytes(&mut record, 9, data);
            record
        };
        assert!(is_put(&key, &key, &record(b"data", b"data")));
        assert!(!is_put(&key, &key, &record(b"data", b"other")));
        assert!(!is_put(&key, &key, &record(b"", b"")));
        let long = vec![7; crate::records::MAX_VALUE_BYTES];
        assert!(!is_put(&key, &key, &record(&long, &long)));
        let other = [b"/ipns/", &PeerId::random().to_bytes()[..]].concat();
        assert!(!is_put(&other, &other, &record(b"data", b"data")));
    }
}
