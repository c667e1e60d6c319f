//! `kadscope sessions`: the sessions that monitors saw, how long peers were up, and whether both follow from the visits.

mod checking;
mod uptime;

use std::collections::{HashMap, VecDeque};

use kad::PeerId;
use monitor::recompute::MonitorScope;
use schema::{PeerSession, SeenSession, SessionEnd, SessionState, Timestamp, Tool};
use serde::Serialize;
use store::{RunInfo, Store};

pub(crate) use self::{checking::CheckedScope, uptime::ListedUptimes};
use crate::{args::SessionsArgs, clock, exit::Code, output, render};

/// Sessions in a store.
#[derive(Debug, Serialize)]
pub(crate) struct ListedSessions {
    /// The store.
    store: String,
    /// How many there are more.
    pub(crate) left_out: u64,
    /// Those that are over in the order in which that was known, and after them those that are not.
    pub(crate) sessions: VecDeque<ListedSession>,
}

/// What is said of a session; the times are those of `docs/methodology/sessions.md`.
#[derive(Debug, Serialize)]
pub(crate) struct ListedSession {
    /// Whose.
    pub(crate) peer: String,
    /// The network.
    pub(crate) network: String,
    /// The vantage point that saw it, of one that watches apart from others.
    pub(crate) vantage: Option<String>,
    pub(crate) criterion: &'static str,
    pub(crate) state: &'static str,
    pub(crate) began_after: Option<Timestamp>,
    pub(crate) first_successful_dial: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) last_successful_dial: Timestamp,
    pub(crate) first_failed_dial: Option<Timestamp>,
    pub(crate) ended_by: Option<Timestamp>,
    pub(crate) next_dial_attempt: Option<Timestamp>,
    /// In seconds.
    pub(crate) min_duration: f64,
    /// In seconds.
    pub(crate) max_duration: Option<f64>,
    pub(crate) successful_dials: u32,
    pub(crate) failures: u32,
    pub(crate) recoveries: u32,
    pub(crate) gaps: u32,
    pub(crate) unwatched_s: f64,
    pub(crate) end_reason: Option<&'static str>,
    pub(crate) failure: Option<&'static str>,
}

pub(crate) fn run(args: &SessionsArgs) -> anyhow::Result<Code> {
    let store = Store::open_existing(&args.place.store)?;
    if args.check {
        return checking::run(&store, args);
    }
    if let Some(period) = args.uptime {
        return uptime::run(&store, args, period);
    }
    let mut listed = ListedSessions { store: store.name(), left_out: 0, sessions: VecDeque::new() };
    for scope in MonitorScope::monitored(&store, args.network.as_deref())?.into_keys() {
        Listing::new(args, &mut listed).scope(&store, &scope)?;
    }
    if args.place.json {
        output::print_json(&listed)?;
    } else {
        output::print(&render::sessions(&listed))?;
    }
    Ok(Code::Done)
}

/// The monitors of a scope that were under way at a moment or later.
fn monitors(store: &Store, scope: &MonitorScope, since: Timestamp) -> Result<Vec<RunInfo>, store::Error> {
    let mut runs = scope.runs(store)?;
    runs.retain(|run| {
        let ended = run.end.as_ref().map(|end| end.finished_at);
        run.start.tool == Tool::Monitor && ended.is_none_or(|ended| ended >= since)
    });
    Ok(runs)
}

/// The moment from which on something is asked for.
fn since(args: &SessionsArgs) -> Timestamp {
    let ago = args.since.and_then(|ago| i64::try_from(ago.as_micros()).ok());
    Timestamp(ago.map_or(i64::MIN, |ago| clock::now().0.saturating_sub(ago)))
}

/// Sessions as rows have them: of the rows of one the last counts. Memory: a session for each peer that has one open, and those listed.
struct Listing<'a> {
    args: &'a SessionsArgs,
    since: Timestamp,
    listed: &'a mut ListedSessions,
    open: HashMap<PeerId, PeerSession>,
}

impl<'a> Listing<'a> {
    fn new(args: &'a SessionsArgs, listed: &'a mut ListedSessions) -> Self {
        Self { args, since: since(args), listed, open: HashMap::new() }
    }

    fn scope(mut self, store: &Store, scope: &MonitorScope) -> Result<(), store::Error> {
        for run in monitors(store, scope, Timestamp(i64::MIN))? {
            let peers = store.peers(run.start.id)?;
            for session in store.rows::<PeerSession>(run.start.id)? {
                let session = session?;
                let asked =
                    peers.get(session.peer).filter(|id| self.args.peer.is_none_or(|peer| peer == *id));
                if let Some(peer) = asked {
                    self.row(scope, peer, session);
                }
            }
        }
        let mut open: Vec<_> = self.open.drain().collect();
        open.sort_unstable_by_key(|(peer, session)| (session.seen.first_successful, *peer));
        for (peer, session) in open {
            self.list(scope, peer, &session);
        }
        Ok(())
    }

    fn row(&mut self, scope: &MonitorScope, peer: PeerId, session: PeerSession) {
        if session.seen.state != SessionState::Closed {
            self.open.insert(peer, session);
            return;
        }
        let is_it = |open: &PeerSession| open.seen.first_successful <= session.seen.first_successful;
        if self.open.get(&peer).is_some_and(is_it) {
            self.open.remove(&peer);
        }
        if session.seen.ended_by.unwrap_or(session.seen.ended_after) >= self.since {
            self.list(scope, peer, &session);
        }
    }

    fn list(&mut self, scope: &MonitorScope, peer: PeerId, session: &PeerSession) {
        if self.listed.sessions.len() >= self.args.limit as usize {
            self.listed.sessions.pop_front();
            self.listed.left_out += 1;
        }
        self.listed.sessions.push_back(listed(scope, peer, session));
    }
}

fn listed(scope: &MonitorScope, peer: PeerId, session: &PeerSession) -> ListedSession {
    let seen: &SeenSession = &session.seen;
    ListedSession {
        peer: peer.to_string(),
        network: scope.network.clone(),
        vantage: scope.apart.clone(),
        criterion: seen.criterion.name(),
        state: seen.state.name(),
        began_after: seen.began_after,
        first_successful_dial: seen.first_successful,
        created_at: seen.began_by,
        last_successful_dial: seen.ended_after,
        first_failed_dial: seen.first_failed,
        ended_by: seen.ended_by,
        next_dial_attempt: session.next_dial,
        min_duration: seen.min_duration().as_secs_f64(),
        max_duration: seen.max_duration().map(|most| most.as_secs_f64()),
        successful_dials: seen.successes,
        failures: seen.failures,
        recoveries: seen.recoveries,
        gaps: seen.gaps,
        unwatched_s: seen.unwatched.as_secs_f64(),
        end_reason: seen.end.map(SessionEnd::name),
        failure: seen.failure.as_ref().map(|failure| failure.class.name()),
    }
}
