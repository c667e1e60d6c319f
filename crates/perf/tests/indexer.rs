//! Publishing to an indexer and looking up at it: whole rounds, every stage that can fail by its name, caches in front of it, and the end.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

#[path = "ipni/indexer.rs"]
mod indexer;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use delegated::RoutingFailureClass;
use dht::NodeProfile;
use http::{HttpClient, HttpClientConfig, HttpRequest, HttpUrl};
use kad::{Keypair, delegated::RoutingFilters, message::AMINO_PROTOCOL};
use kadscope_perf::{
    ConnectionPolicy, Operation, OperationId, OperationKind, OperationOutcome, OperationTold, PerfServer,
    ServerConfig, Strategy, UnixNanos,
    indexer::{
        Advertisement, Announcement, BlockCid, IndexerClient, IndexerConfig, IndexerPublication,
        IndexerStage, MAINNET_TOPIC, SignedHead, StepFailureClass, probes,
    },
};
use multibase::Base;
use sha2::{Digest as _, Sha256};
use testnet::{Scenario, SimFabric, SimLimits, World};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::JoinSet,
};

use indexer::TestIndexer;

const WARM: ConnectionPolicy = ConnectionPolicy::Warm;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// So long that it is waited for in vain, and no longer.
const SHORT: Duration = Duration::from_millis(300);

fn key_of(content: &[u8]) -> Vec<u8> {
    [&[0x12, 32][..], &Sha256::digest(content)].concat()
}

fn here() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn client() -> HttpClient {
    HttpClient::new(HttpClientConfig::default()).unwrap()
}

/// A server that publishes to an indexer, in a hurry.
fn server(indexer: HttpUrl, change: impl FnOnce(&mut IndexerConfig)) -> IndexerClient {
    let mut config = IndexerConfig::new(indexer, here());
    config.addresses = vec!["/ip4/127.0.0.1/tcp/4001".parse().unwrap()];
    config.interval = Duration::from_millis(20);
    change(&mut config);
    IndexerClient::open(HttpClientConfig::default(), Keypair::generate_ed25519(), config).unwrap()
}

/// The stage that failed, and by which name.
fn failed(publication: &IndexerPublication) -> Option<(IndexerStage, StepFailureClass)> {
    publication.failure().map(|(stage, failure)| (stage, failure.class))
}

fn told(kind: OperationKind, key: &[u8]) -> OperationTold {
    OperationTold {
        id: OperationId([7; 16]),
        kind,
        key: key.to_vec(),
        strategy: Strategy::Indexer,
        policy: ConnectionPolicy::Warm,
        persistence: kad::Persistence::Go,
        began_at: UnixNanos(0),
        deadline: LONG,
        table_size: 0,
        own_record: false,
        left_over: false,
        cpu: Duration::ZERO,
        size_estimate: None,
    }
}

fn steps(operation: &Operation) -> Vec<&str> {
    operation.steps.iter().map(|step| step.step.as_str()).collect()
}

#[tokio::test]
async fn what_one_server_publishes_another_finds() {
    let indexer = TestIndexer::open();
    let (publisher, other) = (server(indexer.url(), |_| {}), server(indexer.url(), |_| {}));
    let key = key_of(b"x");
    assert_eq!(other.retrieve(&key, LONG, WARM).await.first_record(), None);
    let publication = publisher.publish(&key, LONG, WARM).await;
    assert_eq!(failed(&publication), None, "{publication:?} {:?}", indexer.complaints());
    let times: Vec<_> = publication.steps.iter().map(|step| step.took).collect();
    assert!(
        times.is_sorted() && *times.last().unwrap() <= publication.took,
        "all from the beginning: {times:?}"
    );
    let operation = publication.operation(told(OperationKind::Provide, &key));
    assert_eq!(steps(&operation), ["announce", "index_ad", "index_entries", "availability"]);
    assert_eq!((operation.outcome, operation.failure), (OperationOutcome::Done, None));

    let lookup = other.retrieve(&key, LONG, WARM).await;
    let reply = lookup.reply.as_ref().unwrap();
    assert!(lookup.first_record().unwrap() <= reply.last_record.unwrap());
    assert_eq!((reply.answer.tally.records, reply.answer.tally.with_addresses), (1, 1));
    assert_eq!(reply.marks.is_hit(), Some(false));
    assert_eq!(reply.filters.as_deref(), Some("filter-protocols=unknown,transport-bitswap"));
    let operation = lookup.operation(told(OperationKind::Retrieve, &key));
    assert_eq!((steps(&operation), operation.outcome), (vec!["retrieval"], OperationOutcome::Done));
    assert_eq!(operation.took, lookup.first_record().unwrap());
}

