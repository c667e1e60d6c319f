//! Peers of ours on one fabric: they ask each other whoever opened the connection, say something new, come, go, and keep
//! their bounds under hostile traffic.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod beside;
mod both_ways;
mod coming_and_going;
mod garbage;
mod hostile;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use kad::{
    Keypair, Multiaddr, PeerId,
    answer::Answer,
    fabric::{
        Accepted, Attending, Fabric, Inward, Member, Notice, OtherProtocol, PeerStream, Request, Says,
        Service, Terms,
    },
    failure::Failure,
    network::{Connection, Event, Network},
};
use kadscope_net::{Addresses, AnyConnection, FabricConfig, Host, SocketFabric};
use tokio::{sync::watch, time::timeout};

pub(crate) const KAD: &str = "/ipfs/kad/1.0.0";

pub(crate) const TCP: &str = "/ip4/127.0.0.1/tcp/0";
pub(crate) const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

/// No test waits longer for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers with the name of its peer and what was asked, and keeps what it was told.
#[derive(Debug)]
pub(crate) struct Named {
    name: &'static str,
    notices: Mutex<Vec<Notice>>,
    count: watch::Sender<usize>,
}

impl Service for Named {
    async fn answer(&self, request: Request) -> Answer {
        match request.message.as_slice() {
            b"never" => std::future::pending().await,
            b"large" => Answer::Message(vec![7; 128 << 10]),
            message => Answer::Message([self.name.as_bytes(), b" heard ", message].concat()),
        }
    }

    fn others(&self) -> Vec<OtherProtocol> {
        beside::PROTOCOLS.map(|name| OtherProtocol { name: name.to_owned(), max_message_bytes: 10 }).into()
    }

    fn attend(&self, stream: PeerStream) -> Option<Attending> {
        (stream.protocol == beside::TALK).then(|| Box::pin(beside::talk(self.name, stream)) as _)
    }

    fn asks(&self, _: PeerId) -> bool {
        true
    }

    fn notice(&self, notice: Notice) {
        let mut notices = self.notices.lock().unwrap();
        notices.push(notice);
        self.count.send_replace(notices.len());
    }
}

/// A peer of ours and what it was told.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) host: Host,
    pub(crate) told: Arc<Named>,
}

impl Ours {
    pub(crate) async fn join(
        fabric: &SocketFabric,
        name: &'static str,
        listen: &[&str],
        inward: Inward,
    ) -> Self {
        let told = Arc::new(Named { name, notices: Mutex::default(), count: watch::channel(0).0 });
        let terms = Terms {
            keypair: Keypair::generate_ed25519(),
            says: says(name),
            listen: listen.iter().map(|address| address.parse().unwrap()).collect(),
            inward,
        };
        let host = fabric.join(terms, Arc::clone(&told)).await.unwrap();
        Self { host, told }
    }

    pub(crate) fn at(&self, n: usize) -> Multiaddr {
        self.host.listens()[n].clone()
    }

    pub(crate) async fn dial(&self, other: &Self, n: usize) -> AnyConnection {
        let dial = self.host.connect(other.host.local(), vec![other.at(n)]).await;
        dial.connection.unwrap_or_else(|| panic!("{:?}", dial.attempts))
    }

    /// Both ends of a connection that the other one hands out.
    pub(crate) async fn meet(&self, other: &Self) -> (AnyConnection, Accepted<AnyConnection>) {
        let mut dialled = self.dial(other, 0).await;
        let accepted = tokio::select! {
            // The last message of the handshake leaves when something is waited for.
            event = dialled.next() => panic!("{event:?}"),
            accepted = timeout(PATIENCE, other.host.accept()) => accepted.unwrap().unwrap(),
        };
        (dialled, accepted)
    }

    /// The first notice of which `pick` makes something, as soon as there is one.
    pub(crate) async fn told<T>(&self, pick: impl Fn(&Notice) -> Option<T>) -> T {
        let mut count = self.told.count.subscribe();
        let found = async {
            loop {
                if let Some(found) = self.told.notices.lock().unwrap().iter().find_map(&pick) {
                    return found;
                }
                count.changed().await.unwrap();
            }
        };
        timeout(PATIENCE, found).await.expect("a notice")
    }
}

pub(crate) fn fabric() -> SocketFabric {
    SocketFabric::new(FabricConfig::new(Addresses::Loopback))
}

pub(crate) fn says(agent: &str) -> Says {
    Says { agent: agent.to_owned(), kad_protocols: vec![KAD.to_owned()], addresses: Vec::new() }
}

/// Asks one thing on a new stream.
pub(crate) async fn ask(connection: &mut AnyConnection, what: &[u8]) -> Vec<u8> {
    outcome(connection, what).await.unwrap()
}

/// What comes of a question: its answer, or why there is none.
pub(crate) async fn outcome(connection: &mut AnyConnection, what: &[u8]) -> Result<Vec<u8>, Failure> {
    let stream = connection.open(KAD, 1 << 20);
    connection.send(stream, what);
    connection.finish(stream);
    let waiting = async {
        loop {
            match connection.next().await? {
                Event::Message(id, message) if id == stream => return Ok(message),
                Event::Ended(id, end) if id == stream => return Err(end.expect("an answer before the end")),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, waiting).await.expect("an answer, or none")
}

/// Both ends ask at once, and answer meanwhile.
pub(crate) async fn ask_each_other(one: &mut AnyConnection, other: &mut AnyConnection) -> [Vec<u8>; 2] {
    let mut answers = [None, None];
    for connection in [&mut *one, &mut *other] {
        let stream = connection.open(KAD, 1 << 20);
        connection.send(stream, b"it");
        connection.finish(stream);
    }
    let asking = async {
        while answers.iter().any(Option::is_none) {
            let (n, event) = tokio::select! {
                event = one.next() => (0, event),
                event = other.next() => (1, event),
            };
            if let Event::Message(_, message) = event.unwrap() {
                answers[n] = Some(message);
            }
        }
    };
    timeout(PATIENCE, asking).await.expect("answers");
    answers.map(Option::unwrap)
}

/// Serves a connection in the background until it is over.
pub(crate) fn serve(mut connection: AnyConnection) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move { while connection.next().await.is_ok() {} })
}
