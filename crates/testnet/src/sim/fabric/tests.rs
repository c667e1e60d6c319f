//! Several peers of ours in one world: what they are to it and to each other.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kad::{
    Keypair, PeerId,
    answer::Answer,
    fabric::{Accepted, CloseReason, Direction, Member, Notice, Request, Says},
    failure::{Failure, FailureClass, Phase},
    identify::{IDENTIFY_PROTOCOL, Identify},
    message::{MAX_MESSAGE_BYTES, Message, MessageType, Peer},
    network::{AddressOutcome, Connection, Event, Network, StreamId},
};
use tokio::{task::JoinHandle, time::Instant};

use super::*;
use crate::{Scenario, State, sim::SimConnection};

const KEY: &[u8] = b"\x12\x20a key that somebody provides....";
const KAD: &str = "/ipfs/kad/1.0.0";
const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

/// Answers with its name and what was asked, and keeps what it was told.
#[derive(Debug, Default)]
struct Named {
    name: &'static str,
    notices: Mutex<Vec<Notice>>,
}

impl Named {
    fn notices(&self) -> MutexGuard<'_, Vec<Notice>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> Vec<CloseReason> {
        let reason = |notice: &Notice| match notice {
            Notice::Closed(closed) => Some(closed.reason),
            _ => None,
        };
        self.notices().iter().filter_map(reason).collect()
    }

    fn agents(&self) -> Vec<String> {
        let agent = |notice: &Notice| match notice {
            Notice::Introduced(introduced) => introduced.identify.agent_version.clone(),
            _ => None,
        };
        self.notices().iter().filter_map(agent).collect()
    }
}

impl Service for Named {
    async fn answer(&self, request: Request) -> Answer {
        match request.message.as_slice() {
            b"never" => std::future::pending().await,
            b"hang up" => Answer::HangUp,
            message => Answer::Message([self.name.as_bytes(), b" heard ", message].concat()),
        }
    }

    fn asks(&self, _: PeerId) -> bool {
        true
    }

    fn notice(&self, notice: Notice) {
        self.notices().push(notice);
    }
}

/// A peer of ours, and what it was told.
struct Joined {
    peer: SimNetwork,
    told: Arc<Named>,
}

fn fabric(toml: &str) -> SimFabric {
    let scenario = Scenario::parse(toml, "test").expect("a scenario");
    SimFabric::new(Arc::new(World::generate(&scenario)), SimLimits::default())
}

fn says(agent: &str, addresses: Vec<Multiaddr>) -> Says {
    Says { agent: agent.to_owned(), kad_protocols: vec![KAD.to_owned()], addresses }
}

async fn join(fabric: &SimFabric, name: &'static str, listen: &[&str], inward: Inward) -> Joined {
    let told = Arc::new(Named { name, ..Named::default() });
    let terms = Terms {
        keypair: Keypair::generate_ed25519(),
        says: says(name, Vec::new()),
        listen: listen.iter().map(|address| address.parse().expect("an address")).collect(),
        inward,
    };
    let peer = fabric.join(terms, Arc::clone(&told)).await.expect("joins");
    peer.say(says(name, peer.listens()));
    Joined { peer, told }
}

impl Joined {
    async fn dial(&self, peer: PeerId, addresses: Vec<Multiaddr>) -> SimConnection {
        let dial = self.peer.connect(peer, addresses).await;
        dial.connection.unwrap_or_else(|| panic!("{:?}", dial.attempts))
    }

    async fn meet(&self, other: &Self) -> SimConnection {
        self.dial(other.peer.local(), other.peer.listens()).await
    }

    /// Asks a peer of the world something that is answered.
    async fn ask_world(&self, peer: u32, message: &Message) -> Message {
        let world = self.peer.world();
        let mut connection = self.dial(world.peer_id(peer), world.addresses(peer)).await;
        let answer = ask(&mut connection, &message.encode()).await.expect("an answer");
        Message::decode(&answer).expect("a message")
    }

