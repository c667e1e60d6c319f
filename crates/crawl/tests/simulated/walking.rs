//! Random walks: whom they find, what they say of a network's size beside what is true of it, and what the crawler that walked first
//! (adlrocha's go-libp2p-crawler) did wrong.

use std::collections::BTreeSet;

use kadscope_crawl::{
    CrawlStrategy, CrawlStrategyName, NoWalkedSize, RandomWalkTerms, WalkSummary, WalkedSize,
};
use testnet::State;
use tokio::time::Instant;

use super::*;

/// A crawl that walks for so many seconds, on four ways at once.
pub(crate) fn walks_for(seconds: u64) -> CrawlConfig {
    let terms = RandomWalkTerms { lasts: Duration::from_secs(seconds), walkers: 4 };
    CrawlConfig { strategy: CrawlStrategy::RandomWalk(terms), seed: Some(1), ..CrawlConfig::default() }
}

fn parsed(text: &str) -> Scenario {
    Scenario::parse(text, "test").expect("a scenario")
}

fn walked(run: &Run) -> WalkSummary {
    run.crawled.summary.walk.expect("a crawl that walks")
}

fn holds(size: Option<WalkedSize>, truth: usize) -> bool {
    let size = size.expect("walks enough");
    (size.low..=size.high).contains(&(truth as f64))
}

/// A third of the peers is down, and half of these are still named.
const DOWN: &str =
    "[[states]]\nstate = \"refusing\"\nshare = 0.15\n[[states]]\nstate = \"dropping\"\nshare = 0.15\n";

fn online(world: &World) -> usize {
    world.peers().filter(|&peer| world.state(peer) == State::Online).count()
}

#[tokio::test(start_paused = true)]
async fn the_size_is_right_as_often_as_its_interval_says() {
    let (mut right, runs) = (0, 8);
    for seed in 0..runs {
        let run = crawl(&parsed(&format!("seed = {seed}\npeers = 600\n{DOWN}")), walks_for(30)).await;
        let walk = walked(&run);
        assert!(walk.answering.is_some(), "{seed}: {walk:?}");
        right += u32::from(holds(walk.answering, online(&run.world)));
        let (named, answering) = (walk.named.expect("a size"), walk.answering.expect("a size"));
        assert!(named.peers > answering.peers, "those who are down are named, too: {walk:?}");
        assert_eq!((named.n_walks, walk.no_size_because), (walk.whole, None));
    }
    assert!(right >= 6, "{right} of {runs}");
}

#[tokio::test(start_paused = true)]
async fn who_is_visited_was_among_the_closest_of_a_walk_or_was_given() {
    let run = crawl(&parsed(&format!("peers = 2000\n{DOWN}")), walks_for(10)).await;
    let met: BTreeSet<PeerNumber> =
        run.walks.iter().flat_map(|walk| walk.nearest.iter().chain(&walk.closest)).copied().collect();
    let given: BTreeSet<PeerNumber> =
        run.in_degrees.iter().filter(|heard| heard.given).map(|heard| heard.named).collect();
    let visited: BTreeSet<PeerNumber> = run.visits.iter().map(|visit| visit.peer).collect();
    assert_eq!(visited, met.union(&given).copied().collect());
    assert_eq!(visited.len(), run.ids.len());
    let summary = &run.crawled.summary;
    assert_eq!((summary.strategy, summary.state), (CrawlStrategyName::RandomWalk, RunState::Succeeded));
    assert_eq!(summary.edges, 0, "no table was read");
    assert_eq!(run.verdict().reachability_accuracy, 1.0);
    assert!(
        run.visits.iter().all(|visit| visit
            .prefixes
            .iter()
            .filter(|p| **p != PrefixOutcome::NotAsked)
            .count()
            <= 1)
    );
    // Each walk goes to the true end: the closest of those who answer are those that its row has.
    for walk in run.walks.iter().filter(|walk| walk.ending == kad::lookup::Termination::Completed) {
        let target = kad::Key::of(&walk.key);
        let mut alive: Vec<PeerId> = run
            .world
            .peers()
            .filter(|&peer| run.world.state(peer) == State::Online)
            .map(|peer| run.world.peer_id(peer))
            .collect();
        alive.sort_by_key(|peer| kad::Key::of_peer(peer).distance(&target));
        let closest: BTreeSet<PeerId> = walk.closest.iter().map(|number| run.ids[number]).collect();
        assert_eq!(closest, alive[..20].iter().copied().collect());
    }
}

