//! Queries of a dashboard, as `docs/metrics.md` lists them, beside a count of events: asked of a real Prometheus that scrapes heads
//! while they answer a steady load.

mod server;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{Access, Histogram, Labels, Metric, Metrics, Readiness, Room, TakenAddress};
use kad::{
    Contact,
    message::{Message, MessageType},
};
use kadscope_hydra::{Hydra, HydraConfig, MetricsTerms, PrefetchConfig, hydra_metrics};
use testnet::SimNetwork;
use tokio::{
    task::JoinSet,
    time::{Instant, interval},
};

use self::server::{Prometheus, Sample};
use super::{asking::Client, settlement::Settlement};

/// How often each kind of request is sent, and for how long.
const TICK: Duration = Duration::from_millis(50);
const LASTS: Duration = Duration::from_secs(16);

/// The time that rates are taken over here: all of it is within the load, whose beginning they do not see.
const RANGE: &str = "10s";

/// How far a rate may be off: what came between the last scrape and the query is not seen.
const TOLERANCE: f64 = 0.1;

/// What was sent and answered.
#[derive(Debug, Default)]
struct Counted {
    by_type: [AtomicU64; 4],
    bytes: AtomicU64,
    slowest_us: AtomicU64,
}

/// The kinds of requests of the load, each with how many of it a tick sends.
const KINDS: [(&str, u64); 4] = [("PING", 3), ("GET_PROVIDERS", 2), ("ADD_PROVIDER", 1), ("GET_VALUE", 1)];

fn key(kind: &str, number: u64) -> Vec<u8> {
    let mut key = vec![0x12, 0x20];
    key.extend(format!("{kind:-<16}{number:016}").bytes());
    key
}

/// The requests of a tick. Of two questions for providers one finds somebody, and the other, for a key of its own, nobody.
fn requests(client: &Client, tick: u64) -> Vec<(usize, Message)> {
    let ping = || Message::new(MessageType::Ping, Vec::new());
    let asks = |number, kind: &str| {
        let name = if kind == "hit" { key("known", 0) } else { key("missing", number) };
        Message::new(MessageType::GetProviders, name)
    };
    let mut provide = Message::new(MessageType::AddProvider, key("held", tick));
    provide.provider_peers =
        vec![kad::message::Peer::new(&client.id, &["/ip4/127.0.0.1/tcp/4321".parse().expect("an address")])];
    let value = Message::new(MessageType::GetValue, key("value", tick));
    let all = [
        (0, ping()),
        (0, ping()),
        (0, ping()),
        (1, asks(tick, "hit")),
        (1, asks(tick, "miss")),
        (2, provide),
        (3, value),
    ];
    all.into()
}

/// Sends the load, and waits for all answers. How many ticks it had.
async fn load(client: &Arc<Client>, heads: &[Contact], counted: &Arc<Counted>, known: &Histogram) -> u64 {
    let (mut ticks, began, mut tick) = (interval(TICK), Instant::now(), 0);
    let mut under_way = JoinSet::new();
    while began.elapsed() < LASTS {
        ticks.tick().await;
        // From 1 to 100 ms, so that one of a hundred takes longer than 99.
        (1..=100).for_each(|ms| known.observe_time(Duration::from_millis(ms)));
        for (number, (kind, message)) in requests(client, tick).into_iter().enumerate() {
            let (client, counted) = (Arc::clone(client), Arc::clone(counted));
            let head = heads[number % heads.len()].clone();
            under_way.spawn(async move {
                counted.bytes.fetch_add(message.encode().len() as u64, Relaxed);
                let sent = Instant::now();
                client.ask(&head, &message).await;
                counted.slowest_us.fetch_max(u64::try_from(sent.elapsed().as_micros()).unwrap_or(0), Relaxed);
                counted.by_type[kind].fetch_add(1, Relaxed);
            });
        }
        tick += 1;
        while under_way.try_join_next().is_some() {}
    }
    under_way.join_all().await;
    tick
}

