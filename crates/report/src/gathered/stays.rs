//! Stays by the rows of sessions: of those of a peer with the same beginning the last one counts.

use std::collections::{HashMap, HashSet};

use schema::{PeerSession, RowType as _, RunId, SessionEnd};
use store::{RunFilter, Scan, Store, StorePeer};

use super::{GatherError, Gathered, columns::Columns};
use crate::stay::{SeenStay, StayEnd};

const COLUMNS: [&str; 8] = [
    "run_id",
    "peer_id",
    "began_after",
    "first_successful_dial",
    "began_by",
    "last_successful_dial",
    "ended_by",
    "end_reason",
];

impl Gathered {
    /// Takes the stays that rows of sessions tell, of peers that were visited in the period.
    pub(super) fn read_sessions(&mut self, store: &Store, meant: &HashSet<RunId>) -> Result<(), GatherError> {
        let positions: HashMap<StorePeer, usize> =
            self.peers.iter().enumerate().map(|(at, peer)| (peer.peer, at)).collect();
        // One that began long before is open until a row says otherwise, so all rows until the period's end are read.
        let runs = RunFilter {
            network: Some(self.network.clone()),
            until: Some(self.period.until),
            ..RunFilter::default()
        };
        let scan = Scan { runs, table: &PeerSession::TABLE, columns: &COLUMNS };
        for batch in store.scan(&scan)? {
            let batch = batch?;
            let columns = Columns::of(&batch, &COLUMNS);
            let (made_by, peers) = (columns.runs("run_id")?, columns.peers("peer_id")?);
            let after = columns.times("began_after")?;
            let [first, by, last, ended] =
                ["first_successful_dial", "began_by", "last_successful_dial", "ended_by"]
                    .map(|name| columns.times(name));
            let (first, by, last, ended) = (first?, by?, last?, ended?);
            let ends = columns.texts("end_reason")?;
            for row in 0..batch.rows {
                if !made_by.get(row).is_some_and(|run| meant.contains(run)) {
                    continue;
                }
                let moment = |values: &[Option<_>]| values.get(row).copied().flatten();
                let Some(peer) = peers.get(row).and_then(|peer| positions.get(peer)) else { continue };
                let (Some(first_up), Some(came_by), Some(last_up)) =
                    (moment(first), moment(by), moment(last))
                else {
                    continue;
                };
                let reason = ends.get(row).and_then(|name| SessionEnd::from_name(name.as_deref()?));
                let end = SeenStay::ended(moment(ended), reason);
                let stay = SeenStay { came_after: moment(after), first_up, came_by, last_up, end };
                if let Some(peer) = self.peers.get_mut(*peer) {
                    put(&mut peer.stays, stay);
                }
            }
        }
        self.settle();
        Ok(())
    }

    /// Leaves those that the period holds. One that is not over was last seen when its peer was: its row is from its beginning.
    fn settle(&mut self) {
        let period = self.period;
        for peer in &mut self.peers {
            peer.stays.sort_by_key(|stay| stay.first_up);
            peer.stays.retain(|stay| {
                stay.came_by < period.until && stay.over_by().is_none_or(|over| over >= period.from)
            });
            if let Some(last) = peer.stays.last_mut().filter(|stay| stay.end.is_none()) {
                last.last_up = last.last_up.max(peer.last_up.unwrap_or(last.last_up));
            }
            let mut later = None;
            for stay in peer.stays.iter_mut().rev() {
                // Its end was never told, since a kill came between: it was over when the next one began.
                if let (None, Some(next)) = (stay.end, later) {
                    stay.end = Some(StayEnd::GoneBy(next));
                }
                later = Some(stay.first_up);
            }
        }
    }
}

/// Puts a stay in the place of what was known of it.
fn put(stays: &mut Vec<SeenStay>, stay: SeenStay) {
    match stays.iter_mut().rev().find(|known| known.first_up == stay.first_up) {
        Some(known) => *known = stay,
        None => stays.push(stay),
    }
}