/// The original counted a node as new each time that it met it, since what it stored of it said nothing.
#[tokio::test(start_paused = true)]
async fn who_is_met_again_is_neither_counted_nor_visited_again() {
    let run = crawl(&parsed("peers = 300"), walks_for(60)).await;
    let meetings: usize = run.walks.iter().map(|walk| walk.nearest.len()).sum();
    assert!(meetings > 10 * run.ids.len(), "{meetings} meetings");
    assert_eq!(run.crawled.summary.peers.discovered, 300);
    assert_eq!(run.visits.len(), 300, "one visit each");
}

/// The original waited for ever where a lookup failed.
#[tokio::test(start_paused = true)]
async fn where_nobody_answers_it_ends_soon_and_says_so() {
    let begun = Instant::now();
    let scenario = parsed("peers = 30\n[[states]]\nstate = \"refusing\"\nshare = 1.0");
    let world = Arc::new(World::generate(&scenario));
    let contact = |peer| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let bootstrap = world.peers().take(3).map(contact).collect();
    let run = crawl_from(Arc::clone(&world), bootstrap, walks_for(600), |_| false).await;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(run.crawled.summary.state, RunState::Failed);
    let walk = walked(&run);
    assert_eq!((walk.answering, walk.no_size_because), (None, Some(NoWalkedSize::TooFewWalks)));
    // It held each failed dial for address translation.
    let summary = &run.crawled.summary;
    assert_eq!(run.errors().keys().collect::<Vec<_>>(), ["connection_refused"]);
    assert_eq!((summary.nat.values().sum::<u64>(), summary.peers.unreachable), (0, summary.peers.discovered));
}

/// The original never looked whether it was to stop.
#[tokio::test(start_paused = true)]
async fn it_stops_when_it_is_told_and_when_time_is_over() {
    let begun = Instant::now();
    let run = crawl_until(&parsed("peers = 2000"), walks_for(600), |progress| progress.walks >= 20).await;
    assert!(begun.elapsed() < Duration::from_secs(600));
    assert_eq!(run.crawled.summary.state, RunState::Cancelled);
    assert!(run.last.walks >= 20 && run.walks.len() as u64 == walked(&run).walks);

    let begun = Instant::now();
    let run = crawl(&parsed("peers = 2000"), walks_for(30)).await;
    let (took, terms) = (begun.elapsed(), Duration::from_secs(30));
    assert!(took >= terms && took < terms + Duration::from_secs(15), "{took:?}");
    let is_cut = |walk: &&CrawlWalk| walk.ending == kad::lookup::Termination::Cancelled;
    assert!(run.walks.iter().filter(is_cut).count() <= 4, "one for each walker");
    assert!(run.walks.iter().filter(is_cut).all(|walk| walk.nearest.is_empty() && walk.closest.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_network_of_fewer_peers_than_a_lookup_looks_for_is_found_whole() {
    let run = crawl(&parsed("peers = 12"), walks_for(10)).await;
    assert_eq!(run.crawled.summary.peers.reachable, 12);
    assert!(holds(walked(&run).answering, 12), "{:?}", walked(&run));
}

#[tokio::test(start_paused = true)]
async fn who_asked_not_to_be_measured_is_neither_asked_nor_kept() {
    let world = Arc::new(World::generate(&parsed("peers = 200")));
    let left_alone: Vec<PeerId> =
        world.peers().filter(|peer| peer % 4 == 3).map(|peer| world.peer_id(peer)).collect();
    let list: Vec<String> = left_alone.iter().map(|peer| peer.to_base58()).collect();
    let opt_out = Arc::new(OptOut::parse(&list.join("\n")).expect("a list"));
    let of = SimNetwork::new(Arc::clone(&world), SimConfig::default());
    let bootstrap = world
        .bootstrap()
        .iter()
        .map(|&peer| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) })
        .collect();
    let run = crawl_leaving(of, bootstrap, walks_for(30), opt_out).await;
    assert!(run.ids.values().all(|id| !left_alone.contains(id)));
    assert_eq!(run.ids.len(), 150);
    assert!(holds(walked(&run).answering, 150), "they are no part of the size either: {:?}", walked(&run));
}
