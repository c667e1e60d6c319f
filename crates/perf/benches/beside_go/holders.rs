//! Whom publications reached: the closest of those that live are asked whether they have the record, whoever published it.

use std::{fmt, sync::Arc, time::Duration};

use dht::{
    ANSWER_PATIENCE, AsksOnly, Finder, FinderTerms, FullTable, Holder, Pool, PoolConfig, ProviderRecord,
};
use kad::{
    Contact, Keypair, PeerId,
    fabric::{Fabric as _, Inward, Says, Terms},
    message::{AMINO_PROTOCOL, K},
};
use net::{Addresses, FabricConfig, SocketFabric};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// How long after the last publication the holders are asked.
const LATER: Duration = Duration::from_secs(1);

/// How many of the closest had each record.
pub(crate) struct Holding(Vec<usize>);

impl Holding {
    /// Of several sides together.
    pub(crate) fn of_all<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        Self(all.flat_map(|holding| holding.0.iter().copied()).collect())
    }
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum: usize = self.0.iter().sum();
        let least = self.0.iter().min().copied().unwrap_or(0);
        write!(f, "{:.1} ({least})", sum as f64 / self.0.len().max(1) as f64)
    }
}

/// Asks the closest of those that live for each key.
pub(crate) async fn read(living: Vec<Contact>, publisher: PeerId, keys: Vec<Vec<u8>>) -> Holding {
    let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
    let terms = Terms {
        keypair: Keypair::generate_ed25519(),
        says: Says { agent: "kadscope-bench/1".to_owned(), ..Says::default() },
        listen: Vec::new(),
        inward: Inward::Served,
    };
    let host = fabric.join(terms, Arc::new(AsksOnly)).await.expect("a place");
    let own = kad::network::Network::local(&host);
    let terms =
        FinderTerms { own, protocols: Arc::from([AMINO_PROTOCOL.to_owned()]), patience: ANSWER_PATIENCE };
    let finder =
        Finder::new(Pool::new(host, PoolConfig { connections: 4096, ..PoolConfig::default() }), terms);
    let table = FullTable::of(living);
    sleep(LATER).await;
    let mut all = Vec::new();
    for key in keys {
        let holders: Vec<Holder> =
            table.closest(&key, K).into_iter().map(|contact| Holder { contact, sent: Ok(()) }).collect();
        let record = ProviderRecord { key, provider: Contact { peer: publisher, addrs: Vec::new() } };
        let read = finder.read_back(&record, &holders, Instant::now(), &CancellationToken::new()).await;
        all.push(read.iter().filter(|read| matches!(read.has, Ok(Some(_)))).count());
    }
    Holding(all)
}
