//! That the wall clock was set while a run was under way.

use crate::{
    Encounter, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    table::{Column, Holds, Table},
};

/// A step of the wall clock. All other times of a run are its start and what a monotonic clock counted since, so they do not
/// step; from this moment on the wall clock says something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockStep {
    /// When it was noticed, by the clock of the run.
    pub noticed_at: Timestamp,
    /// What the wall clock said then.
    pub wall: Timestamp,
}

impl RowType for ClockStep {
    const TABLE: Table = Table {
        name: "clock_step",
        doc: "A step of the wall clock: times of the run are its start and a monotonic clock, and did not step.",
        has_encounter: false,
        columns: &[
            Column::new("noticed_at", Holds::Time, "when it was noticed, by the clock of the run"),
            Column::new("wall", Holds::Time, "what the wall clock said then"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![self.noticed_at.into(), self.wall.into()]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self { noticed_at: cells.take()?, wall: cells.take()? })
    }
}
