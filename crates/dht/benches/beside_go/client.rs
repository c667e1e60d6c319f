//! A client as go-libp2p-kad-dht is one: it listens, keeps its connections, and begins lookups with the closest that it knows.

use std::{sync::Arc, time::Duration};

use kad::{
    Contact, Key, Keypair, PeerId,
    answer::Answer,
    fabric::{Fabric as _, Inward, Member as _, Request, Says, Service, Terms},
    lookup::{Enough, LookupKind, RpcFate, Rules},
    message::{AMINO_PROTOCOL, K},
    table::{Newcomer, RoutingTable, TableRules},
};
use kadscope_dht::{ANSWER_PATIENCE, Finder, FinderTerms, Found, Pool, PoolConfig, ProviderRecord, Quest};
use net::{Addresses, FabricConfig, Host, SocketFabric};
use tokio_util::sync::CancellationToken;

pub(crate) struct Client {
    finder: Finder<Host>,
    own: Contact,
    table: RoutingTable<Contact>,
}

/// A client serves nothing.
struct NoServer;

impl Service for NoServer {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reset
    }
}

impl Client {
    /// A client that knows the peers at these addresses, and has room for so many connections.
    pub(crate) async fn join(bootstrap: &[String], connections: usize) -> Self {
        let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
        let terms = Terms {
            keypair: Keypair::generate_ed25519(),
            says: Says { agent: "kadscope-bench/1".to_owned(), ..Says::default() },
            listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("an address")],
            inward: Inward::Served,
        };
        let host = fabric.join(terms, Arc::new(NoServer)).await.expect("a place");
        let own = Contact { peer: kad::network::Network::local(&host), addrs: host.listens() };
        let protocols = Arc::from([AMINO_PROTOCOL.to_owned()]);
        let terms = FinderTerms { own: own.peer, protocols, patience: ANSWER_PATIENCE };
        let finder = Finder::new(Pool::new(host, PoolConfig { connections, ..PoolConfig::default() }), terms);
        let mut table = RoutingTable::new(Key::of_peer(&own.peer), TableRules::default());
        for text in bootstrap {
            let (addr, peer) = text.rsplit_once("/p2p/").expect("an id");
            let peer: PeerId = peer.parse().expect("an id");
            let contact = Contact { peer, addrs: vec![addr.parse().expect("an address")] };
            take_in(&mut table, contact);
        }
        Self { finder, own, table }
    }

    /// How many connections stand. None is closed while there is room for all, so what comes to them was dialled.
    pub(crate) fn connections(&self) -> usize {
        self.finder.pool().connections()
    }

    /// The closest peers.
    pub(crate) async fn find_closest(&mut self, key: Vec<u8>) -> Found {
        self.find(LookupKind::Closest, key, Rules::go()).await
    }

    /// How many providers there are: none or one, since it ends with the first.
    pub(crate) async fn find_provider(&mut self, key: Vec<u8>) -> usize {
        self.find(LookupKind::Providers, key, Rules::go().until(Enough::FIRST)).await.providers.len()
    }

    /// Gives a record of itself to the closest peers.
    pub(crate) async fn provide(&mut self, key: Vec<u8>) {
        let found = self.find_closest(key.clone()).await;
        let record = ProviderRecord { key, provider: self.own.clone() };
        let holders = self.finder.give(&record, &found, &CancellationToken::new()).await;
        assert!(holders.iter().all(|holder| holder.sent.is_ok()), "{holders:?}");
    }

    async fn find(&mut self, kind: LookupKind, key: Vec<u8>, rules: Rules) -> Found {
        let closest = self.table.closest(&Key::of(&key), K);
        let from = closest.into_iter().map(|peer| peer.peer.clone()).collect();
        let quest = Quest { kind, key, from, rules };
        let found = self.finder.find(quest, |_| true, |_, _| {}, &CancellationToken::new()).await;
        let answered = found.trace.rpcs.iter().filter(|rpc| rpc.fate == RpcFate::Answered);
        for peer in answered.filter_map(|rpc| found.trace.peer(rpc.peer)) {
            take_in(&mut self.table, found.contact(peer));
        }
        found
    }
}

fn take_in(table: &mut RoutingTable<Contact>, contact: Contact) {
    // A full bucket stays as it is.
    table.insert(Newcomer::new(Key::of_peer(&contact.peer), contact), Duration::ZERO).ok();
}
