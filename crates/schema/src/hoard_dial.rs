//! One provider of a key that a round dialled, and whether the content could be had from it.

use std::time::Duration;

use kad::{
    Address,
    retrieval::{AddressOrigin, RetrievalVerdict},
};

use crate::{
    Encounter, PeerNumber, Reveals, RowType,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, List, Table},
};

/// One provider that a round dialled. Of one without a row nobody knows whether it can be dialled: there were too many, or we gave up.
#[derive(Debug, Clone, PartialEq)]
pub struct HoardDial {
    /// Who provides the key, as somebody said in a lookup of the round.
    pub peer: PeerNumber,
    /// What is provided: a multihash.
    pub key: Vec<u8>,
    /// The arm of the study, by its number in the plan, from 0.
    pub arm: u16,
    /// The round of the key.
    pub round: u32,
    /// When the dials of the round began, from the beginning of the key's publication, or from when it was taken in.
    pub after: Duration,
    /// From where its addresses are known; `None` where nobody knows any.
    pub origin: Option<AddressOrigin>,
    /// The addresses that are known of it.
    pub addresses: Vec<Address>,
    /// What came of it.
    pub verdict: RetrievalVerdict,
    /// The name of the class of what went wrong, or of the reason why it was not dialled; `None` where the verdict says it all.
    pub error: Option<String>,
}

impl RowType for HoardDial {
    const TABLE: Table = Table {
        name: "hoard_dial",
        doc: "One provider of a key that a round of a study dialled.",
        has_encounter: false,
        columns: &[
            Column::new("peer", Holds::Subject, "who provides the key, as somebody said in a lookup"),
            Column::new("key", Holds::Bytes, "the key: a multihash").that_says(Reveals::Peer),
            Column::new("arm", Holds::Count("arm"), "the number of the arm in the plan"),
            Column::new("round", Holds::Count("round"), "the round of the key"),
            Column::new(
                "after_us",
                Holds::Duration,
                "when the dials of the round began, from the beginning of the key's publication",
            ),
            Column::or_none(
                "origin",
                names_of!(AddressOrigin),
                "from where its addresses are known; absent where nobody knows any",
            ),
            Column::new("addresses", Holds::List(List::Addresses), "the addresses that are known of it"),
            Column::new("verdict", names_of!(RetrievalVerdict), "what came of it"),
            Column::or_none(
                "error",
                Holds::Text,
                "the class of what went wrong, or why it was not dialled; absent where the verdict says it all",
            )
            .that_says(Reveals::Nothing),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.peer.into(),
            self.key.as_slice().into(),
            self.arm.into(),
            self.round.into(),
            self.after.into(),
            self.origin.map(AddressOrigin::name).into(),
            self.addresses.as_slice().into(),
            self.verdict.name().into(),
            self.error.as_deref().map(Cell::text).into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            peer: cells.take()?,
            key: cells.take()?,
            arm: cells.take()?,
            round: cells.take()?,
            after: cells.take()?,
            origin: cells.name_or_none(AddressOrigin::from_name)?,
            addresses: cells.take()?,
            verdict: cells.name(RetrievalVerdict::from_name)?,
            error: cells.take()?,
        })
    }
}
