//! A publication, whoever does it and how.

use std::time::Duration;

use dht::{ProviderRecord, PublishTerms, ReadingTimes};
use kad::{
    Contact,
    fabric::{Fabric, Member},
};
use tokio::time::Instant;

use super::{Shared, place::Place, size_estimate};
use crate::{Operation, OperationTold};

impl<F: Fabric> Shared<F> {
    /// Publishes, and lets what goes on after that end by itself. After these times those who were sent the record are asked for it: the
    /// place is held until then.
    pub(super) async fn publish(
        &self,
        place: Place<F::Member>,
        mut told: OperationTold,
        read_back: &[Duration],
    ) -> Operation {
        let begun = Instant::now();
        let cpu = self.counters.cpu(self.config.cpu);
        let terms = PublishTerms { deadline: Instant::now() + told.deadline, persistence: told.persistence };
        let method = self.method(told.persistence);
        let publication = method.publish(&place.node, &told.key, terms, &self.leaving).await;
        told.cpu = cpu.map_or(Duration::ZERO, |cpu| cpu.used());
        told.table_size = self.table_size(&place.node) as u64;
        told.size_estimate = size_estimate(&place.node);
        let mut operation = Operation::of_publication(told, &publication);
        if !read_back.is_empty() {
            let times = ReadingTimes { begun, ended: begun + publication.took, after: read_back };
            let sent = publication.gifts.iter().filter(|gift| gift.sent_after.is_some());
            let holders: Vec<Contact> = sent.map(|gift| gift.to.clone()).collect();
            self.read_back(&place, &mut operation, &holders, times).await;
        }
        let leaving = self.leaving.clone();
        self.rest.spawn(async move {
            let mut publication = publication;
            leaving.run_until_cancelled(publication.settle()).await;
            place.leave().await;
        });
        operation
    }

    /// Asks those who were sent the record whether they have it, and what their programs are.
    async fn read_back<M: Member>(
        &self,
        place: &Place<M>,
        operation: &mut Operation,
        holders: &[Contact],
        times: ReadingTimes<'_>,
    ) {
        let (node, leaving) = (&*place.node, &self.leaving);
        let record = ProviderRecord { key: operation.key.clone(), provider: node.contact().clone() };
        let (readings, agents) = tokio::join!(
            node.finder().read_back_at(&record, holders, times, leaving),
            node.finder().agents(holders, leaving)
        );
        operation.take_readings(&readings);
        operation.name_agents(|peer| {
            agents.iter().find(|(known, _)| known == peer).map(|(_, agent)| agent.clone())
        });
    }
}
