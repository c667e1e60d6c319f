//! A service that answers every request alike, whatever it is asked.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use http::HttpUrl;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Whom records name.
pub(crate) const PEER: &str = "12D3KooWRkVYJqmFgvoi8nPUyaJ6k8rqxTT8BMp1oZyRTuY84Vw3";

/// An identity multihash.
pub(crate) const KEY: &[u8] = &[0x00, 1, 7];

/// A record of a provider with an address.
pub(crate) fn record(protocol: &str) -> String {
    format!(r#"{{"Schema":"peer","ID":"{PEER}","Addrs":["/ip4/1.2.3.4/tcp/1"],"Protocols":["{protocol}"]}}"#)
}

/// An answer with a body of this type.
pub(crate) fn answer(content_type: &str, body: &str) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body.as_bytes()].concat()
}

/// The same of a record a line.
pub(crate) fn lines(body: &str) -> Vec<u8> {
    answer("application/x-ndjson", body)
}

/// An answer of nothing but a status.
pub(crate) fn status(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// A service that answers every request alike.
pub(crate) struct Service {
    port: u16,
    requests: Arc<AtomicUsize>,
    /// Ends with it.
    _serving: JoinSet<()>,
}

impl Service {
    /// Sends these bytes, and hangs up or stays silent.
    pub(crate) async fn new(answer: Vec<u8>, hangs_up: bool) -> Self {
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

    /// Below which it is asked.
    pub(crate) fn base(&self) -> HttpUrl {
        format!("http://127.0.0.1:{}/base", self.port).parse().unwrap()
    }

    /// How many requests came.
    pub(crate) fn requests(&self) -> usize {
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
        assert!(head.starts_with(b"GET /base/routing/v1/providers/bafkqaaih"));
        head.clear();
        asked.fetch_add(1, SeqCst);
        // Who asks may have heard enough.
        stream.write_all(&answer).await.ok();
        if hangs_up {
            return;
        }
    }
}
