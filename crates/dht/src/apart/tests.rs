//! Questions over connections of their own in virtual time, beside what is true of the peers.

use kad::{
    message::{AMINO_PROTOCOL, Message, MessageType, MessageView},
    network::AddressOutcome,
};
use testnet::{Scenario, SimConfig, SimNetwork, Stage, State, World};

use super::*;

const FAULTS: &str = "peers = 100\n[[states]]\nshare = 0.2\nstate = 'wrong_protocol'\n[[states]]\nshare = 0.2\nstate = 'silent'\n\
     at = 'request'\n[[states]]\nshare = 0.2\nstate = 'refusing'";

fn network() -> SimNetwork {
    let world = World::generate(&Scenario::parse(FAULTS, "test").expect("a scenario"));
    SimNetwork::new(Arc::new(world), SimConfig::default())
}

fn question(protocols: &[&str], identifies: bool) -> ApartQuestion {
    ApartQuestion {
        protocols: protocols.iter().map(|&name| name.to_owned()).collect(),
        ask: ApartAsk::Message(Message::new(MessageType::GetProviders, vec![0x12, 0x20]).encode().into()),
        dial_within: Duration::from_secs(10),
        patience: Duration::from_secs(7),
        answer_bytes: 512 << 10,
        identifies,
    }
}

async fn asked(network: &SimNetwork, state: State, question: &ApartQuestion) -> AskedApart {
    let world = network.world();
    let peer = world.peers().rev().find(|&peer| world.state(peer) == state).expect("a peer in that state");
    let to = Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    ask_apart(network, &to, question).await
}

#[tokio::test(start_paused = true)]
async fn a_server_answers_and_says_who_it_is_if_it_is_asked() {
    let network = network();
    for (protocols, identifies) in [(&[AMINO_PROTOCOL][..], false), (&["/other", AMINO_PROTOCOL], true)] {
        let said = asked(&network, State::Online, &question(protocols, identifies)).await.said.expect("said");
        let answer = said.answer.expect("an answer");
        assert!(MessageView::decode(&answer).expect("a message").closer_peers().count() > 0);
        assert_eq!(said.introduced.is_some_and(|who| who.said.is_some()), identifies);
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_told_from_who_does_not_speak_and_who_is_not_there() {
    let network = network();
    let question = question(&[AMINO_PROTOCOL], true);
    let silent = asked(&network, State::Silent(Stage::Request), &question).await.said.expect("said");
    assert_eq!(silent.answer.map_err(|failure| failure.class), Err(FailureClass::Timeout));
    assert_eq!(silent.took, question.patience);
    let other = asked(&network, State::WrongProtocol, &question).await.said.expect("said");
    assert_eq!(other.answer.map_err(|failure| failure.class), Err(FailureClass::ProtocolNotSupported));
    let gone = asked(&network, State::Refusing, &question).await;
    assert!(gone.said.is_none());
    assert!(gone.attempts.iter().all(
        |attempt| matches!(&attempt.outcome, AddressOutcome::Failed(why) if why.class == FailureClass::ConnectionRefused)
    ));
}

#[tokio::test(start_paused = true)]
async fn whoever_is_asked_for_agreement_alone_is_sent_no_message() {
    let network = network();
    let question = ApartQuestion { ask: ApartAsk::Agreement, ..question(&["/other", AMINO_PROTOCOL], false) };
    for (state, expected) in [
        (State::Online, Ok(Vec::new())),
        (State::Silent(Stage::Request), Ok(Vec::new())),
        (State::WrongProtocol, Err(FailureClass::ProtocolNotSupported)),
    ] {
        let said = asked(&network, state, &question).await.said.expect("said");
        assert_eq!(said.answer.map_err(|failure| failure.class), expected, "{state:?}");
        assert!(said.took < question.patience, "{state:?}: it is over with the first word");
    }
}
