//! All that a store has seen of one network, in the order in which it happened: looks of crawls and of monitors, and the observer's gaps.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    time::Duration,
};

use kad::{Multiaddr, PeerId};
use schema::{GapCause, ObserverGap, OnlineCriterion, RunId, RunState, Timestamp, Tool, Visit};
use store::{Error, Peers, Rows, RunInfo, Store};

use super::{
    kept::{LastSessions, pruned_until},
    scope::MonitorScope,
};
use crate::{
    evidence::{PeerLook, UptimeEvidence, evidence},
    gap::between_runs,
    known::places,
    session::PeerUptime,
};

/// How much later than another visit of its run one may be kept that ended before it: rows wait for their store, each as long.
const LATE: Duration = Duration::from_secs(60);

/// Something that was seen, or not.
#[derive(Debug, Clone, PartialEq)]
pub enum PastSight {
    /// Before the visits that are left: how a peer stood, as its session's row says.
    Stood(PeerId, PeerUptime),
    /// Before the first monitor: where a peer is to be looked for, the most promising place first.
    Place(PeerId, Vec<Multiaddr>),
    /// The observer did not see for a while.
    Gap(ObserverGap),
    /// A peer was looked at.
    Look {
        /// Who.
        peer: PeerId,
        /// What it says, beside the observer's gaps.
        look: PeerLook,
        /// Where the peer is to be looked for since, the most promising first.
        places: Vec<Multiaddr>,
    },
}

/// When something was seen, so that gaps come first and looks in [their order](PeerLook::order); the last number tells those apart that
/// are alike.
type Order = (Timestamp, bool, Option<UptimeEvidence>, Timestamp, bool, u64);

/// Reads the runs of a scope side by side. Memory: the peers of the runs that overlap, all gaps, and the looks of a minute; where
/// visits were pruned, the last session of each peer as well. After an error it ends.
///
/// Sessions begin with the first monitor: crawls before it only say where peers are.
#[derive(Debug)]
pub struct NetworkHistory<'a> {
    store: &'a Store,
    criterion: OnlineCriterion,
    /// Runs that are not read yet, by their start.
    waiting: VecDeque<RunInfo>,
    reading: Vec<ReadRun<'a>>,
    /// What was read and may be followed by something earlier.
    ahead: BTreeMap<Order, PastSight>,
    /// The gaps of each vantage point by their beginnings, with the latest end of those up to each.
    gaps: BTreeMap<String, Vec<(ObserverGap, Timestamp)>>,
    /// The runs that say themselves that nobody had looked before them.
    say_so: HashSet<RunId>,
    /// The last sign of a monitor that is over, and whether one is still under way.
    last_seen: Option<Timestamp>,
    is_monitored: bool,
    read: u64,
    /// When the first monitor began.
    monitored_from: Option<Timestamp>,
    /// How peers stood before the visits that are left.
    stood: std::vec::IntoIter<(PeerId, PeerUptime)>,
    /// When the first visit began that is left, if others were pruned.
    pruned_until: Option<Timestamp>,
    visits: u64,
}

/// A run that is read.
#[derive(Debug)]
struct ReadRun<'a> {
    info: RunInfo,
    peers: Peers,
    visits: Rows<'a, Visit>,
    newest: Timestamp,
}

impl<'a> NetworkHistory<'a> {
    /// Of all crawls and monitors of a scope.
    pub fn open(store: &'a Store, scope: &MonitorScope, criterion: OnlineCriterion) -> Result<Self, Error> {
        let runs = scope.runs(store)?;
        let pruned_until = pruned_until(store, &runs)?;
        let stood = match pruned_until {
            Some(until) => {
                LastSessions::read(store, &runs, pruned_until)?.into_uptimes(until).collect::<Vec<_>>()
            }
            None => Vec::new(),
        };
        let first = runs.iter().find(|run| run.start.tool == Tool::Monitor);
        let mut history = Self {
            store,
            criterion,
            waiting: VecDeque::new(),
            reading: Vec::new(),
            ahead: BTreeMap::new(),
            gaps: BTreeMap::new(),
            say_so: HashSet::new(),
            last_seen: None,
            is_monitored: false,
            read: 0,
            monitored_from: first.map(|run| run.start.started_at),
            stood: stood.into_iter(),
            pruned_until,
            visits: runs.iter().map(|run| run.totals.visits).sum(),
        };
        for run in runs.iter().filter(|run| run.start.tool == Tool::Monitor) {
            history.read_gaps(run)?;
        }
        history.waiting = runs.into();
        for gaps in history.gaps.values_mut() {
            gaps.sort_unstable_by_key(|(gap, _)| gap.from);
            let mut latest = Timestamp(i64::MIN);
            for (gap, ends) in gaps {
                latest = latest.max(gap.until);
                *ends = latest;
            }
        }
        Ok(history)
    }

    fn read_gaps(&mut self, run: &RunInfo) -> Result<(), Error> {
        for gap in self.store.rows::<ObserverGap>(run.start.id)? {
            let gap = gap?;
            self.push_gap(gap);
            if gap.from < run.start.started_at {
                self.say_so.insert(run.start.id);
            }
            if gap.cause != GapCause::NotRunning {
                self.gaps.entry(run.start.vantage.clone()).or_default().push((gap, gap.until));
            }
        }
        Ok(())
    }

