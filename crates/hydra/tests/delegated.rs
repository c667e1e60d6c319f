//! Asking services of delegated routing that are well, slow, break off, say nonsense, say too much, or nothing.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use http::{HttpClient, HttpClientConfig};
use kad::{PeerId, delegated::UnusedRecord, policy::Addresses};
use kadscope_hydra::{
    BreakerRules, Delegated, DelegatedConfig, FindFailure, FindSource, FindStrategy, OutcomeCounts,
    keep_found,
};
use store::{Belly, BellyConfig};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

const PEER: &str = "12D3KooWRkVYJqmFgvoi8nPUyaJ6k8rqxTT8BMp1oZyRTuY84Vw3";

/// An identity multihash.
const KEY: &[u8] = &[0x00, 1, 7];

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn record(protocol: &str) -> String {
    format!(r#"{{"Schema":"peer","ID":"{PEER}","Addrs":["/ip4/1.2.3.4/tcp/1"],"Protocols":["{protocol}"]}}"#)
}

/// An answer with a body of this type.
fn answer(content_type: &str, body: &str) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body.as_bytes()].concat()
}

fn lines(body: &str) -> Vec<u8> {
    answer("application/x-ndjson", body)
}

fn status(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// A service that answers every request alike.
struct Service {
    port: u16,
    requests: Arc<AtomicUsize>,
    /// Ends with it.
    _serving: JoinSet<()>,
}

impl Service {
    /// Sends these bytes, and hangs up or stays silent.
    async fn new(answer: Vec<u8>, hangs_up: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let (asked, answer) = (Arc::clone(&requests), Arc::new(answer));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut each = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                each.spawn(serve(stream, Arc::clone(&asked), Arc::clone(&answer), hangs_up));
            }
        });
        Self { port, requests, _serving: serving }
    }

    fn asked(&self, change: impl FnOnce(&mut DelegatedConfig)) -> Delegated {
        let client = HttpClient::new(HttpClientConfig::default()).unwrap();
        let base = format!("http://127.0.0.1:{}/base", self.port).parse().unwrap();
        let mut config = DelegatedConfig::new(base);
        (config.time, config.addresses) = (LONG, Addresses::Public);
        change(&mut config);
        Delegated::new(client, config)
    }

    fn requests(&self) -> usize {
        self.requests.load(SeqCst)
    }
}

async fn serve(mut stream: TcpStream, asked: Arc<AtomicUsize>, answer: Arc<Vec<u8>>, hangs_up: bool) {
    let mut head = Vec::new();
    loop {
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        assert!(head.starts_with(b"GET /base/routing/v1/providers/bafkqaaih HTTP/1.1\r\n"));
        head.clear();
        asked.fetch_add(1, SeqCst);
        // Who asks may have heard enough.
        stream.write_all(&answer).await.ok();
        if hangs_up {
            return;
        }
    }
}

/// Asks once, and says how many were found.
async fn found(answer: Vec<u8>, hangs_up: bool) -> Result<usize, FindFailure> {
    let service = Service::new(answer, hangs_up).await;
    let asked = service.asked(|_| {});
    let found = asked.find(KEY).await.map(|answer| answer.providers.len());
    let counts = asked.counts().of(FindSource::Delegated);
    let expected = match found {
        Ok(0) => OutcomeCounts { none: 1, ..OutcomeCounts::default() },
        Ok(_) => OutcomeCounts { found: 1, ..OutcomeCounts::default() },
        Err(failure) => {
            let failed =
                FindFailure::ALL.iter().map(|&class| u64::from(class == failure)).collect::<Vec<_>>();
            OutcomeCounts { failed: failed.try_into().unwrap(), ..OutcomeCounts::default() }
        }
    };
    assert_eq!(counts, expected);
    found
}

