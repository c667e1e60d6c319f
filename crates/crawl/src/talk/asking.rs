//! The requests of one conversation: one for each prefix, until an answer proves that there is no more.
//!
//! The first wave goes out at once on one stream, and holds as many prefixes as a network of the size known so far is
//! deep. A peer that ends the stream early (some answer one request a stream, some have no room for more) or falls
//! silent after an answer is asked for the rest one by one, a stream for each. An answer that is longer than we take, or
//! that is no message, ends its stream and costs its own prefix only. Where a network's protocol has several names, a peer
//! that refuses the stream of one is asked for everything by the next.
//!
//! The proof: see [`crate::found`]. Once an answer claims to have named all that share `c` bits or more, deeper prefixes
//! bring nothing new, unless answers contradict each other: then nothing is saved. An empty or short answer proves
//! nothing: servers leave peers out whose addresses they do not know.

use std::sync::Arc;

use kad::{
    Key,
    failure::{Failure, FailureClass, Phase},
    message::{K, write_find_node},
    network::{Connection, StreamId},
};
use schema::{PrefixOutcome, visit::PREFIXES};

use super::{
    deeper::Deeper,
    question::{About, AskingPace, Question, StreamProgress, prefixes},
};
use crate::found::{HeardPeers, contradict};

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

/// The requests and what came of them.
pub(super) struct Asking {
    key: Key,
    protocols: Arc<[String]>,
    /// The position of the name that is asked for.
    protocol: usize,
    stream: Option<StreamId>,
    /// What was sent on the stream, the one to be answered next last.
    awaited: Vec<Question>,
    /// What is to be sent on streams of its own, the next one last.
    later: Vec<Question>,
    /// The first prefix that no wave has held.
    unsent: usize,
    pace: AskingPace,
    /// Whether the next request waits for the end of identify, which may have taken all the room that the peer has.
    held: bool,
    /// Whether no stream of identify is open beside ours.
    alone: bool,
    progress: StreamProgress,
    misses: u32,
    /// What came of each.
    pub(super) prefixes: [PrefixOutcome; PREFIXES],
    /// What is asked once every prefix has been.
    pub(super) deeper: Deeper,
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
        deeper: Deeper,
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
            pace: AskingPace::AllAtOnce,
            held: false,
            alone: false,
            progress: StreamProgress::Proposed,
            misses: 0,
            prefixes: [PrefixOutcome::NotAsked; PREFIXES],
            deeper,
            error: None,
        };
        asking.send(connection, prefixes(0..wave));
        asking
    }

    /// No wave follows the first one.
    pub(super) const fn ask_no_further(&mut self) {
        self.unsent = PREFIXES;
    }

    pub(super) const fn is_over(&self) -> bool {
        self.stream.is_none() && !self.held
    }

    /// The peer agreed to the protocol of a stream.
    pub(super) fn on_accepted(&mut self, stream: StreamId) {
        if self.stream == Some(stream) {
            self.progress = self.progress.max(StreamProgress::Agreed);
            self.awaited.iter_mut().for_each(|question| question.has_left = true);
        }
    }

    const fn is_agreed(&self) -> bool {
        !matches!(self.progress, StreamProgress::Proposed)
    }

    const fn is_served(&self) -> bool {
        matches!(self.progress, StreamProgress::Served)
    }

    /// Takes an answer in; says whether it was one. Its peers go to `found`.
    pub(super) fn on_answer(
        &mut self,
        connection: &mut impl Connection,
        stream: StreamId,
        answer: &[u8],
        found: &mut HeardPeers,
    ) -> bool {
        if self.stream != Some(stream) {
            return false;
        }
        self.on_accepted(stream);
        let Some(question) = self.awaited.pop() else { return false };
        self.progress = StreamProgress::Served;
        let prefix = match question.about {
            About::Prefix(prefix) => Some(prefix),
            About::Part(_) => None,
        };
        match found.add(prefix, answer) {
            Ok(peers) => {
                self.misses = 0;
                self.answered(question.about, peers, found);
            }
            Err(_) => self.fail(question, &Failure::new(Phase::Request, FailureClass::Malformed)),
        }
        if self.awaited.is_empty() {
            self.ask_next(connection, found);
        }
        true
    }

    fn answered(&mut self, about: About, peers: u16, found: &HeardPeers) {
        match about {
            About::Prefix(prefix) => {
                self.prefixes[prefix] = PrefixOutcome::Answered { peers };
                // Earlier answers of a wave may prove the same, but the wave has left.
                let is_proof = prefix + 1 == self.unsent && found.last().any(|peer| peer.is_beyond(prefix));
                if self.unsent < PREFIXES && is_proof && is_consistent(found) {
                    self.prefixes[self.unsent..].fill(PrefixOutcome::Saved);
                    self.unsent = PREFIXES;
                }
            }
            About::Part(part) => {
                self.deeper.answered(part, found);
                let saved = self.prefixes.iter().position(|&outcome| outcome == PrefixOutcome::Saved);
                if let Some(first) = saved.filter(|_| !is_consistent(found)) {
                    self.prefixes[first..].fill(PrefixOutcome::NotAsked);
                    self.unsent = first;
                }
            }
        }
    }

    /// The stream came to its end.
    pub(super) fn on_end(
        &mut self,
        connection: &mut impl Connection,
        (stream, how): (StreamId, Option<Failure>),
        found: &HeardPeers,
    ) {
        if self.stream != Some(stream) {
            return;
        }
        let failure = how.unwrap_or(Failure::new(Phase::Request, FailureClass::StreamClosed));
        match failure.class {
            FailureClass::StreamClosed | FailureClass::StreamReset | FailureClass::ResourceLimit => {
                self.ask_one_by_one(connection, &failure, found);
            }
            FailureClass::MessageTooLarge | FailureClass::Malformed if self.is_agreed() => {
                self.pass_over(connection, &failure, found);
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

    /// The answer that was to come next cannot be read: the others are asked for on a new stream.
    fn pass_over(&mut self, connection: &mut impl Connection, failure: &Failure, found: &HeardPeers) {
        self.stream = None;
        if let Some(question) = self.awaited.pop() {
            self.fail(question, failure);
        }
        if failure.class == FailureClass::Malformed {
            self.misses += 1;
            if self.misses >= MAX_MISSES {
                return self.fail_the_rest(failure);
            }
        }
        if self.pace == AskingPace::AllAtOnce && !self.awaited.is_empty() {
            let unanswered = std::mem::take(&mut self.awaited);
            return self.send(connection, unanswered);
        }
        self.later.append(&mut self.awaited);
        self.ask_next(connection, found);
    }

    /// The peer has been silent for too long.
    pub(super) fn on_timeout(&mut self, connection: &mut impl Connection, found: &HeardPeers) {
        let Some(stream) = self.stream else { return };
        let failure = Failure::new(Phase::Request, FailureClass::Timeout);
        if self.pace != AskingPace::AllAtOnce
            || self.prefixes.iter().all(|p| !matches!(p, PrefixOutcome::Answered { .. }))
        {
            return self.fail_the_rest(&failure);
        }
        connection.reset(stream);
        self.ask_one_by_one(connection, &failure, found);
    }

    /// Nothing more is to be asked: everything that left and has no answer has failed.
    pub(super) fn fail_the_rest(&mut self, failure: &Failure) {
        if self.is_over() {
            return;
        }
        self.error.get_or_insert_with(|| failure.clone());
        let unanswered: Vec<Question> = self.awaited.drain(..).chain(self.later.drain(..)).collect();
        self.unsent = PREFIXES;
        self.held = false;
        self.stream = None;
        for question in unanswered {
            self.fail(question, failure);
        }
    }

    /// Identify is over: what waited for its room is asked now.
    pub(super) fn on_room(&mut self, connection: &mut impl Connection, found: &HeardPeers) {
        self.alone = true;
        if std::mem::take(&mut self.held) {
            self.ask_next(connection, found);
        }
    }

    fn ask_one_by_one(&mut self, connection: &mut impl Connection, failure: &Failure, found: &HeardPeers) {
        let was_one_by_one = self.pace != AskingPace::AllAtOnce;
        self.pace =
            if self.is_served() { AskingPace::OneAStream } else { self.pace.max(AskingPace::OneByOne) };
        if !self.is_served() && was_one_by_one {
            self.misses += 1;
            let full = failure.class == FailureClass::ResourceLimit;
            if let Some(question) = self.awaited.pop_if(|_| !full) {
                self.fail(question, failure);
            }
        }
        self.later.append(&mut self.awaited);
        if self.misses >= MAX_MISSES {
            return self.fail_the_rest(failure);
        }
        self.held = !self.is_served() && !self.alone;
        self.stream = None;
        if !self.held {
            self.ask_next(connection, found);
        }
    }

    /// Asks for what is next, if anything is: what has no answer yet on a stream of its own, the next wave, or what lies
    /// deeper.
    fn ask_next(&mut self, connection: &mut impl Connection, found: &HeardPeers) {
        if self.later.is_empty() {
            let wave = self.next_wave(found);
            if self.pace == AskingPace::AllAtOnce && !wave.is_empty() {
                return self.send(connection, wave);
            }
            self.later = wave;
        }
        if self.pace == AskingPace::OneAStream {
            self.stream = None;
        }
        match self.later.pop() {
            Some(question) => self.send(connection, vec![question]),
            None => self.stream = None,
        }
    }

    fn next_wave(&mut self, found: &HeardPeers) -> Vec<Question> {
        if self.unsent < PREFIXES {
            let next = (self.unsent + NEXT_WAVE).min(PREFIXES);
            let wave = prefixes(self.unsent..next);
            self.unsent = next;
            return wave;
        }
        let parts = self.deeper.next_wave(&self.key, found);
        parts.into_iter().map(|part| Question::new(About::Part(part))).collect()
    }

    /// Sends requests on the stream, or on a new one if there is none.
    fn send(&mut self, connection: &mut impl Connection, mut questions: Vec<Question>) {
        let protocol = self.protocols.get(self.protocol).map_or("", String::as_str);
        if self.stream.is_none() {
            self.progress = StreamProgress::Proposed;
        }
        let stream = self.stream.unwrap_or_else(|| connection.open(protocol, MAX_ANSWER_BYTES));
        let mut request = Vec::with_capacity(64);
        for question in questions.iter_mut().rev() {
            let Some(target) = question.target(&self.key) else { continue };
            request.clear();
            write_find_node(&mut request, &target);
            connection.send(stream, &request);
            question.has_left |= self.is_agreed();
        }
        self.stream = Some(stream);
        self.awaited = questions;
    }

    fn fail(&mut self, question: Question, failure: &Failure) {
        self.error.get_or_insert_with(|| failure.clone());
        match question.about {
            About::Prefix(prefix) if question.has_left => {
                self.prefixes[prefix] = PrefixOutcome::Failed(failure.class);
            }
            About::Prefix(_) => {}
            About::Part(part) => self.deeper.failed(part, question.has_left),
        }
    }
}

/// Whether nothing that was said disproves what an answer claims; what had no room was not looked at.
fn is_consistent(found: &HeardPeers) -> bool {
    found.left_out().over_visit_size == 0 && !contradict(found.named())
}
