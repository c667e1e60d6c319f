//! What is no libp2p, no end of a handshake or no message: it is hung up on, and others are answered.

use std::{net::SocketAddr, time::Duration};

use kad::fabric::Inward;
use kadscope_net::{Bounds, ListenLimits};
use multiaddr::Protocol;
use tokio::{
    io::AsyncWriteExt,
    net::UdpSocket,
    time::{interval, timeout},
};

use super::{
    Ours, PATIENCE, QUIC, TCP, ask,
    hostile::{ended, fabric, mute, socket},
    outcome,
};

/// How long a handshake may take here.
const HANDSHAKE: Duration = Duration::from_millis(500);

fn hasty() -> ListenLimits {
    ListenLimits { handshake: HANDSHAKE, ..ListenLimits::default() }
}

/// Bytes that are alike in every run, and like nothing.
fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(&mut next).take(count).collect()
}

/// The first line of every negotiation, with its length.
const MULTISTREAM: &[u8] = b"\x13/multistream/1.0.0\n";

/// What is sent instead of a handshake.
fn beginnings() -> Vec<Vec<u8>> {
    vec![
        noise(1, 1 << 16),
        vec![0; 1 << 16],
        // A length that never ends, and one of exbibytes.
        vec![0xff; 1 << 16],
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec(),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        [MULTISTREAM, &noise(2, 4096)].concat(),
        // What was agreed on, and then no message of its.
        [MULTISTREAM, b"\x07/noise\n", &noise(3, 1 << 16)].concat(),
        [MULTISTREAM, b"\x07/noise\n\x00\x00"].concat(),
        [MULTISTREAM, b"\x0b/tls/1.0.0\n", &noise(4, 4096)].concat(),
        MULTISTREAM.repeat(1_000),
    ]
}

#[tokio::test]
async fn what_is_no_handshake_is_hung_up_on() {
    let fabric = fabric(Bounds::default(), hasty());
    let b = Ours::join(&fabric, "b", &[TCP], Inward::Served).await;
    let to = socket(&b.at(0));
    let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
    let mut connection = a.dial(&b, 0).await;
    for (n, bytes) in (1..).zip(beginnings()) {
        let mut stream = mute(n, to).await.unwrap();
        // It may be hung up on before it has said all of it.
        timeout(PATIENCE, stream.write_all(&bytes)).await.expect("room, or the end").ok();
        assert_eq!(ask(&mut connection, b"x").await, b"b heard x", "{n}");
        ended(stream).await;
    }
    assert_eq!(fabric.counted().half_open, 0);
    assert_eq!(ask(&mut a.dial(&b, 0).await, b"y").await, b"b heard y");
}

#[tokio::test]
async fn a_handshake_that_trickles_is_given_up_when_its_time_is_over() {
    let fabric = fabric(Bounds::default(), hasty());
    let b = Ours::join(&fabric, "b", &[TCP], Inward::Served).await;
    let mut stream = mute(1, socket(&b.at(0))).await.unwrap();
    let mut pace = interval(HANDSHAKE / 10);
    let trickle = async {
        // A longer time than a handshake has, and each byte is a good one.
        for byte in MULTISTREAM.iter().chain(b"\x07/noise\n\x7f\xff").chain(&[7; 1 << 10]) {
            pace.tick().await;
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
        panic!("nobody hangs up");
    };
    timeout(PATIENCE, trickle).await.expect("an end");
    assert_eq!(fabric.counted().half_open, 0);
}

#[tokio::test]
async fn datagrams_that_mean_nothing_keep_nobody_from_being_answered() {
    let fabric = fabric(Bounds { half_open: 32, ..Bounds::default() }, hasty());
    let b = Ours::join(&fabric, "b", &[QUIC], Inward::Served).await;
    let at = b.at(0);
    let mut parts = at.iter();
    let (Some(Protocol::Ip4(ip)), Some(Protocol::Udp(port))) = (parts.next(), parts.next()) else {
        panic!("{at}")
    };
    let to = SocketAddr::from((ip, port));
    let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
    let hostile = UdpSocket::bind("127.0.9.1:0").await.unwrap();
    for n in 0..2_000 {
        let mut datagram = noise(n, 1200);
        match n % 4 {
            // A first packet of QUIC as far as it can be read without its key.
            0 => datagram[..6].copy_from_slice(&[0xc3, 0, 0, 0, 1, 8]),
            // A version that nobody speaks, which is to be answered.
            1 => datagram[..6].copy_from_slice(&[0xc3, 0xfa, 0xfa, 0xfa, 0xfa, 8]),
            // One of a connection that there is not.
            2 => datagram[0] = 0x40,
            _ => datagram.truncate(usize::try_from(n % 50).unwrap()),
        }
        hostile.send_to(&datagram, to).await.unwrap();
        assert!(fabric.counted().half_open <= 32);
    }
    assert_eq!(ask(&mut a.dial(&b, 0).await, b"x").await, b"b heard x");
}

#[tokio::test]
async fn a_message_beyond_the_bound_ends_what_it_came_on_and_nothing_else() {
    for listen in [TCP, QUIC] {
        let fabric = super::fabric();
        let b = Ours::join(&fabric, "b", &[listen], Inward::Served).await;
        let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
        let mut other = a.dial(&b, 0).await;
        let hostile = Ours::join(&fabric, "hostile", &[], Inward::Served).await;
        let mut connection = hostile.dial(&b, 0).await;
        assert!(outcome(&mut connection, &vec![7; 5 << 20]).await.is_err(), "{listen}");
        assert_eq!(ask(&mut other, b"x").await, b"b heard x");
        assert_eq!(ask(&mut hostile.dial(&b, 0).await, b"y").await, b"b heard y");
    }
}
