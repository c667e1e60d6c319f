//! Drives lookups: asks whom the rules say, and tells them what came of it.
//!
//! What is decided is `kad::lookup`'s; how peers are reached is the pool's; what is under way is in `search`. Requests of one
//! lookup run beside each other; when the lookup is over, or its future is dropped, those under way are given up and leave nothing
//! behind.

mod reading;
pub(crate) mod search;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kad::{
    Contact, PeerId,
    lookup::{LookupKind, LookupOutcome, Rules, Trace},
    network::Network,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::reading::{FoundValue, GivenAddress, Provider};
use self::search::Search;
use crate::{addresses::KnownAddresses, pool::Pool};

/// How long go-libp2p-kad-dht waits for an answer (`dhtReadMessageTimeout`).
pub const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// Makes lookups. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Finder<N> {
    pool: Pool<N>,
    terms: Arc<FinderTerms>,
    /// The ids of peers that its lookups do without.
    ignored: Arc<BTreeSet<Vec<u8>>>,
    /// The ids of peers that it gives no record.
    withheld: Arc<BTreeSet<Vec<u8>>>,
}

/// What all lookups of a finder have in common.
#[derive(Debug)]
pub struct FinderTerms {
    /// Who looks: it is never asked.
    pub own: PeerId,
    /// The names of the network's kad protocol, in the order in which they are tried.
    pub protocols: Arc<[String]>,
    /// How long each answer is awaited, once the question was sent.
    pub patience: Duration,
}

/// What is looked for, and from where.
#[derive(Debug, Clone)]
pub struct Quest {
    /// What.
    pub kind: LookupKind,
    /// The key that is asked for: the bytes of a peer id, a multihash or the key of a record.
    pub key: Vec<u8>,
    /// The peers to begin with, with their addresses.
    pub from: Vec<Contact>,
    /// How it is decided whom to ask, and when it is over.
    pub rules: Rules,
}

/// What a lookup found.
#[derive(Debug)]
pub struct Found {
    /// What it came to.
    pub outcome: LookupOutcome,
    /// Every request.
    pub trace: Trace,
    /// Where peers are that were heard of.
    pub addresses: KnownAddresses,
    /// Who provides the key, the first heard of first.
    pub providers: Vec<Provider>,
    /// The values that hold, in the order in which they came.
    pub values: Vec<FoundValue>,
    /// When it began.
    pub begun: Instant,
    /// How long it took.
    pub took: Duration,
}

/// Something that happened in a lookup under way: its trace has the row of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happened {
    /// The position of the request in the trace.
    pub rpc: usize,
}

impl<N: Network> Finder<N> {
    /// Lookups over the connections of a pool.
    pub fn new(pool: Pool<N>, terms: FinderTerms) -> Self {
        Self { pool, terms: Arc::new(terms), ignored: Arc::default(), withheld: Arc::default() }
    }

    /// The same, but its lookups do as if these peers were not there: whoever names them, they are not asked, and are never among the
    /// closest.
    #[must_use]
    pub fn ignoring<'a>(self, peers: impl IntoIterator<Item = &'a PeerId>) -> Self {
        Self { ignored: Arc::new(peers.into_iter().map(|peer| peer.to_bytes()).collect()), ..self }
    }

    /// The same, but it is these that its lookups do without, by the bytes of their ids; nobody else.
    #[must_use]
    pub fn ignoring_ids(self, ids: Arc<BTreeSet<Vec<u8>>>) -> Self {
        Self { ignored: ids, ..self }
    }

    /// The same, but publications give these peers no record, though their lookups ask them: the next closest are given it. That is so of
    /// [`publish`](Self::publish) and [`publish_full`](Self::publish_full).
    #[must_use]
    pub fn withholding<'a>(self, peers: impl IntoIterator<Item = &'a PeerId>) -> Self {
        Self { withheld: Arc::new(peers.into_iter().map(|peer| peer.to_bytes()).collect()), ..self }
    }

    /// Whether somebody may be given a record.
    pub(crate) fn gives_to(&self, peer: &PeerId) -> bool {
        let id = peer.to_bytes();
        !self.withheld.contains(&id) && !self.ignored.contains(&id)
    }

    /// How many closest peers a lookup is to find so that `k` of them can be given a record: twice as many where somebody may be left out.
    pub(crate) fn wanted(&self, k: usize) -> usize {
        if self.withheld.is_empty() { k } else { 2 * k }
    }

    /// The connections.
    pub const fn pool(&self) -> &Pool<N> {
        &self.pool
    }

    /// What its lookups have in common.
    pub fn terms(&self) -> &FinderTerms {
        &self.terms
    }

    /// Looks something up. `holds` says whether a value under the key is one; `watch` is shown the trace whenever a request
    /// has ended. Cancelled, it ends at once with what it has.
    pub async fn find(
        &self,
        quest: Quest,
        holds: impl Fn(&[u8]) -> bool,
        watch: impl FnMut(&Trace, Happened),
        cancel: &CancellationToken,
    ) -> Found {
        Search::new(self.clone(), quest, holds, watch).run(cancel).await
    }
}
