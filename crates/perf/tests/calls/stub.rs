//! A server that answers with given bytes, and remembers those that it was sent.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use kad::Keypair;
use schema::Timestamp;
use store::{RegisteredServer, ServerEntry, ServerId};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request as it came: its head up to the empty line, and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Request {
    /// Reads one.
    pub(crate) fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Self { head: head.to_owned(), body: body.to_owned() }
    }

    /// Method and target.
    pub(crate) fn line(&self) -> (&str, &str) {
        let mut words = self.head.split(' ');
        (words.next().unwrap(), words.next().unwrap())
    }

    /// Its headers, names in lower case, sorted.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let header =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let mut headers: Vec<_> = self.head.lines().skip(1).filter_map(header).collect();
        headers.sort();
        headers
    }
}

/// The server.
#[derive(Debug)]
pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Request>>>,
    connections: Arc<Mutex<usize>>,
    serving: JoinHandle<()>,
}

impl Stub {
    /// One that answers each request with the bytes that are made of it.
    pub(crate) async fn at(
        address: impl Into<IpAddr>,
        answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address.into(), 0)).await.unwrap();
        Self::on(listener, answer)
    }

    /// The same behind a listener.
    pub(crate) fn on(
        listener: TcpListener,
        answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let (asked, connections): (Arc<Mutex<Vec<_>>>, Arc<Mutex<usize>>) = Default::default();
        let address = listener.local_addr().unwrap();
        let (noted, counted, answer) = (Arc::clone(&asked), Arc::clone(&connections), Arc::new(answer));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *counted.lock().unwrap() += 1;
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                tokio::spawn(serve(stream, noted, answer));
            }
        });
        Self { address, asked, connections, serving }
    }

    /// As it stands in the register.
    pub(crate) fn server(&self, number: u32) -> RegisteredServer {
        let entry = self.entry("default");
        let (last_heartbeat, offline_since) = (Some(Timestamp(0)), None);
        RegisteredServer { id: ServerId(number), entry, last_heartbeat, offline_since }
    }

    /// What it says of itself.
    pub(crate) fn entry(&self, fleet: &str) -> ServerEntry {
        ServerEntry {
            fleet: fleet.to_owned(),
            region: String::new(),
            peer: Keypair::generate_ed25519().public().to_peer_id(),
            http: self.address,
            peer_port: None,
            cpu: 1,
            memory: 1,
            strategy: None,
            version: String::new(),
            command: String::new(),
            dependencies: serde_json::json!({}),
            entered_at: Timestamp(0),
        }
    }

    /// What it was asked.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Answers the requests of a connection until it ends.
async fn serve(
    mut stream: TcpStream,
    noted: Arc<Mutex<Vec<Request>>>,
    answer: Arc<impl Fn(&Request) -> Vec<u8>>,
) {
    while let Some(request) = next(&mut stream).await {
        let said = answer(&request);
        noted.lock().unwrap().push(request);
        if stream.write_all(&said).await.is_err() {
            return;
        }
    }
}

/// The next request of a connection; `None` at its end.
async fn next(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = Request { head: head.to_owned(), body: body.to_owned() };
            let length = head.headers().into_iter().find(|(name, _)| name == "content-length");
            let length = length.map_or(0, |(_, length)| length.parse().unwrap());
            if body.len() == length {
                return Some(head);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A whole answer of JSON.
pub(crate) fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}")
        .into_bytes()
}
