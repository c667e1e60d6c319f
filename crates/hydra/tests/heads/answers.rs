//! What heads answer: each by its own distance, from what all of them know.

use kad::{
    Contact, Key, PeerId,
    message::{Message, MessageType, Record},
};
use kadscope_hydra::AskedType;

use super::{K, asking::Client, settlement::Settlement};

const KEY: &[u8] = b"\x12\x20a key that somebody provides....";

/// The closest of all to a key, without the head that says so.
fn closest(peers: &[Contact], key: &[u8], own: PeerId) -> Vec<PeerId> {
    let target = Key::of(key);
    let mut peers: Vec<PeerId> =
        peers.iter().map(|contact| contact.peer).filter(|peer| *peer != own).collect();
    peers.sort_by_key(|peer| Key::of_peer(peer).distance(&target));
    peers.truncate(K);
    peers
}

#[tokio::test(start_paused = true)]
async fn what_is_added_at_one_head_is_in_the_very_next_answer_of_another_with_addresses() {
    let settlement = Settlement::of("peers = 30");
    let hydra = settlement.join(5).await;
    let heads: Vec<Contact> = hydra.heads().iter().map(|head| head.contact()).collect();
    let client = Client::on(&settlement.fabric).await;
    assert!(client.providers(&heads[1], KEY).await.is_empty());
    let addrs = ["/ip4/127.0.0.1/tcp/4321", "/ip4/127.0.0.1/udp/4321/quic-v1"];
    client.provide(&heads[0], KEY, &addrs).await;
    for head in &heads {
        let providers = client.providers(head, KEY).await;
        let [provider] = &providers[..] else { panic!("{providers:?}") };
        let expected: Vec<kad::Multiaddr> =
            addrs.iter().map(|addr| addr.parse().expect("an address")).collect();
        let said: Vec<_> = provider.addrs.iter().filter_map(|addr| addr.clone().try_into().ok()).collect();
        assert_eq!((provider.id.clone(), said), (client.id.to_bytes(), expected));
    }
    let counts = hydra.counters().answered(AskedType::GetProviders);
    assert_eq!(counts.received.distribution(1.0).count(), 6);
    hydra.leave().await;
}

#[tokio::test(start_paused = true)]
async fn answers_name_the_closest_of_all_that_the_heads_know() {
    let settlement = Settlement::of("peers = 300");
    let hydra = settlement.join(10).await;
    hydra.refreshed(1).await;
    let heads: Vec<Contact> = hydra.heads().iter().map(|head| head.contact()).collect();
    let mut all = hydra.known_peers();
    assert_eq!(all.len(), settlement.living().len());
    all.extend(heads.clone());
    let client = Client::on(&settlement.fabric).await;
    for (n, head) in (0..).zip(&heads) {
        for key in [&[n; 34][..], &heads[0].peer.to_bytes(), &client.id.to_bytes()] {
            let mut named: Vec<Vec<u8>> =
                client.find_node(head, key).await.into_iter().map(|peer| peer.id).collect();
            let mut expected = closest(&all, key, head.peer);
            if head.peer.to_bytes() == key {
                // A server that is asked for itself names itself first.
                expected.insert(0, head.peer);
            }
            if key == client.id.to_bytes() {
                // It has said who it is by then, or this is its first question.
                named.retain(|id| *id != client.id.to_bytes());
            }
            let expected: Vec<Vec<u8>> = expected.into_iter().map(PeerId::to_bytes).collect();
            assert_eq!(named, expected);
        }
    }
    // A client that has said who it is is named to whoever asks for it.
    let other = Client::on(&settlement.fabric).await;
    let named = other.find_node(&heads[7], &client.id.to_bytes()).await;
    assert_eq!(named.first().map(|peer| peer.id.clone()), Some(client.id.to_bytes()));
}

#[tokio::test(start_paused = true)]
async fn all_six_types_are_answered_by_the_rules_and_values_are_checked() {
    let settlement = Settlement::of("peers = 30");
    let hydra = settlement.join(2).await;
    let heads: Vec<Contact> = hydra.heads().iter().map(|head| head.contact()).collect();
    let client = Client::on(&settlement.fabric).await;
    let ping = Message::new(MessageType::Ping, Vec::new());
    assert_eq!(client.ask(&heads[0], &ping).await, Some(ping));
    let public = kad::Keypair::generate_ed25519().public();
    let key = [b"/pk/", &public.to_peer_id().to_bytes()[..]].concat();
    let mut put = Message::new(MessageType::PutValue, key.clone());
    put.record = Some(Record { key: key.clone(), value: b"no key".to_vec(), time_received: String::new() });
    assert_eq!(client.ask(&heads[0], &put).await, None);
    if let Some(record) = &mut put.record {
        record.value = public.encode_protobuf();
    }
    assert_eq!(client.ask(&heads[0], &put).await, Some(put.clone()));
    let got = client.ask(&heads[1], &Message::new(MessageType::GetValue, key)).await.expect("an answer");
    assert_eq!(got.record.map(|record| record.value), Some(public.encode_protobuf()));
    for kind in [MessageType::FindNode, MessageType::Unknown(77)] {
        assert_eq!(client.ask(&heads[0], &Message::new(kind, Vec::new())).await, None);
    }
    let failed = |kind| hydra.counters().answered(kind).failed.load(std::sync::atomic::Ordering::Relaxed);
    let kinds = [AskedType::PutValue, AskedType::FindNode, AskedType::Unknown, AskedType::Ping];
    // What is reset on a stream that was used before is asked once more on another one.
    assert_eq!(kinds.map(|kind| failed(kind) > 0), [true, true, true, false]);
    assert_eq!(hydra.heads()[0].requests(AskedType::PutValue), failed(AskedType::PutValue) + 1);
}
