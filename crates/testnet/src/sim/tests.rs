//! The simulated network as a dialler sees it.

use kad::{
    failure::{Failure, FailureClass, Phase, SkipReason},
    network::{AddressOutcome, Connection},
};
use tokio::time::Instant;

use super::*;
use crate::{
    Scenario, Stage, State, Truth,
    crawler::{crawl, visit},
};

/// Longer than any network's own limit.
const PATIENCE: Duration = Duration::from_secs(30);

fn network(toml: &str) -> SimNetwork {
    let scenario = Scenario::parse(toml, "test").expect("a scenario");
    SimNetwork::new(Arc::new(World::generate(&scenario)), SimConfig::default())
}

/// All peers are in one state, but for the few that keep the network together.
fn all_in(state: &str) -> SimNetwork {
    network(&format!("peers = 40\n[[states]]\nshare = 0.5\n{state}"))
}

fn first_in(network: &SimNetwork, wanted: impl Fn(State) -> bool) -> u32 {
    let world = network.world();
    world.peers().find(|&peer| wanted(world.state(peer))).expect("a peer in that state")
}

/// Visits a peer at the addresses at which it is announced.
async fn look(network: &SimNetwork, peer: u32) -> crate::crawler::PlainVisit {
    let world = network.world();
    visit(network.clone(), &world.scenario().protocol, (world.peer_id(peer), world.addresses(peer)), PATIENCE)
        .await
}

#[tokio::test(start_paused = true)]
async fn a_crawl_of_a_healthy_network_is_right_in_everything() {
    let network = network("peers = 300");
    let observed = crawl(&network, network.world(), PATIENCE).await;
    let verdict = Truth::of(Arc::clone(network.world())).judge(&observed);
    assert_eq!(verdict.peers.found, 300);
    assert!(verdict.edges.found > 300 * 60, "{verdict:?}");
    assert_eq!(verdict.edges.missed, 0, "{verdict:?}");
    assert_eq!((verdict.peer_recall, verdict.peer_precision), (1.0, 1.0));
    assert_eq!((verdict.edge_recall, verdict.edge_precision), (Some(1.0), Some(1.0)));
    assert_eq!((verdict.reachability_accuracy, verdict.wrong_classes), (1.0, 0), "{verdict:?}");
}

#[tokio::test(start_paused = true)]
async fn a_crawl_of_every_fault_is_right_in_everything() {
    let network = SimNetwork::new(
        Arc::new(World::generate(&Scenario::named("faults").expect("built in"))),
        SimConfig::default(),
    );
    let observed = crawl(&network, network.world(), PATIENCE).await;
    let verdict = Truth::of(Arc::clone(network.world())).judge(&observed);
    assert_eq!(verdict.wrong, [], "{verdict:?}");
    assert_eq!((verdict.peer_recall, verdict.peer_precision), (1.0, 1.0), "{verdict:?}");
    assert_eq!((verdict.edge_recall, verdict.edge_precision), (Some(1.0), Some(1.0)), "{verdict:?}");
    assert_eq!((verdict.wrongly_reachable, verdict.wrongly_unreachable), (0, 0));
    assert!(verdict.announced_fakes >= 5 * 16 * 20, "{verdict:?}");
}

#[tokio::test(start_paused = true)]
async fn each_fault_shows_in_its_phase() {
    let cases = [
        ("state = 'refusing'", false, Some(Phase::Connect), "connection_refused"),
        ("state = 'dropping'", false, Some(Phase::Connect), "timeout"),
        ("state = 'silent'", false, Some(Phase::Secure), "timeout"),
        ("state = 'silent'\nat = 'multiplex'", true, None, "timeout"),
        ("state = 'silent'\nat = 'stream'", true, None, "timeout"),
        ("state = 'silent'\nat = 'request'", true, None, "timeout"),
        ("state = 'reset'\nat = 'accept'", false, Some(Phase::Secure), "connection_reset"),
        ("state = 'reset'\nat = 'secure'", false, Some(Phase::Secure), "connection_reset"),
        ("state = 'reset'\nat = 'multiplex'", true, Some(Phase::Multiplex), "connection_reset"),
        ("state = 'reset'\nat = 'stream'", true, Some(Phase::Stream), "connection_reset"),
        ("state = 'reset'\nat = 'request'", true, Some(Phase::Request), "stream_reset"),
        ("state = 'wrong_peer_id'", false, Some(Phase::Secure), "peer_id_mismatch"),
        ("state = 'wrong_protocol'", true, Some(Phase::Stream), "protocol_not_supported"),
        ("state = 'garbage'\nat = 'secure'", false, Some(Phase::Secure), "malformed"),
        ("state = 'garbage'\nat = 'request'", true, None, "malformed"),
        ("state = 'oversize'", true, Some(Phase::Request), "message_too_large"),
        ("state = 'private_only'", false, None, "private"),
        ("state = 'special_purpose_only'", false, None, "special_purpose"),
        ("state = 'relayed_only'", false, None, "relayed"),
    ];
    for (state, reachable, phase, class) in cases {
        let network = all_in(state);
        let peer = first_in(&network, |state| state != State::Online);
        let visit = look(&network, peer).await;
        let seen = (visit.reachable, visit.phase, visit.class.as_deref());
        assert_eq!(seen, (reachable, phase, Some(class)), "{state}");
        let expected = Truth::of(Arc::clone(network.world())).expected(peer);
        assert_eq!((expected.reachable, expected.classes), (reachable, [class].as_slice()), "{state}");
    }
}

