//! Providers of a test: peers that are asked for a block and answer in their own way, and that publish records of themselves.

use std::sync::Arc;

use dht::{ANSWER_PATIENCE, Finder, FinderTerms, Pool, PoolConfig, ProviderRecord, Quest};
use kad::{
    Contact, Keypair, Multiaddr, PeerId,
    answer::{Answer, Asked, Findings},
    bitswap::BITSWAP_PROTOCOLS,
    fabric::{
        Accepted, Attending, Fabric as _, Inward, Member as _, OtherProtocol, PeerStream, Request, Says,
        Service, Terms,
    },
    lookup::{LookupKind, Rules},
    message::{AMINO_PROTOCOL, Message, MessageType, Peer},
    network::{Connection, Network as _},
    protobuf::{write_bytes, write_number},
};
use multiaddr::Protocol;
use net::{Addresses, AnyConnection, FabricConfig, Host, SocketFabric};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::program::Testnet;

/// A digest for each number: of content that nobody else provides.
fn multihash(number: u8) -> Vec<u8> {
    [&[0x12, 0x20][..], &[number; 32]].concat()
}

/// The same as people write it.
pub(crate) fn written(number: u8) -> String {
    format!("1220{}", format!("{number:02x}").repeat(32))
}

/// What a provider does when it is asked for a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// It says that it has it.
    Has,
    /// It says that it does not.
    HasNot,
    /// It says nothing.
    Silent,
    /// What it says is no bitswap.
    Babbles,
    /// It does not speak bitswap.
    SpeaksNoBitswap,
}

impl Habit {
    /// What is said about a block.
    fn says(self, cid: &[u8]) -> Option<Vec<u8>> {
        let kind = match self {
            Self::Has => 0,
            Self::HasNot => 1,
            Self::Babbles => return Some(vec![0xff; 9]),
            Self::Silent | Self::SpeaksNoBitswap => return None,
        };
        let (mut presence, mut out) = (Vec::new(), Vec::new());
        write_bytes(&mut presence, 1, cid);
        write_number(&mut presence, 2, kind);
        write_bytes(&mut out, 4, &presence);
        Some(out)
    }
}

/// Hears who is asked for a block on which connection; the answer goes out on a stream of our own there.
#[derive(Debug)]
struct Desk {
    habit: Habit,
    asked: broadcast::Sender<PeerId>,
}

impl Service for Desk {
    async fn answer(&self, request: Request) -> Answer {
        match Asked::read(&request.message, &request.from.to_bytes()) {
            Ok(Asked::Lookup(lookup)) => Answer::Message(lookup.answer(b"", b"", &Findings::default())),
            _ => Answer::Reset,
        }
    }

    fn others(&self) -> Vec<OtherProtocol> {
        let protocol = |name: &&str| OtherProtocol { name: (*name).to_owned(), max_message_bytes: 4096 };
        let is_spoken = self.habit != Habit::SpeaksNoBitswap;
        BITSWAP_PROTOCOLS.iter().filter(|_| is_spoken).map(protocol).collect()
    }

    fn attend(&self, mut stream: PeerStream) -> Option<Attending> {
        let asked = self.asked.clone();
        Some(Box::pin(async move {
            while stream.hear().await.is_some() {
                asked.send(stream.from).ok();
            }
            Ok(())
        }))
    }
}

/// A provider on loopback. It leaves with the test.
#[derive(Debug)]
pub(crate) struct Provider {
    host: Host,
    /// What it is asked for, as its answers name it.
    content: tokio::sync::watch::Sender<Vec<u8>>,
}

