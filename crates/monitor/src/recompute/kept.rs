//! The sessions that monitors kept, as their rows say: the last one of each peer, since it is what follows from visits that counts.

use std::collections::HashMap;

use kad::PeerId;
use schema::{PeerSession, SeenSession, SessionState, Timestamp, Tool, Visit};
use store::{Error, RunInfo, Store};

use crate::session::PeerUptime;

/// How much later than another visit of its run one may be kept that began before it: rows wait for their store, and visits take a while.
const LATE_US: i64 = 300_000_000;

/// Every session in the rows of these runs, in the order in which they were kept.
pub(super) fn each_session(
    store: &Store,
    runs: &[RunInfo],
    mut take: impl FnMut(PeerId, SeenSession),
) -> Result<(), Error> {
    for run in runs.iter().filter(|run| run.start.tool == Tool::Monitor) {
        let peers = store.peers(run.start.id)?;
        for row in store.rows::<PeerSession>(run.start.id)? {
            let PeerSession { peer, seen, .. } = row?;
            if let Some(peer) = peers.get(peer) {
                take(peer, seen);
            }
        }
    }
    Ok(())
}

/// The last session of each peer that has a row. Memory: some 250 bytes for each.
#[derive(Debug, Default)]
pub(super) struct LastSessions(HashMap<PeerId, SeenSession>);

impl LastSessions {
    /// Of these runs; only what began before a moment, if there is one.
    pub(super) fn read(store: &Store, runs: &[RunInfo], before: Option<Timestamp>) -> Result<Self, Error> {
        let mut last = HashMap::<PeerId, SeenSession>::new();
        each_session(store, runs, |peer, seen| {
            let is_within = before.is_none_or(|before| seen.first_successful < before);
            let is_newer =
                last.get(&peer).is_none_or(|known| known.first_successful <= seen.first_successful);
            if is_within && is_newer {
                last.insert(peer, seen);
            }
        })?;
        Ok(Self(last))
    }

    /// Whether a session that follows from visits has a row that says as much of it.
    pub(super) fn has(&self, peer: &PeerId, session: &SeenSession) -> bool {
        let is_closed = |seen: &SeenSession| seen.state == SessionState::Closed;
        self.0.get(peer).is_some_and(|kept| {
            kept.first_successful > session.first_successful
                || kept.first_successful == session.first_successful
                    && (is_closed(kept) || !is_closed(session))
        })
    }

    /// How each peer stood when the visits end that were pruned.
    pub(super) fn into_uptimes(self, pruned_until: Timestamp) -> impl Iterator<Item = (PeerId, PeerUptime)> {
        self.0.into_iter().map(move |(peer, seen)| (peer, PeerUptime::of_row(&seen, pruned_until)))
    }
}

/// When the first of the visits began that are left, if others were pruned: `None` if none were. With no visit left that is the end of
/// time.
pub(super) fn pruned_until(store: &Store, runs: &[RunInfo]) -> Result<Option<Timestamp>, Error> {
    if runs.iter().all(|run| run.totals.pruned == 0) {
        return Ok(None);
    }
    let mut first = Timestamp(i64::MAX);
    for run in runs {
        if run.start.started_at >= first {
            break;
        }
        let mut latest = i64::MAX;
        for visit in store.visits(run.start.id)? {
            let Visit { met, .. } = visit?;
            first = first.min(met.started_at);
            latest = latest.min(met.ended_at.0.saturating_add(LATE_US));
            if met.ended_at.0 > latest {
                break;
            }
        }
    }
    Ok(Some(first))
}
