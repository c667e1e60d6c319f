//! One key of a study: how it was published, and what came of that.

use std::time::Duration;

use kad::Persistence;

use crate::{
    Encounter, PeerNumber, PublisherEnd, Reveals, RowType, Strategy, Timestamp,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, Table},
};

/// A key of a study, and its publication. It is written when that is over, behind the rows of its holders: a key without one was never published.
#[derive(Debug, Clone, PartialEq)]
pub struct HoardKey {
    /// Who provides it.
    pub peer: PeerNumber,
    /// What is provided: a multihash.
    pub key: Vec<u8>,
    /// The arm of the study, by its number in the plan, from 0.
    pub arm: u16,
    /// What the plan calls the arm.
    pub arm_name: String,
    /// The place of the key in its arm, from 0.
    pub position: u32,
    /// How it was published; `None` if somebody else did.
    pub strategy: Option<Strategy>,
    /// How far the publication went; `None` if somebody else did it.
    pub persistence: Option<Persistence>,
    /// How many peers were to hold the record.
    pub k: u16,
    /// What becomes of the publisher.
    pub publisher_end: PublisherEnd,
    /// When the publication began: the spans of the key count from it.
    pub published_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Why nobody was given the record, by its name; `None` if somebody was.
    pub failure: Option<String>,
    /// Peers that were to hold the record.
    pub holders: u32,
    /// Those of them that were sent it, and did not refuse it.
    pub sent: u32,
}

impl RowType for HoardKey {
    const TABLE: Table = Table {
        name: "hoard_key",
        doc: "One key of a study of who keeps records: its publication.",
        has_encounter: false,
        columns: &[
            Column::new("peer", Holds::Subject, "who provides it"),
            Column::new("key", Holds::Bytes, "the key: a multihash").that_says(Reveals::Peer),
            Column::new("arm", Holds::Count("arm"), "the number of the arm in the plan"),
            Column::new("arm_name", Holds::Text, "what the plan calls the arm").that_says(Reveals::Nothing),
            Column::new("position", Holds::Count("position"), "the place of the key in its arm, from 0"),
            Column::or_none(
                "strategy",
                names_of!(Strategy),
                "how it was published; absent if somebody else did",
            ),
            Column::or_none(
                "persistence",
                names_of!(Persistence),
                "how far the publication went; absent if somebody else did it",
            ),
            Column::new("k", Holds::Count("peers"), "peers that were to hold the record"),
            Column::new("publisher_end", names_of!(PublisherEnd), "what becomes of the publisher"),
            Column::new(
                "published_at",
                Holds::Time,
                "when the publication began; the spans of the key count from it",
            ),
            Column::new("took_us", Holds::Duration, "how long it took"),
            Column::or_none("failure", Holds::Text, "why nobody was given the record")
                .that_says(Reveals::Nothing),
            Column::new("holders", Holds::Count("peers"), "peers that were to hold the record"),
            Column::new(
                "sent",
                Holds::Count("peers"),
                "those of them that were sent it, and did not refuse it",
            ),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.peer.into(),
            self.key.as_slice().into(),
            self.arm.into(),
            Cell::text(&self.arm_name),
            self.position.into(),
            self.strategy.map(Strategy::name).into(),
            self.persistence.map(Persistence::name).into(),
            self.k.into(),
            self.publisher_end.name().into(),
            self.published_at.into(),
            self.took.into(),
            self.failure.as_deref().map(Cell::text).into(),
            self.holders.into(),
            self.sent.into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            peer: cells.take()?,
            key: cells.take()?,
            arm: cells.take()?,
            arm_name: cells.take()?,
            position: cells.take()?,
            strategy: cells.name_or_none(Strategy::from_name)?,
            persistence: cells.name_or_none(Persistence::from_name)?,
            k: cells.take()?,
            publisher_end: cells.name(PublisherEnd::from_name)?,
            published_at: cells.take()?,
            took: cells.take()?,
            failure: cells.take()?,
            holders: cells.take()?,
            sent: cells.take()?,
        })
    }
}
