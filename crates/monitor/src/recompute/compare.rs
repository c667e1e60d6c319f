//! Where the sessions that were kept differ from those that follow from the visits.

use std::collections::{HashMap, HashSet};

use kad::PeerId;
use schema::{SeenSession, SessionState, Timestamp};
use store::{Error, Store};

use super::{MonitorScope, NetworkHistory, Recomputation, kept::each_session};
use crate::session::{SessionChange, SessionRules};

/// How many differences are named; the others are counted.
const MOST_NAMED: usize = 1000;

/// Something that a kept session says otherwise than the visits do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SessionDifference {
    /// Whose session.
    pub peer: String,
    /// When it began: its first successful look.
    pub first_successful_dial: Timestamp,
    /// What differs, by its column; `session` if one of the two has no such session.
    pub name: &'static str,
    /// What was kept; `None` if nothing.
    pub kept: Option<String>,
    /// What the visits say; `None` if nothing.
    pub visits: Option<String>,
}

/// Compares sessions, in whatever order they come. Those that were found on both sides are forgotten.
#[derive(Debug, Default)]
pub struct SessionCheck {
    kept: HashMap<(PeerId, Timestamp), SeenSession>,
    found: HashMap<(PeerId, Timestamp), SeenSession>,
    equal: u64,
    differing: u64,
    differences: Vec<SessionDifference>,
}

impl SessionCheck {
    /// Takes in a row: of those of a session the last counts.
    pub fn kept(&mut self, peer: PeerId, session: SeenSession) {
        let key = (peer, session.first_successful);
        match self.found.remove(&key) {
            Some(found) if session.state == SessionState::Closed => self.compare(key, &session, &found),
            found => {
                self.found.extend(found.map(|found| (key, found)));
                self.kept.insert(key, session);
            }
        }
    }

    /// Takes in a session that follows from visits, once: when it is over, or as it is at the end.
    pub fn follows(&mut self, peer: PeerId, session: SeenSession) {
        let key = (peer, session.first_successful);
        match self.kept.remove(&key) {
            Some(kept) if kept.state == session.state || session.state != SessionState::Closed => {
                self.compare(key, &kept, &session);
            }
            kept => {
                self.kept.extend(kept.map(|kept| (key, kept)));
                self.found.insert(key, session);
            }
        }
    }

    /// How many sessions are equal, how many are not, and the differences of the first thousand that are not.
    pub fn finish(mut self) -> (u64, u64, Vec<SessionDifference>) {
        let (mut kept, mut found) = (std::mem::take(&mut self.kept), std::mem::take(&mut self.found));
        let mut keys: Vec<_> = kept.keys().chain(found.keys()).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            match (kept.remove(&key), found.remove(&key)) {
                (Some(kept), Some(found)) => self.compare(key, &kept, &found),
                (kept, found) => {
                    let state = |seen: Option<SeenSession>| seen.map(|seen| seen.state.name().to_owned());
                    self.differs(key, [("session", state(kept), state(found))]);
                }
            }
        }
        (self.equal, self.differing, self.differences)
    }

    fn compare(&mut self, key: (PeerId, Timestamp), kept: &SeenSession, found: &SeenSession) {
        // The row of a session that is open says how it was when it began.
        let is_whole = kept.state == SessionState::Closed || found.state == SessionState::Closed;
        let differing = said(kept, is_whole).into_iter().zip(said(found, is_whole));
        let differing = differing.filter(|((_, kept), (_, found))| kept != found);
        let differing: Vec<_> = differing.map(|((name, kept), (_, found))| (name, kept, found)).collect();
        if differing.is_empty() {
            self.equal += 1;
        } else {
            self.differs(key, differing);
        }
    }

    fn differs(
        &mut self,
        (peer, first_successful_dial): (PeerId, Timestamp),
        named: impl IntoIterator<Item = (&'static str, Option<String>, Option<String>)>,
    ) {
        self.differing += 1;
        let room = MOST_NAMED.saturating_sub(self.differences.len());
        let peer = peer.to_string();
        self.differences.extend(named.into_iter().take(room).map(|(name, kept, visits)| SessionDifference {
            peer: peer.clone(),
            first_successful_dial,
            name,
            kept,
            visits,
        }));
    }
}

/// What a session says in each column; of one that is not whole, what is known when it begins.
fn said(seen: &SeenSession, is_whole: bool) -> Vec<(&'static str, Option<String>)> {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let mut said = vec![
        ("criterion", Some(seen.criterion.name().to_owned())),
        ("began_after", time(seen.began_after)),
        ("began_by", time(Some(seen.began_by))),
    ];
    if is_whole {
        let failure = seen.failure.as_ref().map(|failure| failure.class.name().to_owned());
        said.extend([
            ("state", Some(seen.state.name().to_owned())),
            ("last_successful_dial", time(Some(seen.ended_after))),
            ("first_failed_dial", time(seen.first_failed)),
            ("ended_by", time(seen.ended_by)),
            ("successful_dials", Some(seen.successes.to_string())),
            ("failures", Some(seen.failures.to_string())),
            ("recoveries", Some(seen.recoveries.to_string())),
            ("gaps", Some(seen.gaps.to_string())),
            ("unwatched_us", Some(seen.unwatched.as_micros().to_string())),
            ("end_reason", seen.end.map(|end| end.name().to_owned())),
            ("failure_class", failure),
        ]);
    }
    said
}

/// What the sessions that were kept come to beside the visits.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ComparedSessions {
    /// Those that are what follows from the visits.
    pub equal: u64,
    /// Those that are not.
    pub differing: u64,
    /// Those of which visits were pruned: they are not compared.
    pub pruned: u64,
    /// What differs, of the first thousand.
    pub differences: Vec<SessionDifference>,
}

/// Compares the sessions that monitors of a scope kept with those that follow from its visits.
pub fn compare_sessions(
    store: &Store,
    scope: &MonitorScope,
    rules: SessionRules,
    max_peers: usize,
) -> Result<ComparedSessions, Error> {
    let mut history = NetworkHistory::open(store, scope, rules.criterion)?;
    let whole_from = history.pruned_until();
    let is_whole = |session: &SeenSession| whole_from.is_none_or(|from| session.first_successful >= from);
    let (mut check, mut pruned) = (SessionCheck::default(), HashSet::new());
    each_session(store, &scope.runs(store)?, |peer, session| {
        if is_whole(&session) {
            check.kept(peer, session);
        } else {
            pruned.insert((peer, session.first_successful));
        }
    })?;
    let mut fold = Recomputation::new(rules, max_peers);
    for sight in &mut history {
        if let Some((peer, SessionChange::Ended(session))) = fold.saw(&sight?)
            && is_whole(&session)
        {
            check.follows(peer, *session);
        }
    }
    for (peer, session) in fold.open().filter(|(_, session)| is_whole(session)) {
        check.follows(peer, session);
    }
    let (equal, differing, differences) = check.finish();
    Ok(ComparedSessions { equal, differing, pruned: pruned.len() as u64, differences })
}
