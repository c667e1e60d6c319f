//! One holder of a key: a peer that was to be given the record, or was found to hold it.

use std::time::Duration;

use kad::{Address, failure::Failure};

use crate::{
    Encounter, PeerNumber, Reveals, RowType,
    cell::{BadCell, Cell, Cells},
    table::{Column, Holds, List, Table},
};

/// A peer that was to be given the record of a key, or, of a key of somebody else, that was found to hold it. Who was never given the record stays apart from who lost it: `send_error` says so, and neither it nor `sent_after` is there where nobody knows.
#[derive(Debug, Clone, PartialEq)]
pub struct HoardHolder {
    /// Who it is.
    pub peer: PeerNumber,
    /// What is provided: a multihash.
    pub key: Vec<u8>,
    /// The arm of the study, by its number in the plan, from 0.
    pub arm: u16,
    /// Its place among the holders of the key by distance to it, from 1.
    pub rank: u16,
    /// How many leading bits its key shares with the target.
    pub common_prefix_len: u16,
    /// What it called its program when it was chosen; `None` if it did not say.
    pub agent: Option<String>,
    /// Where it was when it was chosen.
    pub first_addresses: Vec<Address>,
    /// When it was chosen, from the beginning of the publication.
    pub chosen_after: Duration,
    /// When the record left for it, likewise; `None` if it never did.
    pub sent_after: Option<Duration>,
    /// Why it was not sent the record, or how it refused it; `None` if it did not.
    pub send_error: Option<Failure>,
}

impl RowType for HoardHolder {
    const TABLE: Table = Table {
        name: "hoard_holder",
        doc: "One peer that was to hold the record of a key.",
        has_encounter: false,
        columns: &[
            Column::new("peer", Holds::Subject, "who it is"),
            Column::new("key", Holds::Bytes, "the key: a multihash").that_says(Reveals::Peer),
            Column::new("arm", Holds::Count("arm"), "the number of the arm in the plan"),
            Column::new(
                "rank",
                Holds::Count("place"),
                "its place among the holders by distance to the key, from 1",
            ),
            Column::new(
                "common_prefix_len",
                Holds::Count("bits"),
                "leading bits that its key shares with the target",
            ),
            Column::or_none("agent", Holds::Text, "what it called its program when it was chosen")
                .that_says(Reveals::Program),
            Column::new("first_addresses", Holds::List(List::Addresses), "where it was when it was chosen"),
            Column::new(
                "chosen_us",
                Holds::Duration,
                "when it was chosen, from the beginning of the publication",
            ),
            Column::or_none(
                "sent_us",
                Holds::Duration,
                "when the record left for it; absent if it never did",
            ),
            Column::or_none(
                "send_error",
                Holds::Failure,
                "why it was not sent the record, or how it refused it",
            ),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.peer.into(),
            self.key.as_slice().into(),
            self.arm.into(),
            self.rank.into(),
            self.common_prefix_len.into(),
            self.agent.as_deref().map(Cell::text).into(),
            self.first_addresses.as_slice().into(),
            self.chosen_after.into(),
            self.sent_after.into(),
            self.send_error.as_ref().into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            peer: cells.take()?,
            key: cells.take()?,
            arm: cells.take()?,
            rank: cells.take()?,
            common_prefix_len: cells.take()?,
            agent: cells.take()?,
            first_addresses: cells.take()?,
            chosen_after: cells.take()?,
            sent_after: cells.take()?,
            send_error: cells.take()?,
        })
    }
}
