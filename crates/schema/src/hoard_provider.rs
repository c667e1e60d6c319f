//! One provider that one answer named, in a lookup of a study.

use std::time::Duration;

use kad::Address;

use crate::{
    Encounter, HoardLookup, PeerNumber, Reveals, RowType,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, List, Table},
};

/// One provider in one answer. Of an answer that names the key's own provider and nobody else there may be none: the request has the counts.
#[derive(Debug, Clone, PartialEq)]
pub struct HoardProvider {
    /// Who is named as a provider.
    pub peer: PeerNumber,
    /// What is provided: a multihash.
    pub key: Vec<u8>,
    /// The arm of the study, by its number in the plan, from 0.
    pub arm: u16,
    /// The round of the key: 0 is the publication with its readings back.
    pub round: u32,
    /// In which lookup of the round.
    pub lookup: HoardLookup,
    /// Who named it.
    pub responder: PeerNumber,
    /// When the answer came, from the beginning of the lookup.
    pub answered_after: Duration,
    /// How many addresses of it are in the answer.
    pub addresses: u32,
    /// The addresses, where they are not those that were kept of it last; empty where they are, or where there are none.
    pub listed: Vec<Address>,
}

impl RowType for HoardProvider {
    const TABLE: Table = Table {
        name: "hoard_provider",
        doc: "One provider in one answer of a lookup of a study.",
        has_encounter: false,
        columns: &[
            Column::new("peer", Holds::Subject, "who is named as a provider"),
            Column::new("key", Holds::Bytes, "the key: a multihash").that_says(Reveals::Peer),
            Column::new("arm", Holds::Count("arm"), "the number of the arm in the plan"),
            Column::new(
                "round",
                Holds::Count("round"),
                "the round of the key; 0 is the publication with its readings back",
            ),
            Column::new("lookup", names_of!(HoardLookup), "in which lookup of the round"),
            Column::new("responder", Holds::Peer, "who named it"),
            Column::new(
                "answered_us",
                Holds::Duration,
                "when the answer came, from the beginning of the lookup",
            ),
            Column::new("addresses", Holds::Count("addresses"), "its addresses in the answer"),
            Column::new(
                "listed_addresses",
                Holds::List(List::Addresses),
                "the addresses, where they are not those that were kept of it last",
            ),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.peer.into(),
            self.key.as_slice().into(),
            self.arm.into(),
            self.round.into(),
            self.lookup.name().into(),
            self.responder.into(),
            self.answered_after.into(),
            self.addresses.into(),
            self.listed.as_slice().into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            peer: cells.take()?,
            key: cells.take()?,
            arm: cells.take()?,
            round: cells.take()?,
            lookup: cells.name(HoardLookup::from_name)?,
            responder: cells.take()?,
            answered_after: cells.take()?,
            addresses: cells.take()?,
            listed: cells.take()?,
        })
    }
}
