//! A lookup decided anew, under other rules, on the answers of one that was traced.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
    time::Duration,
};

use super::{Candidate, Lookup, LookupOutcome, LookupTarget, Rpc, RpcFate, Rules, Start, Step, Trace};

/// What a lookup would have come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// What it would have come to.
    pub outcome: LookupOutcome,
    /// How long it would have taken, had each request taken as long as in the trace.
    pub took: Duration,
    /// When its search would have been over; `None` if it had not been.
    pub searched: Option<Duration>,
    /// How many of its requests are none of the trace. Nobody knows what they would have brought: they count as failed
    /// at once, and a replay with many of them says little.
    pub unknown: usize,
}

/// Decides a traced lookup anew. Each request takes as long and brings the same as in the trace, and what was under way
/// when the trace ended fails when it ended.
pub fn replay(trace: &Trace, rules: Rules) -> Replayed {
    replay_as(trace, rules, None)
}

/// Decides a traced lookup anew by its own rules, had nobody known this peer, by its number in the trace. Whoever is asked in its
/// stead and is not in the trace answers after `usual`, and names nobody.
pub fn replay_without(trace: &Trace, peer: u32, usual: Duration) -> Replayed {
    replay_as(trace, trace.rules, Some(Without { peer, usual }))
}

/// Who is left out.
#[derive(Debug, Clone, Copy)]
struct Without {
    peer: u32,
    /// How long requests take that are not in the trace.
    usual: Duration,
}

impl Without {
    const fn is(without: Option<Self>, peer: u32) -> bool {
        matches!(without, Some(without) if without.peer == peer)
    }
}

fn replay_as(trace: &Trace, rules: Rules, without: Option<Without>) -> Replayed {
    let seeds = trace.seeds.iter().filter(|&&peer| !Without::is(without, peer));
    let seeds: Vec<&[u8]> = seeds.filter_map(|&peer| trace.id(peer)).collect();
    let target = LookupTarget { kind: trace.kind, preimage: &trace.preimage };
    let lookup = Lookup::new(target, Start { own: &trace.own, peers: &seeds }, rules);
    let (rows, due, now) = (rows(trace), BinaryHeap::new(), Duration::ZERO);
    let mut running = Running { trace, without, lookup, rows, due, now, searched: None, unknown: 0 };
    while running.step() {}
    let Running { lookup, now: took, searched, unknown, .. } = running;
    Replayed { outcome: lookup.outcome(), took, searched, unknown }
}

/// The requests to each peer by their numbers, in order.
fn rows(trace: &Trace) -> HashMap<&[u8], VecDeque<usize>> {
    let mut rows: HashMap<&[u8], VecDeque<usize>> = HashMap::new();
    for (row, rpc) in trace.rpcs.iter().enumerate() {
        if let Some(id) = trace.id(rpc.peer) {
            rows.entry(id).or_default().push_back(row);
        }
    }
    rows
}

struct Running<'a> {
    trace: &'a Trace,
    without: Option<Without>,
    lookup: Lookup,
    rows: HashMap<&'a [u8], VecDeque<usize>>,
    /// What is under way, the first to happen on top.
    due: BinaryHeap<Reverse<Due>>,
    now: Duration,
    searched: Option<Duration>,
    unknown: usize,
}

/// Something that will happen. At one time what ended first in the trace is first, and a connection comes before its end.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Duration,
    rank: usize,
    is_end: bool,
    candidate: Candidate,
    /// The number of the row; `None` if the trace has none.
    row: Option<usize>,
}

impl<'a> Running<'a> {
    /// `false` when it is over.
    fn step(&mut self) -> bool {
        let step = self.lookup.step();
        if self.lookup.termination().is_some() {
            self.searched.get_or_insert(self.now);
        }
        match step {
            Step::Ask(candidate) => self.ask(candidate),
            // A replayed lookup gives nothing.
            Step::Give(candidate) => self.lookup.gave(candidate, true),
            Step::MayReturn => {}
            Step::Wait => match self.due.pop() {
                Some(Reverse(due)) => self.happen(&due),
                None => return false,
            },
            Step::Done => return false,
        }
        true
    }

    fn ask(&mut self, candidate: Candidate) {
        let rows = self.lookup.candidates.id(candidate).and_then(|id| self.rows.get_mut(id));
        // Who is asked once more than in the trace answers as the last time.
        let row = rows.and_then(|rows| if rows.len() > 1 { rows.pop_front() } else { rows.front().copied() });
        let Some((row, rpc)) = row.and_then(|row| Some((row, self.trace.rpcs.get(row)?))) else {
            self.unknown += 1;
            let at = self.now + self.without.map_or(Duration::ZERO, |without| without.usual);
            self.due.push(Reverse(Due { at, rank: 0, is_end: true, candidate, row: None }));
            return;
        };
        let rank = rpc.rank.unwrap_or(usize::MAX);
        let mut expect = |at: Option<Duration>, is_end| {
            let after = at.map_or(Duration::ZERO, |at| at.saturating_sub(rpc.asked));
            self.due.push(Reverse(Due { at: self.now + after, rank, is_end, candidate, row: Some(row) }));
        };
        if rpc.sent.is_some() {
            expect(rpc.sent, false);
        }
        expect(rpc.ended, true);
    }

    fn happen(&mut self, due: &Due) {
        self.now = self.now.max(due.at);
        let row: Option<&'a Rpc> = due.row.and_then(|row| self.trace.rpcs.get(row));
        match row {
            Some(_) if !due.is_end => self.lookup.connected(due.candidate),
            Some(row) if row.fate == RpcFate::Answered => self.answer(due.candidate, row),
            None if self.without.is_some() => drop(self.lookup.answered(due.candidate, [])),
            _ => self.lookup.failed(due.candidate),
        }
    }

    fn answer(&mut self, candidate: Candidate, row: &Rpc) {
        for provider in &row.providers {
            if let Some(id) = self.trace.id(provider.peer) {
                self.lookup.provider(id, provider.has_addresses);
            }
        }
        if row.has_value {
            self.lookup.value();
        }
        let closer = row.closer.iter().filter(|named| !Without::is(self.without, named.peer));
        let closer = closer.filter_map(|named| self.trace.id(named.peer));
        self.lookup.answered(candidate, closer);
    }
}
