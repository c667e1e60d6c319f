//! Looks at simulated peers in virtual time, beside what is true of them.

use kad::{message::AMINO_PROTOCOL, network::AddressOutcome};
use schema::{Timestamp, VisitType};
use testnet::{Scenario, SimConfig, SimNetwork, Stage, State, World};

use super::*;

/// Peers of every sort that a look may meet.
const FAULTS: &str = "peers = 200\n[[states]]\nshare = 0.1\nstate = 'wrong_protocol'\n\
     [[states]]\nshare = 0.1\nstate = 'silent'\nat = 'stream'\n[[states]]\nshare = 0.1\nstate = 'silent'\nat = 'request'\n\
     [[states]]\nshare = 0.1\nstate = 'garbage'\nat = 'request'\n\
     [[states]]\nshare = 0.1\nstate = 'refusing'\n[[states]]\nshare = 0.1\nstate = 'dropping'";

/// More than a dial and an answer may take together: an end is said goodbye to.
const AT_MOST: Duration = Duration::from_secs(11);

fn network() -> SimNetwork {
    let world = World::generate(&Scenario::parse(FAULTS, "test").expect("a scenario"));
    SimNetwork::new(Arc::new(world), SimConfig::default())
}

fn terms(criterion: OnlineCriterion) -> LookTerms {
    LookTerms::new([AMINO_PROTOCOL.to_owned()].into(), criterion)
}

/// A look at a peer in this state.
async fn look(network: &SimNetwork, state: State, criterion: OnlineCriterion) -> Visit {
    let prober = Prober::new(network.clone(), terms(criterion), Clock::started_at(Timestamp(1_000_000)));
    let world = network.world();
    let peer = world.peers().rev().find(|&peer| world.state(peer) == state).expect("a peer in that state");
    let contact = Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let visit = prober.probe(PeerNumber(7), &contact).await;
    assert_eq!((visit.peer, visit.kind.visit_type()), (PeerNumber(7), VisitType::Monitor));
    assert!(visit.met.multiaddrs().eq(&contact.addrs), "every known address has its fate");
    let took = visit.met.ended_at.since(visit.met.started_at);
    assert!(took < AT_MOST, "{state:?} took {took:?}");
    visit
}

/// Whether a look met a connection, an introduction and an answer of Kademlia, and how the criterion's question failed.
fn met(visit: &Visit) -> (bool, bool, bool, Option<FailureClass>) {
    let answers = visit.further.answered > 0 && visit.request_rtt.is_some();
    let failed = visit.crawl_error.as_ref().map(|failure| failure.class);
    (visit.is_reachable(), visit.met.agent_version.is_some(), answers, failed)
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_asked_for_no_more_than_the_criterion_needs() {
    let network = network();
    for (criterion, expected) in [
        (OnlineCriterion::Handshake, (true, false, false, None)),
        (OnlineCriterion::Identify, (true, true, false, None)),
        (OnlineCriterion::Kad, (true, false, true, None)),
    ] {
        let visit = look(&network, State::Online, criterion).await;
        assert_eq!(met(&visit), expected, "{criterion}");
        assert!(visit.met.connect_error.is_none() && visit.met.connect_duration.is_some());
        assert!(visit.crawl_duration.is_some(), "{criterion}: a stream was answered");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_and_not_answered_is_in_the_row() {
    let network = network();
    let unspoken = Some(FailureClass::ProtocolNotSupported);
    let late = Some(FailureClass::Timeout);
    for (state, criterion, expected) in [
        (State::WrongProtocol, OnlineCriterion::Handshake, (true, false, false, unspoken)),
        (State::WrongProtocol, OnlineCriterion::Identify, (true, true, false, unspoken)),
        (State::WrongProtocol, OnlineCriterion::Kad, (true, false, false, unspoken)),
        (State::Silent(Stage::Stream), OnlineCriterion::Handshake, (true, false, false, late)),
        (State::Silent(Stage::Stream), OnlineCriterion::Identify, (true, false, false, late)),
        (State::Silent(Stage::Request), OnlineCriterion::Handshake, (true, false, false, None)),
        (State::Silent(Stage::Request), OnlineCriterion::Kad, (true, false, false, late)),
    ] {
        let visit = look(&network, state, criterion).await;
        assert_eq!(met(&visit), expected, "{state:?} by {criterion}");
        assert_eq!(visit.further.failed, u16::from(criterion == OnlineCriterion::Kad));
        let is_silent = state == State::Silent(Stage::Stream) && criterion == OnlineCriterion::Identify;
        assert_eq!(visit.met.identify_error.is_some(), is_silent, "{state:?} by {criterion}");
    }
    let garbage = look(&network, State::Garbage(Stage::Request), OnlineCriterion::Kad).await;
    assert_eq!((garbage.further.answered, garbage.further.failed), (0, 1), "{garbage:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_dialled_twice_and_a_refusal_is_known_at_once() {
    let network = network();
    let terms = terms(OnlineCriterion::Handshake);
    for (state, class, at_least, at_most) in [
        (State::Refusing, FailureClass::ConnectionRefused, Duration::ZERO, Duration::from_secs(3)),
        (State::Dropping, FailureClass::Timeout, terms.dial, terms.dial),
    ] {
        let visit = look(&network, state, terms.criterion).await;
        let failure = visit.met.connect_error.as_ref().expect("a failure");
        assert_eq!(failure.class, class);
        let took = visit.met.dial_duration.expect("it was dialled");
        assert!((at_least..=at_most).contains(&took), "{state:?} took {took:?}");
        assert!(visit.met.addresses.iter().all(|address| address.outcome != AddressOutcome::Connected));
        assert!(!visit.is_reachable() && visit.crawl_duration.is_none() && visit.further.failed == 0);
    }
}
