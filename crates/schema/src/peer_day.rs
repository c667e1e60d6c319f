//! What a day of looks at a peer came to: it stays when the visits are pruned.

use std::time::Duration;

use crate::{
    Encounter, PeerNumber, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    table::{Column, Holds, Table},
};

/// One day of one peer in UTC, or a part of one: rows of the same day add up. Of the rest of the day nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerDay {
    /// Whose day it is.
    pub peer: PeerNumber,
    /// Its midnight, UTC.
    pub day: Timestamp,
    /// For how long the peer was up at least: between successful looks that follow each other.
    pub up: Duration,
    /// For how long it was down at least: between failed looks that follow each other outside sessions. It was up for the rest of the
    /// day at most.
    pub down: Duration,
    /// How many looks said something clear.
    pub looks: u32,
    /// Sessions that began.
    pub begun: u32,
    /// Sessions that were found to be over.
    pub ended: u32,
}

impl PeerDay {
    /// A day of which nothing is known.
    pub const fn none(peer: PeerNumber, day: Timestamp) -> Self {
        Self { peer, day, up: Duration::ZERO, down: Duration::ZERO, looks: 0, begun: 0, ended: 0 }
    }

    /// Whether some of it lies after a moment.
    pub const fn is_after(&self, moment: Timestamp) -> bool {
        const DAY_US: i64 = 86_400_000_000;
        self.day.0.saturating_add(DAY_US) > moment.0
    }

    /// What two rows of the same day come to.
    #[must_use]
    pub const fn with(self, more: &Self) -> Self {
        Self {
            up: self.up.saturating_add(more.up),
            down: self.down.saturating_add(more.down),
            looks: self.looks.saturating_add(more.looks),
            begun: self.begun.saturating_add(more.begun),
            ended: self.ended.saturating_add(more.ended),
            ..self
        }
    }

    /// What is left of it when a row has said this much; nothing less than that.
    #[must_use]
    pub const fn without(self, told: &Self) -> Self {
        Self {
            up: self.up.saturating_sub(told.up),
            down: self.down.saturating_sub(told.down),
            looks: self.looks.saturating_sub(told.looks),
            begun: self.begun.saturating_sub(told.begun),
            ended: self.ended.saturating_sub(told.ended),
            ..self
        }
    }
}

impl RowType for PeerDay {
    const TABLE: Table = Table {
        name: "peer_day",
        doc: "What the looks of one day in UTC say of a peer, computed; rows of the same day add up. The rest of the day is unknown.",
        has_encounter: false,
        columns: &[
            Column::new("peer", Holds::Subject, "whose day it is"),
            Column::new("day", Holds::Time, "its midnight, UTC"),
            Column::new("up_us", Holds::Duration, "for how long the peer was up at least"),
            Column::new(
                "down_us",
                Holds::Duration,
                "for how long it was down at least: it was up for the rest at most",
            ),
            Column::new("looks", Holds::Count("looks"), "looks that said something clear"),
            Column::new("begun", Holds::Count("sessions"), "sessions that began"),
            Column::new("ended", Holds::Count("sessions"), "sessions that were found to be over"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.peer.into(),
            self.day.into(),
            self.up.into(),
            self.down.into(),
            self.looks.into(),
            self.begun.into(),
            self.ended.into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            peer: cells.take()?,
            day: cells.take()?,
            up: cells.take()?,
            down: cells.take()?,
            looks: cells.take()?,
            begun: cells.take()?,
            ended: cells.take()?,
        })
    }
}
