//! Publishes many keys region by region of the key space, as go-libp2p-kad-dht's sweeping provider does it.
//!
//! What is looked up and who is given what is decided by `kad::sweep`. This gives every key once; when regions are due again is a
//! [schedule](kad::sweep::ReprovideSchedule)'s to say, and whoever keeps one gives the keys of a region as any others.

mod concurrently;
mod exploring;
mod single;
mod terms;

use std::sync::{Mutex, PoisonError};

use kad::{
    Contact, Key, Persistence,
    message::K,
    network::Network,
    sweep::{
        FAILURES_IN_A_ROW, INDIVIDUAL_KEYS, KeyRegion, MIN_REACHED_PERCENT, RECORD_PATIENCE, SweepJob,
        SweepPlan, allocate_as_go, regions,
    },
};
use tokio_util::sync::CancellationToken;

pub use self::terms::{PrefixLenMemory, SweepTerms};
use self::{concurrently::concurrently, exploring::KnownPeers};
use crate::{
    deliveries::{Deliveries, Delivery, DeliveryLog, DeliveryRules, distinct, locked, published},
    finder::{Finder, Found},
    fullrt::{FullTable, stand_in},
    many_published::{ManyPublished, ManyRecords},
    publication::PublishFailure,
};

impl<N: Network> Finder<N> {
    /// Gives many records to the peers closest to each key: where many keys lie close together, the peers there are looked up once for
    /// all of them. `start` names the peers that a lookup of a key begins with.
    ///
    /// By Go's rules lookups are Go's, whoever they end with counts as being there, and the keys of a region are given to twenty of its
    /// peers that are [not always the closest](kad::sweep::allocate_as_go). Thoroughly, only peers count that answered: those
    /// that do not are known to be dead, and it is looked beyond them, around a single key as well; others stand in for those that could
    /// not be given a key. What failed is not tried again.
    pub async fn publish_sweep(
        &self,
        records: ManyRecords<'_>,
        start: impl Fn(&[u8]) -> Vec<Contact> + Sync,
        terms: &SweepTerms,
        cancel: &CancellationToken,
    ) -> ManyPublished {
        let sweep = Sweep::of(self, records, start, (terms, cancel));
        // Whoever has so few keys explores nothing, so the length of prefixes does not matter.
        let prefix_len = if sweep.places.len() <= INDIVIDUAL_KEYS { 0 } else { sweep.prefix_len().await };
        let plan = Mutex::new(SweepPlan::new(&sweep.places, prefix_len));
        let workers = (0..terms.workers.max(1)).map(|_| sweep.work(&plan));
        concurrently(workers).await;
        let log = sweep.log;
        let nobody = locked(&log).has_nobody();
        published(
            log,
            match nobody {
                _ if cancel.is_cancelled() => PublishFailure::Cancelled,
                true => PublishFailure::NobodyFound,
                false => PublishFailure::NobodyTook,
            },
        )
    }
}

fn delivery_rules(terms: &SweepTerms) -> DeliveryRules {
    DeliveryRules {
        connections: terms.connections,
        dial: RECORD_PATIENCE,
        patience: RECORD_PATIENCE,
        failures: FAILURES_IN_A_ROW,
        dials_once: terms.persistence == Persistence::Thorough,
        leaves_out: false,
        persistence: terms.persistence,
    }
}

/// A sweep under way.
struct Sweep<'a, N, S> {
    finder: &'a Finder<N>,
    start: S,
    terms: &'a SweepTerms,
    cancel: &'a CancellationToken,
    order: Key,
    /// Where each key lies.
    places: Vec<Key>,
    deliveries: Deliveries<N>,
    log: Mutex<DeliveryLog>,
    /// What its lookups came to, where that is kept.
    found: Option<Mutex<Vec<Found>>>,
}

impl<'a, N: Network, S: Fn(&[u8]) -> Vec<Contact> + Sync> Sweep<'a, N, S> {
    /// One that has looked up nothing yet.
    fn of(
        finder: &'a Finder<N>,
        records: ManyRecords<'_>,
        start: S,
        (terms, cancel): (&'a SweepTerms, &'a CancellationToken),
    ) -> Self {
        let keys = distinct(records.keys);
        let rules = delivery_rules(terms);
        Self {
            finder,
            start,
            terms,
            cancel,
            order: Key::of_peer(&finder.terms().own),
            places: keys.iter().map(|key| Key::of(key)).collect(),
            deliveries: Deliveries::new(finder, (records.provider, &keys), rules, cancel),
            log: Mutex::new(DeliveryLog::new(keys)),
            found: None,
        }
    }