#[tokio::test]
async fn an_announcement_that_nobody_takes_is_no_success() {
    let closed = std::net::TcpListener::bind(here()).unwrap().local_addr().unwrap();
    let away = server(format!("http://{closed}").parse().unwrap(), |_| {});
    let publication = away.publish(&key_of(b"x"), LONG, WARM).await;
    assert_eq!(failed(&publication), Some((IndexerStage::Announce, StepFailureClass::Away)));
    assert_eq!(publication.steps.len(), 1, "nothing is waited for that cannot come");
    let operation = publication.operation(told(OperationKind::Provide, b"x"));
    assert_eq!(operation.outcome, OperationOutcome::Failed);
    assert!(operation.failure.unwrap().starts_with("announce: away: connect"));
}

#[tokio::test]
async fn each_stage_that_fails_is_named() {
    let indexer = TestIndexer::open();
    let hurried =
        || server(indexer.url(), |config| (config.index_time, config.availability_time) = (SHORT, SHORT));
    for (number, class) in [
        (403, StepFailureClass::Refused),
        (500, StepFailureClass::Refused),
        (429, StepFailureClass::Throttled),
    ] {
        indexer.whims(|whims| whims.announced = Some(number));
        let publication = hurried().publish(&key_of(b"x"), LONG, WARM).await;
        assert_eq!(failed(&publication), Some((IndexerStage::Announce, class)), "{number}");
    }
    indexer.whims(|whims| (whims.announced, whims.is_idle) = (None, true));
    let publication = hurried().publish(&key_of(b"x"), LONG, WARM).await;
    let not_asked = StepFailureClass::NotAsked;
    assert_eq!(failed(&publication), Some((IndexerStage::IndexAd, not_asked)));
    let operation = publication.operation(told(OperationKind::Provide, b"x"));
    assert_eq!(operation.outcome, OperationOutcome::TimedOut, "it takes longer than was waited");
    assert_eq!(steps(&operation), ["announce", "index_ad", "index_entries"]);

    indexer.whims(|whims| (whims.is_idle, whims.skips_entries) = (false, true));
    assert_eq!(
        failed(&hurried().publish(&key_of(b"x"), LONG, WARM).await),
        Some((IndexerStage::IndexEntries, not_asked))
    );

    indexer.whims(|whims| (whims.skips_entries, whims.index_delay) = (false, LONG));
    let publication = hurried().publish(&key_of(b"x"), LONG, WARM).await;
    assert_eq!(failed(&publication), Some((IndexerStage::Availability, StepFailureClass::NotFound)));

    for (number, class) in [(503, StepFailureClass::Refused), (429, StepFailureClass::Throttled)] {
        let indexer = TestIndexer::open();
        indexer.whims(|whims| whims.found = Some((number, None)));
        let server = server(indexer.url(), |config| config.availability_time = SHORT);
        let publication = server.publish(&key_of(b"x"), LONG, WARM).await;
        assert_eq!(failed(&publication), Some((IndexerStage::Availability, class)), "{number}");
    }
}

#[tokio::test]
async fn the_time_of_the_whole_operation_ends_every_stage() {
    let indexer = TestIndexer::open();
    let deadline = StepFailureClass::Deadline;
    indexer.whims(|whims| whims.ad_delay = LONG);
    let publication = server(indexer.url(), |_| {}).publish(&key_of(b"x"), SHORT, WARM).await;
    assert_eq!(failed(&publication), Some((IndexerStage::IndexAd, deadline)));
    let indexer = TestIndexer::open();
    indexer.whims(|whims| whims.index_delay = LONG);
    let publication = server(indexer.url(), |_| {}).publish(&key_of(b"x"), 2 * SHORT, WARM).await;
    assert!(publication.took < LONG / 2);
    assert_eq!(failed(&publication), Some((IndexerStage::Availability, deadline)));
}

