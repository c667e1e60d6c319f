//! What happened in a lookup: one row a request, with the times that its caller read off its own clock.
//!
//! A trace is enough to decide the lookup anew ([`replay`](super::replay())) and to count its requests so that none is lost and
//! none counted twice. Peers are kept once and named by their number in it.

use std::{collections::BTreeMap, time::Duration};

use libp2p_identity::PeerId;

use super::{Candidate, Lookup, LookupKind, Rules, ids::Ids};
use crate::{
    failure::{Failure, FailureClass},
    key::Key,
    named,
    network::{Security, Traffic, Transport},
};

named! {
    /// What became of a request.
    pub enum RpcFate {
        /// It is under way: nowhere in a trace that is closed.
        Open = "open",
        /// An answer came.
        Answered = "answered",
        /// It was sent and has no answer (`ADD_PROVIDER`).
        Unconfirmed = "unconfirmed",
        /// It was given up by us.
        Cancelled = "cancelled",
        /// The peer could not be asked, or did not answer.
        Failed = "failed",
    }
}

/// The trace of one lookup. Times count from its start.
#[derive(Debug, Clone)]
pub struct Trace {
    /// What was looked for.
    pub kind: LookupKind,
    /// What the target is the hash of.
    pub preimage: Box<[u8]>,
    /// The bytes of the id of the peer that looked.
    pub own: Box<[u8]>,
    /// The rules that it went by.
    pub rules: Rules,
    /// The requests, in the order in which they were decided on.
    pub rpcs: Vec<Rpc>,
    /// The peers that it began with, by number.
    pub seeds: Vec<u32>,
    /// When its search was over; `None` while it goes on, and where it had no end of its own.
    pub searched: Option<Duration>,
    ids: Ids,
    /// When each peer was named first.
    heard_at: Vec<Duration>,
    /// How many requests have ended.
    ended: usize,
}

/// One request: a row of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rpc {
    /// Whom it went to, by number.
    pub peer: u32,
    /// When that peer was heard of.
    pub heard_at: Duration,
    /// By whom, by number; `None` if the lookup began with it.
    pub heard_by: Option<u32>,
    /// How many answers led to it: 0 if the lookup began with it.
    pub hop: u8,
    /// How many leading bits its key shares with the target.
    pub common_prefix_len: u32,
    /// When it was decided on: a dial may come first.
    pub asked: Duration,
    /// Whether the search was over then: it is one of the follow-up.
    pub is_follow_up: bool,
    /// The dial that was made for it; `None` if a connection stood or somebody else dialled, and as long as nobody knows.
    pub dial: Option<RpcDial>,
    /// When there was a connection and it was sent; `None` if that never was.
    pub sent: Option<Duration>,
    /// When it ended; `None` while it is under way.
    pub ended: Option<Duration>,
    /// Which request it was to end, from 0; `None` while it is under way. Requests can end at the same time.
    pub rank: Option<usize>,
    /// What became of it.
    pub fate: RpcFate,
    /// Why it failed; `None` if it did not.
    pub failure: Option<Failure>,
    /// The closer peers of the answer, as far as the caller let the lookup have them, in the order of the answer.
    pub closer: Vec<Named>,
    /// The providers of the answer.
    pub providers: Vec<Named>,
    /// Whether a value that holds was in the answer.
    pub has_value: bool,
    /// The bytes of its messages, with those of a dial that was made for it.
    pub traffic: Traffic,
}

/// The dial that was made for a request. Times count from the lookup's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RpcDial {
    /// When it began: the wait for a place among the connections was over.
    pub began: Duration,
    /// When there was a connection, or it was known that there would be none.
    pub ended: Duration,
    /// Over what; `None` if there was no connection.
    pub over: Option<(Transport, Security)>,
    /// The round trip to the peer, as far as one was seen by its end.
    pub round_trip: Option<Duration>,
}

