//! Keeps a table of the whole network: crawls it, now and every hour, as go-libp2p-kad-dht's accelerated client does.
//!
//! How a crawl goes is the crawler's, and what is made of a table is its caller's. A table is replaced by the next one as a whole.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dht::FullTable;
use kad::{Contact, Multiaddr, PeerId, fullrt::TableFilter, network::Network, opt_out::OptOut};
use schema::{PeerNumber, Row, RunId, Timestamp, Visit};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{Clock, Crawl, CrawlConfig, FateCounts, Outlets, Progress};

/// How many rows of a crawl may wait to be read.
const ROWS: usize = 1024;

/// How a table of the whole network is kept.
#[derive(Debug, Clone)]
pub struct FullTableConfig {
    /// From the beginning of a crawl to that of the next. Go's is 1 h.
    pub every: Duration,
    /// How it is crawled.
    pub crawl: CrawlConfig,
    /// Whom the table takes in.
    pub filter: TableFilter,
    /// Who asked not to be measured: nobody of them is in it.
    pub opt_out: Arc<OptOut>,
}

impl Default for FullTableConfig {
    /// Every hour, 200 peers at a time as Go's crawler has it, 5 s an answer; everybody who answers is taken in.
    fn default() -> Self {
        let crawl = CrawlConfig {
            parallelism: 200,
            request_timeout: Duration::from_secs(5),
            ..CrawlConfig::default()
        };
        let (every, opt_out) = (Duration::from_secs(3600), Arc::default());
        Self { every, crawl, filter: TableFilter::NONE, opt_out }
    }
}

/// Keeps a table of the whole network. Clones keep the same one.
#[derive(Debug, Clone)]
pub struct FullTableKeeper<N> {
    network: N,
    protocols: Arc<[String]>,
    bootstrap: Arc<[Contact]>,
    config: Arc<FullTableConfig>,
    kept: Arc<Mutex<KeptTable>>,
}

/// The table, and when the crawl ended that made it.
#[derive(Debug, Default)]
struct KeptTable {
    table: FullTable,
    crawled_at: Option<Instant>,
}

impl<N: Network> FullTableKeeper<N> {
    /// One that has not crawled yet. It begins with these peers.
    pub fn new(network: N, protocols: Arc<[String]>, bootstrap: &[Contact], config: FullTableConfig) -> Self {
        let (config, kept) = (Arc::new(config), Arc::default());
        Self { network, protocols, bootstrap: bootstrap.into(), config, kept }
    }

    /// The table: of nobody before the first crawl.
    pub fn table(&self) -> FullTable {
        self.kept().table.clone()
    }

    /// Whether it is ready as Go has it: the last crawl ended no longer ago than one may take its time, and it found more peers than it
    /// began with and one.
    pub fn is_ready(&self) -> bool {
        let kept = self.kept();
        let is_recent = kept.crawled_at.is_some_and(|at| at.elapsed() <= self.config.every);
        is_recent && kept.table.len() > self.bootstrap.len() + 1
    }

    /// Crawls now and as often as was set, until it is cancelled. `renewed` is given each table as it is replaced.
    pub async fn run(&self, mut renewed: impl FnMut(FullTable), cancel: &CancellationToken) {
        loop {
            let begun = Instant::now();
            if let Some(table) = self.renew(cancel).await {
                renewed(table);
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = sleep_until(begun + self.config.every) => {}
            }
        }
    }

    /// Crawls once, and replaces the table; gives the new one. `None` if it was cancelled, or if nobody answered, which says more of our
    /// own network than of the peers: the table is as it was then, and ready no longer than before.
    pub async fn renew(&self, cancel: &CancellationToken) -> Option<FullTable> {
        let answered = self.crawled(take, cancel).await;
        if cancel.is_cancelled() || answered.is_empty() {
            return None;
        }
        let table = FullTable::filtered(answered, self.config.filter);
        *self.kept() = KeptTable { table: table.clone(), crawled_at: Some(Instant::now()) };
        Some(table)
    }

    /// Crawls once, and says what everybody who said so calls its program; the table stays as it is.
    pub async fn programs(&self, cancel: &CancellationToken) -> Vec<(PeerId, String)> {
        self.crawled(take_programs, cancel).await
    }

    async fn crawled<T, R: Future<Output = T>>(
        &self,
        read: impl FnOnce(mpsc::Receiver<Row>) -> R,
        cancel: &CancellationToken,
    ) -> T {
        let (rows, crawled) = mpsc::channel(ROWS);
        let outlets = Outlets {
            rows: Some(rows),
            progress: watch::Sender::new(Progress::default()),
            fates: FateCounts::default(),
            cancel: cancel.clone(),
        };
        tokio::join!(self.crawl().run(outlets), read(crawled)).1
    }

    /// It begins with whom the last one found, beside those to begin with.
    fn crawl(&self) -> Crawl<N> {
        let known = self.table();
        Crawl {
            network: self.network.clone(),
            id: RunId([0; 16]),
            network_name: String::new(),
            protocols: self.protocols.to_vec(),
            bootstrap: self.bootstrap.iter().cloned().chain(known.contacts()).collect(),
            config: self.config.crawl.clone(),
            opt_out: Arc::clone(&self.config.opt_out),
            // Rows are read for who answered alone: their times are of no meaning.
            clock: Clock::started_at(Timestamp(0)),
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, KeptTable> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everybody who was reached and answered all that it was asked, as Go's crawler has it, by the last visit.
async fn take(mut rows: mpsc::Receiver<Row>) -> Vec<Contact> {
    let (mut ids, mut answered) = (BTreeMap::<PeerNumber, PeerId>::new(), BTreeMap::new());
    while let Some(row) = rows.recv().await {
        match row {
            Row::Peer(number, id) => drop(ids.insert(number, id)),
            Row::Visit(visit) if visit.is_reachable() && visit.crawl_error.is_none() => {
                let number = visit.peer;
                answered.insert(number, addresses(*visit));
            }
            _ => {}
        }
    }
    let contact = |(number, addrs)| Some(Contact { peer: ids.get(&number).copied()?, addrs });
    answered.into_iter().filter_map(contact).collect()
}

/// What everybody calls its program who said so, by the last visit.
async fn take_programs(mut rows: mpsc::Receiver<Row>) -> Vec<(PeerId, String)> {
    let (mut ids, mut programs) = (BTreeMap::<PeerNumber, PeerId>::new(), BTreeMap::new());
    while let Some(row) = rows.recv().await {
        match row {
            Row::Peer(number, id) => drop(ids.insert(number, id)),
            Row::Visit(visit) => {
                let program = visit.met.agent_version.filter(|program| !program.is_empty());
                programs.extend(program.map(|program| (visit.peer, program)));
            }
            _ => {}
        }
    }
    programs.into_iter().filter_map(|(peer, program)| Some((*ids.get(&peer)?, program))).collect()
}

/// Where a peer is: where it was reached first of all, then what else is known and has not failed.
fn addresses(visit: Visit) -> Vec<Multiaddr> {
    let connected = visit.met.connection.map(|connection| connection.address);
    let mut known: Vec<(bool, Multiaddr)> = visit
        .met
        .addresses
        .into_iter()
        .enumerate()
        .filter(|(_, address)| address.outcome.failure().is_none())
        .filter_map(|(position, address)| {
            Some((Some(position) != connected, address.address.multiaddr()?.clone()))
        })
        .collect();
    known.sort_by_key(|(is_other, _)| *is_other);
    known.into_iter().map(|(_, addr)| addr).collect()
}
