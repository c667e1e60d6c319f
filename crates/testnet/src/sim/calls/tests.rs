//! Who is behind address translation calls at its times, and can be asked while it is there.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kad::{
    Keypair, PeerId,
    answer::Answer,
    fabric::{Accepted, Direction, Fabric, Inward, Member, Notice, Request, Says, Service, Terms},
    failure::FailureClass,
    message::{MAX_MESSAGE_BYTES, Message, MessageType, MessageView},
    network::{AddressOutcome, Connection, Event, Network},
};

use super::*;
use crate::{Scenario, SimConfig, SimFabric, SimLimits, SimNetwork, Truth, World, crawler::crawl};

const PATIENCE: Duration = Duration::from_secs(10);
const KAD: &str = "/ipfs/kad/1.0.0";

/// A fifth of 100 peers, each calling every ten minutes for half a minute.
const WORLD: &str =
    "peers = 100\n[[states]]\nstate = 'behind_nat'\nshare = 0.2\ncalls_every_s = 600\nstays_s = 30\n";

fn world() -> Arc<World> {
    Arc::new(World::generate(&Scenario::parse(WORLD, "test").expect("a scenario")))
}

/// Who called when.
#[derive(Debug, Default)]
struct Log(Mutex<Vec<(PeerId, Instant)>>);

impl Log {
    fn calls(&self) -> Vec<(PeerId, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Service for Log {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Message(Message::new(MessageType::FindNode, Vec::new()).encode())
    }

    fn notice(&self, notice: Notice) {
        if let Notice::Connected(connected) = notice
            && connected.direction == Direction::Inbound
        {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push((connected.peer, Instant::now()));
        }
    }
}

async fn join(fabric: &SimFabric, inward: Inward) -> (SimNetwork, Arc<Log>) {
    let says = |addresses| Says { agent: "x/1".to_owned(), kad_protocols: vec![KAD.to_owned()], addresses };
    let terms = Terms {
        keypair: Keypair::generate_ed25519(),
        says: says(Vec::new()),
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")],
        inward,
    };
    let log = Arc::new(Log::default());
    let ours = fabric.join(terms, Arc::clone(&log)).await.expect("joins");
    ours.say(says(ours.listens()));
    (ours, log)
}

/// Asks whom a peer knows closest to itself.
async fn ask(connection: &mut SimConnection, peer: PeerId) -> Option<Vec<PeerId>> {
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    connection.send(stream, &Message::new(MessageType::FindNode, peer.to_bytes()).encode());
    connection.finish(stream);
    loop {
        match connection.next().await.ok()? {
            Event::Message(of, message) if of == stream => {
                let view = MessageView::decode(&message).expect("a message");
                return Some(
                    view.closer_peers().map(|peer| PeerId::from_bytes(peer.id).expect("an id")).collect(),
                );
            }
            Event::Ended(of, _) if of == stream => return None,
            _ => {}
        }
    }
}

/// Lets peers of the world know a server of ours.
async fn make_known(ours: &SimNetwork) {
    let world = ours.world();
    let &first = world.bootstrap().first().expect("a peer");
    let dial = ours.connect(world.peer_id(first), world.addresses(first)).await;
    let mut connection = dial.connection.expect("a connection");
    assert!(ask(&mut connection, world.peer_id(first)).await.is_some());
    connection.close().await;
}

#[tokio::test(start_paused = true)]
async fn strangers_get_no_answer_and_a_crawl_of_them_is_right() {
    let network = SimNetwork::new(world(), SimConfig::default());
    let truth = Truth::of(Arc::clone(network.world()));
    let callers: Vec<u32> = network.world().callers().collect();
    assert_eq!(callers.len(), 20);
    for &peer in &callers {
        let dial = network.connect(network.world().peer_id(peer), network.world().addresses(peer)).await;
        let AddressOutcome::Failed(failure) = &dial.attempts[0].outcome else { panic!("{dial:?}") };
        assert_eq!(failure.class, FailureClass::Timeout);
        let said = truth.peer(peer);
        assert_eq!((said.reachable, said.discoverable, said.nat), (false, true, Some("not_from_here")));
        assert!(!said.neighbors.is_empty());
    }
    let verdict = truth.judge(&crawl(&network, network.world(), PATIENCE).await);
    assert_eq!((verdict.wrong, verdict.peers.found), (Vec::new(), 100));
}

#[tokio::test(start_paused = true)]
async fn each_calls_a_server_that_is_listed_at_its_times_and_nobody_else() {
    let begun = Instant::now();
    let fabric = SimFabric::new(world(), SimLimits::default());
    let (server, log) = join(&fabric, Inward::Served).await;
    let (_unknown, silence) = join(&fabric, Inward::Served).await;
    sleep(Duration::from_secs(700)).await;
    assert_eq!(log.calls(), [], "nobody has heard of it");
    make_known(&server).await;
    sleep_until(begun + Duration::from_secs(2_000)).await;
    let (truth, mut expected) = (Truth::of(Arc::clone(fabric.world())), BTreeMap::new());
    for peer in truth.peers() {
        let Some(calls) = peer.calls else { continue };
        let times = (0..10).map(|n| calls.first_s + f64::from(calls.every_s * n));
        expected.insert(peer.id, times.filter(|at| (701.0..1_999.0).contains(at)).collect::<Vec<_>>());
    }
    let mut seen: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (peer, at) in log.calls() {
        seen.entry(peer.to_base58()).or_default().push((at - begun).as_secs_f64());
    }
    assert_eq!(seen.len(), 20);
    assert_eq!(seen.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (peer, times) in &expected {
        let others = &seen[peer];
        assert_eq!(times.len(), others.len(), "{times:?} {others:?}");
        assert!(times.iter().zip(others).all(|(a, b)| (a - b).abs() < 0.01), "{times:?} {others:?}");
    }
    assert_eq!(silence.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn who_has_called_answers_by_its_own_table_until_it_hangs_up() {
    let fabric = SimFabric::new(world(), SimLimits::default());
    let (server, _) = join(&fabric, Inward::HandedOut).await;
    make_known(&server).await;
    let Accepted { peer, mut connection, .. } = server.accept().await.expect("a call");
    let called = Instant::now();
    let number = fabric.world().find(&peer).expect("a peer of the world");
    let mut named = ask(&mut connection, peer).await.expect("an answer");
    // Of servers the one that is looked for comes first, though it be the one that answers.
    assert_eq!(named.remove(0), peer);
    let truth = Truth::of(Arc::clone(fabric.world()));
    let known: Vec<PeerId> =
        truth.neighbors(number).iter().map(|&other| fabric.world().peer_id(other)).collect();
    assert!(named.len() == 20 && named.iter().all(|peer| known.contains(peer)), "{named:?}");
    let end = loop {
        if let Err(failure) = connection.next().await {
            break failure;
        }
    };
    assert_eq!((end.class, called.elapsed().as_secs()), (FailureClass::ConnectionClosed, 30));
    let addresses = fabric.world().addresses(number);
    assert!(server.connect(peer, addresses).await.connection.is_none());
}

#[tokio::test(start_paused = true)]
async fn who_leaves_is_called_no_more_and_its_calls_end() {
    let fabric = SimFabric::new(world(), SimLimits::default());
    let (server, log) = join(&fabric, Inward::Served).await;
    make_known(&server).await;
    sleep(Duration::from_secs(900)).await;
    let before = log.calls().len();
    assert!(before >= 20, "{before}");
    server.leave().await;
    sleep(Duration::from_secs(900)).await;
    assert_eq!(log.calls().len(), before);
}
