//! The client beside servers on loopback that are slow, break off, say nonsense, or are not who they should be.

#![expect(clippy::unwrap_used, reason = "a test ends at the first error")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use kadscope_http::{
    HttpClient, HttpClientConfig, HttpFailure, HttpFailureClass as Class, HttpRequest, HttpUrl, WebRoots,
};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::Instant,
};
use tokio_rustls::TlsAcceptor;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server, how many connections it has taken, and how many requests.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    /// Ends with it.
    _serving: JoinSet<()>,
}

impl Server {
    /// Answers each request on a connection with these bytes, so many times, and hangs up.
    async fn new(answer: impl Into<Vec<u8>>, times: usize) -> Self {
        let answer = answer.into();
        Self::by(times, move |_| answer.clone()).await
    }

    /// The same with an answer that hangs on the number of the request.
    async fn by(times: usize, answer: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (taken, asked, answer) = (Arc::clone(&connections), Arc::clone(&requests), Arc::new(answer));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut each = JoinSet::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                taken.fetch_add(1, SeqCst);
                let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
                each.spawn(
                    async move { serve(&mut stream, times, || answer(asked.fetch_add(1, SeqCst))).await },
                );
            }
        });
        Self { port, connections, requests, _serving: serving }
    }

    fn get(&self) -> HttpRequest {
        HttpRequest::get(self.url())
    }

    fn url(&self) -> HttpUrl {
        format!("http://127.0.0.1:{}/x", self.port).parse().unwrap()
    }
}

/// Answers so many requests, unless the other side hangs up before.
async fn serve(stream: &mut TcpStream, times: usize, answer: impl Fn() -> Vec<u8>) {
    let mut left = times;
    while left > 0 && read_head(stream).await.is_some() {
        stream.write_all(&answer()).await.ok();
        left -= 1;
    }
}

/// The head of a request; `None` if the connection has ended.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(head)
}

fn client(change: impl FnOnce(&mut HttpClientConfig)) -> HttpClient {
    let mut config = HttpClientConfig {
        request_time: LONG,
        connect_time: LONG,
        idle_time: LONG,
        ..HttpClientConfig::default()
    };
    change(&mut config);
    HttpClient::new(config).unwrap()
}

async fn class_of(answer: impl Into<Vec<u8>>) -> Class {
    let server = Server::new(answer, 1).await;
    client(|config| config.max_body_bytes = 1000).send(server.get()).await.unwrap_err().class()
}

#[tokio::test]
async fn connections_are_kept_and_bounded() {
    let server = Server::new(OK, usize::MAX).await;
    let client = client(|config| config.connections_per_host = 2);
    for _ in 0..3 {
        let answer = client.send(server.get()).await.unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    }
    assert_eq!(server.connections.load(SeqCst), 1);
    let mut asking = JoinSet::new();
    for _ in 0..50 {
        let (client, request) = (client.clone(), server.get());
        asking.spawn(async move { client.send(request).await.unwrap().status });
    }
    assert_eq!(asking.join_all().await, [200; 50]);
    assert!(server.connections.load(SeqCst) <= 2);
}

#[tokio::test]
async fn a_connection_that_was_lost_meanwhile_is_made_anew_where_that_is_safe() {
    // Each connection answers once and hangs up without a word.
    let server = Server::new(OK, 1).await;
    let client = client(|_| {});
    for _ in 0..5 {
        assert_eq!(client.send(server.get()).await.unwrap().status, 200);
    }
    assert_eq!(server.requests.load(SeqCst), 5);
    // It takes a second request on the same connection and hangs up instead of an answer.
    let moody = || Server::by(2, |number| if number % 2 == 0 { OK.to_vec() } else { Vec::new() });
    let server = moody().await;
    client.send(server.get()).await.unwrap();
    assert_eq!(client.send(server.get()).await.unwrap().status, 200);
    let server = moody().await;
    client.send(server.get()).await.unwrap();
    let posted = client.send(HttpRequest::post(server.url(), "")).await.unwrap_err();
    assert_eq!(posted.class(), Class::BrokenOff);
    assert_eq!(server.requests.load(SeqCst), 2, "a POST is never sent twice");
}

