//! A publication, whoever does it and how.

use std::time::Duration;

use dht::PublishTerms;
use kad::fabric::Fabric;
use tokio::time::Instant;

use super::{Shared, place::Place, size_estimate};
use crate::{Operation, OperationTold};

impl<F: Fabric> Shared<F> {
    /// Publishes, and lets what goes on after that end by itself.
    pub(super) async fn publish(&self, place: Place<F::Member>, mut told: OperationTold) -> Operation {
        let cpu = self.counters.cpu(self.config.cpu);
        let terms = PublishTerms { deadline: Instant::now() + told.deadline, persistence: told.persistence };
        let method = self.method(told.persistence);
        let publication = method.publish(&place.node, &told.key, terms, &self.leaving).await;
        told.cpu = cpu.map_or(Duration::ZERO, |cpu| cpu.used());
        told.table_size = self.table_size(&place.node) as u64;
        told.size_estimate = size_estimate(&place.node);
        let operation = Operation::of_publication(told, &publication);
        let leaving = self.leaving.clone();
        self.rest.spawn(async move {
            let mut publication = publication;
            leaving.run_until_cancelled(publication.settle()).await;
            place.leave().await;
        });
        operation
    }
}
