//! Good and bad input for every endpoint beyond what was recorded, and those who dawdle.

use std::time::Duration;

use kadscope_perf::{OperationAnswer, PerfApi};
use testnet::SimFabric;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::{
    exchange::{Answered, send},
    service::{Service, fabric, listen},
};

async fn ask(service: &Service, method: &str, path: &str, body: &str) -> Answered {
    let length = body.len();
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n{body}");
    send(service.at, request.as_bytes()).await
}

fn status(answered: &Answered) -> &str {
    answered.status.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn what_go_answers_to_odd_requests_is_answered() {
    let service = Service::of(&fabric(), 1, true).await;
    let cid = "QmQpUN3mMkXMAxbKuKtS42mh9ieoLLdqbUrXaBAPvuFQgr";
    for (method, path, body, expected) in [
        ("HEAD", "/readiness", "", "200"),
        ("GET", "/readiness?x=1", "body", "200"),
        ("POST", "//provide", "{}", "307"),
        ("GET", "/./readiness", "", "307"),
        ("POST", "/", "{}", "404"),
        ("GET", "/metrics", "", "404"),
        ("GET", "/health", "", "404"),
        ("POST", "/provide/", "{}", "404"),
        ("POST", &format!("/retrieve/{cid}/x"), "{}", "404"),
        ("GET", "/retrieve/x", "", "405"),
        ("DELETE", "/readiness", "", "405"),
        ("OPTIONS", "/provide", "", "405"),
        ("POST", "/provide", "", "400"),
        ("POST", "/provide", "{}", "200"),
        ("POST", "/provide", "null", "200"),
        ("POST", "/provide", r#"{"Content":"Z29sZA"}"#, "400"),
        ("POST", "/provide?deadline=x", "{}", "200"),
        ("POST", &format!("/retrieve/{cid}"), "[]", "400"),
        ("POST", "/retrieve/bad", "{", "400"),
        ("POST", "/retrieve/%zz", "{}", "400"),
        ("POST", "/retrieve/%2F", "{}", "400"),
    ] {
        let answered = ask(&service, method, path, body).await;
        assert_eq!(status(&answered), expected, "{method} {path} {body}: {}", answered.body);
        let is_text =
            answered.headers.get("content-type").map(String::as_str) == Some("text/plain; charset=utf-8");
        let is_empty = answered.headers.get("content-length").map(String::as_str) == Some("0");
        assert!(is_text != (is_empty || method == "HEAD"), "{method} {path}: {:?}", answered.headers);
        let is_refused = expected.starts_with('4');
        assert_eq!(answered.headers.contains_key("x-content-type-options"), is_refused, "{method} {path}");
    }
    let moved = ask(&service, "POST", "//provide?a=b", "{}").await;
    assert_eq!(moved.headers.get("location").map(String::as_str), Some("/provide?a=b"));
    service.end().await;
}

#[tokio::test]
async fn terms_in_the_query_are_held_and_bad_ones_named() {
    let service = Service::of(&fabric(), 1, false).await;
    let id = "00112233445566778899aabbccddeeff";
    let path = format!("/provide?id={id}&connections=cold&persistence=thorough&deadline=20");
    let answered = ask(&service, "POST", &path, "{}").await;
    let answer: OperationAnswer = serde_json::from_str(&answered.body).expect("an answer");
    let operation = answer.operation.expect("the operation");
    assert_eq!(operation.id.to_string(), id);
    assert_eq!((operation.policy.name(), operation.persistence.name()), ("cold", "thorough"));
    assert_eq!((operation.strategy.name(), operation.outcome.name()), ("default", "done"));
    assert_eq!(answer.measurements.len(), 1);
    for query in ["deadline=0", "deadline=601", "connections=hot", "id=x", "readback=99", "persistence=x"] {
        let answered = ask(&service, "POST", &format!("/provide?{query}"), "{}").await;
        assert_eq!(status(&answered), "400", "{query}");
        assert!(answered.body.starts_with(query.split('=').next().expect("a name")), "{}", answered.body);
    }
    service.end().await;
}

#[tokio::test]
async fn who_has_not_joined_is_not_ready_and_says_so_without_a_body() {
    let api: PerfApi<SimFabric> = PerfApi::new(true);
    let listening = listen(&api);
    let ask = async |request: &str| send(listening.address(), request.as_bytes()).await;
    let early = ask("GET /readiness HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    assert_eq!((status(&early), early.headers["content-length"].as_str()), ("503", "0"));
    let early = ask("POST /provide HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}").await;
    assert_eq!(status(&early), "503");
    listening.close().await;
}

#[tokio::test]
async fn who_dawdles_with_a_body_is_cut_off_and_who_sends_too_much_is_refused() {
    let api: PerfApi<SimFabric> = PerfApi::within(true, Duration::from_millis(300));
    let listening = listen(&api);
    let begun = Instant::now();
    let stalled = "POST /provide HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{";
    assert_eq!(status(&send(listening.address(), stalled.as_bytes()).await), "408");
    assert!(begun.elapsed() < Duration::from_secs(20));
    let long = format!("POST /provide HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n", 17 << 20);
    assert_eq!(status(&send(listening.address(), long.as_bytes()).await), "413");
    listening.close().await;
}

#[tokio::test]
async fn garbage_and_those_who_hang_up_take_nothing_from_others() {
    let service = Service::of(&fabric(), 1, true).await;
    let long = vec![b'a'; 100_000];
    let garbage: [&[u8]; 5] = [
        b"\x00\x01\x02\xff\xfe",
        b"\x13/multistream/1.0.0\n",
        b"GET",
        b"POST /provide HTTP/9.9\r\n\r\n",
        &long,
    ];
    for bytes in garbage {
        let mut stream = TcpStream::connect(service.at).await.expect("a connection");
        // The other side may have hung up in the middle.
        stream.write_all(bytes).await.ok();
        stream.shutdown().await.ok();
        let mut heard = Vec::new();
        timeout(Duration::from_secs(20), stream.read_to_end(&mut heard)).await.expect("its end").ok();
        assert!(heard.is_empty() || heard.starts_with(b"HTTP/1."), "{heard:?}");
    }
    // Whoever hangs up while it is answered leaves nothing behind.
    for _ in 0..20 {
        let mut stream = TcpStream::connect(service.at).await.expect("a connection");
        stream
            .write_all(b"POST /provide HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
            .await
            .expect("sent");
    }
    let answered = ask(&service, "POST", "/provide", "{}").await;
    assert_eq!(status(&answered), "200");
    let counters = service.server.counters();
    timeout(Duration::from_secs(20), async {
        while counters.under_way() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("nothing is left under way");
    service.end().await;
}