    /// Tells peers of the world that it provides the key.
    async fn provide(&self, holders: &[u32]) {
        let world = self.peer.world();
        let message = Message {
            provider_peers: vec![Peer::new(&self.peer.local(), &self.peer.listens())],
            ..Message::new(MessageType::AddProvider, KEY.to_vec())
        };
        for &holder in holders {
            let mut connection = self.dial(world.peer_id(holder), world.addresses(holder)).await;
            let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
            connection.send(stream, &message.encode());
            connection.finish(stream);
            while !matches!(connection.next().await.expect("a connection"), Event::Ended(_, None)) {}
        }
    }
}

/// Asks one thing on a stream of its own.
async fn ask(connection: &mut SimConnection, message: &[u8]) -> Result<Vec<u8>, Failure> {
    let stream = connection.open(KAD, MAX_MESSAGE_BYTES);
    connection.send(stream, message);
    connection.finish(stream);
    loop {
        match connection.next().await? {
            Event::Message(on, answer) if on == stream => return Ok(answer),
            Event::Ended(on, end) if on == stream => return Err(end.expect("an answer")),
            _ => {}
        }
    }
}

/// The addresses that an answer gives of a peer of ours; `None` if it does not name it.
fn listed(answer: &Message, of: &Joined) -> Option<Vec<Multiaddr>> {
    let id = of.peer.local().to_bytes();
    let peer = answer.closer_peers.iter().find(|peer| peer.id == id)?;
    Some(peer.addrs.iter().map(|bytes| bytes.clone().try_into().expect("an address")).collect())
}

/// The next event of a stream but that it was agreed to.
async fn next_of(connection: &mut SimConnection, stream: StreamId) -> Event {
    loop {
        match connection.next().await.expect("an event") {
            Event::Message(on, message) if on == stream => return Event::Message(on, message),
            Event::Ended(on, end) if on == stream => return Event::Ended(on, end),
            _ => {}
        }
    }
}

/// Serves until the connection is over.
fn serve(mut connection: SimConnection) -> JoinHandle<Failure> {
    tokio::spawn(async move {
        loop {
            if let Err(failure) = connection.next().await {
                return failure;
            }
        }
    })
}

fn online(fabric: &SimFabric) -> Vec<u32> {
    let world = fabric.world();
    world.peers().filter(|&peer| world.state(peer) == State::Online).collect()
}

#[tokio::test(start_paused = true)]
async fn what_one_publishes_another_finds_and_dials_and_each_asks_on_that_connection() {
    let fabric = fabric("peers = 60");
    let a = join(&fabric, "a", &[TCP, QUIC], Inward::HandedOut).await;
    let b = join(&fabric, "b", &[TCP], Inward::Served).await;
    let holders = online(&fabric);
    a.provide(&holders[3..6]).await;
    b.provide(&holders[4..7]).await;
    let question = Message::new(MessageType::GetProviders, KEY.to_vec());
    for (asker, holder, expected) in [(&b, 3, vec![&a]), (&b, 4, vec![&b, &a]), (&a, 6, vec![&b])] {
        let answer = asker.ask_world(holders[holder], &question).await;
        let found = answer.provider_peers.iter().map(|peer| peer.id.clone()).collect::<Vec<_>>();
        assert_eq!(found, expected.iter().map(|of| of.peer.local().to_bytes()).collect::<Vec<_>>());
    }
    // Where the record says that it is, it is.
    let record = b.ask_world(holders[3], &question).await.provider_peers.remove(0);
    let addresses = record.addrs.iter().map(|bytes| bytes.clone().try_into().expect("an address")).collect();
    let mut dialled = b.dial(PeerId::from_bytes(&record.id).expect("an id"), addresses).await;
    let Accepted { peer, remote, mut connection, .. } = a.peer.accept().await.expect("a connection");
    assert_eq!((peer, remote.to_string()), (b.peer.local(), "/ip4/127.0.0.1/udp/40000/quic-v1".to_owned()));
    // Both ask, each on the same connection, and answer on the way.
    let (of_a, of_b) = tokio::join!(ask(&mut connection, b"y"), ask(&mut dialled, b"x"));
    assert_eq!(
        (of_a.expect("an answer"), of_b.expect("an answer")),
        (b"b heard y".into(), b"a heard x".into())
    );
}

