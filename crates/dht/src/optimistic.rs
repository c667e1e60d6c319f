//! Publishes provider records the optimistic way: while it still looks, peers that are surely among the closest are given the
//! record, and whoever publishes goes on before all of them were.
//!
//! What is decided is `kad::optimistic`'s. One publication is a task (`under_way`), which ends by itself soon after it has told its
//! caller what came of it.

mod under_way;

use std::sync::Arc;

use kad::network::Network;
use tokio::{
    sync::{Semaphore, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use self::under_way::UnderWay;
use crate::{
    finder::{Finder, Quest},
    provide::{ProviderRecord, PublishTerms},
    publication::{Publication, PublishFailure},
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
    ///
    /// Dropped, or cancelled before or after it has returned, it gives up what is under way.
    pub async fn publish_optimistic(
        &self,
        record: &ProviderRecord,
        quest: Quest,
        terms: &OptimisticTerms,
        cancel: &CancellationToken,
    ) -> Publication {
        let begun = Instant::now();
        let size = match terms.size.estimate() {
            Ok(size) if !quest.from.is_empty() => size.go,
            _ => return self.publish(record, quest, terms.publish, cancel).await,
        };
        let over = cancel.child_token();
        let given_up_with_this = over.clone().drop_guard();
        let (tell, told) = oneshot::channel();
        let under_way = UnderWay::new((self, begun), record, (quest, size), terms);
        tokio::spawn(under_way.run(tell, over));
        if let Ok(publication) = told.await {
            given_up_with_this.disarm();
            return publication;
        }
        // Its task did not come to its end.
        Publication::whole(begun.elapsed(), Vec::new(), Vec::new(), Err(PublishFailure::Cancelled))
    }
}
