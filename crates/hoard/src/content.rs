//! A file's life in a network, and the share of content that is available: from what was seen of keys over time.
//!
//! What comes in are looks at keys: a walk for all providers, and what came of dialling these. Who looks, and when, is left to studies.
//! What each number means, and what cannot be seen, is in the docs of hoard, under Content.

mod available;
mod frame;
mod lives;
mod numbers;
mod of_study;
mod provided_again;
mod section;

use std::time::Duration;

use kad::{PeerId, retrieval::RetrievalVerdict};

pub use self::{
    available::{AvailabilityRule, ContentStratum},
    frame::{ContentFrame, SamplingFrame, sampled},
    lives::{ProviderLife, provider_lives},
    numbers::{AvailabilityNumbers, ContentSection, LookNumbers, VerdictCount},
    of_study::content_keys,
    provided_again::{ProvidedAgain, RecordArrivals, arrivals, provided_again},
};

/// A key that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct ContentKey {
    /// The multihash.
    pub key: Vec<u8>,
    /// From which stratum of the frame it was drawn: its place in their list; 0 where there is one.
    pub stratum: u16,
    /// Each look, in the order of time.
    pub looks: Vec<ContentLook>,
}

/// One look at one key.
#[derive(Debug, Clone, PartialEq)]
pub struct ContentLook {
    /// Which look it is, from 0: those of all keys with one number are compared.
    pub round: u32,
    /// When it began, from the study's start.
    pub after: Duration,
    /// Whether everybody was asked who had to be: else nobody knows whom the rest would have named.
    pub is_whole: bool,
    /// Who provides the key, as far as somebody said so.
    pub providers: Vec<ProviderLook>,
    /// Who answered and named nobody.
    pub without: Vec<PeerId>,
}

/// What one look saw of one provider.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderLook {
    /// Who it is.
    pub provider: PeerId,
    /// Who named it.
    pub holders: Vec<PeerId>,
    /// How many of these gave addresses.
    pub with_addresses: u32,
    /// What came of dialling it; `None` if it was not.
    pub verdict: Option<RetrievalVerdict>,
}

impl ContentLook {
    /// Whether the content can be retrieved, or what comes closest to it; `None` where nobody knows: not everybody was asked, or a
    /// provider was not dialled that might have it.
    pub fn verdict(&self) -> Option<RetrievalVerdict> {
        let best = self.providers.iter().filter_map(|provider| provider.verdict).max();
        let is_settled = best == Some(RetrievalVerdict::Retrievable)
            || (self.is_whole && self.providers.iter().all(|provider| provider.verdict.is_some()));
        if is_settled { Some(best.unwrap_or(RetrievalVerdict::NoRecord)) } else { None }
    }
}

#[cfg(test)]
mod tests;