#[tokio::test(start_paused = true)]
async fn delays_are_those_of_the_region_and_add_up_to_three_round_trips() {
    let network = network("peers = 20\n[[regions]]\nname = 'far'\nshare = 1.0\nrtt_ms = { far = 300 }");
    let peer = first_in(&network, |state| state == State::Online);
    let begun = Instant::now();
    let visit = look(&network, peer).await;
    assert_eq!((visit.reachable, visit.class), (true, None));
    assert_eq!(begun.elapsed().as_millis() / 10, 90);
    assert_eq!(visit.agent.as_deref(), Some(network.world().agent(peer)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_peer_answers_all_of_a_burst_late_once() {
    let network = all_in("state = 'slow'\ndelay_ms = 700");
    let peer = first_in(&network, |state| state != State::Online);
    let begun = Instant::now();
    let visit = look(&network, peer).await;
    assert_eq!((visit.class, visit.named.is_empty()), (None, false));
    assert_eq!(begun.elapsed().as_millis() / 10, 70);
}

#[tokio::test(start_paused = true)]
async fn of_several_addresses_the_first_that_answers_wins_and_each_has_its_outcome() {
    let network = network("peers = 20");
    let peer = first_in(&network, |state| state == State::Online);
    let world = network.world();
    let mut addrs: Vec<Multiaddr> = vec![
        "/ip4/192.168.1.1/tcp/4001".parse().unwrap(),
        "/ip4/127.0.0.1/tcp/4002".parse().unwrap(),
        "/dns4/example.org/tcp/4001".parse().unwrap(),
    ];
    addrs.extend(world.addresses(peer));
    addrs.push("/ip4/127.0.0.1/tcp/4009".parse().unwrap());
    let dial = network.connect(world.peer_id(peer), addrs).await;
    let outcomes: Vec<AddressOutcome> = dial.attempts.into_iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes[0], AddressOutcome::Skipped(SkipReason::Private));
    assert!(matches!(&outcomes[1], AddressOutcome::Failed(f) if f.class == FailureClass::ConnectionRefused));
    assert_eq!(outcomes[2], AddressOutcome::Skipped(SkipReason::Name));
    assert_eq!(outcomes[3..], [AddressOutcome::Connected, AddressOutcome::NotTried]);
    assert_eq!(dial.connection.expect("connected").endpoint().address, 3);
}

#[tokio::test(start_paused = true)]
async fn a_slower_address_is_abandoned_when_the_next_one_connects() {
    let network = network("peers = 40\n[[states]]\nstate = 'dropping'\nshare = 0.5");
    let world = network.world();
    let dropping = first_in(&network, |state| state == State::Dropping);
    let peer = first_in(&network, |state| state == State::Online);
    let addrs = [world.addresses(dropping), world.addresses(peer)].concat();
    let dial = network.connect(world.peer_id(peer), addrs).await;
    assert_eq!(dial.attempts[0].outcome, AddressOutcome::Abandoned);
    assert_eq!(dial.attempts[0].took, Some(Duration::from_millis(30)));
    assert_eq!(dial.attempts[1].started_after, Some(Duration::from_millis(30)));
    assert_eq!(dial.attempts[1].outcome, AddressOutcome::Connected);
}

#[tokio::test(start_paused = true)]
async fn the_next_address_has_its_turn_as_soon_as_any_before_it_has_failed() {
    let network = network(
        "peers = 60\n[[states]]\nstate = 'dropping'\nshare = 0.3\n[[states]]\nstate = 'reset'\nat = 'accept'\nshare = 0.3\n\
         [[regions]]\nname = 'far'\nshare = 1.0\nrtt_ms = { far = 40 }",
    );
    let world = network.world();
    let peer = first_in(&network, |state| state == State::Online);
    let [reset, dropping] = [State::Reset(Stage::Accept), State::Dropping]
        .map(|wanted| world.addresses(first_in(&network, |state| state == wanted)));
    let dial = network.connect(world.peer_id(peer), [reset, dropping, world.addresses(peer)].concat()).await;
    let started: Vec<_> = dial.attempts.iter().map(|attempt| attempt.started_after).collect();
    let ms = |ms| Some(Duration::from_millis(ms));
    assert_eq!(started, [ms(0), ms(30), ms(40)], "a step, and then the end of the first");
    assert!(dial.connection.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_name_has_its_turn_last_and_says_where_it_led_to() {
    let scenario = Scenario::parse("peers = 20\n[addresses]\nnamed = 1.0", "test").expect("a scenario");
    let world = Arc::new(World::generate_public(&scenario));
    let network = SimNetwork::new(Arc::clone(&world), SimConfig::default());
    let peer = first_in(&network, |state| state == State::Online);
    let named = world.addresses(peer).swap_remove(0);
    let nobody: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().expect("an address");
    let unknown: Multiaddr = "/dns4/nobody.test/tcp/1".parse().expect("an address");
    let silent = world.resolve(&named).expect("its host");
    let port = multiaddr::Protocol::Tcp(world.ports().dropping);
    let silent = silent.replace(1, |_| Some(port.clone())).expect("a port");
    let addrs = vec![named.clone(), nobody, unknown, silent];
    assert_eq!(network.admits(&named), Ok(None), "which transport it is shows once it is resolved");
    let Dial { attempts, connection } = network.connect(world.peer_id(peer), addrs).await;
    assert_eq!(attempts[1].outcome, AddressOutcome::Skipped(SkipReason::Loopback));
    let started = [3, 0].map(|index: usize| attempts[index].started_after);
    assert_eq!(started, [Some(Duration::ZERO), Some(Duration::from_millis(250))]);
    assert_eq!(attempts[0].outcome, AddressOutcome::Connected);
    let [(to, attempt)] = &attempts[0].resolved[..] else { panic!("{attempts:?}") };
    assert_eq!((Some(to), &attempt.outcome), (world.resolve(&named).as_ref(), &AddressOutcome::Connected));
    assert_eq!(connection.expect("connected").endpoint().address, 0);
}

#[tokio::test(start_paused = true)]
async fn of_more_addresses_than_a_dial_tries_the_first_ones_are_taken_whatever_their_transport() {
    let network = network("peers = 20");
    let peer = first_in(&network, |state| state == State::Online);
    let mut addrs = network.world().addresses(peer);
    addrs.extend((1..=8).map(|n| format!("/ip4/127.9.9.9/udp/{n}/quic-v1").parse().expect("an address")));
    let dial = network.connect(network.world().peer_id(peer), addrs).await;
    assert_eq!(dial.attempts[0].outcome, AddressOutcome::Connected);
    assert_eq!(dial.attempts[8].outcome, AddressOutcome::Skipped(SkipReason::OverLimit));
}

#[tokio::test(start_paused = true)]
async fn a_dial_ends_when_its_caller_will_wait_no_longer() {
    let network = network("peers = 40\n[[states]]\nstate = 'dropping'\nshare = 0.5");
    let world = network.world();
    let (dropping, limit) =
        (first_in(&network, |state| state == State::Dropping), Duration::from_millis(400));
    let addrs = [world.addresses(dropping), world.addresses(dropping)].concat();
    let begun = Instant::now();
    let dial = network.connect_within(world.peer_id(dropping), addrs, Some(limit)).await;
    assert_eq!((begun.elapsed(), dial.connection.is_none()), (limit, true));
    let timeout = AddressOutcome::Failed(Failure::new(Phase::Connect, FailureClass::Timeout));
    assert!(dial.attempts.iter().all(|attempt| attempt.outcome == timeout), "{:?}", dial.attempts);
}

#[tokio::test(start_paused = true)]
async fn late_attempts_are_late_by_their_delay_and_as_many_as_said() {
    let network = network("peers = 500\n[attempts]\nlate_share = 0.1\nlate_ms = 3000");
    let world = Arc::clone(network.world());
    let mut late = 0;
    for peer in world.peers() {
        let dial = network.connect(world.peer_id(peer), world.addresses(peer)).await;
        late += u32::from(dial.attempts[0].took == Some(Duration::from_secs(3)));
        assert!(dial.connection.is_some());
    }
    assert!((30..=70).contains(&late), "{late} of 500");
}

#[tokio::test(start_paused = true)]
async fn a_stage_of_silence_after_identify_still_names_the_agent() {
    let network = all_in("state = 'silent'\nat = 'request'");
    let peer = first_in(&network, |state| state == State::Silent(Stage::Request));
    let visit = look(&network, peer).await;
    assert!(visit.agent.is_some() && visit.named.is_empty());
}
