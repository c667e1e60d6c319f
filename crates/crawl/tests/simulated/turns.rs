//! Which turns peers get that are not met at once: full ones, ones at addresses that are heard of late, and who crawls.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use kad::{
    Contact, Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase, SkipReason},
    network::{AddressOutcome, Attempt, Dial, Network, Transport},
};
use kadscope_crawl::{CrawlConfig, LeftOut};
use libp2p_identity::Keypair;
use schema::{PeerNumber, RunState, Visit, VisitKind};
use testnet::{SimConfig, SimNetwork, World};
use tokio::time::Instant;

use super::{Run, crawl_from, crawl_over, scenario, with_neighbors};

/// A network of which some peers have no room for us.
#[derive(Clone)]
struct Busy {
    network: SimNetwork,
    who: Arc<BTreeSet<PeerId>>,
    until: Until,
    /// Who we say that we are.
    local: PeerId,
}

#[derive(Clone)]
enum Until {
    Moment(Instant),
    /// As many dials as are left.
    Dials(Arc<AtomicU32>),
}

impl Busy {
    fn is_full(&self, peer: &PeerId) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.who.contains(peer)
            && match &self.until {
                Until::Moment(moment) => Instant::now() < *moment,
                Until::Dials(left) => {
                    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
                }
            }
    }
}

impl Network for Busy {
    type Connection = <SimNetwork as Network>::Connection;

    fn local(&self) -> PeerId {
        self.local
    }

    fn admits(&self, address: &Multiaddr) -> Result<Option<Transport>, SkipReason> {
        self.network.admits(address)
    }

    async fn connect_within(
        &self,
        peer: PeerId,
        addrs: Vec<Multiaddr>,
        at_most: Option<Duration>,
    ) -> Dial<Self::Connection> {
        if !self.is_full(&peer) {
            return self.network.connect_within(peer, addrs, at_most).await;
        }
        let reset = Failure::new(Phase::Secure, FailureClass::ConnectionReset);
        let attempt = Attempt {
            started_after: Some(Duration::ZERO),
            took: Some(Duration::ZERO),
            outcome: AddressOutcome::Failed(reset),
            resolved: Vec::new(),
        };
        Dial { attempts: vec![attempt; addrs.len()], connection: None }
    }
}

fn bootstrap(world: &World) -> Vec<Contact> {
    let of = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    world.bootstrap().iter().map(of).collect()
}

async fn crawl_busy(world: Arc<World>, who: &[u32], until: Until) -> Run {
    let (begin, network) = (bootstrap(&world), SimNetwork::new(Arc::clone(&world), SimConfig::default()));
    let who = Arc::new(who.iter().map(|&peer| world.peer_id(peer)).collect());
    let busy = Busy { network: network.clone(), who, until, local: PeerId::random() };
    crawl_over(busy, network, begin, with_neighbors(), |_| false).await
}

fn world(name: &str, peers: u32) -> Arc<World> {
    Arc::new(World::generate(&scenario(name, peers)))
}

fn visits_of(run: &Run, id: PeerId) -> Vec<&Visit> {
    let (number, _) = run.ids.iter().find(|(_, known)| **known == id).expect("heard of");
    run.visits.iter().filter(|visit| visit.peer == *number).collect()
}

