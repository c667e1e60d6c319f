//! What heads do when more is asked than they can do: whatever the ladder says, every request has a fate.

use std::time::Duration;

use kad::{
    Contact, PeerId,
    answer::entry,
    message::{ConnectionType, Message, MessageType},
};
use kadscope_hydra::{AskedType, LoadConfig, Rung, ShedReason};
use store::NewProvider;
use tokio::time::sleep;

use super::{
    asking::Client,
    settlement::{NOW, Settlement},
};

const KEY: &[u8] = b"\x12\x20a key that somebody provides....";

/// Memory is always short where there is but a byte of it.
fn load(ladder: &str) -> LoadConfig {
    LoadConfig { ladder: ladder.parse().expect("a ladder"), memory_bytes: Some(1), ..LoadConfig::default() }
}

#[tokio::test(start_paused = true)]
async fn where_there_are_no_records_closer_peers_are_named_and_nothing_is_taken() {
    let settlement = Settlement::of("peers = 60");
    let mut config = settlement.config(0..3);
    config.load = load("closer_peers=memory:50%");
    let provider = PeerId::random().to_bytes();
    let known = entry(&provider, std::iter::empty(), ConnectionType::NotConnected);
    config.belly.add_provider(KEY, NewProvider::new(&provider, &known).expect("a provider"), NOW);
    let hydra = kadscope_hydra::Hydra::join(&settlement.fabric, config).await.expect("heads");
    hydra.refreshed(1).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(hydra.load().rung(), Rung::CloserPeers);
    let head = hydra.heads()[0].contact();
    let client = Client::on(&settlement.fabric).await;
    let asked = Message::new(MessageType::GetProviders, KEY.to_vec());
    let answer = client.ask(&head, &asked).await.expect("an answer");
    assert_eq!((answer.closer_peers.len(), answer.provider_peers.len()), (20, 0));
    client.provide(&head, b"another key", &["/ip4/127.0.0.1/tcp/4321"]).await;
    let counts = hydra.load().counts();
    assert_eq!(counts.of(AskedType::GetProviders).answered(Rung::CloserPeers), 1);
    assert!(counts.of(AskedType::AddProvider).shed(ShedReason::Refused) >= 1);
    assert_eq!(counts.all().asked, counts.all().accounted());
    hydra.leave().await;
}

#[tokio::test(start_paused = true)]
async fn who_declines_service_says_that_it_is_no_server() {
    let settlement = Settlement::of("peers = 30");
    let mut config = settlement.config(0..3);
    config.load = load("decline=memory:50%,after:2s");
    let hydra = kadscope_hydra::Hydra::join(&settlement.fabric, config).await.expect("heads");
    let heads: Vec<Contact> = hydra.heads().iter().map(|head| head.contact()).collect();
    let client = Client::on(&settlement.fabric).await;
    let ping = Message::new(MessageType::Ping, Vec::new());
    assert_eq!(client.ask(&heads[0], &ping).await, Some(ping.clone()));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(hydra.load().rung(), Rung::Decline);
    // Whoever is connected was told, and whoever comes hears it, too.
    assert_eq!(client.ask(&heads[0], &ping).await, None);
    assert_eq!(Client::on(&settlement.fabric).await.ask(&heads[1], &ping).await, None);
    let counts = hydra.load().counts().all();
    assert_eq!((counts.answered(Rung::Belly), counts.asked), (1, counts.accounted()));
    hydra.leave().await;
}
