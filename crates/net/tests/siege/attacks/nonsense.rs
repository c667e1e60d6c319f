//! What is no message, is too long, or is said too often, by those who have proved who they are.

use std::time::Duration;

use kad::identify::{IDENTIFY_PUSH_PROTOCOL, Identify};
use tokio::time::timeout;

use super::Held;
use crate::{
    quic,
    siege::Target,
    tcp,
    wire::{data, frame, kad, noise, prefixed, proposal},
};

/// How often somebody says who it is.
const PUSHES: u32 = 2_000;

/// How long one stream of nonsense may take.
const PUSH: Duration = Duration::from_millis(500);

/// What is said on a stream.
fn on_streams() -> Vec<Vec<u8>> {
    vec![
        noise(1, 200_000),
        vec![0xff; 200_000],
        // A message of four gibibytes, one of a byte more than is taken, and many of no bytes.
        [kad(), vec![0xff, 0xff, 0xff, 0xff, 0x0f], noise(2, 200_000)].concat(),
        [kad(), vec![0x81, 0x80, 0x04], noise(3, (64 << 10) + 1)].concat(),
        [kad(), vec![0; 200_000]].concat(),
        // Messages that are none.
        [kad(), prefixed(&noise(4, 60_000)).repeat(3)].concat(),
        proposal("/x/1").repeat(10_000),
    ]
}

/// Frames that are none, and streams of nonsense.
pub(crate) async fn over_tcp(target: Target) -> Held {
    let mut frames = vec![
        noise(5, 200_000),
        vec![0; 200_000],
        // More than a window.
        [&frame(0, 1, 1, 1 << 30)[..], &noise(6, 1 << 20)].concat(),
        // Pings and resets of what there is not.
        frame(2, 1, 0, 7).repeat(50_000),
        frame(1, 8, 99, 0).repeat(50_000),
        frame(1, 0, 1, u32::MAX).repeat(50_000),
        frame(1, 1, 3, 0).repeat(50_000),
    ];
    frames.extend(on_streams().into_iter().map(|said| {
        let pieces = said.chunks(100_000).enumerate();
        pieces.flat_map(|(n, piece)| data(u16::from(n == 0), 1, piece)).collect()
    }));
    let mut held = Held::new();
    for said in frames {
        let mut secured = tcp::secured(1, target.tcp).await.expect("room");
        let saying = async {
            tcp::write(&mut secured, &said).await;
            tcp::drain(&mut secured).await;
        };
        timeout(PUSH, saying).await.ok();
        held.push(Box::new(secured));
    }
    held
}

/// Streams of nonsense, some of them at a time.
pub(crate) async fn over_quic(target: Target) -> Held {
    let mut held = Held::new();
    for said in on_streams() {
        let dialled = quic::dial(1, target.quic).await.expect("room");
        let mut streams = Vec::new();
        let saying = async {
            for _ in 0..16 {
                streams.extend(dialled.open(&said).await);
            }
        };
        timeout(PUSH, saying).await.ok();
        held.push(Box::new((dialled, streams)));
    }
    held
}

/// Says who one is over and over, each time with other addresses.
pub(crate) async fn pushes(target: Target) -> Held {
    let mut secured = tcp::secured(1, target.tcp).await.expect("room");
    let ask = [kad(), crate::wire::question(kad::message::MessageType::Ping, b"x")].concat();
    tcp::write(&mut secured, &data(5, 1, &ask)).await;
    for n in 1..=PUSHES {
        let address = |k: u32| format!("/ip4/127.0.0.1/tcp/{}", (n * 32 + k) % 60_000 + 1).parse().unwrap();
        let said = Identify {
            listen_addrs: (0..32).map(address).collect(),
            protocols: vec![kad::message::AMINO_PROTOCOL.to_owned()],
            ..Identify::default()
        };
        let pushed = [proposal(IDENTIFY_PUSH_PROTOCOL), prefixed(&said.encode())].concat();
        if !tcp::write(&mut secured, &data(5, 2 * n + 1, &pushed)).await {
            break;
        }
    }
    vec![Box::new(secured)]
}
