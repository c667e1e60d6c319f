//! One round of one key: when it was, and what came of it.

use std::time::Duration;

use crate::{
    Encounter, Reveals, RoundEnd, RowType, Timestamp,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, Table},
};

/// One look at one key. It is written last: a round without it was never done, whatever else stands of it.
#[derive(Debug, Clone, PartialEq)]
pub struct HoardRound {
    /// What is provided: a multihash.
    pub key: Vec<u8>,
    /// The arm of the study, by its number in the plan, from 0.
    pub arm: u16,
    /// The round of the key: 0 is the publication with its readings back.
    pub round: u32,
    /// When it was to begin.
    pub planned_at: Timestamp,
    /// When it began; of one that was missed, when that was known.
    pub began_at: Timestamp,
    /// When it was over.
    pub ended_at: Timestamp,
    /// Other rounds under way when it began.
    pub rounds_in_flight: u32,
    /// Requests of others under way when it began.
    pub requests_in_flight: u32,
    /// How it ended.
    pub end: RoundEnd,
    /// Holders of the key.
    pub holders: u16,
    /// Those of them that were connected to.
    pub reached: u16,
    /// Those of them that say they have the record.
    pub keeping: u16,
    /// Those of them that give addresses with it.
    pub with_addresses: u16,
}

impl HoardRound {
    /// How much later it began than it was to.
    pub fn lag(&self) -> Duration {
        self.began_at.since(self.planned_at)
    }
}

impl RowType for HoardRound {
    const TABLE: Table = Table {
        name: "hoard_round",
        doc: "One round of one key, written when it is over.",
        has_encounter: false,
        columns: &[
            Column::new("key", Holds::Bytes, "the key: a multihash").that_says(Reveals::Peer),
            Column::new("arm", Holds::Count("arm"), "the number of the arm in the plan"),
            Column::new(
                "round",
                Holds::Count("round"),
                "the round of the key; 0 is the publication with its readings back",
            ),
            Column::new("planned_at", Holds::Time, "when it was to begin"),
            Column::new("began_at", Holds::Time, "when it began, or was given up"),
            Column::new("ended_at", Holds::Time, "when it was over"),
            Column::new("rounds_in_flight", Holds::Count("rounds"), "other rounds under way when it began"),
            Column::new(
                "requests_in_flight",
                Holds::Count("requests"),
                "requests of others under way when it began",
            ),
            Column::new("round_end", names_of!(RoundEnd), "how it ended"),
            Column::new("holders", Holds::Count("peers"), "holders of the key"),
            Column::new("reached", Holds::Count("peers"), "those of them that were connected to"),
            Column::new("keeping", Holds::Count("peers"), "those of them that say they have the record"),
            Column::new("with_addresses", Holds::Count("peers"), "those of them that give addresses with it"),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.key.as_slice().into(),
            self.arm.into(),
            self.round.into(),
            self.planned_at.into(),
            self.began_at.into(),
            self.ended_at.into(),
            self.rounds_in_flight.into(),
            self.requests_in_flight.into(),
            self.end.name().into(),
            self.holders.into(),
            self.reached.into(),
            self.keeping.into(),
            self.with_addresses.into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        Ok(Self {
            key: cells.take()?,
            arm: cells.take()?,
            round: cells.take()?,
            planned_at: cells.take()?,
            began_at: cells.take()?,
            ended_at: cells.take()?,
            rounds_in_flight: cells.take()?,
            requests_in_flight: cells.take()?,
            end: cells.name(RoundEnd::from_name)?,
            holders: cells.take()?,
            reached: cells.take()?,
            keeping: cells.take()?,
            with_addresses: cells.take()?,
        })
    }
}
