//! Events that arrive, that find no room, and that nobody takes.

use std::{net::SocketAddr, path::Path};

use kad::PeerId;
use schema::{ConnectionPolicy, OperationKind, OperationOutcome, Strategy, Timestamp};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::Instant,
};

use super::*;
use crate::{Operation, OperationId, OperationTold, UnixNanos};

fn source() -> EventSource {
    let peer = PeerId::from_bytes(&[&[0x12, 0x20][..], &[7; 32]].concat()).expect("an id");
    EventSource { peer, fleet: "optprov".to_owned(), region: "eu-central-1".to_owned() }
}

fn asked<'a>(source: &'a EventSource, number: &'a [u8]) -> ServerEvent<'a> {
    let denied = DeniedMatch { is_denied: true, source: "badbits".to_owned() };
    ServerEvent {
        source,
        at: Timestamp(1_795_000_000_000_000),
        remote: Some(source.peer),
        addresses: &[],
        agent: "kubo/0.40.0/",
        what: PeerEvent::DhtRpc { message_type: "GET_PROVIDERS", multihash: number, denied },
    }
}

fn file(directory: &Path) -> EventsPlace {
    format!("file:{}", directory.join("events.ndjson").display()).parse().expect("a place")
}

fn lines(directory: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(directory.join("events.ndjson")).expect("a file");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn dropped(counters: &EventCounters) -> u64 {
    EventDrop::ALL.iter().map(|&why| counters.dropped(why)).sum()
}

#[tokio::test]
async fn what_is_told_of_is_in_the_file_at_the_end() {
    let directory = tempfile::tempdir().expect("a directory");
    let (events, task) = Events::begin(&file(directory.path()), EventsConfig::default()).expect("a sink");
    let source = source();
    for number in 0..1_234_u16 {
        events.tell(&asked(&source, &number.to_be_bytes()));
    }
    let told = OperationTold {
        id: OperationId([1; 16]),
        kind: OperationKind::Provide,
        key: vec![1],
        strategy: Strategy::OptProv,
        policy: ConnectionPolicy::Warm,
        persistence: kad::Persistence::Go,
        began_at: UnixNanos(1),
        deadline: Duration::from_secs(180),
        table_size: 80,
        own_record: false,
        left_over: false,
        cpu: Duration::ZERO,
        size_estimate: None,
    };
    let operation = Operation::without_requests(told, Duration::from_millis(6), OperationOutcome::Done);
    let what = PeerEvent::Operation(&operation);
    events.tell(&ServerEvent { what, remote: None, agent: "", ..asked(&source, &[]) });
    task.end().await;
    let lines = lines(directory.path());
    assert_eq!(lines.len(), 1_235);
    let first = &lines[0];
    let keys: Vec<&str> = first.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 10);
    assert_eq!(
        (&first["EventType"], &first["PartitionKey"]),
        (&"dht_rpc".into(), &"eu-central-1-optprov".into())
    );
    assert_eq!((&first["Payload"]["Match"], &first["Payload"]["Source"]), (&true.into(), &"badbits".into()));
    let last = &lines[1_234];
    assert_eq!((&last["EventType"], &last["Payload"]["took_ns"]), (&"operation".into(), &6_000_000.into()));
    let counters = events.counters();
    assert_eq!((counters.told(), counters.delivered(), dropped(counters)), (1_235, 1_235, 0));
    assert_eq!((counters.batches(), counters.waiting_bytes()), (3, 0));
    events.tell(&asked(&source, &[]));
    assert_eq!(
        (counters.dropped(EventDrop::Full), counters.waiting_bytes()),
        (1, 0),
        "nobody takes it any more"
    );
}

