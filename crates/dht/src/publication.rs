//! What came of publishing a record, by whatever rules it was decided who is given it, and when.

use std::{pin::pin, time::Duration};

use kad::{Contact, failure::Failure};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{finder::Found, pool::Dialling};

kad::named! {
    /// Why nothing was published, as far as the publisher can tell.
    pub enum PublishFailure {
        /// It knows nobody to begin with.
        NoPeers = "no_peers",
        /// The lookup found nobody.
        NobodyFound = "nobody_found",
        /// Nobody was sent the record.
        NobodyTook = "nobody_took",
        /// Its time was over.
        TimedOut = "timed_out",
        /// It was given up by us.
        Cancelled = "cancelled",
    }
}

/// A record on its way to one peer. Times count from the beginning of the publication.
#[derive(Debug, Clone, PartialEq)]
pub struct Gift {
    /// To whom.
    pub to: Contact,
    /// When it was decided on.
    pub begun_after: Duration,
    /// How the peer was dialled; `None` if a connection stood, or as long as nobody knows.
    pub dialled: Option<Dialling>,
    /// When it left; `None` if it never did, or as long as nobody knows.
    pub sent_after: Option<Duration>,
    /// When it ended; `None` while it is under way.
    pub ended_after: Option<Duration>,
    /// Whether it was sent and not refused, which says nothing of whether it is kept; `None` while it is under way.
    pub sent: Option<Result<(), Failure>>,
}

/// What came of a publication when its caller was told.
#[derive(Debug)]
pub struct Publication {
    /// How long until then.
    pub took: Duration,
    /// The lookups for it, in the order in which they began; none where the publisher knows all peers.
    pub lookups: Vec<Found>,
    /// Every peer that was to be given the record, in the order in which that was decided.
    pub gifts: Vec<Gift>,
    /// Whether it succeeded by the rules that it went by. Under Go's rules that says little: see the gifts.
    pub outcome: Result<(), PublishFailure>,
    rest: Option<oneshot::Receiver<Vec<Gift>>>,
    lookup: Option<oneshot::Receiver<Found>>,
}

impl Publication {
    /// What a publication whose rules have no deadline comes to by this one: `publish` gives up when the token says so.
    pub async fn until<P: Future<Output = Self>>(
        deadline: Instant,
        cancel: &CancellationToken,
        publish: impl FnOnce(CancellationToken) -> P,
    ) -> Self {
        let over = cancel.child_token();
        let mut publishing = pin!(publish(over.clone()));
        let mut publication = tokio::select! {
            biased;
            publication = &mut publishing => return publication,
            () = sleep_until(deadline) => {
                over.cancel();
                publishing.await
            }
        };
        if publication.outcome == Err(PublishFailure::Cancelled) && !cancel.is_cancelled() {
            publication.outcome = Err(PublishFailure::TimedOut);
        }
        publication
    }

    /// One of which nothing is under way any more.
    pub const fn whole(
        took: Duration,
        lookups: Vec<Found>,
        gifts: Vec<Gift>,
        outcome: Result<(), PublishFailure>,
    ) -> Self {
        Self { took, lookups, gifts, outcome, rest: None, lookup: None }
    }

    /// One of which gifts are still under way: all gifts, as they ended, come by `rest`.
    #[must_use]
    pub fn with_rest(self, rest: oneshot::Receiver<Vec<Gift>>) -> Self {
        Self { rest: Some(rest), ..self }
    }

    /// One whose last lookup goes on after it was told of: it comes by `lookup`.
    #[must_use]
    pub fn with_lookup(self, lookup: oneshot::Receiver<Found>) -> Self {
        Self { lookup: Some(lookup), ..self }
    }

    /// Those of its gifts that were not taken, as far as is known.
    pub fn unreached(&self) -> impl Iterator<Item = &Gift> {
        self.gifts.iter().filter(|gift| gift.sent != Some(Ok(())))
    }

    /// Waits until nothing of it is under way any more; gifts and lookups are then as they ended.
    pub async fn settle(&mut self) {
        if let Some(lookup) = self.lookup.take()
            && let (Ok(found), Some(last)) = (lookup.await, self.lookups.last_mut())
        {
            *last = found;
        }
        let Some(rest) = self.rest.take() else { return };
        // Whoever was to say so was ended before: the gifts stay as they were.
        if let Ok(gifts) = rest.await {
            self.gifts = gifts;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_documented() {
        let page = include_str!("../../../docs/methodology/perf.md");
        let (_, section) = page.split_once("## Why nothing was published").expect("a section");
        for failure in PublishFailure::ALL {
            assert!(section.contains(&format!("| `{failure}` |")), "{failure}");
        }
    }
}
