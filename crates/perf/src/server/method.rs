//! How a peer publishes and looks up: by the strategy, whichever peer it is.

use std::{pin::pin, time::Duration};

use dht::{Found, FullSearch, FullTable, Node, ProviderRecord, Publication, PublishTerms, SweepTerms};
use kad::{
    Persistence,
    fabric::Member,
    lookup::{Enough, LookupKind, Rules},
};
use schema::Strategy;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How an operation is done.
#[derive(Debug, Clone)]
pub(super) struct Method {
    pub(super) strategy: Strategy,
    pub(super) persistence: Persistence,
    pub(super) rules: Rules,
    /// Everybody in the network, where the strategy needs that.
    pub(super) everybody: FullTable,
}

impl Method {
    /// Publishes that the node provides a key.
    pub(super) async fn publish<M: Member>(
        &self,
        node: &Node<M>,
        key: &[u8],
        terms: PublishTerms,
        cancel: &CancellationToken,
    ) -> Publication {
        match self.strategy {
            Strategy::Default | Strategy::Indexer => return node.publish(key, terms, cancel).await,
            Strategy::OptProv => return node.publish_optimistic(key, terms, cancel).await,
            Strategy::FullRt | Strategy::Sweep => node.keep_own(key),
        }
        // The rules of these have no deadline.
        let give = |over| async move { self.give(node, key, &over).await };
        Publication::until(terms.deadline, cancel, give).await
    }

    async fn give<M: Member>(&self, node: &Node<M>, key: &[u8], over: &CancellationToken) -> Publication {
        let provider = node.contact();
        let record = ProviderRecord { key: key.to_vec(), provider: provider.clone() };
        if self.strategy == Strategy::FullRt {
            return node.finder().publish_full(&record, &self.everybody, self.persistence, over).await;
        }
        let terms = SweepTerms::from(self.persistence);
        node.finder().publish_sweep_one(&record, &node.begins_with(key), &terms, over).await
    }

    /// Looks up who provides a key, until somebody is named or the time is over.
    pub(super) async fn find<M: Member>(
        &self,
        node: &Node<M>,
        (key, time): (&[u8], Duration),
        cancel: &CancellationToken,
    ) -> Found {
        let over = cancel.child_token();
        let mut finding = pin!(self.look_up(node, key, &over));
        tokio::select! {
            biased;
            found = &mut finding => return found,
            // Its time begins when it does.
            () = async { sleep(time).await } => over.cancel(),
        }
        finding.await
    }

    async fn look_up<M: Member>(&self, node: &Node<M>, key: &[u8], over: &CancellationToken) -> Found {
        if self.strategy == Strategy::FullRt {
            let search = FullSearch { key, enough: Enough::FIRST, table: &self.everybody };
            return node.finder().find_providers_full(search, self.persistence, over).await;
        }
        let rules = self.rules.until(Enough::FIRST);
        node.find_by(rules, (LookupKind::Providers, key.to_vec()), over).await
    }
}
