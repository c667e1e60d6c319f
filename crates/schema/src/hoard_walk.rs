//! One lookup of one round of a key; its requests are rows of `lookup_request`.

use std::time::Duration;

use kad::lookup::Termination;

use crate::{
    Encounter, HoardLookup, PeerNumber, Reveals, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, List, Table},
};

/// One lookup of a round. Its requests are the [`LookupRequest`](crate::LookupRequest)s of its key that began when it did.
#[derive(Debug, Clone, PartialEq)]
pub struct HoardWalk {
    /// What is provided: a multihash.
    pub key: Vec<u8>,
    /// The arm of the study, by its number in the plan, from 0.
    pub arm: u16,
    /// The round of the key: 0 is the publication with its readings back.
    pub round: u32,
    /// Which lookup of the round it is.
    pub lookup: HoardLookup,
    /// When it began: the same moment stands in each of its requests.
    pub began_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Why its search ended.
    pub ending: Termination,
    /// Peers that it decided to ask, each once, the follow-up included.
    pub asked: u32,
    /// Those of them that answered.
    pub answered: u32,
    /// Those of them that could not be asked, or did not answer.
    pub failed: u32,
    /// What CID Hoarder calls hops: one for what it began with, and one for each request whose end its search saw, whether the peer could
    /// be reached or not.
    pub contacted: u32,
    /// Steps to the farthest peer that it heard of: 1 for a peer that it began with, and one more for each answer that led to another.
    pub tree_depth: u32,
    /// Steps until all of the closest were heard of, by the same count; `None` if there are none.
    pub hops_to_closest: Option<u32>,
    /// Providers that it found.
    pub providers: u32,
    /// What it has of the provider by the first answer that names it: 0 nothing, 1 its id, 2 its addresses too.
    pub first_combo: u8,
    /// The same where addresses that a later answer brings are taken.
    pub upgraded_combo: u8,
    /// The closest that answered; kept as a set, since their order is that of their distance to the key.
    pub closest: Vec<PeerNumber>,
}

impl RowType for HoardWalk {
    const TABLE: Table = Table {
        name: "hoard_walk",
        doc: "One lookup of one round of a key.",
        has_encounter: false,
        columns: &[
            Column::new("key", Holds::Bytes, "the key: a multihash").that_says(Reveals::Peer),
            Column::new("arm", Holds::Count("arm"), "the number of the arm in the plan"),
            Column::new(
                "round",
                Holds::Count("round"),
                "the round of the key; 0 is the publication with its readings back",
            ),
            Column::new("lookup", names_of!(HoardLookup), "which lookup of the round it is"),
            Column::new("began_at", Holds::Time, "when it began: the `lookup_started_at` of its requests"),
            Column::new("took_us", Holds::Duration, "how long it took"),
            Column::new("ending", names_of!(Termination), "why its search ended"),
            Column::new(
                "asked",
                Holds::Count("peers"),
                "peers that it decided to ask, each once, with those of the follow-up",
            ),
            Column::new("answered", Holds::Count("peers"), "those of them that answered"),
            Column::new(
                "failed",
                Holds::Count("peers"),
                "those of them that could not be asked, or did not answer",
            ),
            Column::new(
                "contacted",
                Holds::Count("peers"),
                "the hops of CID Hoarder: one for its beginning and for each request whose end its search saw",
            ),
            Column::new(
                "tree_depth",
                Holds::Count("steps"),
                "steps to the farthest peer that it heard of; 1 is a peer that it began with",
            ),
            Column::or_none(
                "hops_to_closest",
                Holds::Count("steps"),
                "steps until all of the closest were heard of; absent if there are none",
            ),
            Column::new("providers", Holds::Count("peers"), "providers that it found"),
            Column::new(
                "first_combo",
                Holds::Count("parts"),
                "of the provider, by the first answer that names it: 0 nothing, 1 its id, 2 its addresses too",
            ),
            Column::new(
                "upgraded_combo",
                Holds::Count("parts"),
                "the same where addresses that a later answer brings are taken",
            ),
            Column::new(
                "closest_peers",
                Holds::List(List::Peers),
                "the closest that answered: the nearest to the key first, by distance",
            ),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.key.as_slice().into(),
            self.arm.into(),
            self.round.into(),
            self.lookup.name().into(),
            self.began_at.into(),
            self.took.into(),
            self.ending.name().into(),
            self.asked.into(),
            self.answered.into(),
            self.failed.into(),
            self.contacted.into(),
            self.tree_depth.into(),
            self.hops_to_closest.into(),
            self.providers.into(),
            self.first_combo.into(),
            self.upgraded_combo.into(),
            self.closest.as_slice().into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            key: cells.take()?,
            arm: cells.take()?,
            round: cells.take()?,
            lookup: cells.name(HoardLookup::from_name)?,
            began_at: cells.take()?,
            took: cells.take()?,
            ending: cells.name(Termination::from_name)?,
            asked: cells.take()?,
            answered: cells.take()?,
            failed: cells.take()?,
            contacted: cells.take()?,
            tree_depth: cells.take()?,
            hops_to_closest: cells.take()?,
            providers: cells.take()?,
            first_combo: cells.take()?,
            upgraded_combo: cells.take()?,
            closest: cells.take()?,
        })
    }
}
