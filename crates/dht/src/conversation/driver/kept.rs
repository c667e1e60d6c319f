//! A stream that is kept between two questions.

use std::sync::Arc;

use kad::network::StreamId;

use crate::conversation::{Ask, Awaits};

/// A stream on which the last question was answered, and nothing is asked.
pub(super) struct Kept {
    pub(super) stream: StreamId,
    /// The position of the name that the peer agreed to.
    pub(super) name: usize,
    protocols: Arc<[String]>,
}

impl Kept {
    /// The stream on which this was asked.
    pub(super) fn after(stream: StreamId, name: usize, asked: &Ask) -> Self {
        Self { stream, name, protocols: Arc::clone(&asked.protocols) }
    }

    /// Whether this can be asked on it: a message by the same protocol that is answered by one. What the end of the stream
    /// answers needs one of its own, since an end that was on its way before the question answers nothing.
    pub(super) fn is_for(&self, ask: &Ask) -> bool {
        ask.awaits == Awaits::Message && ask.message.is_some() && self.protocols == ask.protocols
    }
}
