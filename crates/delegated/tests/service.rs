//! Asking services that are well, slow, break off, say nonsense, say too much, want to be asked less, or nothing.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

#[path = "suite/canned.rs"]
mod canned;

use std::time::Duration;

use http::{HttpClient, HttpClientConfig};
use kad::{
    delegated::{RecordTally, RoutingAnswerForm, RoutingFilters, UnusedRecord},
    policy::Addresses,
};
use kadscope_delegated::{
    BreakerRules, RoutingFailureClass, RoutingReply, RoutingService, RoutingServiceConfig,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    sync::oneshot,
    task::JoinSet,
};

use canned::{KEY, PEER, Service, answer, lines, record, status};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn asked(service: &Service, change: impl FnOnce(&mut RoutingServiceConfig)) -> RoutingService {
    let client = HttpClient::new(HttpClientConfig::default()).unwrap();
    let mut config = RoutingServiceConfig::new(service.base());
    (config.time, config.addresses) = (LONG, Addresses::Public);
    change(&mut config);
    RoutingService::new(client, config)
}

/// Asks once, and says how many were found.
async fn found(answer: Vec<u8>, hangs_up: bool) -> Result<usize, RoutingFailureClass> {
    let service = Service::new(answer, hangs_up).await;
    let reply = asked(&service, |_| {}).ask(KEY).await.map_err(|failure| failure.class)?;
    match reply.broken_off {
        Some(class) if !reply.is_well() => Err(class),
        _ => Ok(reply.answer.providers.len()),
    }
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
    let asked = asked(&service, |_| {});
    assert!(!asked.ask(KEY).await.unwrap().answer.has_somebody());
    assert_eq!(asked.counts().left_out[UnusedRecord::Protocol as usize], 2);
}

#[tokio::test]
async fn what_is_no_answer_has_a_name() {
    assert_eq!(found(status("500 Internal Server Error"), false).await, Err(RoutingFailureClass::Status));
    assert_eq!(found(status("302 Found"), false).await, Err(RoutingFailureClass::Status));
    assert_eq!(found(status("429 Too Many Requests"), false).await, Err(RoutingFailureClass::Throttled));
    assert_eq!(found(answer("text/html", "<html>"), false).await, Err(RoutingFailureClass::Malformed));
    assert_eq!(found(answer("application/json", "<html>"), false).await, Err(RoutingFailureClass::Malformed));
    assert_eq!(found(vec![0xff; 1000], true).await, Err(RoutingFailureClass::Malformed));
    assert_eq!(found(Vec::new(), true).await, Err(RoutingFailureClass::BrokenOff));
    let too_much = vec![b' '; 10 << 20];
    for content_type in ["application/json", "application/x-ndjson"] {
        let body = String::from_utf8(too_much.clone()).unwrap();
        assert_eq!(found(answer(content_type, &body), false).await, Err(RoutingFailureClass::BodyTooLong));
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = HttpClient::new(HttpClientConfig::default()).unwrap();
    let config = RoutingServiceConfig::new(format!("http://{closed}").parse().unwrap());
    let asked = RoutingService::new(client, config);
    assert_eq!(asked.ask(KEY).await.unwrap_err().class, RoutingFailureClass::Connect);
    assert_eq!(asked.ask(b"/ipns/x").await.unwrap_err().class, RoutingFailureClass::Key);
}

#[tokio::test]
async fn of_an_answer_that_breaks_off_those_are_found_whom_it_named() {
    let whole = record("transport-bitswap");
    let mut broken = lines(&format!("{whole}\n{whole}\n"));
    broken.truncate(broken.len() - whole.len() / 2);
    assert_eq!(found(broken.clone(), true).await, Ok(1));
    broken.truncate(broken.len() - whole.len());
    assert_eq!(found(broken, true).await, Err(RoutingFailureClass::BrokenOff));
}

#[tokio::test]
async fn who_dawdles_is_left_when_the_time_is_up_and_that_is_counted_in_seconds() {
    let service =
        Service::new(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n".to_vec(), false).await;
    let asked = asked(&service, |config| config.time = Duration::from_millis(300));
    assert_eq!(asked.ask(KEY).await.unwrap_err().class, RoutingFailureClass::Timeout);
    let counts = asked.counts();
    assert_eq!((counts.latencies.count(), counts.in_flight), (1, 0));
    assert!((0.29..60.0).contains(&counts.latencies.sum), "{counts:?}");
}

#[tokio::test]
async fn requests_under_way_are_bounded() {
    let service = Service::new(Vec::new(), false).await;
    let asked = asked(&service, |config| config.max_in_flight = 2);
    let mut asking = JoinSet::new();
    for _ in 0..2 {
        let asked = asked.clone();
        asking.spawn(async move { asked.ask(KEY).await });
    }
    while asked.counts().in_flight < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(asked.ask(KEY).await.unwrap_err().class, RoutingFailureClass::Full);
    asking.shutdown().await;
    assert_eq!(asked.counts().in_flight, 0);
}

#[tokio::test]
async fn who_fails_again_and_again_is_left_alone() {
    let service = Service::new(status("503 Service Unavailable"), false).await;
    let rules = BreakerRules { failures: 3, first: LONG, longest: LONG };
    let asked = asked(&service, |config| config.breaker = rules);
    for _ in 0..3 {
        assert_eq!(asked.ask(KEY).await.unwrap_err().class, RoutingFailureClass::Status);
    }
    assert_eq!(asked.ask(KEY).await.unwrap_err().class, RoutingFailureClass::CircuitOpen);
    assert!(asked.counts().is_open);
    assert_eq!(service.requests(), 3);
}

#[tokio::test]
async fn who_wants_to_be_asked_less_says_when_it_may_be_asked_again() {
    let throttled = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n";
    let service = Service::new(throttled.to_vec(), false).await;
    let failure = asked(&service, |_| {}).ask(KEY).await.unwrap_err();
    assert_eq!(failure.class, RoutingFailureClass::Throttled);
    assert_eq!((failure.status, failure.retry_after), (Some(429), Some(Duration::from_secs(17))));
    assert_eq!(failure.to_string(), "throttled: status 429, to be asked again in 17 s");
}

#[tokio::test]
async fn what_caches_say_and_which_filters_were_used_is_in_the_reply() {
    let body = format!("{}\n{{\"Schema\":\"peer\",\"ID\":\"{PEER}\"}}\n", record("x"));
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nAge: 7\r\nX-Cache: Hit from cloudfront\r\n\
                X-Amz-Cf-Pop: FRA56-P4\r\nCache-Control: public, max-age=300\r\n";
    let whole = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let service = Service::new(whole.into_bytes(), false).await;
    let asked = asked(&service, |config| config.filters = RoutingFilters::of_go());
    let reply = asked.ask(KEY).await.unwrap();
    let marks = &reply.marks;
    assert_eq!((marks.is_hit(), marks.age), (Some(true), Some(Duration::from_secs(7))));
    assert_eq!(marks.pop.as_deref(), Some("FRA56-P4"));
    assert_eq!(marks.cache_control.as_deref(), Some("public, max-age=300"));
    assert_eq!(reply.filters.as_deref(), Some("filter-protocols=unknown,transport-bitswap"));
    assert_eq!(reply.answer.tally, RecordTally { records: 2, peers: 1, with_addresses: 1 });
    assert_eq!((reply.status, reply.form), (200, Some(RoutingAnswerForm::Lines)));
}

/// What stands in the first line and the headers of a request.
async fn request(stream: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).await.unwrap(), 0);
    }
    head
}

