//! Publishes many keys region by region of the key space, as go-libp2p-kad-dht's sweeping provider does it.

use std::sync::Arc;

use kad::{
    Contact, Persistence,
    lookup::{LookupKind, Rules},
    network::Network,
};
use tokio_util::sync::CancellationToken;

use crate::{
    deliveries::{Deliveries, Delivery, DeliveryLog, DeliveryRules, distinct},
    finder::{Finder, Quest},
    many_published::{ManyPublished, ManyRecords},
    publication::PublishFailure,
};

/// On which terms somebody sweeps. [`Persistence`] makes those that are usual for it.
#[derive(Debug, Clone)]
pub struct SweepTerms {
    /// How far it goes.
    pub persistence: Persistence,
    /// How many regions are explored and given their keys at a time.
    pub workers: usize,
    /// How many peers each of the workers gives records to at a time.
    pub connections: usize,
}

impl From<Persistence> for SweepTerms {
    /// 4 workers with 20 connections each.
    fn from(persistence: Persistence) -> Self {
        Self { persistence, workers: 4, connections: 20 }
    }
}

impl<N: Network> Finder<N> {
    /// Gives the records of one provider under many keys to the peers closest to each. `start` names the peers that a lookup of a key
    /// begins with.
    pub async fn publish_sweep(
        &self,
        records: ManyRecords<'_>,
        start: impl Fn(&[u8]) -> Vec<Contact> + Sync,
        terms: &SweepTerms,
        cancel: &CancellationToken,
    ) -> ManyPublished {
        let keys = distinct(records.keys);
        let rules = DeliveryRules {
            connections: terms.connections,
            dial: std::time::Duration::from_secs(10),
            patience: std::time::Duration::from_secs(10),
            failures: 3,
            dials_once: terms.persistence == Persistence::Thorough,
            leaves_out: false,
            persistence: terms.persistence,
        };
        let deliveries = Deliveries::new(self, (records.provider, &keys), rules, cancel);
        let mut log = DeliveryLog::new(Arc::clone(&keys));
        for (number, key) in (0..).zip(keys.iter()) {
            let quest = Quest {
                kind: LookupKind::Closest,
                key: key.clone(),
                from: start(key),
                rules: if terms.persistence == Persistence::Go {
                    Rules::go()
                } else {
                    Rules::specification()
                },
            };
            let found = self.find(quest, |_| false, |_, _| {}, cancel).await;
            log.count(&found);
            let closest = found.outcome.closest.iter();
            let jobs = closest.map(|closest| Delivery {
                to: found.contact(closest.peer),
                keys: vec![number],
                stands_in: false,
            });
            deliveries.run(jobs, |delivered| log.add(delivered)).await;
        }
        let otherwise =
            if cancel.is_cancelled() { PublishFailure::Cancelled } else { PublishFailure::NobodyTook };
        log.into_published(otherwise)
    }
}