#[tokio::test(start_paused = true)]
async fn a_crawl_whose_first_connection_is_reset_is_a_whole_crawl() {
    let world = world("faults", 300);
    let whole = crawl_from(Arc::clone(&world), bootstrap(&world), with_neighbors(), |_| false).await;
    let begin = world.bootstrap().to_vec();
    let once = u32::try_from(begin.len()).expect("few");
    let run = crawl_busy(world, &begin, Until::Dials(Arc::new(AtomicU32::new(once)))).await;
    let (peers, visits) = (run.crawled.summary.peers, run.crawled.summary.visits);
    assert_eq!(peers.reachable, whole.crawled.summary.peers.reachable);
    assert_eq!(peers.discovered, whole.crawled.summary.peers.discovered);
    assert_eq!(visits.first, peers.discovered, "everybody has a first visit, whenever it was heard of");
    assert!(visits.recovered <= u64::from(once) + whole.crawled.summary.visits.recovered, "{visits:?}");
    let verdict = run.verdict();
    assert_eq!((verdict.peer_recall, verdict.wrongly_unreachable), (1.0, 0), "{verdict:#?}");
    assert_eq!(verdict.edge_recall, Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn peers_that_are_full_for_nine_seconds_are_reached() {
    let world = world("healthy", 60);
    let begin = world.bootstrap().to_vec();
    let who: Vec<u32> = world.peers().filter(|peer| !begin.contains(peer)).take(53).collect();
    let until = Until::Moment(Instant::now() + Duration::from_secs(9));
    let run = crawl_busy(world, &who, until).await;
    let summary = &run.crawled.summary;
    assert_eq!((summary.peers.reachable, summary.peers.turned_away), (60, 0));
    assert_eq!((summary.visits.second_pass, summary.visits.recovered), (53, 53));
    assert_eq!(summary.visits.turned_away, 2 * 53);
    assert!(summary.duration_s < 10.0, "{}", summary.duration_s);
}

#[tokio::test(start_paused = true)]
async fn peers_that_are_always_full_are_neither_reached_nor_down() {
    let world = world("healthy", 60);
    let begin = world.bootstrap().to_vec();
    let who: Vec<u32> = world.peers().filter(|peer| !begin.contains(peer)).take(22).collect();
    let run = crawl_busy(world, &who, Until::Moment(Instant::now() + Duration::from_secs(3600))).await;
    let summary = &run.crawled.summary;
    let peers = summary.peers;
    assert_eq!((peers.reachable, peers.turned_away, peers.unreachable, peers.unvisited), (38, 22, 0, 0));
    assert_eq!((summary.turned_away["connection_reset"], summary.errors.len()), (22, 0));
    assert_eq!(run.last.turned_away, 22);
    assert!(summary.duration_s < 10.0, "it is not waited for without end: {}", summary.duration_s);
}

/// Given by the user at addresses where nobody listens, and named by servers where it does.
async fn given_at(stale: impl Fn(u32) -> String) -> (Run, PeerId) {
    let world = world("healthy", 40);
    let begin = world.bootstrap().to_vec();
    let hidden = world.peers().find(|peer| !begin.contains(peer)).expect("another");
    let addrs = (1..=8).map(|n| stale(n).parse().expect("an address")).collect();
    let id = world.peer_id(hidden);
    let mut bootstrap = bootstrap(&world);
    bootstrap.push(Contact { peer: id, addrs });
    (crawl_from(world, bootstrap, with_neighbors(), |_| false).await, id)
}

#[tokio::test(start_paused = true)]
async fn eight_stale_addresses_do_not_hide_a_peer_for_good() {
    for stale in [|n| format!("/ip4/127.9.9.9/tcp/{n}"), |n| format!("/ip4/127.9.9.9/udp/{n}/quic-v1")] {
        let (run, id) = given_at(stale).await;
        let visits = visits_of(&run, id);
        assert!(visits.last().is_some_and(|visit| visit.is_reachable()), "{visits:?}");
        assert_eq!(run.crawled.summary.peers.reachable, 40);
    }
}

#[tokio::test(start_paused = true)]
async fn many_stale_quic_addresses_do_not_hide_one_of_tcp() {
    let world = world("healthy", 40);
    let id = world.peer_id(world.bootstrap()[0]);
    let mut addrs: Vec<Multiaddr> =
        (1..=8).map(|n| format!("/ip4/127.9.9.9/udp/{n}/quic-v1").parse().expect("an address")).collect();
    addrs.extend(world.addresses(world.bootstrap()[0]));
    let run = crawl_from(world, vec![Contact { peer: id, addrs }], with_neighbors(), |_| false).await;
    assert_eq!(run.crawled.summary.peers.reachable, 40);
    assert_eq!(visits_of(&run, id).len(), 1, "the first visit tries it");
}

#[tokio::test(start_paused = true)]
async fn an_address_that_ends_in_the_name_of_its_peer_is_no_second_one() {
    let world = world("healthy", 40);
    let id = Keypair::generate_ed25519().public().to_peer_id();
    let addrs: Vec<Multiaddr> = ["/ip4/127.9.9.9/tcp/1".to_owned(), format!("/ip4/127.9.9.9/tcp/1/p2p/{id}")]
        .iter()
        .map(|text| text.parse().expect("an address"))
        .collect();
    let mut begin = bootstrap(&world);
    begin.push(Contact { peer: id, addrs });
    let run = crawl_from(world, begin, CrawlConfig::default(), |_| false).await;
    let visits = visits_of(&run, id);
    assert!(visits.len() <= 2, "{visits:?}");
    let addresses = visits.iter().flat_map(|visit| &visit.met.addresses);
    assert!(addresses.into_iter().all(|visited| visited.address.to_string() == "/ip4/127.9.9.9/tcp/1"));
    assert_eq!(visits[0].met.addresses.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_crawls_is_not_among_the_peers() {
    let world = world("healthy", 10);
    let begin = world.bootstrap().to_vec();
    let listed = world.peers().find(|peer| !begin.contains(peer)).expect("another");
    let local = world.peer_id(listed);
    let network = SimNetwork::new(Arc::clone(&world), SimConfig::default());
    let until = Until::Dials(Arc::default());
    let busy = Busy { network: network.clone(), who: Arc::default(), until, local };
    let run = crawl_over(busy, network, bootstrap(&world), with_neighbors(), |_| false).await;
    let peers = run.crawled.summary.peers;
    assert_eq!((peers.discovered, peers.reachable, peers.unreachable), (9, 9, 0));
    assert!(run.ids.values().all(|id| *id != local));
    let named = |visit: &Visit| visit.neighbors.clone().unwrap_or_default();
    let known: BTreeSet<PeerNumber> = run.ids.keys().copied().collect();
    assert!(run.visits.iter().flat_map(named).all(|neighbor| known.contains(&neighbor)));
    assert_eq!(run.crawled.summary.left_out, LeftOut::default());
}

#[tokio::test(start_paused = true)]
async fn a_crawl_in_which_nobody_can_be_asked_has_failed() {
    for state in ["state = 'wrong_protocol'", "state = 'silent'\nat = 'request'"] {
        let text = format!("peers = 20\nbootstrap = 1\n[[states]]\nshare = 0.5\n{state}");
        let scenario = testnet::Scenario::parse(&text, "test").expect("a scenario");
        let world = Arc::new(World::generate(&scenario));
        let mute = world.peers().find(|&peer| world.state(peer) != testnet::State::Online).expect("one");
        let begin = Contact { peer: world.peer_id(mute), addrs: world.addresses(mute) };
        let run = crawl_from(world, vec![begin], with_neighbors(), |_| false).await;
        assert_eq!(run.crawled.summary.state, RunState::Failed, "{state}");
        assert_eq!(run.crawled.summary.peers.reachable, 1);
        let [peer] = &run.crawled.bootstrap[..] else { panic!("{:?}", run.crawled.bootstrap) };
        assert!(peer.reached && peer.crawl_error.is_some(), "{peer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_that_nobody_contradicts_is_not_dialled_twice() {
    let run = crawl_from(
        world("half-dead", 400),
        bootstrap(&world("half-dead", 400)),
        CrawlConfig::default(),
        |_| false,
    )
    .await;
    let silent = |visit: &&Visit| {
        visit.met.connect_error.as_ref().is_some_and(|failure| failure.class == FailureClass::Timeout)
    };
    let visits: Vec<&Visit> = run.visits.iter().filter(silent).collect();
    assert!(visits.len() > 50 && visits.iter().all(|visit| visit.kind == VisitKind::First));
    assert_eq!(run.verdict().wrongly_unreachable, 0);
}
