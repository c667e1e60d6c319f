//! Stands between a belly and a database: counts what is asked, and lets nothing pass for a while.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::Instant,
};

/// The message by which a client has a statement carried out, and the one of a simple query.
const STATEMENTS: [u8; 2] = [b'E', b'Q'];

/// When each statement passed.
type Passed = Arc<Mutex<Vec<Instant>>>;

/// A proxy to a port of this machine.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    switch: watch::Sender<bool>,
    passed: Passed,
}

impl Proxy {
    pub(crate) async fn start(to: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (switch, pause) = watch::channel(false);
        let passed = Passed::default();
        let passing = Arc::clone(&passed);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let counting = Some((Frames::default(), Arc::clone(&passing)));
                tokio::spawn(forward(from_client, to_server, pause.clone(), counting));
                tokio::spawn(forward(from_server, to_client, pause.clone(), None));
            }
        });
        Self { port, switch, passed }
    }

    /// Lets nothing pass, or all that came meanwhile.
    pub(crate) fn pause(&self, pauses: bool) {
        self.switch.send_replace(pauses);
    }

    /// Counts from now on.
    pub(crate) fn forget(&self) {
        self.passed.lock().unwrap().clear();
    }

    /// How many statements passed in the time of that length that had most.
    pub(crate) fn most_within(&self, length: Duration) -> u32 {
        let passed = self.passed.lock().unwrap();
        let within = |(place, first): (usize, &Instant)| {
            passed[place..].iter().take_while(|other| **other - *first < length).count()
        };
        passed.iter().enumerate().map(within).max().unwrap_or(0).try_into().unwrap()
    }
}

async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut pause: watch::Receiver<bool>,
    mut counting: Option<(Frames, Passed)>,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if pause.wait_for(|pauses| !pauses).await.is_err() {
            return;
        }
        if let Some((frames, passed)) = &mut counting {
            let (statements, now) = (frames.read(&buffer[..length]), Instant::now());
            passed.lock().unwrap().extend((0..statements).map(|_| now));
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// Tells the messages of a client apart: a kind and a length each, but for what comes first, which has no kind.
#[derive(Default)]
struct Frames {
    /// Of the message that is being read.
    head: Vec<u8>,
    /// What is left of it behind its head.
    body: usize,
    is_begun: bool,
}

impl Frames {
    /// How many statements begin in these bytes.
    fn read(&mut self, mut bytes: &[u8]) -> u32 {
        let mut statements = 0;
        while !bytes.is_empty() {
            let skipped = self.body.min(bytes.len());
            (self.body, bytes) = (self.body - skipped, &bytes[skipped..]);
            let wanted = if self.is_begun { 5 } else { 4 };
            while self.body == 0 && self.head.len() < wanted && !bytes.is_empty() {
                self.head.push(bytes[0]);
                bytes = &bytes[1..];
            }
            if self.head.len() == wanted {
                let length = u32::from_be_bytes(self.head[wanted - 4..].try_into().unwrap());
                statements += u32::from(self.is_begun && STATEMENTS.contains(&self.head[0]));
                self.body = usize::try_from(length).unwrap() - 4;
                // A request for TLS has 8 bytes, and the real beginning follows it.
                self.is_begun |= length != 8;
                self.head.clear();
            }
        }
        statements
    }
}
