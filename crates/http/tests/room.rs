//! A listener over real sockets on loopback: what it says, whom it refuses, and what those who misbehave can take of it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at the first error")]

use std::{net::SocketAddr, time::Duration};

use kadscope_http::{
    Access, HttpBounds, Listening, Metric, MetricKind, Metrics, Readiness, Room, TakenAddress, Token, ask,
    axum::{Router, body::Bytes, routing},
    lines, process_metrics,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

const TOKEN: &str = "a-token-of-a-test";

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn room(access: Access) -> Room {
    let metrics = Metrics::default();
    metrics.extend(process_metrics());
    Room::new(access, Readiness::not_yet("it has just begun"), metrics)
}

fn open(room: Room) -> Listening {
    room.open(TakenAddress::bind("127.0.0.1:0".parse().unwrap()).unwrap()).unwrap()
}

fn bearer() -> Access {
    Access::Bearer(Token::new(TOKEN).unwrap())
}

/// Sends bytes on a connection of its own, and reads until the other side hangs up.
async fn say(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    heard(&mut stream).await
}

/// Everything until the other side hangs up, politely or not.
async fn heard(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    drop(timeout(LONG, stream.read_to_end(&mut heard)).await.expect("it hangs up"));
    String::from_utf8(heard).unwrap()
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n").into_bytes()
}

#[track_caller]
fn assert_status(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
}

#[tokio::test]
async fn what_every_listener_has_is_there() {
    let mut room = room(Access::ThisMachine);
    let readiness = room.readiness.clone();
    room.metrics.extend([Metric::single((MetricKind::Gauge, "kadscope_test"), "One.", || 1.0)]);
    assert_eq!(room.metrics.problems(), [""; 0]);
    room.routes = Router::new().route("/of-the-tool", routing::get(async || "yes"));
    let listening = open(room);
    let url = |path: &str| format!("http://{}{path}", listening.address());

    assert!(ask(&url(""), None).await.unwrap().is_well());
    assert_eq!(ask(&url("/of-the-tool"), None).await.unwrap().text, "yes");
    let waiting = ask(&url("/ready"), None).await.unwrap();
    assert_eq!((waiting.status, waiting.text.as_str()), (503, "it has just begun\n"));
    readiness.ready();
    assert!(ask(&url("/ready"), None).await.unwrap().is_well());
    readiness.not_ready("the store is away");
    assert_eq!(ask(&url("/ready"), None).await.unwrap().text, "the store is away\n");

    let metrics = ask(&url("/metrics"), None).await.unwrap().text;
    assert!(metrics.contains("# TYPE kadscope_test gauge\nkadscope_test 1\n"), "{metrics}");
    assert!(metrics.contains("\nprocess_open_fds "), "{metrics}");
    // Nobody has said that profiles may be made.
    assert_eq!(ask(&url("/debug/profile"), None).await.unwrap().status, 404);
    let posted =
        say(listening.address(), b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_status(&posted.await, 405);
    listening.close().await;
}

#[tokio::test]
async fn who_has_no_token_is_told_nothing() {
    let listening = open(room(bearer()));
    let address = listening.address();
    for path in ["/", "/health", "/ready", "/metrics", "/nothing"] {
        for headers in ["", "Authorization: Bearer a-token-of-a-tesT\r\n", "Authorization: Basic YTpi\r\n"] {
            let refused = say(address, &get(path, headers)).await;
            assert_status(&refused, 401);
            assert!(refused.to_lowercase().contains("www-authenticate: bearer") && !refused.contains(TOKEN));
        }
    }
    assert_status(&say(address, &get("/metrics", &format!("Authorization: Bearer {TOKEN}\r\n"))).await, 200);
    assert!(ask(&format!("{address}"), Some(TOKEN)).await.unwrap().is_well());
    listening.close().await;
}

#[tokio::test]
async fn a_page_of_another_name_cannot_ask_on_loopback() {
    let listening = open(room(Access::ThisMachine));
    let foreign = b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_status(&say(listening.address(), foreign).await, 421);
    listening.close().await;
}

#[tokio::test]
async fn bodies_and_heads_have_bounds() {
    let mut room = room(Access::ThisMachine);
    room.bounds.body_bytes = 100;
    let length = async |body: Bytes| body.len().to_string();
    room.routes = Router::new().route("/length", routing::post(length));
    let listening = open(room);
    let address = listening.address();
    let post = |headers: String, body: String| async move {
        let head = format!("POST /length HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        say(address, (head + &body).as_bytes()).await
    };
    let sized = |bytes: usize| post(format!("Content-Length: {bytes}\r\n"), "x".repeat(bytes));
    assert_status(&sized(100).await, 200);
    assert_status(&sized(101).await, 413);
    // Who promises much is refused before it sends it.
    assert_status(&post("Content-Length: 99999999999\r\n".to_owned(), String::new()).await, 413);
    let chunk = format!("3c\r\n{}\r\n", "x".repeat(60));
    let chunked =
        |chunks: usize| post("Transfer-Encoding: chunked\r\n".to_owned(), chunk.repeat(chunks) + "0\r\n\r\n");
    assert_status(&chunked(1).await, 200);
    assert_status(&chunked(2).await, 413);

    let bounds = HttpBounds::default();
    let headers = "X: 1\r\n".repeat(bounds.headers + 1);
    assert_status(&say(address, &get("/health", &headers)).await, 431);
    let long = format!("X: {}\r\n", "x".repeat(2 * bounds.head_bytes));
    assert_status(&say(address, &get("/health", &long)).await, 431);
    listening.close().await;
}

/// Sends a byte now and then, and never a whole head, until the other side hangs up.
async fn dawdle(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let began = Instant::now();
    for byte in b"GET /health HTTP/1.1\r\nX: ".iter().chain(std::iter::repeat(&b'x')) {
        let is_over = stream.write_all(&[*byte]).await.is_err();
        let next = timeout(Duration::from_millis(20), stream.read_u8()).await;
        if is_over || matches!(next, Ok(Err(_))) {
            return;
        }
        assert!(began.elapsed() < LONG, "nobody hangs up");
    }
}

#[tokio::test]
async fn those_who_dawdle_lose_their_places() {
    let mut room = room(Access::ThisMachine);
    room.bounds = HttpBounds { connections: 4, head_time: Duration::from_millis(300), ..room.bounds };
    let listening = open(room);
    let address = listening.address();
    // As many as there are places.
    let slow: Vec<_> = (0..4).map(|_| tokio::spawn(dawdle(address))).collect();
    // One more waits for a place, and is answered once they have lost theirs.
    let honest = timeout(LONG, say(address, &get("/health", ""))).await.expect("there is a place at last");
    assert_status(&honest, 200);
    for slow in slow {
        slow.await.unwrap();
    }
    listening.close().await;
}

#[tokio::test]
async fn who_never_reads_or_never_ends_is_cut_off() {
    let mut room = room(Access::ThisMachine);
    room.bounds = HttpBounds {
        connections: 2,
        stall_time: Duration::from_millis(300),
        request_time: Duration::from_millis(100),
        grace: Duration::from_millis(100),
        ..room.bounds
    };
    let much = async || vec![b'x'; 64 << 20];
    let never = async || std::future::pending::<String>().await;
    room.routes = Router::new().route("/much", routing::get(much)).route("/never", routing::get(never));
    let listening = open(room);
    let address = listening.address();
    assert_status(&say(address, &get("/never", "")).await, 503);
    let mut greedy = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&get("/much", "")).await.unwrap();
        greedy.push(stream);
    }
    // Who keeps the first place that becomes free, so that the next who is answered has the second.
    let mut keeping = TcpStream::connect(address).await.unwrap();
    keeping.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    timeout(LONG, keeping.readable()).await.expect("a place is free").unwrap();
    assert_status(&timeout(LONG, say(address, &get("/health", ""))).await.expect("both are free"), 200);
    for mut stream in greedy {
        let got = heard(&mut stream).await;
        assert!(got.len() < 64 << 20, "it was cut off");
    }
    listening.close().await;
}

#[tokio::test]
async fn a_list_outlives_its_connection_while_it_is_read() {
    const LINES: u32 = 200_000;
    let mut room = room(Access::ThisMachine);
    room.bounds.connection_time = Duration::from_millis(50);
    room.bounds.request_time = Duration::from_millis(50);
    let all = async || {
        lines(|mut writer| async move {
            for line in 0..LINES {
                writer.line(&format!("{line:0>100}")).await.unwrap();
            }
            writer.end().await;
        })
    };
    room.routes = Router::new().route("/lines", routing::get(all));
    let listening = open(room);
    let mut stream = TcpStream::connect(listening.address()).await.unwrap();
    stream.write_all(&get("/lines", "")).await.unwrap();
    let (mut heard, mut part, began) = (Vec::new(), vec![0; 1 << 20], Instant::now());
    while let Ok(bytes @ 1..) = timeout(LONG, stream.read(&mut part)).await.expect("it goes on") {
        heard.extend_from_slice(&part[..bytes]);
        // Slowly: no condition is awaited, this is how the peer behaves.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(began.elapsed() > Duration::from_millis(200), "read at leisure");
    let heard = String::from_utf8(heard).unwrap();
    assert_status(&heard, 200);
    assert_eq!(heard.matches(&"0".repeat(90)).count(), LINES as usize);
    assert!(heard.ends_with("\r\n0\r\n\r\n"), "the end is said");
    listening.close().await;
}

#[tokio::test]
async fn what_is_private_is_not_shown_to_everybody() {
    for (access, token, status) in
        [(Access::ThisMachine, None, 200), (bearer(), Some(TOKEN), 200), (Access::Everybody, None, 403)]
    {
        let mut room = room(access);
        room.routes = Router::new().route("/open", routing::get(async || "open"));
        room.private_routes =
            Router::new().route("/keys", routing::post(async || "secret").get(async || "secret"));
        let listening = open(room);
        let url = |path: &str| format!("http://{}{path}", listening.address());
        assert_eq!(ask(&url("/open"), token).await.unwrap().status, 200);
        let keys = ask(&url("/keys"), token).await.unwrap();
        assert_eq!((keys.status, keys.text.contains("secret")), (status, status == 200), "{keys:?}");
        assert_eq!(ask(&url("/nothing"), token).await.unwrap().status, 404);
        listening.close().await;
    }
}

#[tokio::test]
async fn what_is_under_way_ends_in_good_order() {
    let mut room = room(Access::ThisMachine);
    let (begun, mut has_begun) = tokio::sync::mpsc::channel(1);
    let (finish, _) = tokio::sync::broadcast::channel::<()>(1);
    let finishing = finish.clone();
    let slow = async move || {
        let mut finish = finishing.subscribe();
        begun.send(()).await.unwrap();
        finish.recv().await.unwrap();
        "whole"
    };
    room.routes = Router::new().route("/slow", routing::get(slow));
    room.bounds.grace = LONG;
    let listening = open(room);
    let address = listening.address();
    let under_way = tokio::spawn(async move { say(address, &get("/slow", "")).await });
    has_begun.recv().await.unwrap();
    let closing = tokio::spawn(listening.close());
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    finish.send(()).unwrap();
    assert!(under_way.await.unwrap().ends_with("whole"));
    closing.await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let listening = open(room(Access::ThisMachine));
    let address = listening.address();
    let error = TakenAddress::bind(address).unwrap_err().to_string();
    assert!(error.contains(&address.to_string()), "{error}");
    listening.close().await;
    let gone = ask(&format!("http://{address}/ready"), None).await.unwrap_err().to_string();
    assert!(gone.contains(&address.to_string()), "{gone}");
}