#[tokio::test]
async fn both_forms_are_understood() {
    let record = record("transport-bitswap");
    assert_eq!(found(lines(&format!("{record}\n")), false).await, Ok(1));
    let object = format!(r#"{{"Providers":[{record}]}}"#);
    assert_eq!(found(answer("application/json; charset=utf-8", &object), false).await, Ok(1));
}

#[tokio::test]
async fn who_has_nobody_says_so_in_several_ways() {
    assert_eq!(found(status("404 Not Found"), false).await, Ok(0));
    assert_eq!(found(lines(""), false).await, Ok(0));
    assert_eq!(found(answer("application/json", r#"{"Providers":null}"#), false).await, Ok(0));
}

#[tokio::test]
async fn providers_without_bitswap_are_left_out_and_counted() {
    let graphsync = record("transport-graphsync-filecoinv1");
    let service = Service::new(lines(&format!("{graphsync}\n{graphsync}\n")), false).await;
    let asked = service.asked(|_| {});
    assert!(!asked.find(KEY).await.unwrap().has_somebody());
    assert_eq!(asked.counts().left_out[UnusedRecord::Protocol as usize], 2);
}

#[tokio::test]
async fn what_is_no_answer_has_a_name() {
    assert_eq!(found(status("500 Internal Server Error"), false).await, Err(FindFailure::Status));
    assert_eq!(found(status("302 Found"), false).await, Err(FindFailure::Status));
    assert_eq!(found(status("429 Too Many Requests"), false).await, Err(FindFailure::Throttled));
    assert_eq!(found(answer("text/html", "<html>"), false).await, Err(FindFailure::Malformed));
    assert_eq!(found(answer("application/json", "<html>"), false).await, Err(FindFailure::Malformed));
    assert_eq!(found(vec![0xff; 1000], true).await, Err(FindFailure::Malformed));
    assert_eq!(found(Vec::new(), true).await, Err(FindFailure::BrokenOff));
    let too_much = vec![b' '; 10 << 20];
    for content_type in ["application/json", "application/x-ndjson"] {
        let body = String::from_utf8(too_much.clone()).unwrap();
        assert_eq!(found(answer(content_type, &body), false).await, Err(FindFailure::BodyTooLong));
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = HttpClient::new(HttpClientConfig::default()).unwrap();
    let asked = Delegated::new(client, DelegatedConfig::new(format!("http://{closed}").parse().unwrap()));
    assert_eq!(asked.find(KEY).await.unwrap_err(), FindFailure::Connect);
    assert_eq!(asked.find(b"/ipns/x").await.unwrap_err(), FindFailure::Key);
}

#[tokio::test]
async fn of_an_answer_that_breaks_off_those_are_found_whom_it_named() {
    let whole = record("transport-bitswap");
    let mut broken = lines(&format!("{whole}\n{whole}\n"));
    broken.truncate(broken.len() - whole.len() / 2);
    assert_eq!(found(broken.clone(), true).await, Ok(1));
    broken.truncate(broken.len() - whole.len());
    assert_eq!(found(broken, true).await, Err(FindFailure::BrokenOff));
}

#[tokio::test]
async fn who_dawdles_is_left_when_the_time_is_up_and_that_is_counted_in_seconds() {
    let service =
        Service::new(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n".to_vec(), false).await;
    let asked = service.asked(|config| config.time = Duration::from_millis(300));
    assert_eq!(asked.find(KEY).await.unwrap_err(), FindFailure::Timeout);
    let counts = asked.counts();
    assert_eq!((counts.latencies.classes.iter().sum::<u64>(), counts.in_flight), (1, 0));
    assert!((Duration::from_millis(290)..LONG).contains(&counts.latencies.sum), "{counts:?}");
}

#[tokio::test]
async fn requests_under_way_are_bounded() {
    let service = Service::new(Vec::new(), false).await;
    let asked = service.asked(|config| config.max_in_flight = 2);
    let mut asking = JoinSet::new();
    for _ in 0..2 {
        let asked = asked.clone();
        asking.spawn(async move { asked.find(KEY).await });
    }
    while asked.counts().in_flight < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(asked.find(KEY).await.unwrap_err(), FindFailure::Full);
    asking.shutdown().await;
    assert_eq!(asked.counts().in_flight, 0);
}

#[tokio::test]
async fn who_fails_again_and_again_is_left_alone() {
    let service = Service::new(status("503 Service Unavailable"), false).await;
    let rules = BreakerRules { failures: 3, first: LONG, longest: LONG };
    let asked = service.asked(|config| config.breaker = rules);
    for _ in 0..3 {
        assert_eq!(asked.find(KEY).await.unwrap_err(), FindFailure::Status);
    }
    assert_eq!(asked.find(KEY).await.unwrap_err(), FindFailure::CircuitOpen);
    assert!(asked.counts().is_open);
    assert_eq!(service.requests(), 3);
}

/// What the combination came to: found, none, failed.
fn combined(asked: &Delegated) -> (u64, u64, u64) {
    let counts = asked.counts().of(FindSource::Combination);
    (counts.found, counts.none, counts.failed.iter().sum())
}

#[tokio::test]
async fn the_strategy_says_when_it_is_asked() {
    let service = Service::new(lines(&record("transport-bitswap")), false).await;
    let with = |strategy| service.asked(|config| config.strategy = strategy);
    let on_miss = with(FindStrategy::OnMiss);
    let hit = on_miss.find_beside(KEY, async { Ok(Some(7)) }).await;
    assert!(hit.delegated.is_none() && service.requests() == 0);
    let miss = on_miss.find_beside(KEY, async { Ok(None::<()>) }).await;
    assert!(miss.delegated.unwrap().unwrap().has_somebody() && service.requests() == 1);
    let away = on_miss.find_beside(KEY, async { Err::<Option<()>, _>(FindFailure::Away) }).await;
    assert!(away.delegated.is_some());
    assert_eq!(combined(&on_miss), (3, 0, 0));
    let belly = on_miss.counts().of(FindSource::Belly);
    assert_eq!((belly.found, belly.none, belly.failed[FindFailure::Away as usize]), (1, 1, 1));

    let first = with(FindStrategy::BellyFirst);
    assert!(first.find_beside(KEY, async { Ok(Some(7)) }).await.delegated.is_some());

    // The belly answers only when the service has been asked.
    let parallel = with(FindStrategy::Parallel);
    let before = service.requests();
    let belly = async {
        while service.requests() == before {
            tokio::task::yield_now().await;
        }
        Ok(Some(7))
    };
    assert!(parallel.find_beside(KEY, belly).await.delegated.is_some());
}

#[tokio::test]
async fn the_combination_fails_if_nobody_was_found_and_one_failed() {
    let service = Service::new(status("500 Internal Server Error"), false).await;
    let asked = service.asked(|config| config.strategy = FindStrategy::Parallel);
    asked.find_beside(KEY, async { Ok(None::<()>) }).await;
    asked.find_beside(KEY, async { Ok(Some(7)) }).await;
    assert_eq!(combined(&asked), (1, 0, 1));
    let service = Service::new(status("404 Not Found"), false).await;
    let asked = service.asked(|config| config.strategy = FindStrategy::Parallel);
    asked.find_beside(KEY, async { Ok(None::<()>) }).await;
    assert_eq!(combined(&asked), (0, 1, 0));
}

#[tokio::test]
async fn nobody_waits_longer_for_a_belly_that_is_slow_than_it_takes() {
    let service = Service::new(lines(&record("transport-bitswap")), false).await;
    let asked = service.asked(|config| config.strategy = FindStrategy::Parallel);
    let (told, tells) = oneshot::channel();
    let beside = asked.find_beside(KEY, async { tells.await.map_err(|_| FindFailure::Closed) });
    let asking = async {
        while asked.counts().of(FindSource::Delegated).found == 0 {
            tokio::task::yield_now().await;
        }
        told.send(Some(7)).unwrap();
    };
    let (beside, ()) = tokio::join!(beside, asking);
    assert!(matches!(beside.belly, Ok(Some(7))) && beside.delegated.unwrap().is_ok());
}

#[tokio::test]
async fn who_was_found_is_in_the_bellys_next_answer_and_not_for_long() {
    const NOW: Duration = Duration::from_secs(1_767_225_600);
    const HOUR: Duration = Duration::from_secs(3600);
    let service = Service::new(lines(&record("transport-bitswap")), false).await;
    let answer = service.asked(|_| {}).find(KEY).await.unwrap();
    let belly = Belly::in_memory(&BellyConfig::default());
    assert_eq!(keep_found(&belly, KEY, &answer, HOUR, NOW), 1);
    let held = belly.providers(KEY, 0, NOW).wait().await.unwrap();
    let known: Vec<_> = held.known(NOW).map(|known| (known.id.to_vec(), known.has_addresses)).collect();
    assert_eq!(known, [(PEER.parse::<PeerId>().unwrap().to_bytes(), true)]);
    // Said again, it does not live longer by it.
    assert_eq!(keep_found(&belly, KEY, &answer, HOUR, NOW + HOUR / 2), 0);
    let late = NOW + HOUR + Duration::from_secs(1);
    assert!(belly.providers(KEY, 0, late).wait().await.unwrap().is_empty(late));
}
