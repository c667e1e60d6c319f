//! A retrieval: who provides a key, until somebody is named. The content is never fetched.

use std::time::Duration;

use dht::Found;
use kad::{PeerId, fabric::Fabric, lookup::Rpc};
use schema::OperationOutcome;
use tokio::time::Instant;

use super::{Shared, place::Place, size_estimate};
use crate::{Operation, OperationTold};

impl<F: Fabric> Shared<F> {
    /// Looks a key up, and forgets whoever provides it, so that the next lookup does not begin there.
    pub(super) async fn find(&self, place: Place<F::Member>, mut told: OperationTold) -> Operation {
        let (node, begun) = (&*place.node, Instant::now());
        let cpu = self.counters.cpu(self.config.cpu);
        if self.config.looks_at_home && !node.kept_providers(&told.key).is_empty() {
            told.own_record = true;
            let operation = Operation::without_requests(told, begun.elapsed(), OperationOutcome::Done);
            place.leave().await;
            return operation;
        }
        let method = self.method(told.persistence);
        let found = method.find(node, (&told.key, told.deadline), &self.leaving).await;
        told.cpu = cpu.map_or(Duration::ZERO, |cpu| cpu.used());
        told.left_over = is_left_over(&found);
        told.table_size = self.table_size(node) as u64;
        told.size_estimate = size_estimate(node);
        let operation = Operation::of_found(told, &found);
        let own = node.contact().peer;
        let named: Vec<PeerId> = found.providers.iter().map(|provider| provider.peer).collect();
        for peer in named {
            if peer != own {
                node.forget(&peer).await;
            }
        }
        place.leave().await;
        operation
    }
}

/// Whether the provider that was named first was named by itself, on a connection that stood before.
fn is_left_over(found: &Found) -> bool {
    let Some(first) = found.providers.iter().min_by_key(|provider| provider.heard_at) else { return false };
    let by_itself = |rpc: &&Rpc| found.trace.peer(rpc.peer) == Some(first.peer);
    found.trace.rpcs.iter().filter(by_itself).any(|rpc| rpc.dial.is_none() && !rpc.providers.is_empty())
}
