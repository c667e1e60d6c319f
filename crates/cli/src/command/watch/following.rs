//! Follows a store that others write: the visits of today's runs in the order in which they ended, and then each that comes.

use std::{collections::HashMap, time::Duration};

use kad::PeerId;
use monitor::{
    PeerUptime, SessionRules, evidence,
    watching::{DEFAULT_WATCHED_PEERS, VisitSeen, watch_facts},
};
use schema::{RunId, RunState, Timestamp, Tool, Visit};
use store::{Peers, Rows, RunFilter, RunInfo, Store};
use tokio::{runtime::Handle, sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::progress::WatchTold;

/// How often it is looked whether something was written.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A day, in microseconds.
const DAY_US: i64 = 86_400_000_000;

/// What is to be followed, and who is told.
#[derive(Debug)]
pub(super) struct Following {
    /// Of which network; `None` for that of the newest run.
    pub(super) network: Option<String>,
    /// When it began: what was written on that day before is told first.
    pub(super) from: Timestamp,
    pub(super) told: mpsc::Sender<WatchTold>,
    pub(super) over: CancellationToken,
}

/// What is known while a store is followed.
struct Followed<'a> {
    runs: Vec<FollowedRun<'a>>,
    uptimes: HashMap<PeerId, PeerUptime>,
    rules: SessionRules,
    /// The beginning of the run whose numbers are shown, while nothing that was seen later has been told.
    begins: Option<Timestamp>,
}

/// A run whose visits are read.
struct FollowedRun<'a> {
    id: RunId,
    peers: Peers,
    rows: Rows<'a, Visit>,
    /// The next of them.
    next: Option<Visit>,
    /// Whether it is a crawl whose end has not been told.
    is_sweeping: bool,
}

impl Following {
    /// Follows until it is told that all is over.
    pub(super) fn follow(self, store: &Store) -> Result<(), store::Error> {
        let mut followed = Followed {
            runs: Vec::new(),
            uptimes: HashMap::new(),
            rules: SessionRules::default(),
            begins: None,
        };
        let mut shown = None;
        loop {
            let runs = self.runs(store)?;
            let newest = newest(&runs).map(|run| (run.start.id, run.start.started_at));
            if newest != shown {
                (shown, followed.begins) = (newest, newest.map(|(_, began)| began));
            }
            followed.take_up(store, &runs)?;
            self.tell_all(store, &mut followed, &runs)?;
            let is_over = Handle::current().block_on(async {
                tokio::select! {
                    biased;
                    () = self.over.cancelled() => true,
                    () = self.told.closed() => true,
                    () = sleep(LOOK_EVERY) => false,
                }
            });
            if is_over {
                return Ok(());
            }
        }
    }

    /// The runs that saw something since the day began on which this did.
    fn runs(&self, store: &Store) -> Result<Vec<RunInfo>, store::Error> {
        let since = Timestamp(self.from.0.div_euclid(DAY_US) * DAY_US);
        let all = store.runs(&RunFilter {
            network: self.network.clone(),
            since: Some(since),
            ..RunFilter::default()
        })?;
        let mut runs: Vec<_> =
            all.into_iter().filter(|run| matches!(run.start.tool, Tool::Crawl | Tool::Monitor)).collect();
        if let Some(network) = newest(&runs).map(|run| run.start.network.clone()) {
            runs.retain(|run| run.start.network == network);
        }
        Ok(runs)
    }

    /// Tells what was read, whoever saw it, in the order of time.
    fn tell_all(
        &self,
        store: &Store,
        followed: &mut Followed<'_>,
        runs: &[RunInfo],
    ) -> Result<(), store::Error> {
        while let Some((peer, visit)) = followed.next(store)? {
            if followed.begins.is_some_and(|begins| begins <= visit.met.ended_at) {
                self.tell(followed.begins.take().map(WatchTold::Begun));
            }
            self.tell(followed.facts(peer, &visit));
            if self.over.is_cancelled() {
                return Ok(());
            }
        }
        self.tell(followed.begins.take().map(WatchTold::Begun));
        self.tell(followed.swept(runs).then_some(WatchTold::Swept));
        Ok(())
    }

    fn tell(&self, told: impl IntoIterator<Item = WatchTold>) {
        for told in told {
            // Whoever listens no longer has ended, and so does this soon.
            drop(self.told.blocking_send(told));
        }
    }
}

impl<'a> Followed<'a> {
    /// Takes up runs that are new, and goes on with the others.
    fn take_up(&mut self, store: &'a Store, runs: &[RunInfo]) -> Result<(), store::Error> {
        for run in runs {
            let id = run.start.id;
            if self.runs.iter().any(|followed| followed.id == id) {
                continue;
            }
            self.runs.push(FollowedRun {
                id,
                peers: Peers::default(),
                rows: store.visits(id)?,
                next: None,
                is_sweeping: run.start.tool == Tool::Crawl,
            });
        }
        // A run that was deleted has nothing more to say.
        self.runs.retain(|followed| runs.iter().any(|run| run.start.id == followed.id));
        for run in &mut self.runs {
            run.rows.go_on();
        }
        Ok(())
    }

    /// The visit that ended first of all that are not told yet, and whom it was to.
    fn next(&mut self, store: &Store) -> Result<Option<(PeerId, Visit)>, store::Error> {
        for run in &mut self.runs {
            if run.next.is_none() {
                run.next = run.rows.next().transpose()?;
            }
        }
        let ended = |run: &FollowedRun<'_>| run.next.as_ref().map(|visit| visit.met.ended_at);
        let Some(run) = self.runs.iter_mut().filter(|run| run.next.is_some()).min_by_key(|run| ended(run))
        else {
            return Ok(None);
        };
        let Some(visit) = run.next.take() else { return Ok(None) };
        if run.peers.get(visit.peer).is_none() {
            run.peers = store.peers(run.id)?;
        }
        Ok(run.peers.get(visit.peer).map(|peer| (peer, visit)))
    }

    fn facts(&mut self, peer: PeerId, visit: &Visit) -> Vec<WatchTold> {
        if self.uptimes.len() >= DEFAULT_WATCHED_PEERS && !self.uptimes.contains_key(&peer) {
            return Vec::new();
        }
        let look = evidence(visit, self.rules.criterion);
        let changed = self.uptimes.entry(peer).or_default().looked(&look, &self.rules);
        watch_facts(peer, VisitSeen::of(visit), &look, &changed).into_iter().map(WatchTold::Fact).collect()
    }

    /// Whether a crawl has come to its end since this was asked last.
    fn swept(&mut self, runs: &[RunInfo]) -> bool {
        let mut is_swept = false;
        for followed in &mut self.runs {
            let is_whole = |run: &RunInfo| run.start.id == followed.id && run.state == RunState::Succeeded;
            if followed.is_sweeping && runs.iter().any(is_whole) {
                (followed.is_sweeping, is_swept) = (false, true);
            }
        }
        is_swept
    }
}

/// The run whose numbers are shown: the monitor that began last; where there is none, the crawl.
fn newest(runs: &[RunInfo]) -> Option<&RunInfo> {
    runs.iter().max_by_key(|run| (run.start.tool == Tool::Monitor, run.start.started_at))
}
