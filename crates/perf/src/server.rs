//! A peer of ours that publishes and looks up when it is told to, and says what that took: over sockets or in a simulation.
//!
//! How it publishes is in `publishing`, how it finds in `finding`; which peer does it, and with which connections, is in `place`.
//! Who may tell it to is left to its [HTTP API](crate::api), when to its scheduler.

mod config;
mod counters;
mod finding;
mod indexing;
mod method;
mod metrics;
mod place;
mod publishing;
mod telling;
mod terms;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crawl::{FullTableConfig, FullTableKeeper};
use dht::{FullTable, Node};
use kad::{Contact, Persistence, fabric::Fabric};
use schema::{OperationKind, OperationOutcome, Strategy};
use tokio::sync::RwLock;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::{
    config::{MAX_DEADLINE, ServerConfig},
    counters::ServerCounters,
    telling::ServerEvents,
    terms::{BadTerms, OperationTerms},
};
use self::{method::Method, place::Place, terms::told};
use crate::{
    Operation,
    indexer::{IndexerClient, IndexerFarewell},
};

/// An operation under way.
type Operating<'a> = Pin<Box<dyn Future<Output = Operation> + Send + 'a>>;

/// One measuring peer with its strategy. Clones are of the same one.
pub struct PerfServer<F: Fabric>(Arc<Shared<F>>);

struct Shared<F: Fabric> {
    fabric: F,
    config: ServerConfig,
    node: Arc<Node<F::Member>>,
    /// Held by whoever uses the connections as they are, and alone by whoever has them closed.
    connections: Arc<RwLock<()>>,
    /// Everybody in the network, as the last crawl met them; where a strategy needs that.
    everybody: Mutex<FullTable>,
    /// Where it publishes and looks up, if its strategy is an indexer.
    indexer: OnceLock<IndexerClient>,
    /// How many peers were made for one operation each.
    fresh: AtomicU64,
    /// How many operations were given a name.
    named: AtomicU64,
    counters: Arc<ServerCounters>,
    leaving: CancellationToken,
    /// What goes on after an operation has returned.
    rest: TaskTracker,
}

impl<F: Fabric> fmt::Debug for PerfServer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PerfServer({}, {})", self.0.config.strategy, self.0.node.contact().peer)
    }
}

impl<F: Fabric> Clone for PerfServer<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F: Fabric> PerfServer<F> {
    /// Joins a fabric. When this returns, it listens, and has just begun to fill its table.
    pub async fn join(fabric: &F, config: ServerConfig) -> Result<Self, F::Error> {
        let node = Node::join(fabric, config.node()).await?;
        let server = Self(Arc::new(Shared {
            fabric: fabric.clone(),
            config,
            node: Arc::new(node),
            connections: Arc::default(),
            everybody: Mutex::default(),
            indexer: OnceLock::new(),
            fresh: AtomicU64::new(0),
            named: AtomicU64::new(0),
            counters: Arc::default(),
            leaving: CancellationToken::new(),
            rest: TaskTracker::new(),
        }));
        if server.0.config.crawls {
            server.crawl();
        }
        Ok(server)
    }

    /// Has the network crawled now and every hour, until it leaves.
    fn crawl(&self) {
        let (server, leaving) = (self.clone(), self.0.leaving.clone());
        let ServerConfig { node, .. } = &self.0.config;
        let (member, protocols) = (self.0.node.member().clone(), Arc::clone(&node.profile.protocols));
        let keeper = FullTableKeeper::new(member, protocols, &node.bootstrap, FullTableConfig::default());
        self.0.rest.spawn(async move {
            keeper.run(|table| server.set_everybody(table), &leaving).await;
        });
    }

    /// Publishes that it provides a key (a multihash).
    pub async fn provide(&self, key: &[u8], terms: &OperationTerms) -> Operation {
        self.operate(OperationKind::Provide, key, terms).await
    }

    /// Looks up who provides a key, until somebody is named.
    pub async fn retrieve(&self, key: &[u8], terms: &OperationTerms) -> Operation {
        self.operate(OperationKind::Retrieve, key, terms).await
    }

