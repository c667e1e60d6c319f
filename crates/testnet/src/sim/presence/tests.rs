//! Peers that come and go in virtual time, as a dialler sees them.

use std::sync::Arc;

use kad::network::{Connection, Dial, Network};

use crate::{
    LifeClock, Scenario, SimConfig, SimNetwork, Truth, World,
    crawler::{crawl_during, visit},
    life::{HostPlace, Life, Presence},
    sim::SimConnection,
};

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

fn network(class: &str) -> SimNetwork {
    let text = format!("peers = 60\n[[life.classes]]\nname = 'all'\nshare = 1.0\n{class}");
    let scenario = Scenario::parse(&text, "test").expect("a scenario");
    SimNetwork::new(Arc::new(World::generate(&scenario)), SimConfig::default())
}

const HOURS: &str = "up = { law = 'exponential', median_s = 3600 }\n\
                     down = { law = 'exponential', median_s = 3600 }\n";

/// The first peer whose presence at the start is as wanted.
fn first(network: &SimNetwork, wanted: impl Fn(&Life, u32, &Presence) -> bool) -> u32 {
    let life = Life::of(network.world()).expect("a life");
    let is = |&peer: &u32| life.presence(peer).is_some_and(|presence| wanted(&life, peer, presence));
    network.world().peers().find(is).expect("such a peer")
}

async fn dial(network: &SimNetwork, peer: u32, place: HostPlace) -> Dial<SimConnection> {
    let world = network.world();
    network.connect(world.peer_id(peer), world.addresses_at(peer, place)).await
}

fn class(dial: &Dial<SimConnection>) -> Option<FailureClass> {
    match &dial.attempts[0].outcome {
        AddressOutcome::Failed(failure) => Some(failure.class),
        _ => None,
    }
}