#[tokio::test]
async fn what_is_kept_of_nobody_does_not_spoil_availability() {
    let indexer = TestIndexer::open();
    indexer.whims(|whims| (whims.negative_time, whims.index_delay) = (LONG, SHORT));
    let server = server(indexer.url(), |_| {});
    let key = key_of(b"x");
    let publication = server.publish(&key, LONG, WARM).await;
    assert_eq!(failed(&publication), None);
    // Whoever asked for one thing again would be told for as long as that is kept that there is nobody.
    let first = Base::Base58Btc.encode(&probes(&key, 1)[0]);
    let url = indexer.url().below(&format!("multihash/{first}")).unwrap();
    let answer = client().send(HttpRequest::get(url)).await.unwrap();
    assert_eq!((answer.status, answer.header("x-cache")), (404, Some("Error from cloudfront")));
    assert!(
        server.retrieve(&key, LONG, WARM).await.first_record().is_some(),
        "the key itself was not asked for"
    );
}

#[tokio::test]
async fn who_wants_to_be_asked_less_is_given_time() {
    let indexer = TestIndexer::open();
    indexer.whims(|whims| whims.found = Some((429, Some(1))));
    let server = server(indexer.url(), |_| {});
    let key = key_of(b"x");
    let getting_better = async {
        indexer.until(|indexer| indexer.hashes() > 0).await;
        indexer.whims(|whims| whims.found = None);
    };
    let (publication, ()) = tokio::join!(server.publish(&key, LONG, WARM), getting_better);
    assert_eq!(failed(&publication), None);
}

#[tokio::test]
async fn what_is_old_is_taken_back() {
    let indexer = TestIndexer::open();
    let server = server(indexer.url(), |config| {
        (config.lifetime, config.collect_every) = (Duration::ZERO, 2 * SHORT);
    });
    assert_eq!(failed(&server.publish(&key_of(b"x"), LONG, WARM).await), None);
    indexer.until(|indexer| indexer.hashes() == 0).await;
    assert_eq!(server.published(), 0);
    assert_eq!(server.retrieve(&key_of(b"x"), LONG, WARM).await.first_record(), None);
    assert_eq!(failed(&server.publish(&key_of(b"y"), LONG, WARM).await), None, "the chain goes on");
    assert_eq!(indexer.complaints(), [""; 0]);
}

#[tokio::test]
async fn the_indexer_has_fetched_what_takes_all_back_before_the_publisher_ends() {
    let indexer = TestIndexer::open();
    let server = server(indexer.url(), |config| config.farewell_time = LONG);
    for content in [b"a", b"b", b"c"] {
        assert_eq!(failed(&server.publish(&key_of(content), LONG, WARM).await), None);
    }
    // It takes its time, which it is given.
    indexer.whims(|whims| whims.ad_delay = SHORT / 3);
    let farewell = server.close().await;
    assert_eq!((farewell.removed, farewell.fetched, farewell.failure), (3, 3, None));
    indexer.until(|indexer| indexer.hashes() == 0).await;
    assert_eq!(indexer.complaints(), [""; 0]);
    std::net::TcpStream::connect(server.publisher()).unwrap_err();
}

#[tokio::test]
async fn an_indexer_that_is_down_does_not_hold_up_the_end() {
    let indexer = TestIndexer::open();
    let server = server(indexer.url(), |config| config.farewell_time = SHORT);
    assert_eq!(failed(&server.publish(&key_of(b"x"), LONG, WARM).await), None);
    indexer.whims(|whims| whims.is_idle = true);
    let farewell = server.close().await;
    assert_eq!((farewell.removed, farewell.fetched), (1, 0));
    let empty = self::server("http://127.0.0.1:1".parse().unwrap(), |_| {});
    assert_eq!(empty.close().await.removed, 0, "there was nothing to say");
}

