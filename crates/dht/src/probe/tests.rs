//! Probes in virtual time, beside what is true of the peers.

use kad::message::AMINO_PROTOCOL;
use testnet::{Scenario, SimConfig, SimNetwork, Stage, State, World};

use super::*;

fn network(toml: &str) -> SimNetwork {
    let world = World::generate(&Scenario::parse(toml, "test").expect("a scenario"));
    SimNetwork::new(Arc::new(world), SimConfig::default())
}

fn probing() -> Probing {
    Probing {
        protocols: Arc::from([AMINO_PROTOCOL.to_owned()]),
        patience: Duration::from_secs(10),
        limits: TalkLimits::default(),
    }
}

async fn look(network: &SimNetwork, state: State) -> Vec<Probe> {
    let world = network.world();
    let peer = world.peers().rev().find(|&peer| world.state(peer) == state).expect("a peer in that state");
    let contact = Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    probe_all(network, &contact, &probing()).await
}

#[tokio::test(start_paused = true)]
async fn every_address_has_its_own_probe() {
    let network = network("peers = 60\n[transports]\ntcp = 0\nboth = 1");
    let probes = look(&network, State::Online).await;
    assert_eq!(probes.len(), 2, "TCP and QUIC");
    for probe in &probes {
        let heard = probe.said.as_ref().expect("a connection");
        assert!(heard.is_server() && heard.pong.is_ok());
        let identify = heard.introduced.said.as_ref().expect("identify");
        assert!(identify.protocols.iter().any(|protocol| protocol == AMINO_PROTOCOL));
    }
}

#[tokio::test(start_paused = true)]
async fn reachable_is_who_proved_who_it_is_whatever_it_answers() {
    let network = network(
        "peers = 100\n[[states]]\nshare = 0.2\nstate = 'wrong_protocol'\n[[states]]\nshare = 0.2\nstate = 'silent'\n\
         at = 'request'\n[[states]]\nshare = 0.2\nstate = 'refusing'",
    );
    let client = &look(&network, State::WrongProtocol).await[0];
    let heard = client.said.as_ref().expect("a connection");
    assert!(!heard.is_server() && heard.introduced.said.is_some());
    assert_eq!(heard.pong.as_ref().map_err(|e| e.class), Err(FailureClass::ProtocolNotSupported));
    let silent = &look(&network, State::Silent(Stage::Request)).await[0];
    assert_eq!(silent.said.as_ref().map(Heard::is_server), Some(false));
    let refusing = &look(&network, State::Refusing).await[0];
    assert!(refusing.said.is_none());
    assert!(
        matches!(&refusing.attempt.outcome, AddressOutcome::Failed(e) if e.class == FailureClass::ConnectionRefused)
    );
}