#[tokio::test(start_paused = true)]
async fn who_leaves_is_gone_and_its_connections_end() {
    let fabric = fabric("peers = 40");
    let a = join(&fabric, "a", &[TCP], Inward::Served).await;
    let going = join(&fabric, "going", &[TCP, QUIC], Inward::Served).await;
    let world = fabric.world();
    let asked = world.bootstrap()[0];
    let outward = going.dial(world.peer_id(asked), world.addresses(asked)).await;
    let (mut kept, dialled) = (a.meet(&going).await, going.meet(&a).await);
    assert_eq!(ask(&mut kept, b"x").await.expect("an answer"), b"going heard x");
    let ends = [serve(outward), serve(dialled)];
    let (id, listens) = (going.peer.local(), going.peer.listens());
    going.peer.leave().await;
    for end in ends {
        assert_eq!(end.await.expect("ends").class, FailureClass::Cancelled);
    }
    assert_eq!(going.told.closed(), [CloseReason::Left; 3]);
    let failure = ask(&mut kept, b"y").await.expect_err("is over");
    assert_eq!(failure.class, FailureClass::ConnectionClosed);
    drop(kept);
    assert_eq!(a.told.closed(), [CloseReason::PeerHungUp; 2]);
    let dial = a.peer.connect(id, listens.clone()).await;
    for attempt in dial.attempts {
        let AddressOutcome::Failed(failure) = attempt.outcome else { panic!("{:?}", attempt.outcome) };
        assert_eq!(failure.class, FailureClass::ConnectionRefused);
    }
    // The addresses are free for others, who are not whom was meant.
    let listen = listens.iter().map(ToString::to_string).collect::<Vec<_>>();
    let next = join(&fabric, "next", &[&listen[0], &listen[1]], Inward::Served).await;
    assert_eq!(next.peer.listens(), listens);
    let dial = a.peer.connect(id, listens).await;
    let AddressOutcome::Failed(failure) = &dial.attempts[0].outcome else { panic!("{dial:?}") };
    assert_eq!(failure.class, FailureClass::PeerIdMismatch);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_dropped_leaves_and_who_has_left_dials_and_accepts_nobody() {
    let fabric = fabric("peers = 10");
    let a = join(&fabric, "a", &[TCP], Inward::Served).await;
    let b = join(&fabric, "b", &[TCP], Inward::HandedOut).await;
    let dialled = serve(a.meet(&b).await);
    drop(b);
    assert_eq!(dialled.await.expect("ends").class, FailureClass::ConnectionClosed);
    let again = a.peer.clone();
    a.peer.leave().await;
    let dial = again.connect(PeerId::random(), vec!["/ip4/127.0.0.1/tcp/9".parse().expect("one")]).await;
    assert_eq!(dial.attempts[0].outcome, AddressOutcome::NotTried);
    assert!(again.accept().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_worlds_peers_list_servers_of_ours_that_asked_them_with_what_they_say_last() {
    // So few that every bucket has room for a guest.
    let fabric = fabric("peers = 10");
    let a = join(&fabric, "a", &[TCP], Inward::Served).await;
    let b = join(&fabric, "b", &[QUIC], Inward::Served).await;
    let client = join(&fabric, "client", &[], Inward::Served).await;
    client.peer.say(Says { kad_protocols: Vec::new(), ..says("client", Vec::new()) });
    let asked = online(&fabric)[7];
    let find = |of: &Joined| Message::new(MessageType::FindNode, of.peer.local().to_bytes());
    let world = fabric.world();
    let mut kept = a.dial(world.peer_id(asked), world.addresses(asked)).await;
    ask(&mut kept, &find(&b).encode()).await.expect("an answer");
    client.ask_world(asked, &find(&b)).await;
    assert_eq!(listed(&b.ask_world(asked, &find(&a)).await, &a), Some(a.peer.listens()));
    let agents = |fabric: &SimFabric| fabric.guests().into_iter().map(|of| of.agent).collect::<Vec<_>>();
    assert_eq!(agents(&fabric), [Some("a".to_owned()), Some("b".to_owned())]);
    // Others know of it only what they heard; who holds a connection hears what is new.
    a.peer.say(says("a renamed", b.peer.listens()));
    assert_eq!(agents(&fabric)[0].as_deref(), Some("a renamed"));
    assert_eq!(listed(&b.ask_world(asked, &find(&a)).await, &a), Some(b.peer.listens()));
    assert_eq!(listed(&a.ask_world(asked, &find(&client)).await, &client), None);
}

#[tokio::test(start_paused = true)]
async fn notices_say_who_connected_who_it_is_and_why_it_ended() {
    let fabric = fabric("peers = 10");
    let a = join(&fabric, "a", &[TCP], Inward::Served).await;
    let b = join(&fabric, "b", &[TCP], Inward::Served).await;
    let mut dialled = a.meet(&b).await;
    ask(&mut dialled, b"x").await.expect("an answer");
    let again = ask(&mut dialled, b"y").await.expect("an answer");
    assert_eq!(again, b"b heard y");
    assert_eq!(b.told.agents(), ["a"], "asked once, when the first request came");
    a.peer.say(says("a renamed", Vec::new()));
    ask(&mut dialled, b"z").await.expect("an answer");
    assert_eq!(b.told.agents(), ["a", "a renamed"]);
    dialled.close().await;
    tokio::task::yield_now().await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let directions = |told: &Named| {
        let of = |notice: &Notice| match notice {
            Notice::Connected(connected) => Some((connected.direction, connected.peer)),
            _ => None,
        };
        told.notices().iter().filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(directions(&a.told), [(Direction::Outbound, b.peer.local())]);
    assert_eq!(directions(&b.told), [(Direction::Inbound, a.peer.local())]);
    assert_eq!(a.told.closed(), [CloseReason::HungUp]);
    assert_eq!(b.told.closed(), [CloseReason::PeerHungUp]);
    let Some(Notice::Closed(closed)) = a.told.notices().last().cloned() else { panic!("not closed") };
    assert!(closed.traffic.sent_bytes > 500 && closed.traffic.received_bytes > 500, "{closed:?}");
}

#[tokio::test(start_paused = true)]
async fn requests_of_different_streams_do_not_wait_for_each_other_and_a_service_may_hang_up() {
    let fabric = fabric("peers = 10");
    let a = join(&fabric, "a", &[TCP], Inward::Served).await;
    let b = join(&fabric, "b", &[TCP], Inward::Served).await;
    let mut dialled = a.meet(&b).await;
    let stuck = dialled.open(KAD, MAX_MESSAGE_BYTES);
    dialled.send(stuck, b"never");
    dialled.send(stuck, b"waits behind it");
    assert_eq!(ask(&mut dialled, b"x").await.expect("an answer"), b"b heard x");
    let unknown = dialled.open("/unknown/1", MAX_MESSAGE_BYTES);
    let failed = |phase, class| Some(Failure::new(phase, class));
    let refused = failed(Phase::Stream, FailureClass::ProtocolNotSupported);
    assert_eq!(next_of(&mut dialled, unknown).await, Event::Ended(unknown, refused));
    let short = dialled.open(IDENTIFY_PROTOCOL, 8);
    let too_large = failed(Phase::Request, FailureClass::MessageTooLarge);
    assert_eq!(next_of(&mut dialled, short).await, Event::Ended(short, too_large));
    let identify = dialled.open(IDENTIFY_PROTOCOL, MAX_MESSAGE_BYTES);
    let Event::Message(_, message) = next_of(&mut dialled, identify).await else { panic!("no answer") };
    let said = Identify::decode(&message).expect("identify");
    assert_eq!((said.agent_version.as_deref(), said.listen_addrs), (Some("b"), b.peer.listens()));
    let failure = ask(&mut dialled, b"hang up").await.expect_err("is over");
    assert_eq!(failure.class, FailureClass::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_nothing_is_closed_unless_its_peer_is_spared() {
    let fabric = fabric("peers = 10");
    let a = join(&fabric, "a", &[], Inward::Served).await;
    let b = join(&fabric, "b", &[TCP], Inward::Served).await;
    let spared = join(&fabric, "spared", &[], Inward::Served).await;
    b.peer.protect(spared.peer.local(), true);
    let (idle, kept) = (serve(a.meet(&b).await), serve(spared.meet(&b).await));
    let begun = Instant::now();
    assert_eq!(idle.await.expect("ends").class, FailureClass::ConnectionClosed);
    assert_eq!(begun.elapsed().as_secs(), 300);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(!kept.is_finished());
    assert_eq!(b.told.closed(), [CloseReason::Idle]);
}

#[tokio::test(start_paused = true)]
async fn where_the_world_is_nobody_joins() {
    let fabric = fabric("peers = 10");
    let a = join(&fabric, "a", &[TCP], Inward::Served).await;
    let world = fabric.world();
    let told = || Arc::clone(&a.told);
    let terms = |address: Multiaddr| Terms {
        keypair: Keypair::generate_ed25519(),
        says: says("b", Vec::new()),
        listen: vec![address],
        inward: Inward::Served,
    };
    for taken in [a.peer.listens().remove(0), world.addresses(3).remove(0)] {
        assert!(matches!(fabric.join(terms(taken), told()).await, Err(SimError::Taken(_))));
    }
    for address in ["/dns4/a.b/tcp/1", "/ip4/127.0.0.1/udp/1", "/ip4/8.8.8.8/tcp/1"] {
        let joined = fabric.join(terms(address.parse().expect("an address")), told()).await;
        assert!(matches!(joined, Err(SimError::NotListenable(_))), "{address}");
    }
}

/// A city on each continent, and how far they are from each other in milliseconds and back.
const CITIES: &str = "peers = 70\n\
    [[regions]]\nname = 'cape-town'\nshare = 0.1\nrtt_ms = { cape-town = 10, mumbai = 250, sydney = 410, frankfurt = 156, \
     sao-paulo = 340, ohio = 236, california = 290 }\n\
    [[regions]]\nname = 'mumbai'\nshare = 0.1\nrtt_ms = { mumbai = 10, sydney = 156, frankfurt = 120, sao-paulo = 300, \
     ohio = 200, california = 230 }\n\
    [[regions]]\nname = 'sydney'\nshare = 0.1\nrtt_ms = { sydney = 10, frankfurt = 250, sao-paulo = 310, ohio = 190, \
     california = 140 }\n\
    [[regions]]\nname = 'frankfurt'\nshare = 0.3\nrtt_ms = { frankfurt = 10, sao-paulo = 206, ohio = 100, california = 150 }\n\
    [[regions]]\nname = 'sao-paulo'\nshare = 0.1\nrtt_ms = { sao-paulo = 10, ohio = 130, california = 176 }\n\
    [[regions]]\nname = 'ohio'\nshare = 0.2\nrtt_ms = { ohio = 10, california = 50 }\n\
    [[regions]]\nname = 'california'\nshare = 0.1\nrtt_ms = { california = 10 }\n";

#[tokio::test(start_paused = true)]
async fn how_far_it_is_hangs_on_both_regions() {
    let fabric = fabric(CITIES);
    let world = Arc::clone(fabric.world());
    let names: Vec<String> = world.scenario().regions.iter().map(|region| region.name.clone()).collect();
    assert_eq!(names.len(), 7);
    assert!(fabric.in_region("atlantis").is_none());
    for (position, from) in names.iter().enumerate() {
        let there = fabric.in_region(from).expect("a region");
        let a = join(&there, "a", &[TCP], Inward::Served).await;
        for (other, to) in names.iter().enumerate() {
            let ms = world.scenario().rtt_between_ms(position, other);
            let rtt = Duration::from_millis(ms.into());
            assert!(ms > 0);
            let region = |peer: &u32| world.region(*peer) == Some(to.as_str());
            let peer = world.peers().find(region).expect("a peer there");
            let begun = Instant::now();
            let connection = a.dial(world.peer_id(peer), world.addresses(peer)).await;
            let took = begun.elapsed().as_millis();
            assert_eq!(took, 2 * rtt.as_millis(), "{from} to {to}");
            assert_eq!(connection.round_trip().map(|round_trip| round_trip.time), Some(rtt));
            // And so it is between two of ours.
            let b = join(&fabric.in_region(to).expect("a region"), "b", &[TCP], Inward::Served).await;
            let mut connection = a.meet(&b).await;
            let begun = Instant::now();
            assert_eq!(ask(&mut connection, b"x").await.expect("an answer"), b"b heard x");
            assert_eq!(begun.elapsed().as_millis(), rtt.as_millis(), "{from} to {to}");
        }
    }
}