#[tokio::test]
async fn lookups_that_fail_have_names() {
    let indexer = TestIndexer::open();
    let server = server(indexer.url(), |_| {});
    let key = key_of(b"x");
    assert_eq!(failed(&server.publish(&key, LONG, WARM).await), None);
    for (number, class) in [(429, RoutingFailureClass::Throttled), (503, RoutingFailureClass::Status)] {
        indexer.whims(|whims| whims.found = Some((number, Some(7))));
        let failure = server.retrieve(&key, LONG, WARM).await.failure().unwrap();
        assert_eq!((failure.class, failure.retry_after), (class, Some(Duration::from_secs(7))));
    }
    indexer.whims(|whims| (whims.found, whims.body_delay) = (None, LONG));
    let lookup = server.retrieve(&key, SHORT, WARM).await;
    assert_eq!(lookup.failure().unwrap().class, RoutingFailureClass::Timeout);
    let operation = lookup.operation(told(OperationKind::Retrieve, &key));
    assert_eq!(operation.outcome, OperationOutcome::TimedOut);
    indexer.whims(|whims| whims.body_delay = Duration::ZERO);
    let unknown = server.retrieve(&key_of(b"unknown"), LONG, WARM).await;
    let operation = unknown.operation(told(OperationKind::Negative, &key));
    assert_eq!(operation.outcome, OperationOutcome::NotFound);
    assert_eq!(operation.steps[0].error.as_deref(), Some("not found"), "as Parsec says it");
}

#[tokio::test]
async fn a_server_publishes_to_its_indexer_and_takes_all_back_when_it_leaves() {
    let indexer = TestIndexer::open();
    let scenario = Scenario::parse("peers = 60\nseed = 3", "perf").unwrap();
    let fabric = SimFabric::new(Arc::new(World::generate(&scenario)), SimLimits::default());
    let profile = NodeProfile {
        agent: "perf".to_owned(),
        protocols: [AMINO_PROTOCOL.to_owned()].into(),
        announce: Vec::new(),
    };
    let mut config = ServerConfig::new(Keypair::generate_ed25519(), profile, Vec::new(), LONG);
    config.node.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
    (config.node.checks_addresses, config.strategy) = (false, Strategy::Indexer);
    let server = PerfServer::join(&fabric, config).await.unwrap();
    assert!(!server.is_ready(), "it has no indexer yet");
    server.set_indexer(self::server(indexer.url(), |config| config.farewell_time = LONG));
    assert!(server.is_ready() && server.table_size() == 0);
    let terms = server.terms();
    let operation = server.provide(&key_of(b"x"), &terms).await;
    assert_eq!((operation.outcome, operation.strategy), (OperationOutcome::Done, Strategy::Indexer));
    assert_eq!(steps(&operation), ["announce", "index_ad", "index_entries", "availability"]);
    let operation = server.retrieve(&key_of(b"x"), &terms).await;
    assert_eq!((steps(&operation), operation.outcome), (vec!["retrieval"], OperationOutcome::Done));
    server.leave().await;
    indexer.until(|indexer| indexer.hashes() == 0).await;
}

/// An indexer that has nobody, and counts who connects.
async fn counting(listener: TcpListener, connections: Arc<AtomicUsize>) {
    let mut each = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.fetch_add(1, SeqCst);
        each.spawn(async move {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
                if line == "\r\n" {
                    stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                }
                line.clear();
            }
        });
    }
}

