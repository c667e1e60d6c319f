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
    /// How many of its requests are none of the trace. Nobody knows what they would have brought: they count as failed
    /// at once, and a replay with many of them says little.
    pub unknown: usize,
}

/// Decides a traced lookup anew. Each request takes as long and brings the same as in the trace, and what was under way
/// when the trace ended fails when it ended.
pub fn replay(trace: &Trace, rules: Rules) -> Replayed {
    let seeds: Vec<&[u8]> = trace.seeds.iter().filter_map(|&peer| trace.id(peer)).collect();
    let target = LookupTarget { kind: trace.kind, preimage: &trace.preimage };
    let lookup = Lookup::new(target, Start { own: &trace.own, peers: &seeds }, rules);
    let mut running =
        Running { trace, lookup, rows: rows(trace), due: BinaryHeap::new(), now: Duration::ZERO, unknown: 0 };
    while running.step() {}
    Replayed { outcome: running.lookup.outcome(), took: running.now, unknown: running.unknown }
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
    lookup: Lookup,
    rows: HashMap<&'a [u8], VecDeque<usize>>,
    /// What is under way, the first to happen on top.
    due: BinaryHeap<Reverse<Due>>,
    now: Duration,
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
        match self.lookup.step() {
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
            self.due.push(Reverse(Due { at: self.now, rank: 0, is_end: true, candidate, row: None }));
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
        let closer = row.closer.iter().filter_map(|named| self.trace.id(named.peer));
        self.lookup.answered(candidate, closer);
    }
}
