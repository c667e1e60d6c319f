//! The requests of one conversation: one for each prefix, until an answer proves that there is no more.
//!
//! The first wave goes out at once on one stream, and holds as many prefixes as a network of the size known so far is
//! deep. A peer that ends the stream early (some answer one request a stream, some have no room for more) or falls
//! silent after an answer is asked for the rest one by one, a stream for each. Where a network's protocol has several
//! names, a peer that refuses the stream of one is asked for everything by the next.
//!
//! The proof: a server answers with the peers of its table closest to the target. For a target that shares `c` bits
//! with the server, all peers that share `c` bits or more are closer than any that shares fewer. So once an answer
//! names one that shares fewer, it has named all that share `c` or more, and deeper prefixes bring nothing new. An
//! empty or short answer proves nothing: servers leave peers out whose addresses they do not know.

use std::sync::Arc;

use kad::{
    Key,
    failure::{Failure, FailureClass, Phase},
    message::{K, MessageView, write_find_node},
    network::{Connection, StreamId},
    preimage::target_at,
};
use schema::{PrefixOutcome, visit::PREFIXES};

use crate::found::Found;

/// The longest answer that is read, in bytes: 20 peers with 8 KiB each, the most that go-libp2p-kad-dht sends of one,
/// are 160 KiB. The protocol would allow 4 MiB, and hundreds of liars at once could make us hold that many times over.
pub(crate) const MAX_ANSWER_BYTES: usize = 512 << 10;

/// So many single requests may fail one after the other before the rest is not asked.
const MAX_MISSES: u32 = 2;

/// How many prefixes a further wave has.
const NEXT_WAVE: usize = 4;

/// How many prefixes the first wave has in a network of `peers` peers: down to where a bucket is expected to hold no
/// more than half of [`K`], so that nearly all peers prove there that deeper ones hold nothing new.
pub(crate) fn first_wave(peers: usize) -> usize {
    let full_buckets = (peers / K).max(1).ilog2() as usize + 1;
    (full_buckets + 2).min(PREFIXES)
}

/// How requests follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pace {
    /// A wave of them on one stream.
    AllAtOnce,
    /// The next one after the answer to the one before it, on the same stream.
    OneByOne,
    /// Likewise, but the peer ends each stream after an answer, so each takes a stream of its own.
    OneAStream,
}

/// The requests and what came of them.
pub(super) struct Asking {
    key: Key,
    protocols: Arc<[String]>,
    /// The position of the name that is asked for.
    protocol: usize,
    stream: Option<StreamId>,
    /// Prefixes that were sent on the stream, the one to be answered next last.
    awaited: Vec<usize>,
    /// Prefixes that are to be sent on streams of their own, the next one last.
    later: Vec<usize>,
    /// The first prefix that no wave has held.
    unsent: usize,
    pace: Pace,
    /// Whether the next request waits for the end of identify, which may have taken all the room that the peer has.
    held: bool,
    /// Whether no stream of identify is open beside ours.
    alone: bool,
    /// Whether an answer came on the stream.
    served: bool,
    misses: u32,
    /// What came of each.
    pub(super) prefixes: [PrefixOutcome; PREFIXES],
    /// The first failure.
    pub(super) error: Option<Failure>,
}

impl Asking {
    /// Asks for the first `wave` prefixes.
    pub(super) fn begin(
        connection: &mut impl Connection,
        key: Key,
        protocols: &Arc<[String]>,
        wave: usize,
    ) -> Self {
        let wave = wave.clamp(1, PREFIXES);
        let mut asking = Self {
            key,
            protocols: Arc::clone(protocols),
            protocol: 0,
            stream: None,
            awaited: Vec::new(),
            later: Vec::new(),
            unsent: wave,
            pace: Pace::AllAtOnce,
            held: false,
            alone: false,
            served: false,
            misses: 0,
            prefixes: [PrefixOutcome::NotAsked; PREFIXES],
            error: None,
        };
        asking.send(connection, (0..wave).rev().collect());
        asking
    }

    pub(super) const fn is_over(&self) -> bool {
        self.stream.is_none() && !self.held
    }

    /// Takes an answer in; says whether it was one. Its peers go to `found`.
    pub(super) fn on_answer(
        &mut self,
        connection: &mut impl Connection,
        stream: StreamId,
        answer: &[u8],
        found: &mut Found,
    ) -> bool {
        if self.stream != Some(stream) {
            return false;
        }
        let Some(prefix) = self.awaited.pop() else { return false };
        self.served = true;
        match found.add(answer) {
            Ok(peers) => {
                self.prefixes[prefix] = PrefixOutcome::Answered { peers };
                self.misses = 0;
                // Earlier answers of a wave may prove the same, but their looking through would cost more than it saves.
                if self.unsent < PREFIXES && prefix + 1 == self.unsent && self.is_proof(prefix, answer) {
                    self.save_the_rest();
                }
            }
            Err(_) => self.fail(prefix, &Failure::new(Phase::Request, FailureClass::Malformed)),
        }
        if self.awaited.is_empty() {
            self.ask_next(connection);
        }
        true
    }

