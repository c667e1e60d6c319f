//! An iterative lookup without IO and without a clock: whom to ask next, and when it is over.
//!
//! A [`Lookup`] is told what came of each request, and says whom to ask. How peers are reached, what addresses they have
//! and which of them may be dialled is its caller's, who leaves out of an answer whomever it would not dial. Everything
//! that is decided hangs on the order of what the lookup is told, so a [`Trace`] of one can be decided anew under other
//! [`Rules`] ([`replay()`]).
//!
//! Under [`Rules::go`] it asks whom go-libp2p-kad-dht asks: `tests/go_lookups.rs` feeds it with what that library was
//! told in recorded lookups.

mod candidates;
mod ending;
mod giving;
mod ids;
mod names;
mod outcome;
mod providers;
mod replay;
mod rules;
mod trace;

use libp2p_identity::PeerId;

use self::{
    candidates::Candidates,
    ending::{Course, Ending, OwnRequests},
    providers::FoundProviders,
};
pub use self::{
    candidates::{Candidate, Origin},
    names::{FollowUp, LookupKind, PeerState, Termination},
    outcome::{ClosestPeer, FoundProvider, LookupOutcome},
    providers::{MAX_PROVIDERS, Novelty},
    replay::{Replayed, replay, replay_without},
    rules::{ALPHA, BETA, Enough, MAX_KNOWN, Rules},
    trace::{Named, Rpc, RpcCounts, RpcDial, RpcFate, Trace},
};
use crate::{key::Key, optimistic::Offers, peer_id};

/// What a lookup looks for, and under which key.
#[derive(Debug, Clone, Copy)]
pub struct LookupTarget<'a> {
    /// What.
    pub kind: LookupKind,
    /// What the key is the hash of: the bytes of a peer id, a multihash or the key of a record.
    pub preimage: &'a [u8],
}

/// What a lookup begins with.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// The bytes of the id of the peer that looks: it is never asked.
    pub own: &'a [u8],
    /// The bytes of the ids of peers that it knows, those closest to the target as a rule.
    pub peers: &'a [&'a [u8]],
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To ask this peer, and to say what came of it.
    Ask(Candidate),
    /// To give this peer the record, and to say what came of it. Of a lookup that gives.
    Give(Candidate),
    /// Whoever publishes may go on, while the rest is done. Of a lookup that gives, once.
    MayReturn,
    /// To wait until something comes of a request or a gift.
    Wait,
    /// Nothing: it is over, and what is still under way can be given up.
    Done,
}

/// What became of the peers in one answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeardCounts {
    /// Heard of for the first time.
    pub new: usize,
    /// Known already.
    pub known: usize,
    /// The peer that looks itself.
    pub own: usize,
    /// What cannot be the id of a peer.
    pub malformed: usize,
    /// More than are taken of one answer ([`Rules::per_answer`]) or in all ([`Rules::known`]).
    pub over_limit: usize,
}

/// One lookup. It takes some 150 bytes for each peer that it hears of.
#[derive(Debug, Clone)]
pub struct Lookup {
    kind: LookupKind,
    preimage: Box<[u8]>,
    own: Box<[u8]>,
    rules: Rules,
    candidates: Candidates,
    requests: Vec<OwnRequests>,
    /// Requests under way.
    open: usize,
    asked: usize,
    providers: FoundProviders,
    values: usize,
    is_connected: bool,
    /// Something was found that no decision has regarded yet.
    is_unsettled: bool,
    course: Course,
    ending: Option<Ending>,
    /// To whom it gives a record, if it does.
    offers: Option<Box<Offers>>,
}

impl Lookup {
    /// A lookup that has asked nobody yet. Without anybody to begin with it is over at once.
    pub fn new(target: LookupTarget<'_>, from: Start<'_>, rules: Rules) -> Self {
        let key = Key::of(target.preimage);
        // Whoever chooses ids so that they collide in the index would have to know both.
        let seed = key.prefix64() ^ Key::of(from.own).prefix64().rotate_left(1);
        let mut lookup = Self {
            kind: target.kind,
            preimage: target.preimage.into(),
            own: from.own.into(),
            rules,
            candidates: Candidates::new(key, seed),
            requests: Vec::new(),
            open: 0,
            asked: 0,
            providers: FoundProviders::new(seed, rules.providers_again),
            values: 0,
            is_connected: false,
            is_unsettled: true,
            course: Course::Search,
            ending: None,
            offers: None,
        };
        let origin = Origin { heard_by: None, hop: 0 };
        lookup.hear(from.peers.iter().copied(), origin, rules.known);
        lookup
    }

    /// What to do next. It is to be asked until it says [`Step::Wait`] or [`Step::Done`], and again whenever the lookup was told
    /// something.
    pub fn step(&mut self) -> Step {
        self.settle();
        if self.course == Course::Drain && self.open == 0 {
            self.begin_follow_up();
        }
        if let Some(step) = self.next_gift() {
            return step;
        }
        match self.course {
            Course::Search if self.candidates.waiting() < self.rules.alpha.max(1) => {
                let closest = self.candidates.closest_heard();
                closest.map_or(Step::Wait, |candidate| self.ask(candidate))
            }
            Course::Search | Course::Drain => Step::Wait,
            Course::FollowUp => match self.ending.as_mut().and_then(|ending| ending.queue.pop()) {
                Some(candidate) => self.ask(candidate),
                None => Step::Wait,
            },
            Course::Done => Step::Done,
        }
    }

