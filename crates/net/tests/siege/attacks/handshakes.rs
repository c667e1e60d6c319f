//! Handshakes that are begun and left.

use tokio::{io::AsyncWriteExt, net::UdpSocket};

use super::Held;
use crate::{
    quic,
    siege::Target,
    tcp,
    wire::{MULTISTREAM, noise, proposal, source},
};

/// From so many addresses.
const SOURCES: u8 = 12;

/// So many of each.
const EACH: usize = 40;

/// The longest datagram of a handshake.
const MAX_DATAGRAM_BYTES: usize = 1_500;

/// Silence, or some of what is said first, and then silence.
pub(crate) async fn leave_tcp(target: Target) -> Held {
    let key = [&[0, 32][..], &noise(7, 32)].concat();
    let beginnings =
        [Vec::new(), MULTISTREAM[..9].to_vec(), proposal("/noise"), [proposal("/noise"), key].concat()];
    let mut held = Held::new();
    for (n, from) in (0..EACH).flat_map(|n| (1..=SOURCES).map(move |from| (n, from))) {
        let Ok(mut stream) = tcp::connect(from, target.tcp).await else { continue };
        // It may have been refused meanwhile.
        stream.write_all(&beginnings[n % beginnings.len()]).await.ok();
        held.push(Box::new(stream));
    }
    held
}

/// First packets of QUIC that are right in everything, and of which each begins another connection.
pub(crate) async fn leave_quic(target: Target) -> Held {
    let listener = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let endpoint = quic::endpoint(1);
    let mut sockets = Vec::new();
    for from in 1..=SOURCES {
        sockets.push(UdpSocket::bind(source(from)).await.unwrap());
    }
    let (mut datagram, to) = (vec![0; MAX_DATAGRAM_BYTES], listener.local_addr().unwrap());
    for _ in 0..EACH {
        for socket in &sockets {
            let connecting = endpoint.connect_with(quic::config(1 << 16), to, "l").unwrap();
            let (count, _) = listener.recv_from(&mut datagram).await.unwrap();
            socket.send_to(&datagram[..count], target.quic).await.unwrap();
            drop(connecting);
        }
    }
    vec![Box::new(sockets)]
}
