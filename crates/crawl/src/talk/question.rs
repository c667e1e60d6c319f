//! One request of a conversation, and how requests follow each other.

use std::ops::Range;

use kad::{
    Key,
    preimage::{TARGET_BYTES, target_at},
};

use super::part::Part;

/// How requests follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AskingPace {
    /// A wave of them on one stream.
    AllAtOnce,
    /// The next one after the answer to the one before it, on the same stream.
    OneByOne,
    /// Likewise, but the peer ends each stream after an answer, so each takes a stream of its own.
    OneAStream,
}

/// How far the stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StreamProgress {
    /// Its protocol is proposed.
    Proposed,
    /// The peer has agreed: what was sent on it is read.
    Agreed,
    /// An answer came.
    Served,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub(super) about: About,
    /// Whether it left on a stream that the peer had agreed to.
    pub(super) has_left: bool,
}

/// What a request is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum About {
    Prefix(usize),
    Part(Part),
}

impl Question {
    pub(super) const fn new(about: About) -> Self {
        Self { about, has_left: false }
    }

    /// What to send; `None` for a prefix for which there are no targets.
    pub(super) fn target(&self, key: &Key) -> Option<[u8; TARGET_BYTES]> {
        match self.about {
            About::Prefix(prefix) => target_at(key, u32::try_from(prefix).ok()?),
            About::Part(part) => Some(part.target()),
        }
    }
}

/// Requests for these prefixes, the first one last.
pub(super) fn prefixes(range: Range<usize>) -> Vec<Question> {
    range.rev().map(|prefix| Question::new(About::Prefix(prefix))).collect()
}
