//! One key by a sweep's rules, with all that was asked for it: where there are no more, nothing is explored for others.

use std::sync::{Mutex, PoisonError};

use kad::{
    Contact, Persistence,
    message::K,
    network::Network,
    sweep::{MIN_REACHED_PERCENT, RECORD_PATIENCE},
};
use tokio_util::sync::CancellationToken;

use super::{Sweep, SweepTerms};
use crate::{
    finder::Finder,
    fullrt::{FullTable, Giving, Told},
    many_published::ManyRecords,
    provide::ProviderRecord,
    publication::{Publication, PublishFailure},
};

impl<N: Network> Finder<N> {
    /// Publishes one record as [`publish_sweep`](Self::publish_sweep) does, and says of each lookup and each gift what came of it. Lookups
    /// begin with these peers.
    ///
    /// By Go's rules the record goes to whoever one lookup ends with, and it fails where less than 20 % of them were sent it
    /// ([`NobodyTook`](PublishFailure::NobodyTook) also then). Thoroughly it goes to the 20 closest that answer, with stand-ins.
    pub async fn publish_sweep_one(
        &self,
        record: &ProviderRecord,
        from: &[Contact],
        terms: &SweepTerms,
        cancel: &CancellationToken,
    ) -> Publication {
        let keys = [record.key.clone()];
        let records = ManyRecords { provider: &record.provider, keys: &keys };
        let giving = Giving::new(self, record, RECORD_PATIENCE);
        let mut sweep = Sweep::of(self, records, |_: &[u8]| from.to_vec(), (terms, cancel));
        sweep.found = Some(Mutex::default());
        let table = FullTable::of(sweep.find_closest(&record.key).await.into_contacts());
        let mut nearest = table.nearest(&record.key);
        let closest: Vec<Contact> = nearest.by_ref().take(K).collect();
        let mut published = match terms.persistence {
            _ if cancel.is_cancelled() => giving.given_up(),
            _ if closest.is_empty() => giving.whole(Err(PublishFailure::NobodyFound)),
            Persistence::Go => giving.give_to_enough(closest, cancel).await,
            Persistence::Thorough => giving.give_to_all(closest, nearest, cancel).await,
        };
        let found = sweep.found.take().unwrap_or_default();
        published.lookups = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        published
    }
}

impl<N: Network> Giving<N> {
    /// To all of them; it waits until each was sent it or cannot be.
    async fn give_to_enough(mut self, closest: Vec<Contact>, cancel: &CancellationToken) -> Publication {
        let (asked, mut sent, mut failed) = (closest.len(), 0, 0);
        for contact in closest {
            self.give(contact);
        }
        while sent + failed < asked {
            let told = tokio::select! {
                biased;
                () = cancel.cancelled() => return self.given_up(),
                told = self.next() => told,
            };
            match told {
                Some(Told::Sent) => sent += 1,
                Some(Told::Ended { was_sent: false, .. }) => failed += 1,
                // It was counted when it was sent.
                Some(Told::Ended { .. }) => {}
                None => break,
            }
        }
        let is_enough = sent > 0 && sent * 100 >= asked * MIN_REACHED_PERCENT;
        self.leave(if is_enough { Ok(()) } else { Err(PublishFailure::NobodyTook) })
    }
}
