//! The observer's network goes and comes back, in virtual time.

use std::{borrow::Cow, sync::Arc};

use kad::{
    answer::Answer,
    fabric::{Fabric, Inward, Member, Request, Says, Service, Terms},
    network::{AddressOutcome, Connection, Dial, Event, Network},
};

use super::*;
use crate::{
    ObservedDuring, Scenario, SimConfig, SimFabric, SimLimits, SimNetwork, Truth, crawler::crawl_during,
    sim::SimConnection,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// A minute without a network of its own, and a minute in which the way out is dead.
const OUTAGES: &str = "[[life.outages]]\nfrom_s = 60\nlasts_s = 60\n\
                       [[life.outages]]\nfrom_s = 180\nlasts_s = 60\ndials = 'no_answer'\n";

const REGIONS: &str = "[[regions]]\nname = 'home'\nshare = 0.5\nrtt_ms = { home = 20, away = 300 }\n\
                       [[regions]]\nname = 'away'\nshare = 0.5\nrtt_ms = { away = 20 }\n";

fn world(toml: &str) -> Arc<World> {
    Arc::new(World::generate(&Scenario::parse(toml, "test").expect("a scenario")))
}

fn network(toml: &str) -> SimNetwork {
    SimNetwork::new(world(toml), SimConfig::default())
}

async fn at(begun: Instant, seconds: f64) {
    tokio::time::sleep_until(begun + Duration::from_secs_f64(seconds)).await;
}

async fn dial(network: &SimNetwork, peer: u32) -> Dial<SimConnection> {
    network.connect(network.world().peer_id(peer), network.world().addresses(peer)).await
}

/// What a dial failed with, and after how many seconds; `None` if it did not.
async fn failed(network: &SimNetwork, peer: u32) -> Option<(FailureClass, u64)> {
    let begun = Instant::now();
    match &dial(network, peer).await.attempts[0].outcome {
        AddressOutcome::Failed(failure) => Some((failure.class, begun.elapsed().as_secs())),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_network_dials_fail_at_once_or_get_no_answer_and_after_it_they_connect() {
    let (network, begun) = (network(&format!("peers = 20\n{OUTAGES}")), Instant::now());
    for (seconds, expected) in [
        (59.9, None),
        (60.1, Some((FailureClass::NetworkUnreachable, 0))),
        (119.9, Some((FailureClass::NetworkUnreachable, 0))),
        (120.1, None),
        (180.1, Some((FailureClass::Timeout, 5))),
        (240.1, None),
    ] {
        at(begun, seconds).await;
        assert_eq!(failed(&network, 3).await, expected, "{seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_an_outage_interrupts_comes_to_nothing() {
    let (network, begun) = (network(&format!("peers = 20\n{REGIONS}{OUTAGES}")), Instant::now());
    let far = network.world().peers().find(|&peer| network.world().region(peer) == Some("away"));
    at(begun, 59.7).await;
    assert_eq!(failed(&network, far.expect("a peer")).await, Some((FailureClass::Timeout, 5)));
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_before_an_outage_or_in_it_is_answered_after_it() {
    let (network, begun) = (network(&format!("peers = 20\n{REGIONS}{OUTAGES}")), Instant::now());
    let far = network.world().peers().find(|&peer| network.world().region(peer) == Some("away"));
    let mut connection = dial(&network, far.expect("a peer")).await.connection.expect("a network");
    for seconds in [59.9, 181.0] {
        at(begun, seconds).await;
        let stream = connection.open("/ipfs/id/1.0.0", 4096);
        let until = if seconds < 100.0 { 120.0 } else { 240.0 };
        loop {
            let event = tokio::time::timeout(Duration::from_secs(90), connection.next()).await;
            if let Event::Message(of, _) = event.expect("an answer").expect("a connection")
                && of == stream
            {
                break;
            }
        }
        let late = begun.elapsed().as_secs_f64() - until;
        assert!((0.3..1.0).contains(&late), "{late} s after the outage");
    }
}

/// Says back what it hears.
#[derive(Debug)]
struct Echo;

impl Service for Echo {
    async fn answer(&self, request: Request) -> Answer {
        Answer::Message(request.message.clone())
    }
}

async fn join(fabric: &SimFabric, region: &str) -> SimNetwork {
    let terms = Terms {
        keypair: kad::Keypair::generate_ed25519(),
        says: Says {
            agent: "echo/1".to_owned(),
            kad_protocols: vec!["/x".to_owned()],
            addresses: Vec::new(),
        },
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")],
        inward: Inward::Served,
    };
    fabric.in_region(region).expect("a region").join(terms, Arc::new(Echo)).await.expect("joins")
}

/// How many seconds it takes until another one has answered.
async fn asked(connection: &mut SimConnection) -> f64 {
    let begun = Instant::now();
    let stream = connection.open("/x", 100);
    connection.send(stream, b"hello");
    while !matches!(connection.next().await.expect("a connection"), Event::Message(..)) {}
    begun.elapsed().as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn peers_of_ours_elsewhere_have_their_network_and_do_not_reach_the_observers() {
    let begun = Instant::now();
    let fabric = SimFabric::new(world(&format!("peers = 20\n{REGIONS}{OUTAGES}")), SimLimits::default());
    let (home, near, far) =
        (join(&fabric, "home").await, join(&fabric, "away").await, join(&fabric, "away").await);
    let meet =
        async |from: &SimNetwork, to: &SimNetwork| from.connect(to.local(), to.listens()).await.connection;
    let mut held = meet(&far, &home).await.expect("a connection");
    assert!(asked(&mut held).await < 1.0);
    at(begun, 70.0).await;
    assert!(meet(&far, &near).await.is_some() && meet(&far, &home).await.is_none());
    assert!(meet(&home, &far).await.is_none());
    let took = asked(&mut held).await;
    assert!((40.0..51.0).contains(&took), "{took} s");
    assert!(meet(&home, &far).await.is_some() && meet(&far, &home).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn who_crawls_through_outages_is_right_and_who_does_not_notice_them_is_not() {
    let life = "[[life.classes]]\nname = 'all'\nshare = 0.5\nup = { law = 'exponential', median_s = 300 }\n\
                down = { law = 'exponential', median_s = 300 }\n";
    for life in ["", life] {
        let network = network(&format!("peers = 200\n{REGIONS}{life}{OUTAGES}"));
        let (clock, begun) = (network.life_clock().expect("a clock"), Instant::now());
        let truth = Truth::of(Arc::clone(network.world()));
        for (seconds, reached) in
            [(10.0, true), (59.0, true), (70.0, false), (119.7, false), (179.7, true), (250.0, true)]
        {
            at(begun, seconds).await;
            let mut observed = crawl_during(&network, network.world(), PATIENCE, clock).await;
            let judge = |observed: &ObservedDuring| {
                let history = network.history().expect("a history");
                truth.judge_during(&history, observed, Duration::from_millis(2))
            };
            let verdict = judge(&observed);
            assert!(verdict.is_right(), "{seconds} s: {verdict:#?}");
            assert_eq!(observed.visits.iter().any(|visit| visit.peer.reachable), reached, "{seconds} s");
            if !reached {
                assert_eq!(verdict.peers_expected, 0);
                let visit = &mut observed.visits[0].peer;
                assert_eq!(visit.class.as_deref(), Some("network_unreachable"));
                visit.class = Some(Cow::Borrowed("connection_refused"));
                assert_eq!(judge(&observed).wrong_outcomes, 1);
                let visit = &mut observed.visits[0].peer;
                (visit.reachable, visit.class) = (true, None);
                assert_eq!(judge(&observed).wrong_outcomes, 1);
            }
        }
    }
}

#[test]
fn the_truth_tells_of_outages_where_there_are_any() {
    let json = |toml: &str| serde_json::to_value(Truth::of(world(toml))).expect("JSON");
    let outages = serde_json::json!([
        { "from_s": 60.0, "until_s": 120.0, "dials": "no_route" },
        { "from_s": 180.0, "until_s": 240.0, "dials": "no_answer" },
    ]);
    assert_eq!(json(&format!("peers = 9\n{OUTAGES}"))["outages"], outages);
    assert!(json("peers = 9").get("outages").is_none());
}
