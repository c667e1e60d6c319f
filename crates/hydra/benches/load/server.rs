//! The server: a peer that answers from twenty peers and what it is given to keep, by the rules that all servers follow.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use foldhash::fast::RandomState;
use kad::{
    Keypair, Multiaddr, PeerId,
    answer::{Answer, Asked, Findings, Known, Query, entry},
    fabric::{Fabric as _, Inward, Member as _, Request, Says, Service, Terms},
    message::{AMINO_PROTOCOL, ConnectionType, K, MessageType},
    network::Network as _,
};
use net::{Addresses, Bounds, FabricConfig, SocketFabric};

use crate::process::{SERVER_CORE, pin, runtime, tell_what_is_spent};

/// What it knows and keeps.
struct Desk {
    own: Box<[u8]>,
    peers: Vec<Entry>,
    kept: Mutex<Kept>,
}

/// A peer's id, and its entry in answers.
type Entry = (Box<[u8]>, Box<[u8]>);

#[derive(Default)]
struct Kept {
    providers: HashMap<Box<[u8]>, Entry, RandomState>,
    values: HashMap<Box<[u8]>, Box<[u8]>, RandomState>,
}

impl Service for Desk {
    async fn answer(&self, request: Request) -> Answer {
        let from = request.from.to_bytes();
        let Ok(asked) = Asked::read(&request.message, &from) else { return Answer::Reset };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match asked {
            Asked::Answered(answer) => answer,
            Asked::Lookup(query) => Answer::Message(self.look_up(&kept, &query, &from)),
            Asked::Provide(provide) => {
                let addrs = provide.addrs().iter().map(AsRef::as_ref);
                let entry = entry(&from, addrs, ConnectionType::NotConnected).into();
                kept.providers.insert(provide.key().into(), (from.into(), entry));
                Answer::Nothing
            }
            Asked::Put(put) => {
                kept.values.insert(put.key().into(), put.value().value.into());
                Answer::Message(put.answer())
            }
        }
    }
}

impl Desk {
    fn look_up(&self, kept: &Kept, query: &Query<'_>, from: &[u8]) -> Vec<u8> {
        let found = Findings {
            target: None,
            closest: self.peers.iter().map(of).collect(),
            providers: match query.kind() {
                MessageType::GetProviders => kept.providers.get(query.key()).map(of).into_iter().collect(),
                _ => Vec::new(),
            },
            record: kept.values.get(query.key()).map(AsRef::as_ref),
        };
        query.answer(&self.own, from, &found)
    }
}

fn of((id, entry): &Entry) -> Known<'_> {
    Known { id, entry, has_addresses: true }
}

/// Serves until the input ends.
pub(crate) fn serve(args: &[String]) {
    let [transport, threads] = args else { panic!("a transport and a number of threads") };
    let threads = threads.parse().expect("a number");
    if threads == 1 {
        pin(SERVER_CORE);
    }
    let (listen, runtime): (Multiaddr, _) = match transport.as_str() {
        "quic" => ("/ip4/127.0.0.1/udp/0/quic-v1".parse().expect("an address"), runtime(threads)),
        _ => ("/ip4/127.0.0.1/tcp/0".parse().expect("an address"), runtime(threads)),
    };
    let keypair = Keypair::generate_ed25519();
    let desk = Desk {
        own: keypair.public().to_peer_id().to_bytes().into(),
        peers: (0..K).map(|_| peer()).collect(),
        kept: Mutex::default(),
    };
    let bounds = Bounds { per_source: 1 << 16, half_open_per_source: 1 << 10, ..Bounds::default() };
    let fabric = SocketFabric::new(FabricConfig { bounds, ..FabricConfig::new(Addresses::Loopback) });
    let says = Says {
        agent: "kadscope-bench/1".to_owned(),
        kad_protocols: vec![AMINO_PROTOCOL.to_owned()],
        ..Says::default()
    };
    let terms = Terms { keypair, says, listen: vec![listen], inward: Inward::Served };
    let host = runtime.block_on(fabric.join(terms, Arc::new(desk))).expect("a place");
    println!("{} {}", host.local(), host.listens()[0]);
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let telling = std::thread::spawn(move || {
        tell_what_is_spent();
        drop(end);
    });
    runtime.block_on(ended).ok();
    telling.join().expect("no panic");
}

/// A peer as it stands in tables: its id, and its entry in answers.
fn peer() -> Entry {
    let id = PeerId::random().to_bytes();
    let address: Multiaddr = "/ip4/203.0.113.7/tcp/4001".parse().expect("an address");
    let entry = entry(&id, std::iter::once(address.as_ref()), ConnectionType::NotConnected);
    (id.into(), entry.into())
}
