//! A node publishes by its own table, and takes in what the lookups for that show.

use std::sync::Arc;

use kad::{fabric::Member, lookup::LookupKind};
use tokio_util::sync::CancellationToken;

use super::{Node, Seeker};
use crate::{
    finder::{Finder, Quest},
    optimistic::OptimisticTerms,
    provide::{ProviderRecord, PublishTerms},
    publication::Publication,
    size_watch::SizeWatch,
};

impl<M: Member> Node<M> {
    /// How it asks others.
    pub const fn finder(&self) -> &Finder<M> {
        &self.seeker.finder
    }

    /// What its lookups say of the size of its network: those of refreshes with the others.
    pub fn size(&self) -> &Arc<SizeWatch> {
        &self.seeker.state.size
    }

    /// Publishes the classic way that it provides a key (a multihash): keeps the record itself, and does what
    /// [`Finder::publish`] does.
    pub async fn publish(&self, key: &[u8], terms: PublishTerms, cancel: &CancellationToken) -> Publication {
        let Seeker { finder, state, .. } = &self.seeker;
        state.keep_own(key);
        let publication = finder.publish(&self.record(key), self.quest(key), terms, cancel).await;
        self.learned(publication)
    }

    /// Publishes the optimistic way that it provides a key: keeps the record itself, and does what
    /// [`Finder::publish_optimistic`] does.
    pub async fn publish_optimistic(
        &self,
        key: &[u8],
        terms: PublishTerms,
        cancel: &CancellationToken,
    ) -> Publication {
        let Seeker { finder, state, .. } = &self.seeker;
        state.keep_own(key);
        let (size, slots) = (Arc::clone(&state.size), Arc::clone(&state.slots));
        let terms = OptimisticTerms { publish: terms, size, slots };
        let publication = finder.publish_optimistic(&self.record(key), self.quest(key), &terms, cancel).await;
        self.learned(publication)
    }

    fn record(&self, key: &[u8]) -> ProviderRecord {
        ProviderRecord { key: key.to_vec(), provider: self.own.clone() }
    }

    fn quest(&self, key: &[u8]) -> Quest {
        self.seeker.quest(LookupKind::Closest, key.to_vec())
    }

    fn learned(&self, publication: Publication) -> Publication {
        for found in &publication.lookups {
            self.seeker.state.learn(found);
        }
        publication
    }
}
