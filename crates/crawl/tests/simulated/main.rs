//! Crawls of simulated networks in virtual time, beside what is true of them.

#![expect(clippy::expect_used, clippy::float_cmp, reason = "a test may fail; shares of 1 are exact")]

mod recount;
mod turns;
mod walking;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use kad::{Contact, PeerId, failure::FailureClass, network::Network, opt_out::OptOut};
use kadscope_crawl::{Clock, Crawl, CrawlConfig, Crawled, FateCounts, Outlets, Progress};
use schema::{
    CrawlWalk, PeerInDegree, PeerNumber, PrefixOutcome, Row, RunId, RunState, Timestamp, Visit, VisitKind,
};
use testnet::{DuringVerdict, Scenario, SimConfig, SimNetwork, Truth, Verdict, World, truth::VisitedPeers};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// When crawls begin, by the calendar.
const START: Timestamp = Timestamp(1_000_000);

/// A crawl with everything that came out of it.
struct Run {
    crawled: Crawled,
    ids: BTreeMap<PeerNumber, PeerId>,
    visits: Vec<Visit>,
    in_degrees: Vec<PeerInDegree>,
    walks: Vec<CrawlWalk>,
    world: Arc<World>,
    network: SimNetwork,
    last: Progress,
}

async fn crawl(scenario: &Scenario, config: CrawlConfig) -> Run {
    crawl_until(scenario, config, |_| false).await
}

/// Crawls, and cancels as soon as `stop` says so of the progress.
async fn crawl_until(scenario: &Scenario, config: CrawlConfig, stop: impl Fn(&Progress) -> bool) -> Run {
    let world = Arc::new(World::generate(scenario));
    let bootstrap = world
        .bootstrap()
        .iter()
        .map(|&peer| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) })
        .collect();
    crawl_from(world, bootstrap, config, stop).await
}

async fn crawl_from(
    world: Arc<World>,
    bootstrap: Vec<Contact>,
    config: CrawlConfig,
    stop: impl Fn(&Progress) -> bool,
) -> Run {
    let of = SimNetwork::new(world, SimConfig::default());
    crawl_over(of.clone(), of, bootstrap, config, stop).await
}

/// Crawls a network that is `of`, perhaps with something between.
async fn crawl_over(
    network: impl Network,
    of: SimNetwork,
    bootstrap: Vec<Contact>,
    config: CrawlConfig,
    stop: impl Fn(&Progress) -> bool,
) -> Run {
    crawl_all((network, of), bootstrap, (config, Arc::default()), stop).await
}

/// Crawls, and leaves alone who asked not to be measured.
async fn crawl_leaving(
    of: SimNetwork,
    bootstrap: Vec<Contact>,
    config: CrawlConfig,
    opt_out: Arc<OptOut>,
) -> Run {
    crawl_all((of.clone(), of), bootstrap, (config, opt_out), |_| false).await
}

async fn crawl_all(
    (network, of): (impl Network, SimNetwork),
    bootstrap: Vec<Contact>,
    (config, opt_out): (CrawlConfig, Arc<OptOut>),
    stop: impl Fn(&Progress) -> bool,
) -> Run {
    let (rows, mut received) = mpsc::channel(64);
    let (progress, mut watched) = watch::channel(Progress::default());
    let cancel = CancellationToken::new();
    let crawl = Crawl {
        network,
        id: RunId([7; 16]),
        network_name: "test".to_owned(),
        protocols: vec!["/ipfs/kad/1.0.0".to_owned()],
        bootstrap,
        config,
        opt_out,
        clock: Clock::started_at(START),
    };
    let crawl = tokio::spawn(crawl.run(Outlets {
        rows: Some(rows),
        progress,
        fates: FateCounts::default(),
        cancel: cancel.clone(),
    }));
    let (mut ids, mut visits, mut in_degrees) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut walks = Vec::new();
    while let Some(row) = received.recv().await {
        match row {
            Row::Peer(number, id) => assert_eq!(ids.insert(number, id), None, "introduced once"),
            Row::Visit(visit) => {
                assert!(ids.contains_key(&visit.peer), "introduced before it is used");
                visits.push(*visit);
            }
            Row::PeerInDegree(heard) => in_degrees.push(*heard),
            Row::CrawlWalk(walk) => walks.push(*walk),
            other => assert!(other.table().is_none(), "a crawl has no such rows: {other:?}"),
        }
        if stop(&watched.borrow_and_update()) {
            cancel.cancel();
        }
    }
    let crawled = crawl.await.expect("no panic");
    let last = *watched.borrow();
    Run { crawled, ids, visits, in_degrees, walks, world: Arc::clone(of.world()), network: of, last }
}

