//! One peer that was given a provider record, and what it says of it.

use kad::failure::Failure;

use crate::{
    Encounter, PeerNumber, Reveals, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    table::{Column, Holds, Table},
};

/// One of the peers to which a record was to be given.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordHolder {
    /// Who it is.
    pub peer: PeerNumber,
    /// What is provided: a multihash.
    pub key: Vec<u8>,
    /// When the publication began.
    pub given_at: Timestamp,
    /// Who provides it.
    pub provider: PeerNumber,
    /// Why it was not sent the record; `None` if it was, and did not refuse it.
    pub send_error: Option<Failure>,
    /// Whether it says that it has the record; `None` if it was not asked, or did not answer.
    pub has_record: Option<bool>,
    /// Whether it gives the provider's addresses with it; `None` without a record.
    pub with_addresses: Option<bool>,
    /// Why it did not answer; `None` if it did, or was not asked.
    pub read_error: Option<Failure>,
}

impl RowType for RecordHolder {
    const TABLE: Table = Table {
        name: "record_holder",
        doc: "One peer that was to hold a provider record.",
        has_encounter: false,
        columns: &[
            Column::new("peer", Holds::Subject, "who was to hold it"),
            Column::new("key", Holds::Bytes, "what is provided: a multihash").that_says(Reveals::Peer),
            Column::new("given_at", Holds::Time, "when the publication began"),
            Column::new("provider", Holds::Peer, "who provides it"),
            Column::or_none("send_error", Holds::Failure, "why the peer was not sent the record"),
            Column::or_none(
                "has_record",
                Holds::Flag,
                "whether it says that it has it; absent if it did not say",
            ),
            Column::or_none("with_addresses", Holds::Flag, "whether it gives addresses with it"),
            Column::or_none("read_error", Holds::Failure, "why it did not say"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.peer.into(),
            self.key.as_slice().into(),
            self.given_at.into(),
            self.provider.into(),
            self.send_error.as_ref().into(),
            self.has_record.into(),
            self.with_addresses.into(),
            self.read_error.as_ref().into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            peer: cells.take()?,
            key: cells.take()?,
            given_at: cells.take()?,
            provider: cells.take()?,
            send_error: cells.take()?,
            has_record: cells.take()?,
            with_addresses: cells.take()?,
            read_error: cells.take()?,
        })
    }
}
