//! The numbers of a file's life and of what is available: what the JSON of a report has.

use estimate::{Mean, Proportion};
use serde::Serialize;

use super::{AvailabilityRule, ContentFrame, ContentStratum, ProvidedAgain, ProviderLife};

/// Keys over time, and the share of content that is available.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContentSection {
    /// Of what the keys are a sample.
    pub frame: ContentFrame,
    /// Its parts that were sampled apart; empty: it was sampled as a whole.
    pub strata: Vec<ContentStratum>,
    /// How many keys there are.
    pub keys: u64,
    /// By look, in the order of time.
    pub looks: Vec<LookNumbers>,
    /// The share that is available at each key's last look, by each definition.
    pub available: Vec<AvailabilityNumbers>,
    /// Of all looks that know: how often the content was available, over keys that are each looked at often; by each definition.
    pub available_over_time: Vec<Option<Proportion>>,
    /// Every provider of every key.
    pub lives: Vec<ProviderLife>,
    /// How often records are provided again.
    pub provided_again: ProvidedAgain,
}

/// One look at all keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LookNumbers {
    /// Which.
    pub round: u32,
    /// When it was, on average, in seconds from the study's start.
    pub after_s: f64,
    /// How many keys were looked at.
    pub keys: u64,
    /// Of how many of them nobody knows whether everybody was asked.
    pub cut_short: u64,
    /// Providers of a key; `None` without any look that asked everybody.
    pub providers: Option<Mean>,
    /// Peers that have a record of a key.
    pub holders: Option<Mean>,
    /// Keys of which somebody has a record.
    pub provided: Option<Proportion>,
    /// Providers of whom addresses came with a record, of all.
    pub with_addresses: Option<Proportion>,
    /// Providers that can be dialled and prove who they are, of all that were dialled; `None` where nobody was.
    pub reached: Option<Proportion>,
    /// The share that is available, by each definition.
    pub available: Vec<AvailabilityNumbers>,
}

/// The share of content that is available, by one definition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AvailabilityNumbers {
    /// The definition.
    pub rule: AvailabilityRule,
    /// How many keys were looked at.
    pub keys: u64,
    /// Of how many of them nobody knows.
    pub unknown: u64,
    /// The share of the frame, from those of which it is known; `None` of none.
    pub share: Option<Proportion>,
    /// The same if none of the unknown is available: no share is smaller.
    pub if_unknown_are_not: Option<Proportion>,
    /// The same if all of the unknown are: no share is larger.
    pub if_unknown_are: Option<Proportion>,
    /// What is true of keys, and of how many.
    pub verdicts: Vec<VerdictCount>,
}

/// Of how many keys something is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerdictCount {
    /// The name of the verdict on the provider of which the most can be said.
    pub verdict: &'static str,
    /// Of how many keys.
    pub keys: u64,
}