impl Run {
    /// The last visit of each peer.
    fn last_visits(&self) -> BTreeMap<PeerNumber, &Visit> {
        self.visits.iter().map(|visit| (visit.peer, visit)).collect()
    }

    fn visited(&self) -> VisitedPeers<'_> {
        VisitedPeers::new(self.ids.iter().map(|(&number, &id)| (number, id)), &self.visits)
    }

    fn verdict(&self) -> Verdict {
        Truth::of(Arc::clone(&self.world)).judge(&self.visited().observed())
    }

    /// What it says of peers that come and go, beside what is true of them during each visit; if its clock had gone
    /// wrong by `shift` of life, of other moments.
    fn verdict_during(&self, shift: Duration) -> DuringVerdict {
        let clock = self.network.life_clock().expect("somebody comes and goes");
        let moment = |time: Timestamp| clock.at_unix_ms(time.since(START).as_secs_f64() * 1e3).before(shift);
        let observed = self
            .visited()
            .observed_during(|visit| (moment(visit.met.started_at), moment(visit.met.ended_at)));
        let history = self.network.history().expect("somebody comes and goes");
        let slack = clock.stretch(Duration::from_millis(2));
        Truth::of(Arc::clone(&self.world)).judge_during(&history, &observed, slack)
    }

    fn errors(&self) -> BTreeMap<String, u64> {
        self.crawled.summary.errors.clone()
    }
}

fn scenario(name: &str, peers: u32) -> Scenario {
    Scenario::named(name).expect("built in").with_peers(peers)
}

fn with_neighbors() -> CrawlConfig {
    CrawlConfig { neighbors: true, seed: Some(1), ..CrawlConfig::default() }
}

#[tokio::test(start_paused = true)]
async fn every_peer_and_every_edge_of_a_healthy_network_is_found() {
    let run = crawl(&scenario("healthy", 700), with_neighbors()).await;
    let verdict = run.verdict();
    assert_eq!((verdict.peer_recall, verdict.peer_precision), (1.0, 1.0));
    assert_eq!((verdict.edge_recall, verdict.edge_precision), (Some(1.0), Some(1.0)));
    assert_eq!(verdict.reachability_accuracy, 1.0);
    let summary = &run.crawled.summary;
    assert_eq!(summary.state, RunState::Succeeded);
    assert_eq!((summary.peers.discovered, summary.peers.reachable, summary.peers.crawled), (700, 700, 700));
    assert_eq!(summary.edges, verdict.edges.expected);
    assert_eq!(summary.agents.values().sum::<u64>(), 700);
    assert_eq!(run.visits.len(), 700);
    assert!(run.crawled.bootstrap.iter().all(|peer| peer.reached));
    assert_eq!(run.last.visits, 700);
}

