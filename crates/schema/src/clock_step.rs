//! That the wall clock parted from the clock of a run while it was under way.

use crate::{
    Encounter, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, Table},
};

kad::named! {
    /// Why the wall clock says something else than before beside the clock of a run.
    pub enum StepCause: serde {
        /// It was set, by hand or by a program that keeps it right.
        Set = "set",
        /// The machine slept, and the clock of the run with it.
        Suspended = "suspended",
    }
}

/// A step of the wall clock. All other times of a run are its start and what a monotonic clock counted since, so they do not
/// step; from this moment on the wall clock says something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockStep {
    /// When it was noticed, by the clock of the run.
    pub noticed_at: Timestamp,
    /// What the wall clock would have said then without it.
    pub expected: Timestamp,
    /// What it said.
    pub wall: Timestamp,
    /// Why.
    pub cause: StepCause,
}

impl RowType for ClockStep {
    const TABLE: Table = Table {
        name: "clock_step",
        doc: "A step of the wall clock: times of the run are its start and a monotonic clock, and did not step.",
        has_encounter: false,
        columns: &[
            Column::new("noticed_at", Holds::Time, "when it was noticed, by the clock of the run"),
            Column::new("expected", Holds::Time, "what the wall clock would have said then without it"),
            Column::new("wall", Holds::Time, "what the wall clock said then"),
            Column::new("cause", names_of!(StepCause), "why"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![self.noticed_at.into(), self.expected.into(), self.wall.into(), self.cause.name().into()]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            noticed_at: cells.take()?,
            expected: cells.take()?,
            wall: cells.take()?,
            cause: cells.name(StepCause::from_name)?,
        })
    }
}