#[tokio::test(start_paused = true)]
async fn a_small_batch_leaves_after_its_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = EventsConfig { every: Duration::from_secs(30), ..EventsConfig::default() };
    let (events, task) = Events::begin(&file(directory.path()), config).expect("a sink");
    let begun = Instant::now();
    events.tell(&asked(&source(), &[1]));
    while events.counters().delivered() == 0 {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!((30..32).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    task.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_place_that_stalls_slows_nobody_and_takes_no_more_memory_than_it_may() {
    let config = EventsConfig { queue: 1_000, queue_bytes: 100_000, ..EventsConfig::default() };
    let (events, task) = Events::begin_at(OpenPlace::Stalled, config);
    let (source, begun) = (source(), Instant::now());
    for number in 0..20_000_u32 {
        events.tell(&asked(&source, &number.to_be_bytes()));
        if number % 100 == 0 {
            tokio::task::yield_now().await;
        }
        assert!(events.counters().waiting_bytes() <= config.queue_bytes);
    }
    assert_eq!(begun.elapsed(), Duration::ZERO, "nobody waited");
    let counters = Arc::clone(events.counters());
    let full = counters.dropped(EventDrop::Full);
    assert!(full > 19_000, "{full}");
    task.end().await;
    assert_eq!(begun.elapsed(), config.drain, "it ends when the time at the end is over");
    assert_eq!((counters.dropped(EventDrop::Late), counters.delivered()), (20_000 - full, 0));
    assert_eq!(counters.waiting_bytes(), 0);
}

/// The body of a request of lines of JSON; `None` as long as some of it is missing.
fn whole_body(request: &str) -> Option<String> {
    let (head, body) = request.split_once("\r\n\r\n")?;
    let head = head.to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    assert!(head.contains("content-type: application/x-ndjson"), "{head}");
    (Some(body.len()) == length?.parse().ok()).then(|| body.to_owned())
}

/// A service that answers each request with the next of these, and then hangs up. Gives the bodies.
async fn service(answers: &'static [&'static str]) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(async move {
        let mut bodies = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            let body = loop {
                stream.read_buf(&mut request).await.expect("a request");
                if let Some(body) = whole_body(&String::from_utf8_lossy(&request)) {
                    break body;
                }
            };
            bodies.push(body);
            let head = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await.expect("an answer");
        }
        bodies
    });
    (address, serving)
}

#[tokio::test]
async fn a_service_is_asked_again_so_often_and_no_more() {
    let (address, serving) =
        service(&["503 Busy", "200 OK", "500 No", "429 Later", "500 No", "400 Never", "204 Done"]).await;
    let config = EventsConfig { batch: 1, pause: Duration::from_millis(1), ..EventsConfig::default() };
    let place = format!("http://{address}/events").parse().expect("a place");
    let (events, task) = Events::begin(&place, config).expect("a sink");
    let source = source();
    for number in 0..4_u8 {
        events.tell(&asked(&source, &[number]));
    }
    let bodies = serving.await.expect("seven requests");
    task.end().await;
    assert_eq!(bodies[0], bodies[1]);
    assert!(bodies[2] == bodies[4] && bodies[4] != bodies[5] && bodies[5] != bodies[6]);
    let counters = events.counters();
    assert_eq!((counters.delivered(), counters.dropped(EventDrop::Refused)), (2, 2));
    assert_eq!((counters.retries(), dropped(counters)), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn where_nobody_listens_events_are_given_up_and_counted() {
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let place = format!("http://{gone}/").parse().expect("a place");
    let (events, task) = Events::begin(&place, EventsConfig::default()).expect("a sink");
    events.tell(&asked(&source(), &[1]));
    task.end().await;
    let counters = events.counters();
    assert_eq!((counters.dropped(EventDrop::Unreachable), counters.delivered()), (1, 0));
}

#[test]
fn what_is_no_place_is_said_so() {
    for wrong in ["", "file:", "events.ndjson", "ftp://127.0.0.1/", "http://"] {
        assert!(wrong.parse::<EventsPlace>().is_err(), "{wrong}");
    }
    assert_eq!("file:/tmp/a".parse(), Ok(EventsPlace::File("/tmp/a".into())));
}
