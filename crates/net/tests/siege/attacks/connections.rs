//! More connections than anybody may have.

use super::Held;
use crate::{quic, siege::Target, tcp};

/// Three times what one address may have.
const CONNECTIONS: usize = 192;

/// How often somebody comes and goes.
const VISITS: usize = 1_000;

/// Each by a key of its own, all from one address, and held.
pub(crate) async fn flood_tcp(target: Target) -> Held {
    let mut held = Held::new();
    for _ in 0..CONNECTIONS {
        if let Some(secured) = tcp::secured(1, target.tcp).await {
            held.push(Box::new(secured));
        }
    }
    held
}

/// The same over QUIC.
pub(crate) async fn flood_quic(target: Target) -> Held {
    let mut held = Held::new();
    for _ in 0..CONNECTIONS {
        if let Some(dialled) = quic::dial(1, target.quic).await {
            held.push(Box::new(dialled));
        }
    }
    held
}

/// Nobody stays: most say nothing, some prove who they are first.
pub(crate) async fn come_and_go(target: Target) -> Held {
    for n in 0..VISITS {
        drop(tcp::connect(1, target.tcp).await);
        if n % 20 == 0 {
            drop(tcp::secured(2, target.tcp).await);
            drop(quic::dial(3, target.quic).await);
        }
    }
    Held::new()
}