#[tokio::test(start_paused = true)]
async fn every_fault_gets_its_name_and_the_counts_add_up() {
    let run = crawl(&scenario("faults", 1500), with_neighbors()).await;
    let verdict = run.verdict();
    assert_eq!((verdict.peer_recall, verdict.peer_precision), (1.0, 1.0), "{verdict:#?}");
    assert_eq!((verdict.edge_recall, verdict.edge_precision), (Some(1.0), Some(1.0)), "{verdict:#?}");
    assert_eq!((verdict.reachability_accuracy, verdict.wrong_classes), (1.0, 0), "{verdict:#?}");
    assert_eq!((verdict.wrong_identities, verdict.wrong_addresses), (0, 0), "{verdict:#?}");
    let summary = &run.crawled.summary;
    let truth = Truth::of(Arc::clone(&run.world));
    for class in ["relayed_only", "private_only", "not_from_here"] {
        let hidden = truth.peers().filter(|peer| peer.discoverable && peer.nat == Some(class)).count();
        assert!(hidden > 20);
        assert_eq!(summary.nat[class], hidden as u64, "{class}");
    }
    let peers = summary.peers;
    assert_eq!(peers.discovered, peers.reachable + peers.turned_away + peers.unreachable + peers.unvisited);
    assert_eq!(peers.unvisited, 0);
    assert_eq!(peers.unreachable, run.errors().values().sum::<u64>());
    assert_eq!(peers.turned_away, summary.turned_away.values().sum::<u64>());
    let visits = summary.visits;
    assert_eq!(visits.first, peers.discovered);
    let repeated = visits.new_addresses + visits.second_pass + visits.turned_away;
    assert_eq!(visits.first + repeated, run.visits.len() as u64);
    assert_eq!(summary.requests.failed, summary.request_errors.values().sum::<u64>());
    let addresses: usize = run.visits.iter().map(|visit| visit.met.addresses.len()).sum();
    assert_eq!(summary.addresses.values().sum::<u64>(), addresses as u64);
    let answered =
        run.visits.iter().flat_map(|v| v.prefixes).filter(|p| *p != PrefixOutcome::NotAsked).count();
    assert_eq!(answered as u64, summary.requests.sent + summary.requests.saved);
}

