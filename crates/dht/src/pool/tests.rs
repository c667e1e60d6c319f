//! Requests in virtual time, beside a world whose truth is known.

use std::time::Duration;

use kad::{
    Key, Multiaddr,
    failure::FailureClass,
    identify::{IDENTIFY_PROTOCOL, Identify},
    message::{AMINO_PROTOCOL, Message, MessageType, Peer},
};
use testnet::{Scenario, SimConfig, SimNetwork, State, World};

use super::*;
use crate::conversation::Awaits;

/// Longer than any test waits for an answer that comes.
const PATIENCE: Duration = Duration::from_secs(30);

fn pool(toml: &str, config: PoolConfig) -> Pool<SimNetwork> {
    let scenario = Scenario::parse(toml, "test").expect("a scenario");
    Pool::new(SimNetwork::new(Arc::new(World::generate(&scenario)), SimConfig::default()), config)
}

fn request(message: &Message, awaits: Awaits) -> Ask {
    let protocols = Arc::from([AMINO_PROTOCOL.to_owned()]);
    Ask { protocols, message: Some(message.encode().into()), awaits, patience: PATIENCE }
}

fn find_node(key: &[u8]) -> Ask {
    request(&Message::new(MessageType::FindNode, key.to_vec()), Awaits::Message)
}

/// Asks the peer of that number.
async fn ask(pool: &Pool<SimNetwork>, peer: u32, asked: Ask) -> Exchange {
    let world = pool.network().world();
    let to = Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    pool.request(&to, asked, &CancellationToken::new(), || {}).await
}

fn online(pool: &Pool<SimNetwork>) -> Vec<u32> {
    let world = pool.network().world();
    world.peers().filter(|&peer| world.state(peer) == State::Online).collect()
}

