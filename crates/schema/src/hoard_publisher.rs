//! A publisher of a study that hung up and left.

use crate::{
    Encounter, PeerNumber, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    table::{Column, Holds, Table},
};

/// One publisher of a study that left: until then it may have held connections, so that its addresses were known.
#[derive(Debug, Clone, PartialEq)]
pub struct HoardPublisher {
    /// Who left.
    pub peer: PeerNumber,
    /// The arm of the study, by its number in the plan, from 0.
    pub arm: u16,
    /// When all of its connections were closed.
    pub closed_at: Timestamp,
}

impl RowType for HoardPublisher {
    const TABLE: Table = Table {
        name: "hoard_publisher",
        doc: "A publisher of a study that left.",
        has_encounter: false,
        columns: &[
            Column::new("peer", Holds::Subject, "who left"),
            Column::new("arm", Holds::Count("arm"), "the number of the arm in the plan"),
            Column::new("closed_at", Holds::Time, "when all of its connections were closed"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![self.peer.into(), self.arm.into(), self.closed_at.into()]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self { peer: cells.take()?, arm: cells.take()?, closed_at: cells.take()? })
    }
}
