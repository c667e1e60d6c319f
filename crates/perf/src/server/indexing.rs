//! Publications to an indexer and lookups there, instead of in the network.

use std::time::Duration;

use kad::fabric::Fabric;
use schema::OperationKind;

use super::Shared;
use crate::{Operation, OperationTold, indexer::IndexerClient};

impl<F: Fabric> Shared<F> {
    /// Publishes or looks up at an indexer. No peer of the network is asked, so that none stands in a table that would matter.
    pub(super) async fn at_indexer(&self, indexer: &IndexerClient, mut told: OperationTold) -> Operation {
        let cpu = self.counters.cpu(self.config.cpu);
        let (key, within, policy) = (told.key.clone(), told.deadline, told.policy);
        let used = || cpu.map_or(Duration::ZERO, |cpu| cpu.used());
        if told.kind == OperationKind::Provide {
            let publication = indexer.publish(&key, within, policy).await;
            told.cpu = used();
            publication.operation(told)
        } else {
            let lookup = indexer.retrieve(&key, within, policy).await;
            told.cpu = used();
            lookup.operation(told)
        }
    }
}