#[tokio::test(start_paused = true)]
async fn a_request_is_answered_and_the_next_one_needs_no_dial() {
    let pool = pool("peers = 60", PoolConfig::default());
    let first = ask(&pool, 1, find_node(b"key")).await;
    let answer = Message::decode(first.answer().expect("an answer")).expect("a message");
    let mut keys: Vec<_> =
        answer.closer_peers.iter().map(|peer| Key::of(&peer.id).distance(&Key::of(b"key"))).collect();
    assert_eq!(keys.len(), 20);
    assert!(keys.is_sorted());
    keys.dedup();
    assert_eq!(keys.len(), 20);
    assert!(first.dialled.is_some_and(|dialled| dialled.endpoint.is_some()));
    let second = ask(&pool, 1, find_node(b"other")).await;
    assert!(second.dialled.is_none() && second.answer().is_some());
    assert!(pool.traffic().received_bytes > 2000);
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_by_many_at_once_is_dialled_once() {
    let pool = pool("peers = 60", PoolConfig::default());
    let mut dials = 0;
    let mut all = JoinSet::new();
    for _ in 0..8 {
        let pool = pool.clone();
        all.spawn(async move { ask(&pool, 2, find_node(b"key")).await });
    }
    while let Some(done) = all.join_next().await {
        let exchange = done.expect("no panic");
        assert!(exchange.answer().is_some());
        dials += usize::from(exchange.dialled.is_some());
    }
    assert_eq!(dials, 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_connections_stand_than_are_allowed() {
    let pool = pool("peers = 60", PoolConfig { connections: 4, ..PoolConfig::default() });
    for peer in online(&pool).into_iter().take(20) {
        assert!(ask(&pool, peer, find_node(b"key")).await.answer().is_some());
    }
    let world = pool.network().world();
    let open = |pool: &Pool<SimNetwork>| {
        online(pool).into_iter().filter(|&peer| pool.is_connected(&world.peer_id(peer))).collect::<Vec<_>>()
    };
    assert_eq!(open(&pool), online(&pool)[16..20], "those that were used last");
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(open(&pool), Vec::<u32>::new(), "what is idle is closed");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_given_up_leaves_nothing_behind() {
    let pool = pool(
        "peers = 60\n[[states]]\nshare = 0.2\nstate = 'silent'\nat = 'request'",
        PoolConfig { connections: 1, ..PoolConfig::default() },
    );
    let world = pool.network().world();
    let silent = world.peers().find(|&peer| world.state(peer) != State::Online).expect("a silent peer");
    let asked = tokio::time::timeout(Duration::from_secs(20), ask(&pool, silent, find_node(b"key"))).await;
    assert!(asked.is_err(), "it is still awaited");
    assert!(pool.is_connected(&world.peer_id(silent)));
    // The one place is free: nothing is under way on the connection that has it.
    let next =
        tokio::time::timeout(Duration::from_secs(1), ask(&pool, online(&pool)[0], find_node(b"key"))).await;
    assert!(next.expect("a free place").answer().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_record_is_given_without_an_answer_and_is_there() {
    let own = PeerId::random();
    let world = World::generate(&Scenario::parse("peers = 60", "test").expect("a scenario"));
    let network = SimNetwork::new(Arc::new(world), SimConfig { local: own, ..SimConfig::default() });
    let pool = Pool::new(network, PoolConfig::default());
    let addr: Multiaddr = "/ip4/127.0.0.1/tcp/4001".parse().expect("an address");
    let mut give = Message::new(MessageType::AddProvider, b"key".to_vec());
    give.provider_peers = vec![Peer::new(&own, std::slice::from_ref(&addr))];
    let given = ask(&pool, 3, request(&give, Awaits::End)).await;
    assert_eq!(given.outcome, Ok(Vec::new()));
    let asked =
        ask(&pool, 3, request(&Message::new(MessageType::GetProviders, b"key".to_vec()), Awaits::Message))
            .await;
    let answer = Message::decode(asked.answer().expect("an answer")).expect("a message");
    assert_eq!(answer.provider_peers, [Peer::new(&own, &[addr])]);
    // A record in the name of another peer is refused.
    give.provider_peers = vec![Peer::new(&PeerId::random(), &[])];
    let refused = ask(&pool, 3, request(&give, Awaits::End)).await;
    assert_eq!(refused.outcome.map_err(|failure| failure.class), Err(FailureClass::StreamReset));
}

#[tokio::test(start_paused = true)]
async fn identify_takes_a_stream_that_ends() {
    let pool = pool("peers = 60", PoolConfig::default());
    let asked = Ask {
        protocols: Arc::from([IDENTIFY_PROTOCOL.to_owned()]),
        message: None,
        awaits: Awaits::End,
        patience: PATIENCE,
    };
    let exchange = ask(&pool, 4, asked).await;
    let said = Identify::decode(&exchange.outcome.expect("identify")[0]).expect("a message");
    assert!(said.protocols.iter().any(|protocol| protocol == AMINO_PROTOCOL));
}

#[tokio::test(start_paused = true)]
async fn what_went_wrong_has_its_name() {
    let pool = pool(
        "peers = 80\n[[states]]\nshare = 0.2\nstate = 'refusing'\n[[states]]\nshare = 0.2\nstate = 'wrong_protocol'\n\
         [[states]]\nshare = 0.2\nstate = 'reset'\nat = 'request'",
        PoolConfig::default(),
    );
    let world = pool.network().world();
    let failure = |exchange: Exchange| exchange.outcome.expect_err("no answer");
    let mut seen = Vec::new();
    for state in [State::Refusing, State::WrongProtocol, State::Reset(testnet::Stage::Request)] {
        let peer = world.peers().find(|&peer| world.state(peer) == state).expect("a peer in that state");
        seen.push(failure(ask(&pool, peer, find_node(b"key")).await).class.name());
    }
    assert_eq!(seen, ["connection_refused", "protocol_not_supported", "stream_reset"]);
    let relayed: Multiaddr = "/ip4/127.0.0.1/tcp/1/p2p-circuit".parse().expect("an address");
    let go_on = CancellationToken::new();
    let at = |addrs| Contact { peer: PeerId::random(), addrs };
    let none = failure(pool.request(&at(vec![]), find_node(b"key"), &go_on, || {}).await);
    assert_eq!((none.class, none.detail), (FailureClass::NoAddress, None));
    let none = failure(pool.request(&at(vec![relayed]), find_node(b"key"), &go_on, || {}).await);
    assert_eq!((none.class, none.detail.as_deref()), (FailureClass::NoAddress, Some("relayed")));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_the_peer_has_closed_is_made_anew() {
    let toml = "peers = 40\n[life]\n[[life.classes]]\nname = 'brief'\nshare = 1\nup = { law = 'exponential', median_s = 20 }\n\
                down = { law = 'exponential', median_s = 1 }";
    let pool = pool(
        toml,
        PoolConfig {
            limits: TalkLimits { idle: Duration::from_secs(100_000), ..TalkLimits::default() },
            ..PoolConfig::default()
        },
    );
    let peer = online(&pool)[20];
    let mut dials = 0;
    for _ in 0..200 {
        let asked = tokio::time::timeout(Duration::from_secs(10), ask(&pool, peer, find_node(b"key"))).await;
        let Ok(exchange) = asked else { continue };
        if let Ok(messages) = exchange.outcome {
            assert_eq!(messages.len(), 1);
            dials += usize::from(exchange.dialled.is_some());
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    assert!(dials > 5, "{dials}");
}

#[tokio::test(start_paused = true)]
async fn silence_and_a_dial_that_is_given_up_have_their_names() {
    let pool = pool(
        "peers = 60\n[[states]]\nshare = 0.2\nstate = 'silent'\nat = 'request'\n[[states]]\nshare = 0.2\nstate = 'dropping'",
        PoolConfig::default(),
    );
    let world = pool.network().world();
    let find = |state| world.peers().find(|&peer| world.state(peer) == state).expect("a peer in that state");
    let exchange = ask(&pool, find(State::Silent(testnet::Stage::Request)), find_node(b"key")).await;
    assert!(exchange.sent_after.is_some() && exchange.took >= PATIENCE);
    assert_eq!(exchange.outcome.expect_err("silence").class, FailureClass::Timeout);
    let (peer, give_up) = (find(State::Dropping), CancellationToken::new());
    let to = Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
    let (begun, dial) = (Instant::now(), pool.request(&to, find_node(b"key"), &give_up, || {}));
    let (exchange, ()) = tokio::join!(dial, async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        give_up.cancel();
    });
    assert_eq!(exchange.outcome.expect_err("given up").class, FailureClass::Cancelled);
    assert_eq!(begun.elapsed(), Duration::from_secs(1));
}