#[tokio::test]
async fn what_is_no_answer_has_a_name() {
    assert_eq!(class_of("SSH-2.0-OpenSSH_9.6\r\n").await, Class::Malformed);
    assert_eq!(class_of(vec![0xff; 500]).await, Class::Malformed);
    assert_eq!(class_of("").await, Class::BrokenOff);
    assert_eq!(class_of("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort").await, Class::BrokenOff);
    assert_eq!(class_of("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n").await, Class::BodyTooLong);
    let long = "a".repeat(600);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n258\r\n{long}\r\n258\r\n{long}\r\n0\r\n\r\n"
    );
    assert_eq!(class_of(chunked).await, Class::BodyTooLong);
    let endless_head = format!("HTTP/1.1 200 OK\r\nx: {}", "a".repeat(200_000));
    assert_eq!(class_of(endless_head).await, Class::Malformed);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let request = HttpRequest::get(format!("http://{free}").parse().unwrap());
    assert_eq!(client(|_| {}).send(request).await.unwrap_err().class(), Class::Connect);
}

#[tokio::test]
async fn who_dawdles_is_not_waited_for() {
    let server = Server::new("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", usize::MAX).await;
    let client = client(|config| config.request_time = Duration::from_secs(1));
    let begun = Instant::now();
    assert_eq!(client.send(server.get()).await.unwrap_err().class(), Class::Timeout);
    // It has said so much in time, and the rest does not come.
    let mut incoming = client.open(server.get()).await.unwrap();
    assert_eq!(incoming.status(), 200);
    assert_eq!(incoming.piece().await.unwrap_err().class(), Class::Timeout);
    // A time of its own.
    let request = server.get().within(Duration::from_millis(1));
    assert_eq!(client.send(request).await.unwrap_err().class(), Class::Timeout);
    assert!(begun.elapsed() < LONG);
}

#[tokio::test]
async fn a_place_that_is_not_given_back_is_not_lost() {
    let server = Server::new(OK, usize::MAX).await;
    let client = client(|config| config.connections_per_host = 1);
    for _ in 0..5 {
        // Dropped before its end.
        drop(client.open(server.get()).await.unwrap());
    }
    assert_eq!(client.send(server.get()).await.unwrap().status, 200);
}

#[tokio::test]
async fn hosts_are_bounded_and_those_that_nobody_asks_make_room() {
    let (one, other) = (Server::new(OK, usize::MAX).await, Server::new(OK, usize::MAX).await);
    let client = client(|config| config.hosts = 1);
    let held = client.open(one.get()).await.unwrap();
    assert_eq!(client.send(other.get()).await.unwrap_err().class(), Class::Busy);
    drop(held);
    assert_eq!(client.send(other.get()).await.unwrap().status, 200);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let moved = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let server = Server::new(moved, 1).await;
    let answer = client(|_| {}).send(server.get()).await.unwrap();
    assert_eq!((answer.status, answer.header("location")), (302, Some("http://127.0.0.1:1/")));
    assert_eq!(answer.well().unwrap_err(), HttpFailure::of_status(302));
}

/// Answers once over TLS as whom the certificate says, with the port and the root in PEM.
async fn over_tls(name: &str) -> (u16, String, JoinSet<()>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.key_pair.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        answer_over_tls(&acceptor, stream).await;
    });
    (port, made.cert.pem(), serving)
}

async fn answer_over_tls(acceptor: &TlsAcceptor, stream: TcpStream) {
    // Whoever does not trust it hangs up.
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    if read_head(&mut stream).await.is_some() {
        finish(&mut stream).await;
    }
}

async fn finish(stream: &mut (impl AsyncWrite + Unpin)) {
    stream.write_all(OK).await.unwrap();
    stream.flush().await.unwrap();
}

#[tokio::test]
async fn certificates_are_verified_by_root_and_name() {
    let ask = async |name: &str, is_trusted: bool| {
        let (port, pem, _serving) = over_tls(name).await;
        let roots =
            if is_trusted { WebRoots::from_pem(pem.as_bytes()).unwrap() } else { WebRoots::default() };
        let request = HttpRequest::get(format!("https://localhost:{port}/").parse().unwrap());
        client(|config| config.roots = roots).send(request).await.map(|answer| answer.status)
    };
    assert_eq!(ask("localhost", true).await, Ok(200));
    assert_eq!(ask("localhost", false).await.unwrap_err().class(), Class::Tls);
    assert_eq!(ask("elsewhere.test", true).await.unwrap_err().class(), Class::Tls);
    assert!(WebRoots::from_pem(b"nothing").is_err());
}