/// A peer as an answer named it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Who, by number.
    pub peer: u32,
    /// Whether with addresses.
    pub has_addresses: bool,
}

/// How many requests came to what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RpcCounts {
    /// Decided on: `unsent + sent`.
    pub asked: usize,
    /// Never sent: there was no connection, or the lookup was over before.
    pub unsent: usize,
    /// Sent: `answered + unconfirmed + cancelled + failed`, and none open once the trace is closed.
    pub sent: usize,
    /// Sent and answered.
    pub answered: usize,
    /// Sent, without an answer to come.
    pub unconfirmed: usize,
    /// Sent and given up by us.
    pub cancelled: usize,
    /// Sent and failed.
    pub failed: usize,
    /// Sent and under way.
    pub open: usize,
    /// All that failed, sent or not, by class.
    pub classes: BTreeMap<FailureClass, usize>,
}

impl Trace {
    /// The trace of a lookup that has asked nobody yet.
    pub fn new(lookup: &Lookup) -> Self {
        let mut trace = Self {
            kind: lookup.kind,
            preimage: lookup.preimage.clone(),
            own: lookup.own.clone(),
            rules: lookup.rules,
            rpcs: Vec::new(),
            seeds: Vec::new(),
            searched: None,
            ids: Ids::new(0),
            heard_at: Vec::new(),
            ended: 0,
        };
        trace.seeds = (0..)
            .map_while(|number| lookup.candidates.id(Candidate(number)))
            .filter_map(|id| trace.number(id, Duration::ZERO))
            .collect();
        trace
    }

    /// A request was decided on. Gives its number; `None` for a candidate of another lookup.
    pub fn ask(&mut self, lookup: &Lookup, candidate: Candidate, at: Duration) -> Option<usize> {
        let (id, origin) = (lookup.candidates.id(candidate)?, lookup.origin(candidate)?);
        let by = origin.heard_by.and_then(|by| lookup.candidates.id(by));
        let heard_by = by.and_then(|by| self.number(by, at));
        let peer = self.number(id, at)?;
        self.rpcs.push(Rpc {
            peer,
            heard_at: self.heard_at.get(peer as usize).copied()?,
            heard_by,
            hop: origin.hop,
            common_prefix_len: Key::of(&self.preimage).common_prefix_len(&Key::of(id)),
            asked: at,
            is_follow_up: lookup.termination().is_some(),
            dial: None,
            sent: None,
            ended: None,
            rank: None,
            fate: RpcFate::Open,
            failure: None,
            closer: Vec::new(),
            providers: Vec::new(),
            has_value: false,
            traffic: Traffic::default(),
        });
        Some(self.rpcs.len() - 1)
    }

    /// The search is over. Only the first time counts.
    pub fn searched(&mut self, at: Duration) {
        self.searched.get_or_insert(at);
    }

    /// What is known of how a request went, beside its outcome: the dial that was made for it, and its bytes.
    pub fn carried(&mut self, rpc: usize, dial: Option<RpcDial>, traffic: Traffic) {
        if let Some(rpc) = self.rpcs.get_mut(rpc) {
            (rpc.dial, rpc.traffic) = (dial, traffic);
        }
    }

    /// A request left. Ignored if it has ended.
    pub fn sent(&mut self, rpc: usize, at: Duration) {
        if let Some(rpc) = self.rpcs.get_mut(rpc).filter(|rpc| rpc.fate == RpcFate::Open) {
            rpc.sent.get_or_insert(at);
        }
    }

