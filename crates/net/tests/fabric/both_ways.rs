//! Whoever holds a connection asks and answers on it, whoever opened it.

use kad::{
    fabric::{CloseReason, Direction, Inward, Member, Notice, Says},
    failure::FailureClass,
    network::{Connection, Network},
};
use kadscope_net::{Addresses, Host, HostConfig, Identity};

use super::{Ours, QUIC, TCP, ask, ask_each_other, fabric, outcome, says, serve};

const WS: &str = "/ip4/127.0.0.1/tcp/0/ws";

#[tokio::test]
async fn two_peers_of_ours_ask_each_other_on_one_connection() {
    let fabric = fabric();
    for listen in [TCP, QUIC, WS, "/ip4/127.0.0.1/tcp/0/tls/ws"] {
        let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
        let b = Ours::join(&fabric, "b", &[listen], Inward::HandedOut).await;
        let (mut dialled, mut accepted) = a.meet(&b).await;
        assert_eq!(accepted.peer, a.host.local());
        let answers = ask_each_other(&mut dialled, &mut accepted.connection).await;
        assert_eq!(answers, [b"b heard it", b"a heard it"], "{listen}");
        let serving = serve(dialled);
        assert_eq!(ask(&mut accepted.connection, b"three").await, b"a heard three");
        accepted.connection.close().await;
        serving.await.unwrap();
        let closed = |notice: &Notice| match notice {
            Notice::Closed(closed) => Some(closed.clone()),
            _ => None,
        };
        let (at_a, at_b) = (a.told(closed).await, b.told(closed).await);
        assert_eq!((at_a.direction, at_b.direction), (Direction::Outbound, Direction::Inbound));
        assert_eq!((at_a.reason, at_b.reason), (CloseReason::PeerHungUp, CloseReason::HungUp));
        assert!(at_a.traffic.sent_bytes > 100 && at_a.traffic.received_bytes > 100);
    }
}

#[tokio::test]
async fn who_asks_says_who_it_is_and_a_push_reaches_whoever_opened_the_connection() {
    let fabric = fabric();
    for listen in [TCP, QUIC] {
        let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
        let b = Ours::join(&fabric, "b", &[listen], Inward::HandedOut).await;
        let (mut dialled, accepted) = a.meet(&b).await;
        let mut accepted = accepted.connection;
        ask_each_other(&mut dialled, &mut accepted).await;
        let agent = |name: &'static str| {
            move |notice: &Notice| match notice {
                Notice::Introduced(introduced) => {
                    introduced.identify.agent_version.clone().filter(|agent| agent == name)
                }
                _ => None,
            }
        };
        let (one, two) = (serve(dialled), serve(accepted));
        tokio::join!(a.told(agent("b")), b.told(agent("a")));
        a.host.say(says("a, later"));
        b.host.say(says("b, later"));
        tokio::join!(a.told(agent("b, later")), b.told(agent("a, later")));
        b.host.leave().await;
        one.await.unwrap();
        two.await.unwrap();
    }
}

#[tokio::test]
async fn what_is_said_is_served_and_no_more() {
    let fabric = fabric();
    for listen in [TCP, QUIC] {
        let a = Ours::join(&fabric, "a", &[], Inward::Served).await;
        let b = Ours::join(&fabric, "b", &[listen], Inward::HandedOut).await;
        let (dialled, accepted) = a.meet(&b).await;
        let mut accepted = accepted.connection;
        let serving = serve(dialled);
        assert_eq!(outcome(&mut accepted, b"x").await.unwrap(), b"a heard x");
        a.host.say(Says { kad_protocols: Vec::new(), ..says("a client") });
        let agent = |notice: &Notice| match notice {
            Notice::Introduced(introduced) => introduced.identify.agent_version.clone(),
            _ => None,
        };
        // The peer is asked who it is when it first asks.
        let end = outcome(&mut accepted, b"y").await;
        assert_eq!(end.map_err(|failure| failure.class), Err(FailureClass::ProtocolNotSupported), "{listen}");
        accepted.close().await;
        serving.await.unwrap();
        assert_eq!(a.told(agent).await, "b");
    }
}

#[tokio::test]
async fn a_host_that_only_dials_serves_nothing() {
    let fabric = fabric();
    let b = Ours::join(&fabric, "b", &[TCP], Inward::HandedOut).await;
    let config = HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback);
    let host = Host::new(config).unwrap();
    let dial = host.connect(b.host.local(), vec![b.at(0)]).await;
    let serving = serve(dial.connection.unwrap());
    let mut accepted = b.host.accept().await.unwrap().connection;
    let end = outcome(&mut accepted, b"x").await;
    assert_eq!(end.map_err(|failure| failure.class), Err(FailureClass::ProtocolNotSupported));
    accepted.close().await;
    serving.await.unwrap();
    assert_eq!(fabric.counted().open, 0, "who only dials is not registered");
}
