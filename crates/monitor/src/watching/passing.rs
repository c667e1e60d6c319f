//! Who came and who left last.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use kad::PeerId;
use schema::Timestamp;

/// How many are remembered: more than fit on a screen.
const MAX_NEWEST: usize = 50;

/// A peer that came or left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passing {
    /// Who.
    pub peer: PeerId,
    /// When that was seen: up for the first time, or gone for the first time.
    pub at: Timestamp,
    /// How long it stayed, from when it was first seen; `None` for one that came.
    pub stay: Option<Duration>,
    /// What it calls its program, as it said it: not to be shown as it is. `None` if it did not say.
    pub agent: Option<Arc<str>>,
}

/// The last ones.
#[derive(Debug, Default)]
pub(super) struct Newest(VecDeque<Passing>);

impl Newest {
    pub(super) fn push(&mut self, passing: Passing) {
        self.0.truncate(MAX_NEWEST - 1);
        self.0.push_front(passing);
    }

    /// The newest first.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Passing> {
        self.0.iter()
    }
}