impl Provider {
    /// One with that habit, that serves these protocols of kad.
    pub(crate) async fn join(habit: Habit, kad_protocols: &[&str]) -> Self {
        let (asked, _) = broadcast::channel(16);
        let (content, _) = tokio::sync::watch::channel(Vec::new());
        let kad_protocols = kad_protocols.iter().map(|&name| name.to_owned()).collect();
        let mut says = Says { agent: "provider/1".to_owned(), kad_protocols, addresses: Vec::new() };
        let listen = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];
        let terms = Terms {
            keypair: Keypair::generate_ed25519(),
            says: says.clone(),
            listen: listen.map(|address| address.parse().expect("an address")).to_vec(),
            inward: Inward::HandedOut,
        };
        let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
        let desk = Arc::new(Desk { habit, asked: asked.clone() });
        let host = fabric.join(terms, desk).await.expect("a provider");
        says.addresses = host.listens();
        host.say(says);
        let (accepting, of) = (host.clone(), content.subscribe());
        tokio::spawn(async move {
            while let Some(accepted) = accepting.accept().await {
                tokio::spawn(hold(accepted, habit, asked.subscribe(), of.clone()));
            }
        });
        Self { host, content }
    }

    /// Where it is.
    pub(crate) fn addresses(&self) -> Vec<Multiaddr> {
        self.host.listens()
    }

    /// Publishes that it provides the content of that number, at these addresses.
    pub(crate) async fn publish(&self, testnet: &Testnet, number: u8, addrs: Vec<Multiaddr>) {
        let key = multihash(number);
        self.content.send_replace(key.clone());
        let own = self.host.local();
        let terms =
            FinderTerms { own, protocols: [AMINO_PROTOCOL.to_owned()].into(), patience: ANSWER_PATIENCE };
        let finder = Finder::new(Pool::new(self.host.clone(), PoolConfig::default()), terms);
        let from = testnet.bootstrap().into_iter().map(contact).collect();
        let quest = Quest { kind: LookupKind::Closest, key: key.clone(), from, rules: Rules::go() };
        let go_on = CancellationToken::new();
        let found = finder.find(quest, |_| false, |_, _| {}, &go_on).await;
        let record = ProviderRecord { key, provider: Contact { peer: own, addrs } };
        let holders = finder.give(&record, &found, &go_on).await;
        assert!(holders.len() == 20 && holders.iter().all(|holder| holder.sent.is_ok()), "{holders:?}");
    }
}

/// Holds a connection, and answers there what is asked on it.
async fn hold(
    accepted: Accepted<AnyConnection>,
    habit: Habit,
    mut asked: broadcast::Receiver<PeerId>,
    content: tokio::sync::watch::Receiver<Vec<u8>>,
) {
    let Accepted { peer, mut connection, .. } = accepted;
    loop {
        tokio::select! {
            Ok(by) = asked.recv() => {
                let answer = habit.says(&content.borrow());
                if let Some(answer) = answer.filter(|_| by == peer) {
                    let stream = connection.open(BITSWAP_PROTOCOLS[0], 4096);
                    connection.send(stream, &answer);
                }
            }
            event = connection.next() => if event.is_err() { return },
        }
    }
}

/// The only peer of a network, which says of one provider that it is at these addresses, whatever it is asked for.
#[derive(Debug)]
pub(crate) struct Holder(Host);

/// What it answers.
#[derive(Debug)]
struct Record(Peer);

impl Service for Record {
    async fn answer(&self, request: Request) -> Answer {
        let Ok(mut answer) = Message::decode(&request.message) else { return Answer::Reset };
        if answer.kind == MessageType::GetProviders {
            answer.provider_peers = vec![self.0.clone()];
        }
        Answer::Message(answer.encode())
    }
}

impl Holder {
    pub(crate) async fn join(addresses: &[&str]) -> Self {
        let addrs: Vec<Multiaddr> = addresses.iter().map(|addr| addr.parse().expect("an address")).collect();
        let record = Record(Peer::new(&PeerId::random(), &addrs));
        let says = Says { kad_protocols: vec![AMINO_PROTOCOL.to_owned()], ..Says::default() };
        let listen = vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")];
        let terms = Terms { keypair: Keypair::generate_ed25519(), says, listen, inward: Inward::Served };
        let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
        Self(fabric.join(terms, Arc::new(record)).await.expect("a holder"))
    }

    /// Its id.
    pub(crate) fn id(&self) -> String {
        self.0.local().to_string()
    }

    /// Where it is, with its id.
    pub(crate) fn address(&self) -> String {
        format!("{}/p2p/{}", self.0.listens()[0], self.0.local())
    }
}

/// An address that ends in a peer's id.
fn contact(text: &str) -> Contact {
    let mut address: Multiaddr = text.parse().expect("an address");
    match address.pop() {
        Some(Protocol::P2p(peer)) => Contact { peer, addrs: vec![address] },
        _ => panic!("no peer id: {text}"),
    }
}