    /// Whether an answer names a peer that shares fewer bits with the server than the target does.
    fn is_proof(&self, prefix: usize, answer: &[u8]) -> bool {
        MessageView::decode(answer).is_ok_and(|view| {
            view.closer_peers().any(|peer| (self.key.common_prefix_len(&Key::of(peer.id)) as usize) < prefix)
        })
    }

    fn save_the_rest(&mut self) {
        self.prefixes[self.unsent..].fill(PrefixOutcome::Saved);
        self.unsent = PREFIXES;
    }

    /// The stream came to its end.
    pub(super) fn on_end(
        &mut self,
        connection: &mut impl Connection,
        stream: StreamId,
        how: Option<Failure>,
    ) {
        if self.stream != Some(stream) {
            return;
        }
        let failure = how.unwrap_or(Failure::new(Phase::Request, FailureClass::StreamClosed));
        match failure.class {
            FailureClass::StreamClosed | FailureClass::StreamReset | FailureClass::ResourceLimit => {
                self.ask_one_by_one(connection, &failure);
            }
            FailureClass::ProtocolNotSupported if self.protocol + 1 < self.protocols.len() => {
                self.protocol += 1;
                self.stream = None;
                let unanswered = std::mem::take(&mut self.awaited);
                self.send(connection, unanswered);
            }
            _ => self.fail_the_rest(&failure),
        }
    }

    /// The peer has been silent for too long.
    pub(super) fn on_timeout(&mut self, connection: &mut impl Connection) {
        let Some(stream) = self.stream else { return };
        let failure = Failure::new(Phase::Request, FailureClass::Timeout);
        if self.pace != Pace::AllAtOnce
            || self.prefixes.iter().all(|p| !matches!(p, PrefixOutcome::Answered { .. }))
        {
            return self.fail_the_rest(&failure);
        }
        connection.reset(stream);
        self.ask_one_by_one(connection, &failure);
    }

    /// Nothing more is to be asked: everything without an answer has failed.
    pub(super) fn fail_the_rest(&mut self, failure: &Failure) {
        let unanswered = self.awaited.drain(..).chain(self.later.drain(..)).chain(self.unsent..PREFIXES);
        self.unsent = PREFIXES;
        self.held = false;
        for prefix in unanswered.collect::<Vec<_>>() {
            self.fail(prefix, failure);
        }
        self.stream = None;
    }

    /// Identify is over: what waited for its room is asked now.
    pub(super) fn on_room(&mut self, connection: &mut impl Connection) {
        self.alone = true;
        if std::mem::take(&mut self.held) {
            self.ask_next(connection);
        }
    }

    fn ask_one_by_one(&mut self, connection: &mut impl Connection, failure: &Failure) {
        let was_one_by_one = self.pace != Pace::AllAtOnce;
        self.pace = if self.served { Pace::OneAStream } else { self.pace.max(Pace::OneByOne) };
        if !self.served && was_one_by_one {
            self.misses += 1;
            let full = failure.class == FailureClass::ResourceLimit;
            if let Some(prefix) = self.awaited.pop_if(|_| !full) {
                self.fail(prefix, failure);
            }
        }
        self.held = !self.served && !self.alone;
        self.stream = None;
        self.later.append(&mut self.awaited);
        if self.held {
            return;
        }
        if self.misses >= MAX_MISSES {
            return self.fail_the_rest(failure);
        }
        self.ask_next(connection);
    }

    /// Asks for what is next, if anything is: the next prefix on a stream of its own, or the next wave.
    fn ask_next(&mut self, connection: &mut impl Connection) {
        if self.later.is_empty() && self.unsent < PREFIXES {
            let next = (self.unsent + NEXT_WAVE).min(PREFIXES);
            let wave = (self.unsent..next).rev().collect();
            self.unsent = next;
            if self.pace == Pace::AllAtOnce {
                self.send(connection, wave);
                return;
            }
            self.later = wave;
        }
        if self.pace == Pace::OneAStream {
            self.stream = None;
        }
        match self.later.pop() {
            Some(prefix) => self.send(connection, vec![prefix]),
            None => self.stream = None,
        }
    }

    /// Sends requests on the stream, or on a new one if there is none.
    fn send(&mut self, connection: &mut impl Connection, prefixes: Vec<usize>) {
        let protocol = self.protocols.get(self.protocol).map_or("", String::as_str);
        self.served &= self.stream.is_some();
        let stream = self.stream.unwrap_or_else(|| connection.open(protocol, MAX_ANSWER_BYTES));
        let mut request = Vec::with_capacity(64);
        for &prefix in prefixes.iter().rev() {
            let Some(target) = u32::try_from(prefix).ok().and_then(|bits| target_at(&self.key, bits)) else {
                continue;
            };
            request.clear();
            write_find_node(&mut request, &target);
            connection.send(stream, &request);
        }
        self.stream = Some(stream);
        self.awaited = prefixes;
    }

    fn fail(&mut self, prefix: usize, failure: &Failure) {
        self.prefixes[prefix] = PrefixOutcome::Failed(failure.class);
        self.error.get_or_insert_with(|| failure.clone());
    }
}
