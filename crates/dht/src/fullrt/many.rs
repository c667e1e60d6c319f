//! Many keys by a table of the whole network.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use kad::{
    Contact, Key, Persistence,
    fullrt::{BULK_PATIENCE, BULK_WORKERS, BulkPlan},
    message::K,
    network::Network,
};
use tokio_util::sync::CancellationToken;

use super::{FullTable, FullTerms};
use crate::{
    deliveries::{Deliveries, Delivery, DeliveryLog, DeliveryRules, distinct, locked, published},
    finder::Finder,
    many_published::{ManyPublished, ManyRecords},
    publication::PublishFailure,
};

impl<N: Network> Finder<N> {
    /// Gives many records to the peers of a table that are closest to each, in the order of the key
    /// space and 20 peers at a time.
    ///
    /// By Go's rules a key that seven have is given to others for half a second only, so that slow ones are left out. Thoroughly all of
    /// the closest are given it, and others stand in as with one key.
    pub async fn publish_full_many(
        &self,
        records: ManyRecords<'_>,
        table: &FullTable,
        terms: impl Into<FullTerms>,
        cancel: &CancellationToken,
    ) -> ManyPublished {
        let terms = terms.into();
        let keys = distinct(records.keys);
        let deliveries = Deliveries::new(self, (records.provider, &keys), rules(terms), cancel);
        let log = Mutex::new(DeliveryLog::new(Arc::clone(&keys)));
        if table.is_empty() {
            return published(log, PublishFailure::NoPeers);
        }
        deliveries.run(plan(&keys, table), |delivered| locked(&log).add(delivered)).await;
        if terms.persistence == Persistence::Thorough {
            let all: Vec<u32> = (0..).zip(keys.iter()).map(|(number, _)| number).collect();
            stand_in(&deliveries, &log, table, (&all, terms.stand_ins)).await;
        }
        let otherwise =
            if cancel.is_cancelled() { PublishFailure::Cancelled } else { PublishFailure::NobodyTook };
        published(log, otherwise)
    }
}

fn rules(FullTerms { persistence, fan_out, .. }: FullTerms) -> DeliveryRules {
    let is_go = persistence == Persistence::Go;
    DeliveryRules {
        connections: BULK_WORKERS,
        dial: BULK_PATIENCE,
        patience: fan_out.patience,
        failures: usize::MAX,
        // Go connects once, before the first key.
        dials_once: true,
        leaves_out: is_go,
        persistence,
    }
}

/// The deliveries of all chunks.
fn plan<'a>(keys: &[Vec<u8>], table: &'a FullTable) -> impl Iterator<Item = Delivery> + 'a {
    let mut plan = BulkPlan::new(keys, table.len());
    let order: Vec<u32> =
        plan.order().iter().map(|&(_, given)| u32::try_from(given).unwrap_or(u32::MAX)).collect();
    let closest = |key: &Key| table.nearest_to(key).take(K).map(|(position, _)| position).collect();
    let chunks = std::iter::from_fn(move || plan.next_chunk(closest));
    chunks.flatten().filter_map(move |job| {
        let keys = job.keys.iter().filter_map(|&key| order.get(key).copied()).collect();
        Some(Delivery { to: table.contact(job.peer)?, keys, stands_in: false })
    })
}

/// For each of the closest to one of these keys that could not be given it, the next closest one is given it, round after round, as far
/// as `stand_ins` peers beyond the closest.
pub(crate) async fn stand_in<N: Network>(
    deliveries: &Deliveries<N>,
    log: &Mutex<DeliveryLog>,
    table: &FullTable,
    (keys, stand_ins): (&[u32], usize),
) {
    let wanted = K.min(table.len());
    // How many of the closest to each key were tried.
    let mut tried = vec![K; keys.len()];
    while !deliveries.is_cancelled() {
        let mut jobs: BTreeMap<usize, (Contact, Vec<u32>)> = BTreeMap::new();
        for (&number, tried) in keys.iter().zip(&mut tried) {
            let sent = locked(log).sent(number);
            let missing = wanted.saturating_sub(sent).min((K + stand_ins).saturating_sub(*tried));
            let Some(key) = deliveries.key(number).filter(|_| missing > 0) else { continue };
            for (position, contact) in table.nearest_to(&Key::of(key)).skip(*tried).take(missing) {
                jobs.entry(position).or_insert_with(|| (contact, Vec::new())).1.push(number);
            }
            *tried += missing;
        }
        if jobs.is_empty() {
            break;
        }
        let jobs = jobs.into_values().map(|(to, keys)| Delivery { to, keys, stands_in: true });
        deliveries.run(jobs, |delivered| locked(log).add(delivered)).await;
    }
}
