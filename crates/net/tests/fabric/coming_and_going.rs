//! Peers of ours join and leave while others go on.

use kad::{
    fabric::{CloseReason, Fabric, Inward, Member, Notice},
    failure::FailureClass,
    network::{AddressOutcome, Connection, Network},
};
use kadscope_net::NetError;

use super::{Ours, QUIC, TCP, ask, fabric, serve};

#[tokio::test]
async fn who_left_listens_no_more_and_its_connections_are_closed_while_others_go_on() {
    let fabric = fabric();
    let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
    let going = Ours::join(&fabric, "going", &[TCP, QUIC], Inward::Served).await;
    let staying = Ours::join(&fabric, "staying", &[TCP, QUIC], Inward::Served).await;
    let mut kept = [a.dial(&staying, 0).await, a.dial(&staying, 1).await];
    let (mut tcp, mut quic) = (a.dial(&going, 0).await, a.dial(&going, 1).await);
    ask(&mut tcp, b"x").await;
    ask(&mut quic, b"x").await;
    for connection in &mut kept {
        ask(connection, b"x").await;
    }
    let closing = [serve(tcp), serve(quic)];
    let (peer, addresses) = (going.host.local(), going.host.listens());
    // Both ends of four connections.
    let open = || fabric.counted().open;
    assert_eq!(open(), 8);
    going.host.leave().await;
    for serving in closing {
        serving.await.unwrap();
    }
    assert_eq!(open(), 4);
    for address in addresses {
        let dial = a.host.connect(peer, vec![address.clone()]).await;
        let AddressOutcome::Failed(failure) = &dial.attempts[0].outcome else { panic!("{dial:?}") };
        assert_eq!(failure.class, FailureClass::ConnectionRefused, "{address}");
        // The address is free for others.
        let terms = kad::fabric::Terms {
            keypair: kad::Keypair::generate_ed25519(),
            says: super::says("next"),
            listen: vec![address],
            inward: Inward::Served,
        };
        let told = std::sync::Arc::clone(&a.told);
        fabric.join(terms, told).await.unwrap().leave().await;
    }
    for connection in &mut kept {
        assert_eq!(ask(connection, b"x").await, b"staying heard x");
    }
    let reason = |notice: &Notice| match notice {
        Notice::Closed(closed) => Some(closed.reason),
        _ => None,
    };
    assert_eq!(
        going.told.notices.lock().unwrap().iter().filter_map(reason).collect::<Vec<_>>(),
        [CloseReason::Left; 2]
    );
}

#[tokio::test]
async fn who_is_dropped_leaves() {
    let fabric = fabric();
    let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
    let b = Ours::join(&fabric, "b", &[TCP, QUIC], Inward::HandedOut).await;
    let dialled = a.dial(&b, 1).await;
    drop(b);
    serve(dialled).await.unwrap();
    let again = a.host.clone();
    a.host.leave().await;
    let dial = again.connect(kad::PeerId::random(), vec!["/ip4/127.0.0.1/tcp/9".parse().unwrap()]).await;
    assert_eq!(dial.attempts[0].outcome, AddressOutcome::NotTried, "who has left dials nobody");
    assert!(again.accept().await.is_none());
}

#[tokio::test]
async fn where_nobody_can_listen_nobody_joins() {
    let fabric = fabric();
    let a = Ours::join(&fabric, "a", &[TCP], Inward::Served).await;
    let join = |address: kad::Multiaddr| {
        let terms = kad::fabric::Terms {
            keypair: kad::Keypair::generate_ed25519(),
            says: super::says("b"),
            listen: vec![address],
            inward: Inward::Served,
        };
        fabric.join(terms, std::sync::Arc::clone(&a.told))
    };
    assert!(matches!(join(a.at(0)).await, Err(NetError::Listen { .. })));
    assert!(matches!(join("/dns4/a.b/tcp/1".parse().unwrap()).await, Err(NetError::NotListenable(_))));
    assert!(matches!(join("/ip4/127.0.0.1/udp/1".parse().unwrap()).await, Err(NetError::NotListenable(_))));
}

#[tokio::test]
async fn the_registry_knows_both_ends() {
    let fabric = fabric();
    let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
    let b = Ours::join(&fabric, "b", &[TCP], Inward::Served).await;
    let mut dialled = a.dial(&b, 0).await;
    ask(&mut dialled, b"x").await;
    a.host.protect(b.host.local(), true);
    let all = fabric.connections();
    assert_eq!(all.len(), 2);
    let of_a = all.iter().find(|of| of.member == a.host.local()).unwrap();
    assert_eq!((of_a.peer, &of_a.remote, of_a.protected), (b.host.local(), &b.at(0), true));
    let of_b = all.iter().find(|of| of.member == b.host.local()).unwrap();
    assert_eq!((of_b.peer, of_b.protected), (a.host.local(), false));
    assert!(of_b.traffic.received_bytes > 100);
    dialled.close().await;
}

#[tokio::test]
async fn connections_that_nobody_takes_are_closed_when_the_peer_leaves() {
    let fabric = fabric();
    let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
    let b = Ours::join(&fabric, "b", &[TCP, QUIC], Inward::HandedOut).await;
    let waiting = [serve(a.dial(&b, 0).await), serve(a.dial(&b, 1).await)];
    let connected = |notice: &Notice| matches!(notice, Notice::Connected(_)).then_some(());
    b.told(connected).await;
    b.host.leave().await;
    for serving in waiting {
        serving.await.unwrap();
    }
}