#[tokio::test(start_paused = true)]
async fn no_request_that_is_saved_would_have_brought_anything() {
    // Tables with holes: an empty bucket between full ones proves nothing.
    for (peers, holes) in [(60, 0.0), (60, 0.5), (2000, 0.0), (2000, 0.7), (2000, 0.95)] {
        let mut scenario = scenario("healthy", peers);
        scenario.tables.holes = testnet::scenario::Share::try_from(holes).expect("a share");
        let few = crawl(&scenario, with_neighbors()).await;
        let all = crawl(&scenario, CrawlConfig { all_prefixes: true, ..with_neighbors() }).await;
        assert_eq!(few.crawled.summary.edges, all.crawled.summary.edges, "{peers} peers, {holes} holes");
        assert_eq!(few.verdict().edge_recall, Some(1.0));
        assert_eq!(all.crawled.summary.requests.saved, 0);
        let requests = few.crawled.summary.requests;
        assert_eq!(requests.sent + requests.saved, all.crawled.summary.requests.sent);
        let share = requests.saved as f64 / (requests.sent + requests.saved) as f64;
        assert!(share > 0.2, "saved {share} of {peers} peers with {holes} holes");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_crawl() {
    let scenario = scenario("faults", 400);
    let config = CrawlConfig { parallelism: 8, ..with_neighbors() };
    let first = crawl(&scenario, config.clone()).await;
    let again = crawl(&scenario, config.clone()).await;
    let order = |run: &Run| {
        run.visits.iter().map(|v| (run.ids[&v.peer], v.kind, v.met.started_at)).collect::<Vec<_>>()
    };
    assert_eq!(order(&first), order(&again));
    assert_eq!(first.crawled.summary.errors, again.crawled.summary.errors);
    let other = crawl(&scenario, CrawlConfig { seed: Some(2), ..config }).await;
    assert_ne!(order(&first), order(&other));
}

#[tokio::test(start_paused = true)]
async fn late_hosts_are_not_called_down_and_silent_ones_hold_up_nobody() {
    let run = crawl(&scenario("delays", 3000), CrawlConfig { parallelism: 100, ..with_neighbors() }).await;
    let verdict = run.verdict();
    assert_eq!(verdict.wrongly_unreachable, 0, "{:?}", verdict.wrong);
    let run = crawl(&scenario("half-dead", 4000), CrawlConfig { parallelism: 100, ..with_neighbors() }).await;
    assert_eq!(run.verdict().reachability_accuracy, 1.0);
    // One dial timeout of 5 s, and not one for each hundred silent hosts.
    let duration = run.crawled.summary.duration_s;
    assert!((5.0..7.5).contains(&duration), "{duration} s");
}

#[tokio::test(start_paused = true)]
async fn no_crawl_of_some_thousand_peers_waits_for_more_than_ten_seconds() {
    // Silence on a connection that stands is waited for longer than any dial: 10 s for a request.
    for (name, peers, most_s) in [("world", 3000, 10.0), ("half-dead", 10_000, 10.0), ("faults", 1500, 12.0)]
    {
        let run = crawl(&scenario(name, peers), CrawlConfig::default()).await;
        let verdict = run.verdict();
        let (duration, visits) = (run.crawled.summary.duration_s, run.crawled.summary.visits);
        assert_eq!((verdict.wrongly_unreachable, verdict.wrongly_reachable), (0, 0), "{name}: {verdict:#?}");
        assert!(duration < most_s, "{name}: {duration} s, {visits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn further_visits_tell_a_stale_address_from_a_dead_peer() {
    let run = crawl(&scenario("faults", 1500), with_neighbors()).await;
    let stale: Vec<PeerId> = run
        .world
        .peers()
        .filter(|&peer| run.world.state(peer) == testnet::State::StaleAddress)
        .map(|peer| run.world.peer_id(peer))
        .collect();
    let last = run.last_visits();
    let reached =
        run.ids.iter().filter(|(number, id)| stale.contains(id) && last[number].is_reachable()).count();
    assert!(!stale.is_empty() && reached == stale.len(), "{reached} of {}", stale.len());
    assert!(run.crawled.summary.visits.new_addresses > 0);
    let refused = run.visits.iter().filter(|v| v.kind == VisitKind::SecondPass && !v.is_reachable());
    assert!(refused.count() > 0, "the dead were tried twice");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_crawl_keeps_what_it_has() {
    let run =
        crawl_until(&scenario("delays", 2000), CrawlConfig { parallelism: 50, ..with_neighbors() }, |p| {
            p.visits >= 300
        })
        .await;
    let summary = &run.crawled.summary;
    assert_eq!(summary.state, RunState::Cancelled);
    assert!(run.visits.len() >= 300 && run.visits.len() < 1000, "{}", run.visits.len());
    assert_eq!(summary.peers.reachable + summary.peers.unreachable, run.last_visits().len() as u64);
    assert!(summary.peers.unvisited > 0);
    let cut = |visit: &&Visit| visit.prefixes.contains(&PrefixOutcome::Failed(FailureClass::Cancelled));
    assert!(run.visits.iter().filter(cut).count() <= 50);
}

#[tokio::test(start_paused = true)]
async fn a_limit_ends_the_crawl_with_as_many_visits() {
    let run = crawl(&scenario("healthy", 500), CrawlConfig { limit: Some(120), ..with_neighbors() }).await;
    assert_eq!(run.visits.len(), 120);
    assert_eq!(run.crawled.summary.state, RunState::Cancelled);
    let run = crawl(&scenario("healthy", 100), CrawlConfig { limit: Some(100), ..with_neighbors() }).await;
    assert_eq!(run.crawled.summary.state, RunState::Succeeded, "there was nothing more to visit");
}

#[tokio::test(start_paused = true)]
async fn liars_without_end_do_not_starve_the_rest() {
    let mut scenario = scenario("faults", 600);
    scenario.states.retain(|state| format!("{state:?}").contains("Inventing"));
    assert_eq!(scenario.states.len(), 1);
    let config = CrawlConfig { max_peers: 2000, ..with_neighbors() };
    let run = crawl(&scenario, config).await;
    let verdict = run.verdict();
    assert_eq!((verdict.peer_recall, verdict.reachability_accuracy), (1.0, 1.0));
    assert!(verdict.announced_fakes > 300);
    assert!(run.ids.len() <= 2000);
}

#[tokio::test(start_paused = true)]
async fn nobody_answers_and_every_bootstrap_peer_says_why() {
    let world = Arc::new(World::generate(&scenario("healthy", 50)));
    let gone = |n| Contact {
        peer: world.peer_id(n),
        addrs: vec![format!("/ip4/127.9.9.9/tcp/{n}").parse().expect("an address")],
    };
    let bootstrap = vec![gone(1), gone(2)];
    let run = crawl_from(Arc::clone(&world), bootstrap, with_neighbors(), |_| false).await;
    assert_eq!(run.crawled.summary.state, RunState::Failed);
    assert_eq!(run.crawled.bootstrap.len(), 2);
    for peer in &run.crawled.bootstrap {
        assert!(!peer.reached);
        assert!(peer.error.is_some());
        assert_eq!(peer.addresses.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_crawl_ends_when_nobody_takes_its_rows() {
    let world = Arc::new(World::generate(&scenario("healthy", 300)));
    let network = SimNetwork::new(Arc::clone(&world), SimConfig::default());
    let peer = world.bootstrap()[0];
    let (rows, received) = mpsc::channel(1);
    drop(received);
    let crawl = Crawl {
        network,
        id: RunId([7; 16]),
        network_name: "test".to_owned(),
        protocols: vec!["/ipfs/kad/1.0.0".to_owned()],
        bootstrap: vec![Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) }],
        config: CrawlConfig::default(),
        opt_out: Arc::default(),
        clock: Clock::started_at(Timestamp(0)),
    };
    let (progress, _) = watch::channel(Progress::default());
    let outlets = Outlets {
        rows: Some(rows),
        progress,
        fates: FateCounts::default(),
        cancel: CancellationToken::new(),
    };
    let crawled = tokio::time::timeout(Duration::from_secs(60), crawl.run(outlets)).await.expect("ends");
    assert!(crawled.rows_lost);
    assert_eq!(crawled.summary.state, RunState::Failed);
}

/// Everyone comes and goes within minutes, in every way that there is, while a slow crawl goes on.
fn heavy_churn(absence: &str, seed: u64) -> Scenario {
    let text = format!(
        "peers = 500\nseed = {seed}\n[tables]\nholes = 0.1\nstale = 0.05\n\
         [transports]\ntcp = 0.6\nquic = 0.2\nboth = 0.2\n\
         [[regions]]\nname = 'far'\nshare = 1.0\nrtt_ms = {{ far = 300 }}\n\
         [life]\nspeed = 40.0\nlearn_s = 60\nforget_s = 300\n\
         [[life.classes]]\nname = 'restless'\nshare = 0.6\nabsence = '{absence}'\n\
         up = {{ law = 'weibull', median_s = 300, shape = 0.7 }}\n\
         down = {{ law = 'log_normal', median_s = 200, sigma = 1.0 }}\n\
         moves = {{ share = 0.4, addresses = 3 }}\nleaves = 0.02\n\
         enters = {{ share = 0.1, within_s = 1200 }}\n\
         [[life.classes]]\nname = 'rotating'\nshare = 0.2\nabsence = '{absence}'\n\
         up = {{ law = 'exponential', median_s = 200 }}\ndown = {{ law = 'exponential', median_s = 20 }}\n\
         rotates = {{ share = 0.8, ids = 4 }}\nmoves = {{ share = 0.2, addresses = 2 }}"
    );
    Scenario::parse(&text, "heavy churn").expect("a scenario")
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_peers_that_come_and_go_held_at_some_moment_of_the_visit() {
    for (absence, seed) in [("refused", 1), ("dropped", 2), ("unreachable", 3)] {
        let config = CrawlConfig { parallelism: 12, ..with_neighbors() };
        let run = crawl(&heavy_churn(absence, seed), config).await;
        let verdict = run.verdict_during(Duration::ZERO);
        assert!(verdict.is_right(), "{absence}: {verdict:#?}");
        assert_eq!((verdict.wrong.len(), verdict.visits_beyond), (0, 0), "{absence}");
        // It was neither quiet nor empty.
        let history = run.network.history().expect("a life");
        assert!(history.len() > 500, "{} events", history.len());
        assert!(verdict.visits > 400 && verdict.edges > 5_000, "{absence}: {verdict:?}");
        assert!(verdict.edges_expected > verdict.edges / 2, "{absence}: {verdict:?}");
        assert!(verdict.peers_expected > 30, "{absence}: {verdict:?}");
        let other = run.verdict_during(Duration::from_secs(600));
        let wrong = [other.wrong_outcomes, other.edges_never_listed, other.edges_missed];
        assert!(wrong.iter().all(|wrong| *wrong > 50), "{absence}: ten minutes off, {wrong:?} wrong");
        let errors = run.errors();
        assert!(errors.contains_key("peer_id_mismatch"), "{absence}: {errors:?}");
        let peers = run.crawled.summary.peers;
        assert!(peers.reachable > 150 && peers.unreachable > 30, "{absence}: {peers:?}");
    }
}
