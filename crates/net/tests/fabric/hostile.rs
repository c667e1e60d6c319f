//! Floods of connections and streams, slow readers, and half-open handshakes: bounds hold, and others are answered.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use kad::{
    fabric::{CloseReason, Inward, Member, Notice, Refusal},
    network::{Connection, Network},
};
use kadscope_net::{Addresses, Bounds, FabricConfig, ListenLimits, SocketFabric};
use multiaddr::Protocol;
use tokio::{
    io::AsyncReadExt,
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::{KAD, Ours, PATIENCE, QUIC, TCP, ask, outcome, serve};

pub(crate) fn fabric(bounds: Bounds, limits: ListenLimits) -> SocketFabric {
    SocketFabric::new(FabricConfig { bounds, limits, ..FabricConfig::new(Addresses::Loopback) })
}

/// The socket of an address over TCP.
pub(crate) fn socket(address: &kad::Multiaddr) -> SocketAddr {
    let mut parts = address.iter();
    match (parts.next(), parts.next()) {
        (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port))) => (ip, port).into(),
        _ => panic!("{address}"),
    }
}

/// A connection from another address of this machine, on which nothing is ever said.
pub(crate) async fn mute(from: u8, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((IpAddr::from([127, 0, 9, from]), 0).into())?;
    socket.connect(to).await
}

/// Waits for the end of a connection.
pub(crate) async fn ended(mut stream: TcpStream) {
    let mut bytes = [0; 64];
    let end = async { while stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {} };
    timeout(PATIENCE, end).await.expect("an end");
}

fn refused(fabric: &SocketFabric, why: Refusal) -> u64 {
    fabric.counted().refused.iter().find(|(refusal, _)| *refusal == why).map_or(0, |&(_, count)| count)
}

#[tokio::test]
async fn half_open_handshakes_of_one_source_are_bounded_and_time_out_while_others_are_answered() {
    let limits = ListenLimits { handshake: Duration::from_millis(500), ..ListenLimits::default() };
    let fabric = fabric(Bounds { half_open_per_source: 8, ..Bounds::default() }, limits);
    let b = Ours::join(&fabric, "b", &[TCP], Inward::Served).await;
    let to = socket(&b.at(0));
    let mut flood = Vec::new();
    for _ in 0..50 {
        // One that is refused may be reset before it is open.
        flood.extend(mute(1, to).await.ok());
    }
    // Connections are accepted in their order.
    let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
    let mut connection = a.dial(&b, 0).await;
    assert_eq!(ask(&mut connection, b"x").await, b"b heard x");
    assert!(fabric.counted().half_open <= 8);
    assert_eq!(refused(&fabric, Refusal::Source), 42);
    for stream in flood {
        ended(stream).await;
    }
    assert_eq!(ask(&mut connection, b"y").await, b"b heard y");
    assert_eq!(fabric.counted().half_open, 0);
}

#[tokio::test]
async fn a_flood_of_connections_of_one_peer_leaves_room_for_others() {
    for listen in [TCP, QUIC] {
        let fabric = fabric(Bounds { per_peer: 3, ..Bounds::default() }, ListenLimits::default());
        let b = Ours::join(&fabric, "b", &[listen], Inward::Served).await;
        let flooding = Ours::join(&fabric, "flooding", &[], Inward::Served).await;
        let mut ended = 0;
        let mut open = Vec::new();
        for _ in 0..10 {
            // A dialler takes a connection for open before the listener knows who dialled.
            let mut connection = flooding.dial(&b, 0).await;
            match outcome(&mut connection, b"x").await {
                Ok(_) => open.push(connection),
                Err(_) => ended += 1,
            }
        }
        assert_eq!((open.len(), ended, refused(&fabric, Refusal::Peer)), (3, 7, 7), "{listen}");
        let other = Ours::join(&fabric, "other", &[], Inward::Served).await;
        assert_eq!(ask(&mut other.dial(&b, 0).await, b"x").await, b"b heard x");
    }
}

#[tokio::test]
async fn above_the_high_water_the_longest_idle_go_and_the_protected_stay() {
    // Both ends count.
    let fabric =
        fabric(Bounds { high_water: 12, low_water: 8, ..Bounds::default() }, ListenLimits::default());
    let b = Ours::join(&fabric, "b", &[TCP], Inward::Served).await;
    let mut first = None;
    let mut rest = Vec::new();
    for n in 0..6 {
        let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
        // What is dialled stays: only what others opened is at stake here.
        a.host.protect(b.host.local(), true);
        let mut connection = a.dial(&b, 0).await;
        ask(&mut connection, b"x").await;
        if n == 0 {
            b.host.protect(a.host.local(), true);
            first = Some((a, connection));
        } else {
            rest.push((a, serve(connection)));
        }
    }
    assert_eq!(fabric.counted().open, 12);
    let last = Ours::join(&fabric, "last", &[], Inward::Served).await;
    let mut connection = last.dial(&b, 0).await;
    ask(&mut connection, b"x").await;
    let trimmed = |notice: &Notice| match notice {
        Notice::Closed(closed) if closed.reason == CloseReason::Trimmed => Some(closed.peer),
        _ => None,
    };
    b.told(trimmed).await;
    let (_, first) = first.as_mut().unwrap();
    assert_eq!(ask(first, b"y").await, b"b heard y");
    let gone = rest.remove(0).1;
    timeout(PATIENCE, gone).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_flood_of_streams_and_a_slow_reader_do_not_hold_up_others() {
    for listen in [TCP, QUIC] {
        let fabric = super::fabric();
        let b = Ours::join(&fabric, "b", &[listen], Inward::Served).await;
        let hostile = Ours::join(&fabric, "hostile", &[], Inward::Served).await;
        let mut flooding = hostile.dial(&b, 0).await;
        for _ in 0..1_000 {
            let stream = flooding.open(KAD, 1 << 20);
            flooding.send(stream, b"never");
        }
        // Over TCP streams beyond the limit are reset, over QUIC they wait for room.
        let flood = serve(flooding);
        let mut slow = hostile.dial(&b, 0).await;
        for _ in 0..32 {
            let stream = slow.open(KAD, 1 << 20);
            for _ in 0..32 {
                slow.send(stream, b"large");
            }
        }
        // It writes and does not read: what is looked at once sends all that can be sent.
        timeout(Duration::from_millis(200), slow.next()).await.ok();
        let other = Ours::join(&fabric, "other", &[], Inward::Served).await;
        let mut connection = other.dial(&b, 0).await;
        for _ in 0..100 {
            assert_eq!(ask(&mut connection, b"x").await, b"b heard x");
        }
        let sent = fabric.connections().into_iter().filter(|of| of.member == b.host.local());
        // 128 MiB were asked for.
        assert!(sent.map(|of| of.traffic.sent_bytes).max().unwrap() < 16 << 20);
        flood.abort();
    }
}

#[tokio::test]
async fn who_dials_over_quic_when_many_prove_who_they_are_proves_first_where_it_is() {
    let fabric = fabric(Bounds { half_open: 4, ..Bounds::default() }, ListenLimits::default());
    let b = Ours::join(&fabric, "b", &[TCP, QUIC], Inward::Served).await;
    let to = socket(&b.at(0));
    let flood = [mute(1, to).await.unwrap(), mute(2, to).await.unwrap()];
    let half_open = async {
        while fabric.counted().half_open < 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, half_open).await.unwrap();
    let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
    assert_eq!(ask(&mut a.dial(&b, 1).await, b"x").await, b"b heard x");
    drop(flood);
}