/// The queries of the page, by the names of their panels, over a range of this test.
fn queries() -> BTreeMap<String, String> {
    let page = include_str!("../../../../docs/metrics.md");
    let (_, rest) = page.split_once("<!-- queries:begin -->\n").expect("a mark");
    let (table, _) = rest.split_once("<!-- queries:end -->").expect("a mark");
    let row = |line: &str| {
        let (panel, query) = line.strip_prefix("| ")?.split_once(" | `")?;
        let query = query.strip_suffix("` |")?.replace("[1m]", &format!("[{RANGE}]")).replace("\\|", "|");
        Some((panel.to_owned(), query))
    };
    table.lines().filter_map(row).collect()
}

/// A hydra whose metrics are scraped, with a histogram of what is known.
async fn scraped(hydra: &Hydra<SimNetwork>, known: &Arc<Histogram>) -> (http::Listening, Prometheus) {
    let (inherited, own) =
        hydra_metrics(&hydra.view(), &MetricsTerms { name: "a test".to_owned(), per_head: false });
    let of_known = Arc::clone(known);
    let known = Metric::histogram("kadscope_known_duration_seconds", "Known.", Labels::none(), move || {
        vec![of_known.distribution(1e9)]
    });
    let metrics = Metrics::default();
    metrics.extend(inherited.into_iter().chain(own).chain([known]));
    let room = Room::new(Access::ThisMachine, Readiness::not_yet("a test"), metrics);
    let taken = TakenAddress::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let listening = room.open(taken).expect("a listener");
    let prometheus = Prometheus::of(listening.address()).await;
    (listening, prometheus)
}

fn by(samples: &[Sample], label: &str) -> BTreeMap<String, f64> {
    let named = |sample: &Sample| Some((sample.labels.get(label)?.as_str()?.to_owned(), sample.value));
    samples.iter().filter_map(named).collect()
}

/// The one number of an answer.
fn one(samples: &[Sample]) -> f64 {
    assert_eq!(samples.len(), 1, "{samples:?}");
    samples[0].value
}