    // Boxed, so that its callers' futures are no larger than they must be.
    fn operate<'a>(&'a self, kind: OperationKind, key: &'a [u8], terms: &'a OperationTerms) -> Operating<'a> {
        Box::pin(self.operated(kind, key, terms))
    }

    async fn operated(&self, kind: OperationKind, key: &[u8], terms: &OperationTerms) -> Operation {
        let shared = &*self.0;
        let under_way = shared.counters.begin();
        if let Some(indexer) = shared.indexer() {
            let operation = shared.at_indexer(indexer, told((kind, key), terms, shared)).await;
            shared.ended(&operation);
            under_way.end(&operation);
            return operation;
        }
        let place = Place::found(self, terms.policy).await;
        let told = told((kind, key), terms, shared);
        let operation = match place {
            Ok(place) if kind == OperationKind::Provide => {
                shared.publish(place, told, &terms.read_back).await
            }
            Ok(place) => shared.find(place, told).await,
            Err(failure) => {
                let outcome = OperationOutcome::Failed;
                let operation = Operation::without_requests(told, Duration::ZERO, outcome);
                Operation { failure: Some(failure), ..operation }
            }
        };
        shared.ended(&operation);
        under_way.end(&operation);
        operation
    }

    /// What an operation goes by if nothing else is said: with a name that no other has.
    pub fn terms(&self) -> OperationTerms {
        let id = self.0.config.operation_id(self.0.named.fetch_add(1, Ordering::Relaxed));
        OperationTerms { id, ..OperationTerms::usual(&self.0.config) }
    }

    /// How it was set up.
    pub fn config(&self) -> &ServerConfig {
        &self.0.config
    }

    /// What it has done so far.
    pub fn counters(&self) -> Arc<ServerCounters> {
        Arc::clone(&self.0.counters)
    }

    /// The peer that it is.
    pub fn node(&self) -> &Node<F::Member> {
        &self.0.node
    }

    /// From now on these are all peers of the network: those that a crawl has just met.
    pub fn set_everybody(&self, table: FullTable) {
        *self.0.everybody.lock().unwrap_or_else(PoisonError::into_inner) = table;
    }

    /// From now on it publishes to this indexer and looks up there, if its strategy is an indexer, and is ready; for good: a second one
    /// changes nothing.
    pub fn set_indexer(&self, indexer: IndexerClient) {
        self.0.indexer.set(indexer).ok();
    }

    /// How many peers it knows: those of its table, or where it knows everybody, all; none where it asks an indexer.
    pub fn table_size(&self) -> usize {
        self.0.table_size(&self.0.node)
    }

    /// How many peers the network has, by Go's rule from its lookups; `None` as long as there were too few.
    pub fn size_estimate(&self) -> Option<u64> {
        size_estimate(&self.0.node)
    }

    /// Whether it knows somebody to begin with, or its indexer.
    pub fn is_ready(&self) -> bool {
        self.table_size() > 0 || self.0.indexer().is_some()
    }

    /// Who it is, and where.
    pub fn contact(&self) -> Contact {
        self.0.node.contact().clone()
    }

    /// Leaves: what is under way is given up, what an indexer still has of it is taken back, and nobody of it listens any more when this
    /// returns. Bounded in time.
    pub async fn leave(self) {
        let shared = &*self.0;
        shared.leaving.cancel();
        if let Some(indexer) = shared.indexer() {
            let IndexerFarewell { removed, fetched, failure } = indexer.close().await;
            if let Some(failure) = failure {
                tracing::warn!(%failure, removed, fetched, "the indexer was not told that all is taken back");
            }
        }
        shared.rest.close();
        shared.rest.wait().await;
        shared.node.retire().await;
    }
}

impl<F: Fabric> Shared<F> {
    fn everybody(&self) -> FullTable {
        self.everybody.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn table_size(&self, node: &Node<F::Member>) -> usize {
        match self.config.strategy {
            Strategy::FullRt => self.everybody().len(),
            Strategy::Indexer => 0,
            _ => node.table_size(),
        }
    }

    /// The indexer that it publishes to, if that is its strategy and it has one.
    fn indexer(&self) -> Option<&IndexerClient> {
        self.indexer.get().filter(|_| self.config.strategy == Strategy::Indexer)
    }

    /// Tells of an operation that is over, if somebody wants to hear of it.
    fn ended(&self, operation: &Operation) {
        if let Some(events) = &self.config.events {
            events.ended(operation);
        }
    }

    fn method(&self, persistence: Persistence) -> Method {
        let (strategy, rules) = (self.config.strategy, self.config.node.rules);
        Method { strategy, persistence, rules, everybody: self.everybody() }
    }

    fn next_fresh(&self) -> u64 {
        self.fresh.fetch_add(1, Ordering::Relaxed)
    }
}

fn size_estimate<M: kad::fabric::Member>(node: &Node<M>) -> Option<u64> {
    node.size().estimate().ok().and_then(|estimate| u64::try_from(estimate.go).ok())
}