    /// What one worker does: one job after the other, until nothing waits.
    async fn work(&self, plan: &Mutex<SweepPlan>) {
        while !self.cancel.is_cancelled() {
            let next = locked_plan(plan).next_job();
            match next {
                None => break,
                Some(SweepJob::Each(keys)) => {
                    concurrently(keys.into_iter().map(|key| self.give_one(key))).await;
                }
                Some(SweepJob::Explore(prefix, mut keys)) => {
                    let (explored, known) = self.explore(prefix).await;
                    keys.extend(locked_plan(plan).take_within(&explored.prefix));
                    let peers: Vec<Key> = explored.peers.keys().copied().collect();
                    let all = regions(&peers, explored.prefix, K, &self.order);
                    self.give_regions(&all, &peers, &keys, &known).await;
                }
            }
        }
    }

    /// Gives a key to whoever a lookup of it finds.
    async fn give_one(&self, key: usize) {
        let Ok(number) = u32::try_from(key) else { return };
        let Some(preimage) = self.deliveries.key(number) else { return };
        let table = FullTable::of(self.find_closest(preimage).await.into_contacts());
        self.give((&table, 0), &table, &[number]).await;
    }

    /// Gives keys to the peers of the regions that they lie in, one region after the other.
    async fn give_regions(&self, all: &[KeyRegion], peers: &[Key], keys: &[usize], known: &KnownPeers) {
        let mut of_region: Vec<Vec<u32>> = vec![Vec::new(); all.len()];
        for &key in keys {
            let region = self.places.get(key).and_then(|place| KeyRegion::of_key(all, place));
            if let (Some(region), Ok(number)) = (region, u32::try_from(key)) {
                of_region[region].push(number);
            }
        }
        if all.is_empty() {
            locked(&self.log).failed_regions += 1;
            return;
        }
        let everybody = FullTable::of(known.contacts(peers));
        for (region, keys) in all.iter().zip(of_region).filter(|(_, keys)| !keys.is_empty()) {
            let table = FullTable::of(known.contacts(peers.get(region.peers.clone()).unwrap_or_default()));
            let is_done = self.give((&table, region.prefix.len()), &everybody, &keys).await;
            let mut log = locked(&self.log);
            log.regions += 1;
            log.failed_regions += usize::from(!is_done);
        }
    }

    /// Gives keys to the closest of these peers each, those of a region whose prefix has so many bits, and thoroughly to others of everybody
    /// who is known. Says whether enough were reached.
    async fn give(
        &self,
        (table, prefix_len): (&FullTable, u32),
        everybody: &FullTable,
        keys: &[u32],
    ) -> bool {
        let jobs = self.allocate(table, prefix_len, keys);
        let (asked, mut reached) = (jobs.len(), 0);
        let done = |delivered: crate::deliveries::Delivered| {
            reached += usize::from(delivered.is_reached);
            locked(&self.log).add(delivered);
        };
        self.deliveries.run(jobs, done).await;
        if self.terms.persistence == Persistence::Thorough {
            stand_in(&self.deliveries, &self.log, everybody, (keys, everybody.len())).await;
        }
        reached > 0 && reached * 100 >= asked * MIN_REACHED_PERCENT
    }

    /// Who is given which keys: the closest each, or by Go's rules whom Go takes for them.
    fn allocate(&self, table: &FullTable, prefix_len: u32, keys: &[u32]) -> Vec<Delivery> {
        let places: Vec<Key> =
            keys.iter().filter_map(|&key| self.places.get(key as usize)).copied().collect();
        let given = if self.terms.persistence == Persistence::Go {
            allocate_as_go(&places, table.keys(), prefix_len, K)
        } else {
            let mut given = vec![Vec::new(); table.len()];
            for (number, place) in places.iter().enumerate() {
                for (position, _) in table.nearest_to(place).take(K) {
                    given[position].push(number);
                }
            }
            given
        };
        let keys_of = |all: Vec<usize>| all.into_iter().filter_map(|at| keys.get(at).copied()).collect();
        let given = given.into_iter().enumerate().filter(|(_, all)| !all.is_empty());
        let delivery = |(position, all)| {
            Some(Delivery { to: table.contact(position)?, keys: keys_of(all), stands_in: false })
        };
        given.filter_map(delivery).collect()
    }
}

fn locked_plan(plan: &Mutex<SweepPlan>) -> std::sync::MutexGuard<'_, SweepPlan> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}