fn assert_near(said: f64, counted: f64, what: &str) {
    assert!((said - counted).abs() <= counted * TOLERANCE + 1e-9, "{what}: {said}, counted {counted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_give_what_a_count_of_events_gives() {
    let settlement = Settlement::of("peers = 20");
    let config = HydraConfig { prefetch: Some(PrefetchConfig::default()), ..settlement.config(0..3) };
    let hydra = Hydra::join(&settlement.fabric, config).await.expect("heads");
    hydra.refreshed(1).await;
    let heads: Vec<Contact> = hydra.heads().iter().map(|head| head.contact()).collect();
    let bounds: Vec<Duration> = (0..=10).map(|n| Duration::from_millis(n * 10 + 5)).collect();
    let (known, counted) = (Arc::new(Histogram::of_times(&bounds)), Arc::new(Counted::default()));
    let (listening, prometheus) = scraped(&hydra, &known).await;
    let client = Arc::new(Client::on(&settlement.fabric).await);
    client.provide(&heads[0], &key("known", 0), &["/ip4/127.0.0.1/tcp/4321"]).await;

    let ticks = load(&client, &heads, &counted, &known).await;
    rates_are_those_of_the_load(&prometheus, &counted).await;
    numbers_are_those_of_the_heads(&prometheus, &hydra, ticks).await;
    listening.close().await;
    hydra.leave().await;
}

/// Rates over the last seconds of the load, which was steady.
async fn rates_are_those_of_the_load(prometheus: &Prometheus, counted: &Counted) {
    let queries = queries();
    let ask = async |panel: &str| prometheus.query(&queries[panel]).await;
    let a_second = 1.0 / TICK.as_secs_f64();
    let rates = by(&ask("requests a second by type").await, "message_type");
    for (kind, of_a_tick) in KINDS {
        assert_near(rates[kind], of_a_tick as f64 * a_second, kind);
    }
    // A key of a value that nobody has is answered, too.
    assert_near(one(&ask("requests that failed a second").await), 0.0, "failed");
    let share = one(&ask("share of questions for providers that the belly could answer").await);
    assert_near(share, 0.5, "share of hits");
    let prefetches = by(&ask("prefetches a second by outcome").await, "status");
    assert_near(prefetches["local"], a_second, "local");
    let admitted = by(&ask("requests admitted a second by rung").await, "rung");
    let of_a_tick: u64 = KINDS.iter().map(|(_, of_a_tick)| of_a_tick).sum();
    // What the network asks of the heads is in it, too.
    assert!(admitted["belly"] >= of_a_tick as f64 * a_second * (1.0 - TOLERANCE), "{admitted:?}");
    let shed = by(&ask("requests shed a second by reason").await, "reason");
    assert!(shed.values().all(|shed| *shed < f64::EPSILON), "{shed:?}");

    let slowest_ms = counted.slowest_us.load(Relaxed) as f64 / 1e3;
    let p99_ms = one(&ask("latency of requests, 99 of 100, in milliseconds").await);
    assert!(p99_ms > 0.0 && p99_ms <= slowest_ms, "{p99_ms} ms, the slowest took {slowest_ms} ms");
    let by_type = by(&ask("latency by type, 99 of 100, in seconds").await, "type");
    assert!(by_type["ping"] * 1e3 <= slowest_ms, "{by_type:?}");
    // The same query over what is known: the 99th of 100 equal parts of 100 ms.
    let of_known = queries["latency of requests, 99 of 100, in milliseconds"]
        .replace("hydrabooster_libp2p_io_dht_kad_inbound_request_latency", "kadscope_known_duration_seconds");
    assert_near(one(&prometheus.query(&of_known).await), 0.099, "the 99th of 100");

    let requests: u64 = counted.by_type.iter().map(|count| count.load(Relaxed)).sum();
    let mean = counted.bytes.load(Relaxed) as f64 / requests as f64;
    assert_near(one(&ask("size of requests, mean").await), mean, "bytes");
}

/// Numbers of the moment, and sums of all that was sent: exactly.
async fn numbers_are_those_of_the_heads(prometheus: &Prometheus, hydra: &Hydra<SimNetwork>, ticks: u64) {
    let queries = queries();
    let is =
        |count: f64| move |samples: &[Sample]| samples.len() == 1 && (samples[0].value - count).abs() < 0.5;
    prometheus.until(&queries["heads"], is(3.0)).await;
    // A provider announced one key before the load and one in each tick, and the belly counts them within seconds.
    prometheus.until(&queries["provider records"], is((ticks + 1) as f64)).await;
    for (kind, of_a_tick) in KINDS {
        let before = u64::from(kind == "ADD_PROVIDER");
        let all =
            format!("sum (hydrabooster_libp2p_io_dht_kad_received_messages{{message_type=\"{kind}\"}})");
        prometheus.until(&all, is((of_a_tick * ticks + before) as f64)).await;
    }
    let hits = "sum (kadscope_hydra_belly_questions_total{outcome=\"hit\"})";
    prometheus.until(hits, is(ticks as f64)).await;
    let view = hydra.view();
    let connected = view.swarm(None, 10_000).len() as f64;
    prometheus.until(&queries["peers connected"], is(connected)).await;
    let in_tables: usize = hydra.heads().iter().map(|head| hydra.table_size(head)).sum();
    prometheus.until(&queries["peers in tables"], is(in_tables as f64)).await;
    // What became of the questions that the belly could not answer adds up to them.
    let outcomes = "sum (kadscope_hydra_prefetches_total) + sum (kadscope_hydra_prefetches_refused_total) + sum (kadscope_hydra_prefetches_pending)";
    prometheus.until(outcomes, is(ticks as f64)).await;
}
