//! The closed names of what a belly refuses, and why.

kad::named! {
    /// Why a record was not kept.
    pub enum WriteShed {
        /// What waits to be written has reached its bound.
        Backlog = "backlog",
        /// The key, the provider's id or its entry is longer than any that a server keeps, or empty.
        Size = "size",
        /// The belly is closed.
        Closed = "closed",
    }
}

kad::named! {
    /// Why the backend was not asked, or did not answer.
    pub enum ReadFailure {
        /// As many reads wait as may.
        Full = "full",
        /// The backend cannot be reached now.
        Away = "away",
        /// There was no answer in time.
        Deadline = "deadline",
        /// The backend answered with an error.
        Backend = "backend",
        /// The belly is closed.
        Closed = "closed",
    }
}

/// What became of a record that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is kept: whoever asks next is given it.
    Yes,
    /// What is there already is better, or this is not valid any more.
    Worse,
    /// It was dropped.
    Shed(WriteShed),
}