    /// An answer came, with these closer peers and providers: the bytes of each id, and whether addresses came with it.
    /// It counts as sent, if nobody said so. Ignored if the request has ended.
    pub fn answered<'a>(
        &mut self,
        rpc: usize,
        at: Duration,
        closer: impl IntoIterator<Item = (&'a [u8], bool)>,
        providers: impl IntoIterator<Item = (&'a [u8], bool)>,
    ) {
        if self.end(rpc, at, RpcFate::Answered, None) {
            let closer = self.named(closer, at);
            let providers = self.named(providers, at);
            let rpc = &mut self.rpcs[rpc];
            (rpc.closer, rpc.providers) = (closer, providers);
        }
    }

    /// The answer to a request held a value that holds.
    pub fn value(&mut self, rpc: usize) {
        if let Some(rpc) = self.rpcs.get_mut(rpc) {
            rpc.has_value = true;
        }
    }

    /// A request that has no answer was sent. Ignored if it has ended.
    pub fn unconfirmed(&mut self, rpc: usize, at: Duration) {
        self.end(rpc, at, RpcFate::Unconfirmed, None);
    }

    /// A request was given up by us. Ignored if it has ended.
    pub fn cancelled(&mut self, rpc: usize, at: Duration) {
        self.end(rpc, at, RpcFate::Cancelled, None);
    }

    /// A request failed. Ignored if it has ended.
    pub fn failed(&mut self, rpc: usize, at: Duration, failure: Failure) {
        self.end(rpc, at, RpcFate::Failed, Some(failure));
    }

    /// The lookup is over: what is under way was given up.
    pub fn close(&mut self, at: Duration) {
        for rpc in 0..self.rpcs.len() {
            self.cancelled(rpc, at);
        }
    }

    /// The number of a peer, by the bytes of its id; `None` if nobody named it.
    pub fn number_of(&self, id: &[u8]) -> Option<u32> {
        self.ids.find(id)
    }

    /// The bytes of the id of a peer; `None` for a number that is none of this trace.
    pub fn id(&self, peer: u32) -> Option<&[u8]> {
        self.ids.get(peer)
    }

    /// The id of a peer; `None` for a number that is none of this trace, and for bytes that are no id.
    pub fn peer(&self, peer: u32) -> Option<PeerId> {
        PeerId::from_bytes(self.ids.get(peer)?).ok()
    }

    /// Counts what became of the requests.
    pub fn counts(&self) -> RpcCounts {
        let mut counts = RpcCounts { asked: self.rpcs.len(), ..RpcCounts::default() };
        for rpc in &self.rpcs {
            if let Some(failure) = &rpc.failure {
                *counts.classes.entry(failure.class).or_default() += 1;
            }
            if rpc.sent.is_none() {
                counts.unsent += 1;
                continue;
            }
            counts.sent += 1;
            *match rpc.fate {
                RpcFate::Open => &mut counts.open,
                RpcFate::Answered => &mut counts.answered,
                RpcFate::Unconfirmed => &mut counts.unconfirmed,
                RpcFate::Cancelled => &mut counts.cancelled,
                RpcFate::Failed => &mut counts.failed,
            } += 1;
        }
        counts
    }

    fn number(&mut self, id: &[u8], at: Duration) -> Option<u32> {
        self.ids.find(id).or_else(|| {
            self.heard_at.push(at);
            self.ids.add(id)
        })
    }

    fn named<'a>(&mut self, peers: impl IntoIterator<Item = (&'a [u8], bool)>, at: Duration) -> Vec<Named> {
        let limit = self.rules.per_answer;
        let named = |(id, has_addresses)| Some(Named { peer: self.number(id, at)?, has_addresses });
        peers.into_iter().take(limit).filter_map(named).collect()
    }

    /// `false` if it has ended before.
    fn end(&mut self, rpc: usize, at: Duration, fate: RpcFate, failure: Option<Failure>) -> bool {
        let rank = self.ended;
        let Some(rpc) = self.rpcs.get_mut(rpc).filter(|rpc| rpc.fate == RpcFate::Open) else { return false };
        if matches!(fate, RpcFate::Answered | RpcFate::Unconfirmed) {
            rpc.sent.get_or_insert(at);
        }
        (rpc.ended, rpc.rank, rpc.fate, rpc.failure) = (Some(at), Some(rank), fate, failure);
        self.ended += 1;
        true
    }
}
