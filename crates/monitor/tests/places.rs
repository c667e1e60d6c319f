//! Looks at a peer of ours on sockets, which counts who holds a place with it.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use std::{sync::Arc, time::Duration};

use crawl::Clock;
use kad::{
    Contact, Keypair,
    answer::Answer,
    fabric::{Fabric as _, Inward, Member as _, Request, Says, Service, Terms},
    failure::FailureClass,
    message::{AMINO_PROTOCOL, Message, MessageType},
    network::Network as _,
};
use kadscope_monitor::{LookTerms, Prober};
use net::{Addresses, FabricConfig, Host, HostConfig, Identity, SocketFabric};
use schema::{OnlineCriterion, PeerNumber, Timestamp};
use tokio::time::timeout;

/// How often the peer is looked at by each criterion over each transport.
const LOOKS: usize = 20;

/// No test waits longer for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers everything with a message that names nobody.
struct Alone;

impl Service for Alone {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Message(Message::new(MessageType::FindNode, Vec::new()).encode())
    }
}

/// A peer of ours that listens on both transports.
async fn listening(fabric: &SocketFabric) -> Host {
    let address = |text: &str| text.parse().expect("an address");
    let terms = Terms {
        keypair: Keypair::generate_ed25519(),
        says: Says {
            agent: "kadscope-test/1".to_owned(),
            kad_protocols: vec![AMINO_PROTOCOL.to_owned()],
            addresses: Vec::new(),
        },
        listen: vec![address("/ip4/127.0.0.1/tcp/0"), address("/ip4/127.0.0.1/udp/0/quic-v1")],
        inward: Inward::Served,
    };
    fabric.join(terms, Arc::new(Alone)).await.expect("a place")
}

fn prober(criterion: OnlineCriterion) -> Prober<Host> {
    let identity = Identity::generate().expect("randomness");
    let host = Host::new(HostConfig::new(identity, Addresses::Loopback)).expect("a host");
    let terms = LookTerms::new([AMINO_PROTOCOL.to_owned()].into(), criterion);
    Prober::new(host, terms, Clock::started_at(Timestamp(0)))
}

#[tokio::test]
async fn whoever_was_looked_at_has_all_its_places_again() {
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let peer = listening(&fabric).await;
    let mut looks = 0;
    for criterion in OnlineCriterion::ALL {
        let prober = prober(*criterion);
        for address in peer.listens() {
            let contact = Contact { peer: peer.local(), addrs: vec![address.clone()] };
            for _ in 0..LOOKS {
                let visit = prober.probe(PeerNumber(1), &contact).await;
                assert!(visit.is_reachable() && visit.crawl_error.is_none(), "{visit:?}");
                assert_eq!(visit.met.agent_version.is_some(), *criterion == OnlineCriterion::Identify);
                assert_eq!(visit.further.answered, u16::from(*criterion == OnlineCriterion::Kad));
                looks += 1;
            }
        }
    }
    let all_closed = async {
        loop {
            let counted = fabric.counted();
            let closed: u64 = counted.closed.iter().map(|(_, times)| times).sum();
            if (counted.open, counted.half_open, closed) == (0, 0, looks) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let ended = timeout(PATIENCE, all_closed).await;
    assert!(ended.is_ok(), "every connection stood, and none does: {:?}", fabric.counted());
    peer.leave().await;
}

#[tokio::test]
async fn a_look_at_nobody_costs_one_attempt_at_each_address() {
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let peer = listening(&fabric).await;
    let contact = Contact { peer: peer.local(), addrs: peer.listens() };
    peer.leave().await;
    let visit = prober(OnlineCriterion::Handshake).probe(PeerNumber(1), &contact).await;
    let classes = visit.met.addresses.iter().map(|address| address.outcome.failure().map(|why| why.class));
    assert!(classes.eq([Some(FailureClass::ConnectionRefused); 2]), "{visit:?}");
    assert!(visit.crawl_duration.is_none() && !visit.is_reachable());
}