/// When the present session of a peer ends.
fn end(network: &SimNetwork, peer: u32) -> Instant {
    let life = Life::of(network.world()).expect("a life");
    let clock: LifeClock = network.life_clock().expect("a clock");
    clock.instant(life.end_of_session(peer).expect("up"))
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_down_shows_its_absence_and_one_that_is_up_answers() {
    for (absence, expected) in [
        ("refused", FailureClass::ConnectionRefused),
        ("dropped", FailureClass::Timeout),
        ("unreachable", FailureClass::HostUnreachable),
    ] {
        let network = network(&format!("{HOURS}absence = '{absence}'"));
        let down = first(&network, |_, _, presence| !presence.is_up());
        assert_eq!(class(&dial(&network, down, HostPlace(0)).await), Some(expected));
        let up = first(&network, |_, _, presence| presence.is_up());
        let named = (network.world().peer_id(up), network.world().addresses(up));
        let visit = visit(network.clone(), "/ipfs/kad/1.0.0", named, PATIENCE).await;
        assert_eq!((visit.reachable, visit.class), (true, None));
        assert!(!visit.named.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_dialled_in_vain_before_it_comes_and_after_it_went() {
    let network = network(HOURS);
    let peer = first(&network, |_, _, presence| presence.is_up());
    let end = end(&network, peer);
    tokio::time::sleep_until(end - Duration::from_millis(2)).await;
    assert!(dial(&network, peer, HostPlace(0)).await.connection.is_some());
    tokio::time::sleep_until(end).await;
    assert_eq!(class(&dial(&network, peer, HostPlace(0)).await), Some(FailureClass::ConnectionRefused));
    let history = network.history().expect("a history");
    let clock = network.life_clock().expect("a clock");
    let (before, after) = (clock.at(end - Duration::from_millis(2)), clock.at(end));
    assert!(history.was_up_throughout(peer, Moment::START, before));
    assert!(history.was_up(peer, before, after) && !history.was_up(peer, after, after));
}

#[tokio::test(start_paused = true)]
async fn an_open_connection_breaks_or_falls_silent_when_its_peer_goes() {
    for (absence, broken) in [("refused", true), ("dropped", false), ("unreachable", false)] {
        let network = network(&format!("{HOURS}absence = '{absence}'"));
        let peer = first(&network, |_, _, presence| presence.is_up());
        let end = end(&network, peer);
        let mut connection = dial(&network, peer, HostPlace(0)).await.connection.expect("up");
        let silence = tokio::time::timeout_at(end - Duration::from_millis(2), connection.next()).await;
        assert!(silence.is_err(), "nothing was asked");
        // Long after the end, so that nothing is still under way.
        let next = tokio::time::timeout_at(end + PATIENCE, connection.next()).await;
        match next {
            Ok(Err(failure)) => assert!(broken && failure.class == FailureClass::ConnectionReset),
            Ok(Ok(event)) => panic!("{event:?} of a peer that is gone"),
            Err(_) => assert!(!broken),
        }
        connection.open("/ipfs/id/1.0.0", 4096);
        let next = tokio::time::timeout(PATIENCE, connection.next()).await;
        assert!(!matches!(next, Ok(Ok(_))), "{absence}: {next:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_goes_in_the_middle_of_a_handshake_is_not_reached() {
    for (absence, expected) in
        [("refused", FailureClass::ConnectionReset), ("dropped", FailureClass::Timeout)]
    {
        let network = network(&format!(
            "{HOURS}absence = '{absence}'\n[[regions]]\nname = 'far'\nshare = 1.0\nrtt_ms = {{ far = 400 }}"
        ));
        let peer = first(&network, |_, _, presence| presence.is_up());
        tokio::time::sleep_until(end(&network, peer) - Duration::from_millis(300)).await;
        let begun = Instant::now();
        let dial = dial(&network, peer, HostPlace(0)).await;
        assert_eq!((class(&dial), dial.connection.is_none()), (Some(expected), true));
        let limit = if absence == "refused" { 800 } else { 5_000 };
        assert_eq!(begun.elapsed().as_millis() / 10, limit / 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_moved_is_at_its_new_address_alone_and_says_so() {
    let network = network(&format!("{HOURS}moves = {{ share = 0.5, addresses = 3 }}"));
    let peer = first(&network, |_, _, presence| presence.place().is_some_and(|place| place.0 > 0));
    let place = first_place(&network, peer);
    assert_eq!(class(&dial(&network, peer, HostPlace(0)).await), Some(FailureClass::ConnectionRefused));
    assert!(dial(&network, peer, place).await.connection.is_some());
    let world = network.world();
    assert_ne!(world.addresses(peer), world.addresses_at(peer, place));
    let said = world.identify_at(peer, place);
    assert_eq!(
        (said.listen_addrs, said.public_key),
        (world.addresses_at(peer, place), world.identify(peer).public_key)
    );
}

fn first_place(network: &SimNetwork, peer: u32) -> HostPlace {
    let life = Life::of(network.world()).expect("a life");
    life.presence(peer).and_then(Presence::place).expect("up")
}

#[tokio::test(start_paused = true)]
async fn an_id_that_rotated_away_is_answered_by_its_successor() {
    let network = network(&format!("{HOURS}rotates = {{ share = 1.0, ids = 3 }}"));
    let gone = first(&network, |life, peer, presence| {
        let siblings = life.world().siblings(peer).unwrap_or_default();
        let is_up = |other: &u32| life.presence(*other).is_some_and(Presence::is_up);
        !presence.is_up() && siblings.iter().any(is_up)
    });
    assert_eq!(class(&dial(&network, gone, HostPlace(0)).await), Some(FailureClass::PeerIdMismatch));
}

#[tokio::test(start_paused = true)]
async fn a_crawl_while_peers_come_and_go_is_right_at_some_moment_of_each_visit() {
    let scenario = Scenario::named("churn").expect("built in").with_peers(300);
    let network = SimNetwork::new(Arc::new(World::generate(&scenario)), SimConfig::default());
    let clock = network.life_clock().expect("a clock");
    let slack = clock.stretch(Duration::from_millis(2));
    let truth = Truth::of(Arc::clone(network.world()));
    for minutes in 0..4 {
        tokio::time::sleep_until(Instant::now() + Duration::from_secs(60 * minutes)).await;
        let observed = crawl_during(&network, network.world(), PATIENCE, clock).await;
        let history = network.history().expect("a history");
        let verdict = truth.judge_during(&history, &observed, slack);
        assert!(verdict.is_right(), "{verdict:#?}");
        assert!(verdict.visits > 150 && verdict.peers_expected > 50, "{verdict:?}");
    }
}
