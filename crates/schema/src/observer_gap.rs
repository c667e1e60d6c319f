//! A time in which an observer saw nothing, for a reason of its own.

use std::time::Duration;

use crate::{
    Encounter, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, Table},
};

kad::named! {
    /// Why an observer saw nothing for a while.
    pub enum GapCause: serde {
        /// Its program did not run.
        NotRunning = "not_running",
        /// Its program stood still while the machine went on: stopped, or starved.
        Stopped = "stopped",
        /// The machine slept.
        Suspended = "suspended",
        /// Its network was gone: nobody at all answered.
        NetworkGone = "network_gone",
        /// Its rows could not be kept, and it looked at nobody meanwhile.
        StoreAway = "store_away",
    }
}

/// A time in which an observer saw nothing. Nobody was down because of it: what was not looked at is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObserverGap {
    /// Why.
    pub cause: GapCause,
    /// When it was last known to see.
    pub from: Timestamp,
    /// When it was first known to see again.
    pub until: Timestamp,
}

impl ObserverGap {
    /// How long it was at most.
    pub fn length(&self) -> Duration {
        self.until.since(self.from)
    }

    /// Whether some of it lies in the time from `from` until `until`.
    pub fn overlaps(&self, from: Timestamp, until: Timestamp) -> bool {
        self.from < until && from < self.until
    }
}

impl RowType for ObserverGap {
    const TABLE: Table = Table {
        name: "observer_gap",
        doc: "A time in which a monitor saw nothing, for a reason of its own: nobody was down because of it.",
        has_encounter: false,
        columns: &[
            Column::new("cause", names_of!(GapCause), "why"),
            Column::new("began_at", Holds::Time, "when it was last known to see"),
            Column::new("ended_at", Holds::Time, "when it was first known to see again"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![self.cause.name().into(), self.from.into(), self.until.into()]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self { cause: cells.name(GapCause::from_name)?, from: cells.take()?, until: cells.take()? })
    }
}
