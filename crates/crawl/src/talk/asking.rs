//! The requests of one conversation: one for each prefix.
//!
//! All go out at once on one stream. A peer that ends the stream early (some answer one request a stream, some have no
//! room for more) or falls silent after an answer is asked for the rest one by one, a stream for each.

use kad::{
    Key,
    failure::{Failure, FailureClass, Phase},
    message::write_find_node,
    network::{Connection, StreamId},
    preimage::target_at,
    protobuf::DecodeError,
};
use schema::{PrefixOutcome, visit::PREFIXES};

/// The longest answer that is read, in bytes: 20 peers with 8 KiB each, the most that go-libp2p-kad-dht sends of one,
/// are 160 KiB. The protocol would allow 4 MiB, and hundreds of liars at once could make us hold that many times over.
pub(crate) const MAX_ANSWER_BYTES: usize = 512 << 10;

/// So many single requests may fail one after the other before the rest is not asked.
const MAX_MISSES: u32 = 2;

/// The requests and what came of them.
pub(super) struct Asking {
    key: Key,
    protocol: Box<str>,
    stream: Option<StreamId>,
    /// Prefixes that were sent on the stream, the one to be answered next last.
    awaited: Vec<usize>,
    /// Prefixes that are to be sent on later streams, the next one last.
    later: Vec<usize>,
    one_by_one: bool,
    misses: u32,
    /// What came of each.
    pub(super) prefixes: [PrefixOutcome; PREFIXES],
    /// The first failure.
    pub(super) error: Option<Failure>,
}

impl Asking {
    pub(super) fn begin(connection: &mut impl Connection, key: Key, protocol: &str) -> Self {
        let mut asking = Self {
            key,
            protocol: protocol.into(),
            stream: None,
            awaited: Vec::new(),
            later: Vec::new(),
            one_by_one: false,
            misses: 0,
            prefixes: [PrefixOutcome::NotAsked; PREFIXES],
            error: None,
        };
        asking.send(connection, (0..PREFIXES).rev().collect());
        asking
    }

    pub(super) const fn is_over(&self) -> bool {
        self.stream.is_none()
    }

    /// Takes an answer; says whether it was one.
    pub(super) fn on_answer(
        &mut self,
        connection: &mut impl Connection,
        stream: StreamId,
        peers: Result<u16, DecodeError>,
    ) -> bool {
        if self.stream != Some(stream) {
            return false;
        }
        let Some(prefix) = self.awaited.pop() else { return false };
        match peers {
            Ok(peers) => {
                self.prefixes[prefix] = PrefixOutcome::Answered { peers };
                self.misses = 0;
            }
            Err(_) => self.fail(prefix, &Failure::new(Phase::Request, FailureClass::Malformed)),
        }
        if self.awaited.is_empty() {
            self.ask_next(connection);
        }
        true
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
            _ => self.fail_the_rest(&failure),
        }
    }

    /// The peer has been silent for too long.
    pub(super) fn on_timeout(&mut self, connection: &mut impl Connection) {
        let Some(stream) = self.stream else { return };
        let failure = Failure::new(Phase::Request, FailureClass::Timeout);
        if self.one_by_one || self.prefixes.iter().all(|p| !matches!(p, PrefixOutcome::Answered { .. })) {
            return self.fail_the_rest(&failure);
        }
        connection.reset(stream);
        self.ask_one_by_one(connection, &failure);
    }

    /// Nothing more is to be asked: everything without an answer has failed.
    pub(super) fn fail_the_rest(&mut self, failure: &Failure) {
        let unanswered = self.awaited.drain(..).chain(self.later.drain(..)).collect::<Vec<_>>();
        for prefix in unanswered {
            self.fail(prefix, failure);
        }
        self.stream = None;
    }

    fn ask_one_by_one(&mut self, connection: &mut impl Connection, failure: &Failure) {
        if self.one_by_one {
            self.misses += 1;
            if let Some(prefix) = self.awaited.pop() {
                self.fail(prefix, failure);
            }
        }
        self.one_by_one = true;
        self.later.append(&mut self.awaited);
        if self.misses >= MAX_MISSES {
            return self.fail_the_rest(failure);
        }
        self.ask_next(connection);
    }

    /// Asks for the next prefix on a stream of its own, if there is one.
    fn ask_next(&mut self, connection: &mut impl Connection) {
        match self.later.pop() {
            Some(prefix) => self.send(connection, vec![prefix]),
            None => self.stream = None,
        }
    }

    fn send(&mut self, connection: &mut impl Connection, prefixes: Vec<usize>) {
        let stream = connection.open(&self.protocol, MAX_ANSWER_BYTES);
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
