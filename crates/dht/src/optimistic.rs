//! Publishes provider records the optimistic way: while it still looks, peers that are surely among the closest are given the record.

use std::sync::Arc;

use kad::network::Network;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    finder::{Finder, Quest},
    provide::{ProviderRecord, PublishTerms},
    publication::Publication,
    size_watch::SizeWatch,
};

/// How many gifts may still be under way of all publications together that have returned (Go's
/// `OptimisticProvideJobsPoolSize`).
pub const BACKGROUND_SLOTS: usize = 60;

/// What an optimistic publication goes by.
#[derive(Debug, Clone)]
pub struct OptimisticTerms {
    /// When it is given up, and how far it goes.
    pub publish: PublishTerms,
    /// How many peers there are: as long as nobody knows, the publication is a classic one.
    pub size: Arc<SizeWatch>,
    /// Room for gifts that are still under way when publications have returned; [`BACKGROUND_SLOTS`] as a rule.
    pub slots: Arc<Semaphore>,
}

impl<N: Network> Finder<N> {
    /// Publishes a record: gives it to peers that are close enough while it looks up the closest, and returns when most of them
    /// were given it. What goes on after it has returned comes with [`Publication::settle`].
    pub async fn publish_optimistic(
        &self,
        record: &ProviderRecord,
        quest: Quest,
        terms: &OptimisticTerms,
        cancel: &CancellationToken,
    ) -> Publication {
        self.publish(record, quest, terms.publish, cancel).await
    }
}