    /// A peer answered, and named these peers (the bytes of their ids, in the order of the answer). What else it sent
    /// is told before, by [`provider`](Self::provider) and [`value`](Self::value). Ignored if it was not being asked.
    ///
    /// Closer peers are heard of while the search goes on only.
    pub fn answered<'a>(
        &mut self,
        peer: Candidate,
        closer: impl IntoIterator<Item = &'a [u8]>,
    ) -> HeardCounts {
        let mut heard = HeardCounts::default();
        if !self.close(peer) {
            return heard;
        }
        if self.course == Course::Search {
            let hop = self.candidates.origin(peer).map_or(0, |origin| origin.hop);
            let origin = Origin { heard_by: Some(peer), hop: hop.saturating_add(1) };
            heard = self.hear(closer, origin, self.rules.per_answer);
        }
        self.end_request(peer, true);
        heard
    }

    /// A peer could not be asked or did not answer. Ignored if it was not being asked.
    pub fn failed(&mut self, peer: Candidate) {
        if self.close(peer) {
            self.end_request(peer, false);
        }
    }

    /// Somebody named a provider, by the bytes of its id. `None` if that is nothing new, if it is no id of a peer, or if
    /// there are enough already.
    pub fn provider(&mut self, id: &[u8], has_addresses: bool) -> Option<Novelty> {
        let limit = match self.rules.enough {
            Enough::All => MAX_PROVIDERS,
            Enough::Count(count) => count.max(1),
        };
        if self.providers.len() >= limit || !peer_id::is_canonical(id) {
            return None;
        }
        self.is_unsettled = true;
        self.providers.add(id, has_addresses)
    }

    /// Somebody gave a value that holds.
    pub const fn value(&mut self) {
        self.values = self.values.saturating_add(1);
        self.is_unsettled = true;
    }

    /// There is a connection to this peer, though it may not have answered yet: the end of a lookup of
    /// [`LookupKind::Peer`], if it is the one.
    pub fn connected(&mut self, peer: Candidate) {
        if self.candidates.id(peer) == Some(&self.preimage[..]) {
            self.is_connected = true;
            self.is_unsettled = true;
        }
    }

    /// Ends the search as completed, by a rule that is its caller's. Ignored once it has ended.
    pub fn complete(&mut self) {
        if self.ending.is_none() {
            self.terminate(Termination::Completed);
        }
    }

    /// Gives the lookup up, and its gifts: it is over.
    pub fn cancel(&mut self) {
        self.offers = None;
        match &mut self.ending {
            None => self.terminate(Termination::Cancelled),
            Some(ending) if self.course != Course::Done => ending.is_complete = false,
            Some(_) => {}
        }
        self.course = Course::Done;
    }

    /// Why the search ended; `None` while it goes on. From then on, dials that are under way can be given up.
    pub fn termination(&self) -> Option<Termination> {
        self.ending.as_ref().map(|ending| ending.termination)
    }

    /// What the key looked up is the hash of.
    pub const fn preimage(&self) -> &[u8] {
        &self.preimage
    }

    /// The id of a candidate; `None` if it is one of another lookup.
    pub fn peer(&self, candidate: Candidate) -> Option<PeerId> {
        PeerId::from_bytes(self.candidates.id(candidate)?).ok()
    }

    /// Where a candidate was heard of; `None` if it is one of another lookup.
    pub fn origin(&self, candidate: Candidate) -> Option<Origin> {
        self.candidates.origin(candidate)
    }

    /// How the search stands with a candidate, or stood when it ended; `None` if it is one of another lookup.
    pub fn state(&self, candidate: Candidate) -> Option<PeerState> {
        self.candidates.state(candidate)
    }

    fn hear<'a>(
        &mut self,
        ids: impl IntoIterator<Item = &'a [u8]>,
        origin: Origin,
        limit: usize,
    ) -> HeardCounts {
        let mut heard = HeardCounts::default();
        for (taken, id) in ids.into_iter().enumerate() {
            if taken >= limit {
                heard.over_limit += 1;
            } else if *id == *self.own {
                heard.own += 1;
            } else if self.candidates.find(id).is_some() {
                heard.known += 1;
            } else if !peer_id::is_canonical(id) {
                heard.malformed += 1;
            } else if self.candidates.len() >= self.rules.known {
                heard.over_limit += 1;
            } else {
                heard.new += 1;
                self.candidates.add(id, origin);
                self.requests.push(OwnRequests::default());
            }
        }
        heard
    }

    fn ask(&mut self, candidate: Candidate) -> Step {
        if self.course == Course::Search {
            self.candidates.set(candidate, PeerState::Waiting);
        }
        self.open += 1;
        self.asked += 1;
        if let Some(request) = self.requests.get_mut(candidate.0 as usize) {
            request.is_open = true;
        }
        Step::Ask(candidate)
    }

    /// Notes that a request is no longer under way; `false` if it was not.
    fn close(&mut self, candidate: Candidate) -> bool {
        let Some(request) = self.requests.get_mut(candidate.0 as usize) else { return false };
        let was_open = std::mem::take(&mut request.is_open);
        self.open -= usize::from(was_open);
        was_open
    }
}

#[cfg(test)]
mod tests;
