//! Those who ask for much and read nothing of it.

use std::{any::Any, time::Duration};

use kad::{
    Keypair, Multiaddr,
    message::{Message, MessageType, Peer},
};
use tokio::{task::JoinSet, time::timeout};

use super::Held;
use crate::{
    quic,
    siege::Target,
    tcp,
    wire::{data, frame, kad, prefixed, question},
};

/// So many connections ask.
pub(crate) const CONNECTIONS: u64 = 32;

/// So many peers say that they provide the key that is asked for: an answer names all of them.
const PROVIDERS: usize = 100;

/// What each says of itself, in bytes: not more than an entry of an answer may have.
const ENTRY_BYTES: usize = 7 << 10;

/// What the records take, in KiB: the node keeps them, and an answer is made of them at a time on each thread.
pub(crate) const RECORDS_KIB: u64 = 3 * (PROVIDERS * ENTRY_BYTES) as u64 / 1024;

/// What is asked for.
const KEY: &[u8] = b"\x12\x20a key that very many provide.....";

/// So often on each connection.
const QUESTIONS: usize = 4_000;

/// How long a besieger pushes on.
const PUSH: Duration = Duration::from_secs(1);

/// Makes answers long: many peers say that they provide one key, with addresses as long as can be.
async fn spread(target: &Target) {
    for n in 0..PROVIDERS {
        let keypair = Keypair::generate_ed25519();
        let long = |k: usize| {
            let name = format!("{n}-{k}-{}", "x".repeat(200));
            format!("/dns4/{name}/tcp/1").parse::<Multiaddr>().unwrap()
        };
        let addrs: Vec<Multiaddr> = (0..ENTRY_BYTES / 230).map(long).collect();
        let mut offer = Message::new(MessageType::AddProvider, KEY.to_vec());
        offer.provider_peers = vec![Peer::new(&keypair.public().to_peer_id(), &addrs)];
        let asked = [kad(), prefixed(&offer.encode())].concat();
        let mut secured = tcp::secured_as(&keypair, 20, target.tcp).await.expect("room");
        assert!(tcp::write(&mut secured, &data(5, 1, &asked)).await);
        // The end of the stream says that it was taken.
        timeout(Duration::from_millis(30), tcp::drain(&mut secured)).await.ok();
    }
}

/// Asks over and over on some streams, and reads nothing.
pub(crate) async fn deaf_tcp(target: Target) -> Held {
    spread(&target).await;
    all(|from| async move {
        let mut secured = tcp::secured(from, target.tcp).await.expect("room");
        for stream in [1, 3, 5, 7] {
            let windows = frame(1, 0, stream, 1 << 30);
            let opening = [data(1, stream, &kad()), windows.to_vec()].concat();
            tcp::write(&mut secured, &opening).await;
        }
        ask_on(&mut secured, &[1, 3, 5, 7]).await;
        secured
    })
    .await
}

/// Reads what comes over TCP, but never lets a stream go on.
pub(crate) async fn stingy_tcp(target: Target) -> Held {
    spread(&target).await;
    all(|from| async move {
        let mut secured = tcp::secured(from, target.tcp).await.expect("room");
        let streams: Vec<u32> = (0..60).map(|n| 2 * n + 1).collect();
        for &stream in &streams {
            tcp::write(&mut secured, &data(1, stream, &kad())).await;
        }
        ask_on(&mut secured, &streams).await;
        timeout(PUSH, tcp::drain(&mut secured)).await.ok();
        ask_on(&mut secured, &streams).await;
        secured
    })
    .await
}

/// As many besiegers as there are to be, all at a time, from some addresses.
async fn all<F>(besieger: impl Fn(u8) -> F) -> Held
where
    F: Future<Output: Any + Send> + Send + 'static,
{
    let besiegers: JoinSet<F::Output> =
        (0..CONNECTIONS).zip((1..=8).cycle()).map(|(_, from)| besieger(from)).collect();
    let came = besiegers.join_all().await.into_iter();
    came.map(|besieger| Box::new(besieger) as Box<dyn Any + Send>).collect()
}

/// Asks on all of these streams until nobody takes any more, with long questions.
async fn ask_on(secured: &mut tcp::Secured, streams: &[u32]) {
    let mut long = Message::new(MessageType::GetProviders, KEY.to_vec());
    // What a question says of who asks is passed over, and held until it is answered.
    long.provider_peers = vec![Peer { id: vec![7; 60_000], ..Peer::default() }];
    let long = prefixed(&long.encode());
    let pushing = async {
        for n in 0..QUESTIONS {
            let stream = streams[n % streams.len()];
            if !tcp::write(secured, &data(0, stream, &long)).await {
                return;
            }
        }
    };
    timeout(PUSH, pushing).await.ok();
}

/// The same over QUIC.
pub(crate) async fn deaf_quic(target: Target) -> Held {
    spread(&target).await;
    all(|from| async move {
        let questions = question(MessageType::GetProviders, KEY).repeat(QUESTIONS);
        let dialled = quic::dial(from, target.quic).await.expect("room");
        let mut streams = Vec::new();
        for _ in 0..4 {
            // It may have been hung up on meanwhile.
            let Some(mut stream) = dialled.open(&kad()).await else { break };
            timeout(PUSH / 4, stream.0.write_all(&questions)).await.ok();
            streams.push(stream);
        }
        (dialled, streams)
    })
    .await
}