#[tokio::test]
async fn what_is_not_warm_uses_no_connection_that_is_kept() {
    let listener = TcpListener::bind(here()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let serving = tokio::spawn(counting(listener, Arc::clone(&connections)));
    let server = server(url, |_| {});
    let (cold, fresh) = (ConnectionPolicy::Cold, ConnectionPolicy::Fresh);
    for (policy, so_far) in [(WARM, 1), (WARM, 1), (cold, 2), (fresh, 3), (WARM, 3)] {
        assert_eq!(server.retrieve(&key_of(b"x"), LONG, policy).await.first_record(), None);
        assert_eq!(connections.load(SeqCst), so_far, "{policy:?}");
    }
    assert!(server.publish(&key_of(b"x"), LONG, cold).await.failure().is_some());
    assert_eq!(connections.load(SeqCst), 4);
    serving.abort();
}

#[tokio::test]
async fn filters_change_what_is_found() {
    let indexer = TestIndexer::open();
    let gateways = RoutingFilters::new("transport-ipfs-gateway-http", "").unwrap();
    let server = server(indexer.url(), |config| config.filters = gateways);
    let key = key_of(b"x");
    assert_eq!(failed(&server.publish(&key, LONG, WARM).await), None);
    let lookup = server.retrieve(&key, LONG, WARM).await;
    assert_eq!(lookup.first_record(), None);
    let reply = lookup.reply.unwrap();
    assert_eq!(reply.filters.as_deref(), Some("filter-protocols=transport-ipfs-gateway-http"));
}

#[tokio::test]
async fn indexers_of_old_find_the_chain_without_its_path() {
    let indexer = TestIndexer::open();
    indexer.whims(|whims| whims.is_old = true);
    let server = server(indexer.url(), |config| config.announce_path = "/announce".to_owned());
    assert_eq!(failed(&server.publish(&key_of(b"x"), LONG, WARM).await), None);
}

#[tokio::test]
async fn the_next_chain_of_a_server_is_taken_from_its_own_beginning() {
    let indexer = TestIndexer::open();
    let key = Keypair::generate_ed25519();
    for content in [b"a", b"b"] {
        let mut config = IndexerConfig::new(indexer.url(), here());
        (config.interval, config.seed) = (Duration::from_millis(20), content[0].into());
        let server = IndexerClient::open(HttpClientConfig::default(), key.clone(), config).unwrap();
        assert_eq!(failed(&server.publish(&key_of(content), LONG, WARM).await), None);
    }
    assert_eq!(indexer.complaints(), [""; 0]);
}

/// What a publisher answers when it is asked by hand.
async fn asked(server: &IndexerClient, path: &str) -> (u16, Vec<u8>, Option<String>) {
    let url: HttpUrl = format!("http://{}{path}", server.publisher()).parse().unwrap();
    let answer = client().send(HttpRequest::get(url)).await.unwrap();
    let kept = answer.header("cache-control").map(str::to_owned);
    (answer.status, answer.body.to_vec(), kept)
}

#[tokio::test]
async fn a_publisher_answers_as_those_of_go_do() {
    let indexer = TestIndexer::open();
    let server = server(indexer.url(), |_| {});
    assert_eq!(asked(&server, "/ipni/v1/ad/head").await.0, 204, "there is nothing yet");
    assert_eq!(failed(&server.publish(&key_of(b"x"), LONG, WARM).await), None);
    let (status, head, kept) = asked(&server, "/ipni/v1/ad/head").await;
    assert_eq!((status, kept.as_deref()), (200, Some("no-cache")));
    let head = SignedHead::decode(&head).unwrap();
    assert_eq!(head.topic.as_deref(), Some(MAINNET_TOPIC));
    for prefix in ["/ipni/v1/ad", ""] {
        let (status, ad, kept) = asked(&server, &format!("{prefix}/{}", head.head)).await;
        assert!(status == 200 && head.head.is_of(&ad) && kept.unwrap().contains("immutable"));
        let ad = Advertisement::decode(&ad).unwrap();
        assert_eq!(ad.signer(), head.signer());
        assert!(ad.context_id.starts_with(b"parsec-") && indexer.has_processed(&head.head));
        assert_eq!(asked(&server, &format!("{prefix}/{}", BlockCid::of_block(b"x"))).await.0, 404);
        assert_eq!(asked(&server, &format!("{prefix}/nonsense")).await.0, 400);
    }
}

#[tokio::test]
async fn what_somebody_else_signed_is_not_taken() {
    let indexer = TestIndexer::open();
    let server = server(indexer.url(), |_| {});
    assert_eq!(failed(&server.publish(&key_of(b"x"), LONG, WARM).await), None);
    let (_, head, _) = asked(&server, "/ipni/v1/ad/head").await;
    let head = SignedHead::decode(&head).unwrap().head;
    let stranger = Keypair::generate_ed25519().public().to_peer_id();
    let port = server.publisher().port();
    let announce = async |addr: String| {
        let addrs = vec![addr.parse().unwrap()];
        let body = Announcement { cid: head.clone(), addrs, extra: Vec::new(), first_said_by: None }.encode();
        let url = indexer.url().below("announce").unwrap();
        client().send(HttpRequest::put(url, body)).await.unwrap().status
    };
    assert_eq!(announce(format!("/ip4/127.0.0.1/tcp/{port}/http/p2p/{stranger}")).await, 204);
    indexer.until(|indexer| !indexer.complaints().is_empty()).await;
    assert_eq!(indexer.complaints(), ["head: it is signed by somebody else"]);
    assert_eq!(announce(format!("/ip4/127.0.0.1/tcp/{port}/http")).await, 400, "it names no publisher");
}
