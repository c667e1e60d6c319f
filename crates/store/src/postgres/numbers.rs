//! Which peer a number of the run stands for.

use std::collections::BTreeSet;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use schema::PeerNumber;
use tokio_postgres::{Client, types::Type};

use crate::{cache::Cache, limits::CACHED_PEERS};

/// The peers of a run by number, those met lately; the others are looked up, all of a batch at once.
#[derive(Debug)]
pub(crate) struct Numbers {
    known: Cache<u32, i32>,
    batch: HashMap<u32, i32, RandomState>,
    missing: BTreeSet<u32>,
}

impl Numbers {
    pub(crate) fn new() -> Self {
        Self { known: Cache::new(CACHED_PEERS), batch: HashMap::default(), missing: BTreeSet::new() }
    }

    /// Notes that the batch has rows about a peer.
    pub(crate) fn want(&mut self, PeerNumber(number): PeerNumber) {
        match self.known.get(&number) {
            Some(peer) => drop(self.batch.insert(number, peer)),
            None => drop(self.missing.insert(number)),
        }
    }

    /// A row of the batch introduces a peer.
    pub(crate) fn introduce(&mut self, PeerNumber(number): PeerNumber, peer: i32) {
        self.missing.remove(&number);
        self.batch.insert(number, peer);
    }

    /// Finds what batches before have introduced; what none has stays without a peer.
    pub(crate) async fn resolve(&mut self, sql: &Client, run: i32) -> Result<(), tokio_postgres::Error> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let numbers: Vec<_> = std::mem::take(&mut self.missing).into_iter().map(u32::cast_signed).collect();
        // One by one, by the index: with `= ANY` the planner may look at every number of the run.
        let find = "SELECT array_agg(number), array_agg(found.peer) FROM unnest($2) AS wanted (number),
            LATERAL (SELECT peer FROM run_peer WHERE run = $1 AND run_peer.number = wanted.number OFFSET 0) AS found";
        let found = sql.query_typed_one(find, &[(&run, Type::INT4), (&numbers, Type::INT4_ARRAY)]).await?;
        let (numbers, peers): (Option<Vec<i32>>, Option<Vec<i32>>) = (found.try_get(0)?, found.try_get(1)?);
        for (number, peer) in numbers.unwrap_or_default().into_iter().zip(peers.unwrap_or_default()) {
            self.batch.insert(number.cast_unsigned(), peer);
        }
        Ok(())
    }

    /// The peer of a number of the batch; `None` if no row introduced it.
    pub(crate) fn peer(&self, PeerNumber(number): PeerNumber) -> Option<i32> {
        self.batch.get(&number).copied()
    }

    /// The batch is in the database: what it introduced is true from now on.
    pub(crate) fn committed(&mut self) {
        for (number, peer) in self.batch.drain() {
            self.known.put(number, peer);
        }
    }

    /// Begins another batch.
    pub(crate) fn forget_batch(&mut self) {
        self.batch.clear();
        self.missing.clear();
    }
}
