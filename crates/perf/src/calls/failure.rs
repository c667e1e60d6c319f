//! Why a server's answer is none, as closed names.

use std::{error::Error, fmt};

use schema::OperationOutcome;

use crate::MAX_TEXT_BYTES;

kad::named! {
    /// What kind of failure a call met.
    pub enum CallFailureClass: serde {
        /// Nobody took the connection, or it broke off.
        Unreachable = "unreachable",
        /// Its time was over: the answer could still have come.
        TimedOut = "timed_out",
        /// The server said that it is not ready.
        Unready = "unready",
        /// The status of its answer says that it is none.
        Status = "status",
        /// Its answer could not be understood.
        BadAnswer = "bad_answer",
        /// So much waited that it was not asked at all.
        Shed = "shed",
        /// The scheduler was to end, or lost its lease, while the call was under way; with a server that keeps its own, whoever asked went
        /// away, or the server was to end.
        CutOff = "cut_off",
    }
}

impl CallFailureClass {
    /// What becomes of an attempt that failed so.
    pub const fn outcome(self) -> OperationOutcome {
        match self {
            Self::Unreachable => OperationOutcome::Unreachable,
            Self::TimedOut => OperationOutcome::TimedOut,
            Self::Unready => OperationOutcome::Unready,
            Self::Status | Self::BadAnswer => OperationOutcome::BadAnswer,
            Self::Shed | Self::CutOff => OperationOutcome::Cancelled,
        }
    }

    /// Whether it would have lasted longer than was waited: what was measured is a bound from below.
    pub const fn is_censored(self) -> bool {
        matches!(self, Self::TimedOut | Self::CutOff)
    }
}

/// Why no answer of a server counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFailure {
    class: CallFailureClass,
    why: String,
}

impl CallFailure {
    /// One of this class, and in words what the class does not say. What no text of a database takes is left out, and so is what is
    /// beyond 1 KiB.
    pub fn new(class: CallFailureClass, why: impl Into<String>) -> Self {
        Self { class, why: bounded(why.into()) }
    }

    /// Its class.
    pub const fn class(&self) -> CallFailureClass {
        self.class
    }

    /// In words what the class does not say.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.why)
    }
}

impl Error for CallFailure {}

/// A stranger's text as it may be kept: without NUL, and no longer than [`MAX_TEXT_BYTES`].
pub(crate) fn bounded(mut text: String) -> String {
    text.retain(|char| char != '\0');
    let mut end = text.len().min(MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_in_an_error_and_a_text_without_end_do_no_harm() {
        let failure = CallFailure::new(CallFailureClass::BadAnswer, format!("a\0b{}", "ü".repeat(4000)));
        assert!(failure.why().starts_with("abü") && failure.why().len() <= MAX_TEXT_BYTES);
    }

    #[test]
    fn every_class_is_an_outcome_and_only_what_could_have_come_is_censored() {
        let censored: Vec<_> = CallFailureClass::ALL.iter().filter(|class| class.is_censored()).collect();
        assert_eq!(censored, [&CallFailureClass::TimedOut, &CallFailureClass::CutOff]);
        assert_eq!(CallFailureClass::Status.outcome(), OperationOutcome::BadAnswer);
    }
}