    /// The last sign of a monitor; `None` if there was none. It is known when everything was read.
    pub const fn last_seen(&self) -> Option<Timestamp> {
        self.last_seen
    }

    /// Whether a monitor is under way. It is known when everything was read.
    pub const fn is_monitored(&self) -> bool {
        self.is_monitored
    }

    /// When the first of the visits began that are left, if others were pruned: what is seen of sessions that began before is not whole.
    pub const fn pruned_until(&self) -> Option<Timestamp> {
        self.pruned_until
    }

    /// How many rows were read, and how many visits there are.
    pub const fn progress(&self) -> (u64, u64) {
        (self.read, self.visits)
    }

    fn push_gap(&mut self, gap: ObserverGap) {
        self.read += 1;
        self.ahead.insert((gap.until, false, None, gap.from, false, self.read), PastSight::Gap(gap));
    }

    /// Until when everything was read; `None` if all was.
    fn frontier(&self) -> Option<Timestamp> {
        let reading = self.reading.iter().map(|run| run.newest);
        reading.chain(self.waiting.front().map(|run| run.start.started_at)).min()
    }

    fn advance(&mut self) -> Result<Option<PastSight>, Error> {
        loop {
            let frontier = self.frontier();
            let is_decided = |at: Timestamp| frontier.is_none_or(|read| at.after(LATE) < read);
            if self.ahead.first_key_value().is_some_and(|(order, _)| is_decided(order.0)) {
                return Ok(self.ahead.pop_first().map(|(_, observed)| observed));
            }
            if frontier.is_none() {
                return Ok(None);
            }
            self.read_on()?;
        }
    }

    /// Reads a row of the run that is furthest behind, or begins with the next run.
    fn read_on(&mut self) -> Result<(), Error> {
        let behind = (0..self.reading.len()).min_by_key(|&at| self.reading.get(at).map(|run| run.newest));
        let behind = behind.and_then(|at| Some((at, self.reading.get_mut(at)?)));
        let next = self.waiting.front().map(|run| run.start.started_at);
        let Some((at, run)) = behind.filter(|(_, run)| next.is_none_or(|next| run.newest < next)) else {
            return self.begin();
        };
        match run.visits.next().transpose()? {
            Some(visit) => {
                run.newest = run.newest.max(visit.met.ended_at);
                self.saw(at, &visit);
            }
            None => self.over(at),
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Error> {
        let Some(info) = self.waiting.pop_front() else { return Ok(()) };
        let start = info.start.started_at;
        if info.start.tool == Tool::Monitor {
            let is_monitored =
                self.is_monitored || self.reading.iter().any(|run| run.info.start.tool == Tool::Monitor);
            let is_told = self.say_so.contains(&info.start.id);
            let gap = self.last_seen.and_then(|seen| between_runs(seen, start));
            // Whoever goes on says itself what was before it.
            if let Some(gap) = gap.filter(|_| !is_monitored && !is_told) {
                self.push_gap(gap);
            }
        }
        let (peers, visits) = (self.store.peers(info.start.id)?, self.store.visits(info.start.id)?);
        self.reading.push(ReadRun { info, peers, visits, newest: start });
        Ok(())
    }

    fn over(&mut self, at: usize) {
        let run = self.reading.swap_remove(at);
        if run.info.start.tool == Tool::Monitor {
            let ended = run.info.end.as_ref().map_or(run.newest, |end| end.finished_at.max(run.newest));
            self.last_seen = self.last_seen.max(Some(ended));
            self.is_monitored |= run.info.state == RunState::Running;
        }
    }

    fn saw(&mut self, at: usize, visit: &Visit) {
        let Some(run) = self.reading.get(at) else { return };
        let Some(peer) = run.peers.get(visit.peer) else { return };
        let look = self.beside_gaps(&run.info.start.vantage, evidence(visit, self.criterion));
        self.read += 1;
        let order = (look.ended_at, true, Some(look.evidence), look.started_at, look.is_sure, self.read);
        let places = places(visit).cloned().collect();
        let sight = if self.monitored_from.is_some_and(|from| look.ended_at >= from) {
            PastSight::Look { peer, look, places }
        } else {
            PastSight::Place(peer, places)
        };
        self.ahead.insert(order, sight);
    }

    /// What a look says beside the gaps of whoever looked.
    fn beside_gaps(&self, vantage: &str, look: PeerLook) -> PeerLook {
        let gaps = self.gaps.get(vantage).map_or(&[][..], Vec::as_slice);
        let before = gaps.partition_point(|(gap, _)| gap.from <= look.ended_at);
        let before = gaps.get(..before).unwrap_or_default();
        let started = look.started_at;
        let overlapping = before.iter().rev().take_while(|(_, latest)| *latest >= started);
        overlapping.fold(look, |look, (gap, _)| look.beside(gap))
    }
}

impl Iterator for NetworkHistory<'_> {
    type Item = Result<PastSight, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((peer, uptime)) = self.stood.next() {
            return Some(Ok(PastSight::Stood(peer, uptime)));
        }
        let read = self.advance();
        if read.is_err() {
            self.waiting.clear();
            self.reading.clear();
            self.ahead.clear();
        }
        read.transpose()
    }
}
