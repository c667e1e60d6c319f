//! A session of a peer, as it stood when the row was written.

use std::time::Duration;

use crate::{
    Encounter, OnlineCriterion, PeerNumber, RowType, SeenSession, SessionEnd, SessionState, Timestamp,
    cell::{BadCell, Cell, Cells},
    names_of,
    table::{Column, Holds, Table},
};

/// A state that is computed from visits and the observer's gaps, and can be computed anew from them. A session has a row when it begins and
/// another one when it is over: of those of a peer with the same `first_successful_dial` the last one counts, so that sessions that
/// are open are found after a kill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSession {
    /// Whose it is.
    pub peer: PeerNumber,
    /// What is known of it.
    pub seen: SeenSession,
    /// When the peer is to be looked at next; `None` if nobody is to look.
    pub next_dial: Option<Timestamp>,
}

impl RowType for PeerSession {
    const TABLE: Table = Table {
        name: "session",
        doc: "A session of a peer, computed from visits and gaps: one row when it begins, one when it is over, of which the last counts.",
        has_encounter: false,
        columns: &[
            Column::new("peer", Holds::Subject, "whose it is"),
            Column::new("criterion", names_of!(OnlineCriterion), "what the peer had to do to count as up"),
            Column::new("state", names_of!(SessionState), "how it stands"),
            Column::or_none(
                "began_after",
                Holds::Time,
                "the last look before it that found the peer down began",
            ),
            Column::new("first_successful_dial", Holds::Time, "the first successful look began"),
            Column::new("began_by", Holds::Time, "the first successful look ended: it is known since"),
            Column::new("last_successful_dial", Holds::Time, "the last successful look began"),
            Column::or_none(
                "first_failed_dial",
                Holds::Time,
                "the first of the looks began that doubt or end it",
            ),
            Column::or_none("ended_by", Holds::Time, "that look ended, and the session is over"),
            Column::or_none("next_dial_attempt", Holds::Time, "when the peer is to be looked at next"),
            Column::new("min_us", Holds::Duration, "how long the peer stayed at least"),
            Column::or_none("max_us", Holds::Duration, "how long it stayed at most"),
            Column::new("successful_dials", Holds::Count("looks"), "successful looks"),
            Column::new("failures", Holds::Count("looks"), "failed looks"),
            Column::new(
                "recoveries",
                Holds::Count("times"),
                "how often it was seen up again after failed looks",
            ),
            Column::new("gaps", Holds::Count("gaps"), "the observer's gaps between successful looks"),
            Column::new("unwatched_us", Holds::Duration, "how long they were together"),
            Column::or_none("end_reason", names_of!(SessionEnd), "why it is over"),
            Column::or_none(
                "failure",
                Holds::Failure,
                "what the first of the failed looks met that doubt or end it",
            ),
        ],
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        let seen = &self.seen;
        vec![
            self.peer.into(),
            seen.criterion.name().into(),
            seen.state.name().into(),
            seen.began_after.into(),
            seen.first_successful.into(),
            seen.began_by.into(),
            seen.ended_after.into(),
            seen.first_failed.into(),
            seen.ended_by.into(),
            self.next_dial.into(),
            seen.min_duration().into(),
            seen.max_duration().into(),
            seen.successes.into(),
            seen.failures.into(),
            seen.recoveries.into(),
            seen.gaps.into(),
            seen.unwatched.into(),
            seen.end.map(SessionEnd::name).into(),
            seen.failure.as_ref().into(),
        ]
    }

    fn read(cells: &mut Cells<'_>, _: Option<Encounter>) -> Result<Self, BadCell> {
        let peer = cells.take()?;
        let criterion = cells.name(OnlineCriterion::from_name)?;
        let state = cells.name(SessionState::from_name)?;
        let (began_after, first_successful, began_by) = (cells.take()?, cells.take()?, cells.take()?);
        let (ended_after, first_failed, ended_by) = (cells.take()?, cells.take()?, cells.take()?);
        let next_dial = cells.take()?;
        // Both follow from the times.
        cells.take::<Duration>()?;
        cells.take::<Option<Duration>>()?;
        let seen = SeenSession {
            criterion,
            state,
            began_after,
            first_successful,
            began_by,
            ended_after,
            first_failed,
            ended_by,
            successes: cells.take()?,
            failures: cells.take()?,
            recoveries: cells.take()?,
            gaps: cells.take()?,
            unwatched: cells.take()?,
            end: cells.name_or_none(SessionEnd::from_name)?,
            failure: cells.take()?,
        };
        Ok(Self { peer, seen, next_dial })
    }
}
