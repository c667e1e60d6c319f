//! How a peer publishes and looks up: by the strategy, whichever peer it is.

use std::{pin::pin, time::Duration};

use dht::{
    Found, FullSearch, FullTable, Gift, ManyPublished, ManyRecords, Node, Placement, PlacementFate,
    ProviderRecord, Publication, PublishFailure, PublishTerms, SweepTerms,
};
use kad::{
    Contact, Persistence,
    fabric::Member,
    failure::{Failure, FailureClass, Phase},
    lookup::{Enough, LookupKind, Rules},
};
use schema::Strategy;
use tokio::time::{sleep, sleep_until};
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
        let over = cancel.child_token();
        let mut publishing = pin!(self.give(node, key, &over));
        let mut publication = tokio::select! {
            biased;
            publication = &mut publishing => return publication,
            () = sleep_until(terms.deadline) => {
                over.cancel();
                publishing.await
            }
        };
        if publication.outcome == Err(PublishFailure::Cancelled) && !cancel.is_cancelled() {
            publication.outcome = Err(PublishFailure::TimedOut);
        }
        publication
    }

    async fn give<M: Member>(&self, node: &Node<M>, key: &[u8], over: &CancellationToken) -> Publication {
        let provider = node.contact();
        if self.strategy == Strategy::FullRt {
            let record = ProviderRecord { key: key.to_vec(), provider: provider.clone() };
            return node.finder().publish_full(&record, &self.everybody, self.persistence, over).await;
        }
        let (keys, first) = ([key.to_vec()], always(node.begins_with(key)));
        let (records, terms) = (ManyRecords { provider, keys: &keys }, SweepTerms::from(self.persistence));
        swept(&node.finder().publish_sweep(records, first, &terms, over).await)
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

/// All lookups of one key begin with the same peers.
fn always(first: Vec<Contact>) -> impl Fn(&[u8]) -> Vec<Contact> + Send + Sync {
    move |_| first.clone()
}

/// The publication of the one key that was swept. When each was sent it nobody has noted; of what was left out nothing is said.
fn swept(many: &ManyPublished) -> Publication {
    let failed = |class| Some(Err(Failure::new(Phase::Request, class)));
    let gift = |placement: &Placement| {
        let recipient = many.recipients.get(placement.recipient as usize)?;
        let sent = match placement.fate {
            PlacementFate::Sent => Some(Ok(())),
            PlacementFate::Failed => match &recipient.failure {
                Some(failure) => Some(Err(failure.clone())),
                None => failed(FailureClass::StreamClosed),
            },
            PlacementFate::Cancelled => failed(FailureClass::Cancelled),
            PlacementFate::LeftOut => return None,
        };
        let to = recipient.contact.clone();
        Some(Gift {
            to,
            begun_after: Duration::ZERO,
            dialled: None,
            sent_after: None,
            ended_after: None,
            sent,
        })
    };
    let gifts = many.placements.iter().filter_map(gift).collect();
    Publication::whole(many.took, Vec::new(), gifts, many.outcome)
}
