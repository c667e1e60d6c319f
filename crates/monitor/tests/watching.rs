//! What whoever looks on is shown of a network whose peers come and go, an hour in each minute, beside what happened: in virtual time.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::{sync::Arc, time::Duration};

use crawl::{Clock, CrawlConfig};
use kad::{Contact, message::AMINO_PROTOCOL};
use kadscope_monitor::{
    running::{LibraryCrawler, Monitor, MonitorConfig, MonitorFact, MonitorOutlets, MonitorState},
    watching::{NetworkCounts, NetworkView, WatchFeed, watch_schedule},
};
use schema::Timestamp;
use testnet::{History, Scenario, SimConfig, SimNetwork, World, life::Moment};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, interval},
};
use tokio_util::sync::CancellationToken;

/// 2026-01-01.
const START: Timestamp = Timestamp(1_767_225_600_000_000);

/// How much faster peers live than clocks go.
const SPEED: u32 = 60;

/// A quarter of an hour of life until everybody was found, and the hour that is judged.
const BEFORE: Duration = Duration::from_secs(15);
const JUDGED: Duration = Duration::from_secs(60);

/// From one look at a peer to the next, as life has it: two minutes.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// When it was, as life has it.
fn moment(at: Timestamp) -> Moment {
    Moment::at(at.since(START) * SPEED)
}

/// Peers that come, go and move; those that change their ids are another matter than how many there are.
fn churning() -> Scenario {
    let mut scenario = Scenario::named("churn").expect("a scenario").with_peers(900);
    let life = scenario.life.as_mut().expect("a life");
    life.classes.retain(|class| class.name != "rotating");
    scenario
}

/// Looks at a network, and counts every second.
async fn watched(network: SimNetwork, world: &World) -> Vec<NetworkCounts> {
    let clock = Clock::started_at(START);
    let protocols: Arc<[String]> = [AMINO_PROTOCOL.to_owned()].into();
    let crawler = LibraryCrawler {
        network: network.clone(),
        protocols: Arc::clone(&protocols),
        config: CrawlConfig { seed: Some(1), ..CrawlConfig::default() },
        opt_out: Arc::default(),
        clock,
    };
    let first = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let usual = MonitorConfig::default();
    let config = MonitorConfig {
        crawl_every: Duration::from_secs(5),
        lasts: Some(BEFORE + JUDGED),
        schedule: watch_schedule(LOOK_EVERY),
        due: kadscope_monitor::due::DueLimits { peers: 10_000, looks_per_s: 1000.0, ..usual.due },
        seed: 1,
        ..usual
    };
    let bootstrap = world.bootstrap().iter().map(first).collect();
    let monitor = Monitor { network, protocols, crawler, bootstrap, config, opt_out: Arc::default(), clock };
    let (facts, mut told) = mpsc::channel(256);
    let outlets = MonitorOutlets {
        facts,
        now: watch::Sender::default(),
        cancel: CancellationToken::new(),
        renew: CancellationToken::new(),
    };
    let look_on = async {
        let (mut view, mut feed, mut all) =
            (NetworkView::new(START, 10_000), WatchFeed::default(), Vec::new());
        let mut seconds = interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                biased;
                _ = seconds.tick() => {
                    let now = clock.at(Instant::now());
                    view.tick(now);
                    all.push(view.counts(now));
                }
                fact = told.recv() => match fact {
                    None => return all,
                    Some(MonitorFact::Crawled { is_whole: true, .. }) => view.swept(),
                    Some(fact) => feed.told(&fact).iter().for_each(|fact| view.note(fact)),
                },
            }
        }
    };
    tokio::join!(Box::pin(monitor.run(MonitorState::default(), outlets)), look_on).1
}

/// How many peers were up at a moment.
fn up(world: &World, history: &History, at: Timestamp) -> u64 {
    world.peers().filter(|&peer| history.was_up(peer, moment(at), moment(at))).count() as u64
}

/// How many sessions began and ended in a time; of those that lasted for so long at least.
fn turns(
    world: &World,
    history: &History,
    (from, to): (Timestamp, Timestamp),
    least: Duration,
) -> (u64, u64) {
    let (from, to) = (moment(from), moment(to));
    let is_long =
        |stay: &&testnet::life::Stay| stay.to.seconds() - stay.from.seconds() >= least.as_secs_f64();
    let within = |at: Moment| at >= from && at <= to;
    let stays =
        || world.peers().filter_map(|peer| history.sessions(peer, from, to)).flatten().filter(is_long);
    let began = stays().filter(|stay| within(stay.from)).count() as u64;
    (began, stays().filter(|stay| within(stay.to)).count() as u64)
}

/// Of the peers that are up at most one in ten is missed or is gone already, at any second of the hour. Who came and who left are as many
/// as in the log, but for those that stayed for less than three looks, and up to one in ten.
#[tokio::test(start_paused = true)]
async fn who_is_there_who_came_and_who_left_are_those_of_the_event_log() {
    let world = Arc::new(World::generate(&churning()));
    let network = SimNetwork::new(Arc::clone(&world), SimConfig::default());
    let all = watched(network.clone(), &world).await;
    let history = network.history().expect("its peers come and go");
    let begin = START.after(BEFORE);
    let judged: Vec<_> = all.iter().filter(|counts| counts.at >= begin).collect();
    assert!(judged.len() >= 59, "{}", judged.len());
    for counts in &judged {
        let truth = up(&world, &history, counts.at);
        assert!(counts.active.abs_diff(truth) * 10 <= truth, "{} of {truth} at {}", counts.active, counts.at);
    }
    let (first, last) = (judged.first().expect("an hour"), judged.last().expect("an hour"));
    let seen = (last.arrived_in_run - first.arrived_in_run, last.left_in_run - first.left_in_run);
    let time = (first.at, last.at);
    let (every, longer) = (
        turns(&world, &history, time, Duration::ZERO),
        turns(&world, &history, time, LOOK_EVERY * SPEED * 3),
    );
    let bounds = (longer.0 * 9 / 10..=every.0 * 11 / 10, longer.1 * 9 / 10..=every.1 * 11 / 10);
    assert!(longer.0 > 20 && longer.1 > 20, "there is something to see: {longer:?}");
    assert!(bounds.0.contains(&seen.0) && bounds.1.contains(&seen.1), "{seen:?}, not within {bounds:?}");
}
