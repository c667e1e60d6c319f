//! What a monitor goes on with that is started on a store: everybody who is known there, how they stand, and what the one before it
//! did not come to say, since it was killed.

use std::collections::HashMap;

use kad::PeerId;
use schema::{PeerDay, Timestamp, Tool};
use store::{Error, RunInfo, Store};

use super::{MonitorScope, NetworkHistory, Recomputation, kept::LastSessions};
use crate::{
    days::midnight,
    running::{MonitorState, UntoldRows},
    session::{SessionChange, SessionRules},
};

/// What is known from a store.
#[derive(Debug, Default)]
pub struct Recalled {
    /// What a monitor goes on with.
    pub state: MonitorState,
    /// When the last monitor was seen for the last time; `None` if there was none.
    pub last_seen: Option<Timestamp>,
    /// Whether a monitor is under way that watches the same.
    pub is_monitored: bool,
}

/// Reads all that a store has seen of a scope, once; `told` is told how many of how many visits were read, and says whether to go on: `None` if
/// not. Memory: what is known of a peer for each, its last session, and what days have not said yet.
pub fn recall(
    store: &Store,
    scope: &MonitorScope,
    (rules, max_peers): (SessionRules, usize),
    mut told: impl FnMut(u64, u64) -> bool,
) -> Result<Option<Recalled>, Error> {
    let runs = scope.runs(store)?;
    let rows = LastSessions::read(store, &runs, None)?;
    let days = KeptDays::read(store, &runs)?;
    let mut history = NetworkHistory::open(store, scope, rules.criterion)?;
    let mut fold = Recomputation::since(rules, max_peers, days.from);
    let mut untold = UntoldRows::default();
    while let Some(sight) = history.next().transpose()? {
        if let Some((peer, SessionChange::Ended(session))) = fold.saw(&sight)
            && !rows.has(&peer, &session)
        {
            untold.sessions.push((peer, *session));
        }
        let (read, of) = history.progress();
        if !told(read, of) {
            return Ok(None);
        }
    }
    untold.sessions.extend(fold.open().filter(|(peer, session)| !rows.has(peer, session)));
    untold.days = days.without_those(fold.take_days());
    let (last_seen, is_monitored) = (history.last_seen(), history.is_monitored());
    let state = MonitorState { peers: fold.into_known(), gaps: Vec::new(), untold };
    Ok(Some(Recalled { state, last_seen, is_monitored }))
}

/// What rows say of the last days. Rows of the days before are whole: nothing more is told of a day once the next one is over.
struct KeptDays {
    from: Timestamp,
    told: HashMap<(PeerId, Timestamp), PeerDay>,
}

impl KeptDays {
    fn read(store: &Store, runs: &[RunInfo]) -> Result<Self, Error> {
        let monitors = || runs.iter().filter(|run| run.start.tool == Tool::Monitor);
        let mut last = None;
        for run in monitors().rev() {
            for day in store.rows::<PeerDay>(run.start.id)? {
                last = last.max(Some(day?.day));
            }
            if last.is_some() {
                break;
            }
        }
        let Some(last) = last else { return Ok(Self { from: Timestamp(0), told: HashMap::new() }) };
        let from = midnight(Timestamp(last.0.saturating_sub(1)));
        let mut told = HashMap::<_, PeerDay>::new();
        for run in monitors().filter(|run| run.end.as_ref().is_none_or(|end| end.finished_at >= from)) {
            let peers = store.peers(run.start.id)?;
            for day in store.rows::<PeerDay>(run.start.id)? {
                let day = day?;
                if let Some(peer) = peers.get(day.peer).filter(|_| day.day >= from) {
                    let sum = told.entry((peer, day.day)).or_insert_with(|| PeerDay::none(day.peer, day.day));
                    *sum = sum.with(&day);
                }
            }
        }
        Ok(Self { from, told })
    }

    /// What is counted of days beyond what rows say.
    fn without_those(&self, counted: impl Iterator<Item = (PeerId, PeerDay)>) -> Vec<(PeerId, PeerDay)> {
        let rest = counted.map(|(peer, day)| match self.told.get(&(peer, day.day)) {
            Some(told) => (peer, day.without(told)),
            None => (peer, day),
        });
        rest.filter(|(_, day)| *day != PeerDay::none(day.peer, day.day)).collect()
    }
}
