//! What came of publishing many keys, by whatever rules it was decided who is given which of them.

use std::time::Duration;

use kad::{Contact, failure::Failure};

use crate::publication::PublishFailure;

/// The records of one provider under many keys (multihashes).
#[derive(Debug, Clone, Copy)]
pub struct ManyRecords<'a> {
    /// Who provides, and where: servers drop a record without an address.
    pub provider: &'a Contact,
    /// What; one that is there twice counts once.
    pub keys: &'a [Vec<u8>],
}

kad::named! {
    /// What became of a record that one peer was to be given.
    pub enum PlacementFate {
        /// It was sent, and by thorough rules not refused. That says nothing of whether it is kept.
        Sent = "sent",
        /// The peer could not be reached, or refused it.
        Failed = "failed",
        /// The rules left it out: enough had it, or the peer had failed too often.
        LeftOut = "left_out",
        /// It was given up by us.
        Cancelled = "cancelled",
    }
}

/// That a peer was to be given a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The key, by its position in [`ManyPublished::keys`].
    pub key: u32,
    /// The peer, by its position in [`ManyPublished::recipients`].
    pub recipient: u32,
    /// What became of it.
    pub fate: PlacementFate,
    /// Whether the peer stands in for a closer one.
    pub stands_in: bool,
}

/// A peer that was to be given records.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    /// Who it is, and where.
    pub contact: Contact,
    /// What went wrong with it last; `None` if nothing did.
    pub failure: Option<Failure>,
}

/// What the lookups for many keys came to, together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LookupTotals {
    /// How many lookups were made.
    pub lookups: u64,
    /// How many requests.
    pub requests: u64,
    /// How many of them failed or were given up.
    pub unanswered: u64,
}

/// What came of publishing many keys.
#[derive(Debug, Clone)]
pub struct ManyPublished {
    /// How long it took.
    pub took: Duration,
    /// Whether it succeeded by the rules that it went by: at least one key was sent to somebody.
    pub outcome: Result<(), PublishFailure>,
    /// The keys, in the order in which they came, each once.
    pub keys: Vec<Vec<u8>>,
    /// Everybody who was to be given something.
    pub recipients: Vec<Recipient>,
    /// Who was to be given what, in the order in which it ended.
    pub placements: Vec<Placement>,
    /// What it took to know whom; nothing where all peers are known.
    pub lookups: LookupTotals,
    /// How many regions of the key space were given their keys; 0 where there are no regions.
    pub regions: usize,
    /// How many of them failed: too few of their peers could be reached.
    pub failed_regions: usize,
}

impl ManyPublished {
    /// How many peers were sent each key, in the order of the keys.
    pub fn sent(&self) -> Vec<usize> {
        let mut sent = vec![0; self.keys.len()];
        for placement in self.placements.iter().filter(|placement| placement.fate == PlacementFate::Sent) {
            if let Some(count) = sent.get_mut(placement.key as usize) {
                *count += 1;
            }
        }
        sent
    }

    /// Who was sent the key of that position.
    pub fn holders(&self, key: usize) -> impl Iterator<Item = &Contact> {
        let of_key = self.placements.iter().filter(move |placement| placement.key as usize == key);
        let sent = of_key.filter(|placement| placement.fate == PlacementFate::Sent);
        sent.filter_map(|placement| self.recipients.get(placement.recipient as usize))
            .map(|peer| &peer.contact)
    }
}
