//! Publishing and finding by a table of the whole network: whom a key's records belong to is known, so nobody is asked for it.
//!
//! When enough have been given a record, or have answered, is decided by `kad::fullrt`, as go-libp2p-kad-dht's accelerated client
//! decides it; a [`FullTable`] comes from a crawl, which is others' to make.

mod finding;
mod giving;
mod many;
mod table;
mod terms;

use std::sync::{Arc, Mutex};

use kad::{Contact, Persistence, fullrt::FanOut, network::Network};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use self::giving::locked;
pub use self::{finding::FullSearch, table::FullTable, terms::FullTerms};
pub(crate) use self::{
    giving::{Giving, Told, gift_of},
    many::stand_in,
};
use crate::{
    finder::Finder,
    provide::ProviderRecord,
    publication::{Publication, PublishFailure},
};

impl<N: Network> Finder<N> {
    /// Gives a record to the peers of a table that are closest to its key.
    ///
    /// By Go's rules this ends once about half of them were sent it; those that were not by then are not sent it any more, and nobody
    /// says so but the gifts. Thoroughly, all of them are given it, and for each that cannot be the next closest one stands in, as far
    /// as the [terms](FullTerms) let it: a lookup ends with the closest that answer, so these are whom others will ask.
    pub async fn publish_full(
        &self,
        record: &ProviderRecord,
        table: &FullTable,
        terms: impl Into<FullTerms>,
        cancel: &CancellationToken,
    ) -> Publication {
        let terms = terms.into();
        let mut nearest = table.nearest(&record.key).filter(|contact| self.gives_to(&contact.peer));
        let closest: Vec<Contact> = nearest.by_ref().take(terms.k).collect();
        let giving = Giving::new(self, record, terms.patience());
        if closest.is_empty() {
            return giving.whole(Err(PublishFailure::NoPeers));
        }
        match terms.persistence {
            Persistence::Go => giving.give_as_go(closest, terms, cancel).await,
            Persistence::Thorough => {
                let spare = nearest.take(terms.stand_ins);
                giving.give_to_all(closest, spare, cancel).await
            }
        }
    }
}

impl<N: Network> Giving<N> {
    /// As [`FanOut`] has it: what is sent is a success, as in Go, where nobody waits for what the peer makes of it.
    async fn give_as_go(
        self,
        closest: Vec<Contact>,
        terms: FullTerms,
        cancel: &CancellationToken,
    ) -> Publication {
        let fan = Arc::new(Mutex::new(FanOut::new(closest.len(), terms.fan_out)));
        let mut giving = self.asking(Arc::clone(&fan));
        for contact in closest {
            giving.give(contact);
        }
        while locked(&fan).end().is_none() {
            let until = locked(&fan).until();
            let at_last = giving.begun() + until;
            tokio::select! {
                biased;
                () = cancel.cancelled() => return giving.given_up(),
                Some(told) = giving.next() => if let Told::Ended { was_sent: false, at, .. } = told {
                    locked(&fan).failed(at);
                },
                () = sleep_until(at_last) => locked(&fan).look(until),
            }
        }
        let has_nobody = locked(&fan).successes() == 0;
        giving.leave(if has_nobody { Err(PublishFailure::NobodyTook) } else { Ok(()) })
    }

    /// To all of them, and to one of the others for each that could not be given it.
    pub(crate) async fn give_to_all(
        mut self,
        closest: Vec<Contact>,
        mut spare: impl Iterator<Item = Contact> + Send,
        cancel: &CancellationToken,
    ) -> Publication {
        for contact in closest {
            self.give(contact);
        }
        let mut taken = 0;
        loop {
            let told = tokio::select! {
                biased;
                () = cancel.cancelled() => return self.given_up(),
                told = self.next() => told,
            };
            match told {
                Some(Told::Ended { took: true, .. }) => taken += 1,
                Some(Told::Ended { .. }) => {
                    if let Some(contact) = spare.next() {
                        self.give(contact);
                    }
                }
                Some(Told::Sent) => {}
                None => break,
            }
        }
        self.whole(if taken == 0 { Err(PublishFailure::NobodyTook) } else { Ok(()) })
    }
}
