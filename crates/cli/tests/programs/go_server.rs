//! A server of Go, as far as HTTP shows: it answers as Parsec's servers do, and finds whatever it is asked for.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use kad::Keypair;
use schema::Timestamp;
use sha2::{Digest as _, Sha256};
use store::ServerEntry;

/// A server of Go, as far as HTTP shows.
pub(crate) struct GoServer {
    address: SocketAddr,
    publications: Arc<AtomicUsize>,
    hangs: Arc<AtomicBool>,
}

impl GoServer {
    /// One that finds whatever it is asked for.
    pub(crate) fn start() -> Self {
        // Parsec's tables have no place for the upper half of all ports. Each process begins elsewhere.
        let first = std::process::id() % 12_000;
        let ports = (0..12_000).map(|more| 20_000 + (first + more) % 12_000);
        let mut ports = ports.filter_map(|port| u16::try_from(port).ok());
        let listener = ports.find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (publications, hangs): (Arc<AtomicUsize>, Arc<AtomicBool>) = Default::default();
        let (count, hung) = (Arc::clone(&publications), Arc::clone(&hangs));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (count, hung) = (Arc::clone(&count), Arc::clone(&hung));
                thread::spawn(move || serve(stream, &count, &hung));
            }
        });
        Self { address, publications, hangs }
    }

    /// How often it was told to publish.
    pub(crate) fn publications(&self) -> usize {
        self.publications.load(SeqCst)
    }

    /// From now on it never ends what it is told to publish.
    pub(crate) fn hang(&self) {
        self.hangs.store(true, SeqCst);
    }

    /// What a register has of it.
    pub(crate) fn entry(&self) -> ServerEntry {
        ServerEntry {
            fleet: "default".to_owned(),
            region: "here".to_owned(),
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
}

/// Answers the requests of a connection until it ends.
fn serve(mut stream: TcpStream, publications: &AtomicUsize, hangs: &AtomicBool) {
    while let Some((target, body)) = request(&mut stream) {
        let cid = match target.strip_prefix("/retrieve/") {
            Some(rest) => rest.split('?').next().unwrap_or_default().to_owned(),
            None => cid_of(&body),
        };
        if target.starts_with("/provide") {
            publications.fetch_add(1, SeqCst);
            if hangs.load(SeqCst) {
                continue;
            }
        }
        let step = if target.starts_with("/provide") { "provide" } else { "" };
        let said = format!(
            r#"{{"CID":"{cid}","Measurements":[{{"Step":"{step}","Duration":5166922,"Error":""}}],"RoutingTableSize":59}}"#
        );
        let said = if target == "/readiness" { "" } else { &said };
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{said}", said.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The next request: its target and its body.
fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut text = String::new();
    let mut bytes = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == length.map_or(0, |length| length.parse().expect("a number")) {
                return Some((head.split(' ').nth(1)?.to_owned(), body.to_owned()));
            }
        }
        let read = stream.read(&mut bytes).ok().filter(|&read| read > 0)?;
        text.push_str(std::str::from_utf8(&bytes[..read]).expect("UTF-8"));
    }
}

/// The CID of what a body orders to publish.
fn cid_of(body: &str) -> String {
    let content = body.split('"').nth(3).unwrap_or_default();
    let content = multibase::Base::Base64Pad.decode(content).expect("base64");
    multibase::Base::Base58Btc.encode([&[0x12, 0x20][..], &Sha256::digest(content)].concat())
}
