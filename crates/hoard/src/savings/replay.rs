//! One walk under one change: what the caller has when, and what it has to do then.

use std::time::Duration;

use super::walk::{ProviderPlace, RetrievalWalk, SecondWalk};
use crate::Policy;

/// From where the addresses in an answer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressSource {
    /// As they came.
    AsSeen,
    /// As they would have come, had every server that named the provider kept its addresses so long from the publication on.
    KeptFor(Duration),
}

/// One change: how the caller takes answers, and what is in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// How the caller takes them.
    pub policy: Policy,
    /// How long servers give addresses.
    pub addresses: AddressSource,
}

kad::named! {
    /// When a caller walks a second time, for the provider.
    pub enum LookAgain: serde {
        /// Never: without addresses it gives up.
        Never = "never",
        /// When the walk brought no addresses.
        WithoutAddresses = "without_addresses",
        /// Then, and when nobody is at the addresses that it brought.
        AfterFailedDial = "after_failed_dial",
    }
}

/// What one walk comes to under one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome {
    /// 0 nothing, 1 the id alone, 2 the id and addresses.
    pub(super) combo: u8,
    /// When the caller had addresses, or knew that the walk would bring none.
    pub(super) settled: Duration,
    /// How many requests were made by then.
    pub(super) requests: u32,
}

/// What a retrieval comes to, with what the caller does after the walk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Retrieved {
    /// Whether there was a second walk.
    pub(super) walked_twice: bool,
    /// How many requests it made in all; `None` where nobody knows.
    pub(super) requests: Option<u32>,
    /// When the caller had addresses at which the provider is; `Ok(None)` if it never had, an error where nobody knows.
    pub(super) reached: Result<Option<Duration>, Unknown>,
}

/// Nobody knows what the second walk costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unknown;

impl Change {
    /// What the walk comes to. Where nobody knows the age of the record, addresses are as they came.
    pub(super) fn replay(self, walk: &RetrievalWalk) -> Outcome {
        let kept = match self.addresses {
            AddressSource::AsSeen => None,
            AddressSource::KeptFor(lifetime) => walk.age.map(|age| (lifetime, age)),
        };
        let answers = walk.answers.iter().map(|answer| {
            let is_located = move |(provider, as_seen): (kad::PeerId, bool)| {
                // Only of this record the age is known: what is said of others stays as it came.
                let counts = kept.filter(|_| provider == walk.provider);
                (provider, counts.map_or(as_seen, |(lifetime, age)| age + answer.after < lifetime))
            };
            (answer.after, answer.providers.iter().copied().map(is_located))
        });
        let reading = self.policy.read(walk.provider, answers, walk.took);
        let settled = reading.settled_after;
        Outcome { combo: reading.combo(), settled, requests: walk.requests_by(settled) }
    }
}

impl Outcome {
    /// What the retrieval comes to.
    pub(super) fn then(
        self,
        again: LookAgain,
        (place, second): (ProviderPlace, Option<SecondWalk>),
        failed_dial: Duration,
    ) -> Retrieved {
        let is_there = matches!(place, ProviderPlace::AsShared | ProviderPlace::Assumed);
        match (self.combo, again) {
            (2, _) if is_there => self.ends_with(Some(self.settled)),
            (2, LookAgain::AfterFailedDial) => self.goes_on(self.settled + failed_dial, place, second),
            (1, LookAgain::WithoutAddresses | LookAgain::AfterFailedDial) => {
                self.goes_on(self.settled, place, second)
            }
            _ => self.ends_with(None),
        }
    }

    const fn ends_with(self, reached: Option<Duration>) -> Retrieved {
        Retrieved { walked_twice: false, requests: Some(self.requests), reached: Ok(reached) }
    }

    /// With a second walk from then on. It finds who can be dialled.
    fn goes_on(self, from: Duration, place: ProviderPlace, second: Option<SecondWalk>) -> Retrieved {
        let requests = second.map(|second| self.requests + second.requests);
        let reached = match (place, second) {
            (ProviderPlace::Nowhere, _) => Ok(None),
            (_, Some(second)) => Ok(Some(from + second.took)),
            (_, None) => Err(Unknown),
        };
        Retrieved { walked_twice: true, requests, reached }
    }
}
