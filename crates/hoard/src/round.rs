//! One look at one key: what is asked for, and what came of it.
//!
//! When rounds are made is left to the schedule; where they are kept, to `rows`.

mod hops;
pub(crate) mod seeking;
#[cfg(test)]
mod tests;
pub(crate) mod walking;

use std::{sync::Arc, time::Duration};

use dht::Found;
use kad::{
    Multiaddr, PeerId,
    lookup::Termination,
    retrieval::{AddressOrigin, RetrievalVerdict},
};
use schema::{HoardLookup, RoundEnd, Timestamp};

pub use self::{
    hops::{HopCounts, hop_counts},
    seeking::SeekTerms,
    walking::WalkTerms,
};
use crate::{FlightCounts, HolderSight, KnownHolder};

/// A key that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedKey {
    /// The multihash.
    pub key: Arc<[u8]>,
    /// Its arm, by its number in the plan.
    pub arm: u16,
    /// Whose record is looked for.
    pub provider: PeerId,
    /// When its publication began: spans of it count from there.
    pub published_at: Timestamp,
    /// Who was to be given the record, the closest first; or, of somebody else's key, who was found to hold it.
    pub holders: Arc<[KnownHolder]>,
}

/// A round that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundOrder {
    /// Which round of the key it is.
    pub round: u32,
    /// When it was to begin.
    pub planned_at: Timestamp,
    /// What is done in it.
    pub parts: RoundParts,
}

kad::named! {
    /// What is done in a round. Keys of which one part alone is done tell what the other part does to it.
    pub enum RoundParts: serde {
        /// Holders are dialled and asked, and the key is looked up.
        All = "all",
        /// Holders alone, at their first addresses.
        Holders = "holders",
        /// Lookups alone, and dials of the providers that they name.
        Lookups = "lookups",
    }
}

/// What one round of one key saw. Spans in it count from the beginning of the key's publication, but for those of a lookup.
#[derive(Debug)]
pub struct KeyRound {
    /// The key.
    pub key: Arc<[u8]>,
    /// Its arm.
    pub arm: u16,
    /// Whose record is looked for.
    pub provider: PeerId,
    /// Which round of the key it is.
    pub round: u32,
    /// When it was to begin.
    pub planned_at: Timestamp,
    /// When it began; of one that was missed, when that was known.
    pub began_at: Timestamp,
    /// When it was over.
    pub ended_at: Timestamp,
    /// What else was under way when it began.
    pub in_flight: FlightCounts,
    /// How many holders the key has: those that were not looked at are none of the sights.
    pub holders: usize,
    /// What it saw of each holder, in the order of the holders.
    pub sights: Vec<HolderSight>,
    /// Its lookups, in the order in which they were asked for.
    pub lookups: Vec<RoundLookup>,
    /// What came of dialling those who provide the key, where that is wanted; whoever was given up is none of them.
    pub dials: Vec<ProviderDial>,
    /// How it ended.
    pub end: RoundEnd,
}

/// One lookup of a round. Spans count from its beginning.
#[derive(Debug)]
pub struct RoundLookup {
    /// Which.
    pub lookup: HoardLookup,
    /// When it began.
    pub began_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Why its search ended; `cancelled` where its time was over, or the round was given up.
    pub ending: Termination,
    /// What it found, with every request.
    pub found: Found,
    /// How far it went.
    pub hops: HopCounts,
    /// What it has of the key's provider by the first answer that names it: 0 nothing, 1 its id, 2 its addresses too.
    pub first_combo: u8,
    /// The same where addresses that a later answer brings are taken, as by go-libp2p-kad-dht since 2022.
    pub upgraded_combo: u8,
    /// The closest that answered it, without those that are left out; the closest first.
    pub closest: Vec<PeerId>,
    /// Every provider of every answer, in the order in which the answers came.
    pub named: Vec<ProviderMention>,
}

/// What came of dialling somebody who provides a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderDial {
    /// Who provides it.
    pub provider: PeerId,
    /// When the dials of the round began, from the key's publication.
    pub after: Duration,
    /// From where its addresses are known; `None` where nobody knows any.
    pub origin: Option<AddressOrigin>,
    /// The addresses that are known of it.
    pub addresses: Vec<Multiaddr>,
    /// What came of it.
    pub verdict: RetrievalVerdict,
    /// The class of what went wrong, or the reason why it was not dialled; `None` where the verdict says it all.
    pub error: Option<&'static str>,
}

/// A provider in one answer of a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderMention {
    /// Who is named.
    pub provider: PeerId,
    /// By whom.
    pub responder: PeerId,
    /// When the answer came.
    pub answered_after: Duration,
    /// The addresses that came with it.
    pub addresses: Vec<Multiaddr>,
}

impl KeyRound {
    /// One of which nothing was done yet, or will be.
    pub(crate) fn begun(key: &WatchedKey, order: &RoundOrder, now: Timestamp) -> Self {
        Self {
            key: Arc::clone(&key.key),
            arm: key.arm,
            provider: key.provider,
            round: order.round,
            planned_at: order.planned_at,
            began_at: now,
            ended_at: now,
            in_flight: FlightCounts::default(),
            holders: key.holders.len(),
            sights: Vec::new(),
            lookups: Vec::new(),
            dials: Vec::new(),
            end: RoundEnd::Whole,
        }
    }

    /// One that was not made, since its time had passed; `now` is when that was known.
    pub fn missed(key: &WatchedKey, order: &RoundOrder, now: Timestamp) -> Self {
        Self { end: RoundEnd::Missed, ..Self::begun(key, order, now) }
    }

    /// How much later it began than it was to.
    pub fn lag(&self) -> Duration {
        self.began_at.since(self.planned_at)
    }

    /// How many holders were connected to.
    pub fn reached(&self) -> usize {
        self.sights.iter().filter(|sight| sight.whereabouts.is_reached()).count()
    }

    /// How many holders say that they have the record.
    pub fn keeping(&self) -> usize {
        self.sights.iter().filter(|sight| sight.said.answer.has_record()).count()
    }

    /// How many holders give addresses with it.
    pub fn with_addresses(&self) -> usize {
        let gives = |sight: &&HolderSight| sight.said.answer == schema::HolderAnswer::WithAddresses;
        self.sights.iter().filter(gives).count()
    }
}