/// A service that sends the second record only when it is told to.
async fn dawdling(listener: TcpListener, go_on: oneshot::Receiver<()>) -> String {
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = BufReader::new(stream);
    let asked = request(&mut stream).await;
    let first = format!("{}\n", record("transport-bitswap"));
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(format!("{head}{:x}\r\n{first}\r\n", first.len()).as_bytes()).await.unwrap();
    go_on.await.unwrap();
    stream.write_all(format!("{:x}\r\n{first}\r\n0\r\n\r\n", first.len()).as_bytes()).await.unwrap();
    asked
}

#[tokio::test]
async fn the_first_record_is_timed_apart_from_the_last() {
    const BETWEEN: Duration = Duration::from_millis(500);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let client = HttpClientConfig { agent: "parsec".to_owned(), ..HttpClientConfig::default() };
    let mut config = RoutingServiceConfig::new(base);
    (config.filters, config.lines_alone, config.by_v0) = (RoutingFilters::of_go(), true, true);
    let service = RoutingService::new(HttpClient::new(client).unwrap(), config);
    let (tell, told) = oneshot::channel();
    let serving = tokio::spawn(dawdling(listener, told));
    let telling = async {
        tokio::time::sleep(BETWEEN).await;
        tell.send(()).unwrap();
    };
    let key = [&[0x12, 32][..], &[7; 32]].concat();
    let (reply, ()) = tokio::join!(service.ask_within(&key, LONG), telling);
    let RoutingReply { first_record: Some(first), last_record: Some(last), took, .. } = reply.unwrap() else {
        panic!("nobody was named")
    };
    assert!(first < last && last >= BETWEEN && took >= last, "{first:?} {last:?} {took:?}");
    // As Parsec asks: `testdata/parsec/ipni/6-get-delegated-routing.txt` of the recordings.
    let asked = serving.await.unwrap().to_ascii_lowercase();
    assert!(asked.starts_with("get /routing/v1/providers/qm"), "{asked}");
    for said in [
        "?filter-protocols=unknown,transport-bitswap http/1.1",
        "user-agent: parsec",
        "accept: application/x-ndjson\r\n",
    ] {
        assert!(asked.contains(said), "{said} in {asked}");
    }
}
