//! What came of asking, for every source and for all of them together: found, none, failed by class.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use delegated::{RoutingFailureClass, ServiceCounts};
use kad::delegated::RoutingAnswer;
use store::ReadFailure;

kad::named! {
    /// Who was asked.
    pub enum FindSource {
        /// What this hydra keeps.
        Belly = "belly",
        /// A service of delegated routing.
        Delegated = "delegated",
        /// All that were asked for one key: found if one of them found somebody, else failed if one of them failed.
        Combination = "combination",
    }
}

kad::named! {
    /// Why somebody who was asked did not say who provides a key.
    pub enum FindFailure {
        /// The host's name leads nowhere.
        Name = "name",
        /// Nobody took the connection.
        Connect = "connect",
        /// The certificate is not trusted, or TLS failed.
        Tls = "tls",
        /// The time was up.
        Timeout = "timeout",
        /// The connection ended before the answer did.
        BrokenOff = "broken_off",
        /// What came is no answer.
        Malformed = "malformed",
        /// The answer is longer than what is read.
        BodyTooLong = "body_too_long",
        /// The status says that it is no answer.
        Status = "status",
        /// The service wants to be asked less.
        Throttled = "throttled",
        /// It failed again and again, and is left alone for a while.
        CircuitOpen = "circuit_open",
        /// As many requests are under way as may be.
        Full = "full",
        /// The key is no multihash, which is all that can be asked for.
        Key = "key",
        /// What keeps the records cannot be reached.
        Away = "away",
        /// What keeps the records answered with an error.
        Backend = "backend",
        /// It is closed.
        Closed = "closed",
    }
}

impl From<RoutingFailureClass> for FindFailure {
    fn from(class: RoutingFailureClass) -> Self {
        match class {
            RoutingFailureClass::Name => Self::Name,
            RoutingFailureClass::Connect => Self::Connect,
            RoutingFailureClass::Tls => Self::Tls,
            RoutingFailureClass::Timeout => Self::Timeout,
            RoutingFailureClass::BrokenOff => Self::BrokenOff,
            RoutingFailureClass::Malformed => Self::Malformed,
            RoutingFailureClass::BodyTooLong => Self::BodyTooLong,
            RoutingFailureClass::Status => Self::Status,
            RoutingFailureClass::Throttled => Self::Throttled,
            RoutingFailureClass::CircuitOpen => Self::CircuitOpen,
            RoutingFailureClass::Full => Self::Full,
            RoutingFailureClass::Key => Self::Key,
        }
    }
}

impl From<ReadFailure> for FindFailure {
    fn from(failure: ReadFailure) -> Self {
        match failure {
            ReadFailure::Full => Self::Full,
            ReadFailure::Away => Self::Away,
            ReadFailure::Deadline => Self::Timeout,
            ReadFailure::Backend => Self::Backend,
            ReadFailure::Closed => Self::Closed,
        }
    }
}

/// What came of asking one source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    /// It named somebody.
    pub found: u64,
    /// It knew nobody.
    pub none: u64,
    /// It failed, by [`FindFailure::ALL`].
    pub failed: [u64; FindFailure::ALL.len()],
}

/// What came of everything that was asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DelegatedCounts {
    /// By [`FindSource::ALL`].
    pub outcomes: [OutcomeCounts; FindSource::ALL.len()],
    /// What the service was asked.
    pub service: ServiceCounts,
}

impl DelegatedCounts {
    /// What came of asking one source.
    pub fn of(&self, source: FindSource) -> OutcomeCounts {
        self.outcomes.get(source as usize).copied().unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct OutcomeMeter {
    found: AtomicU64,
    none: AtomicU64,
    failed: [AtomicU64; FindFailure::ALL.len()],
}

/// Counts what comes of asking, from any thread.
#[derive(Debug, Default)]
pub(super) struct Meters {
    outcomes: [OutcomeMeter; FindSource::ALL.len()],
}

impl Meters {
    pub(super) fn note<T>(
        &self,
        source: FindSource,
        outcome: &Result<T, FindFailure>,
        has_somebody: impl FnOnce(&T) -> bool,
    ) {
        let Some(meter) = self.outcomes.get(source as usize) else { return };
        let count = match outcome {
            Ok(found) if has_somebody(found) => Some(&meter.found),
            Ok(_) => Some(&meter.none),
            Err(failure) => meter.failed.get(*failure as usize),
        };
        if let Some(count) = count {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Counts what came of the belly and of a service, where it was asked.
    pub(super) fn note_combination<T>(
        &self,
        belly: &Result<Option<T>, FindFailure>,
        delegated: Option<&Result<RoutingAnswer, FindFailure>>,
    ) {
        let belly = belly.as_ref().map(Option::is_some).map_err(|failure| *failure);
        let delegated = delegated
            .map(|answer| answer.as_ref().map(RoutingAnswer::has_somebody).map_err(|failure| *failure));
        let combined = match (belly, delegated) {
            (Ok(true), _) | (_, Some(Ok(true))) => Ok(true),
            (Err(failure), _) | (_, Some(Err(failure))) => Err(failure),
            (Ok(false), None | Some(Ok(false))) => Ok(false),
        };
        self.note(FindSource::Combination, &combined, |found| *found);
    }

    pub(super) fn counts(&self) -> [OutcomeCounts; FindSource::ALL.len()] {
        self.outcomes.each_ref().map(|meter| OutcomeCounts {
            found: meter.found.load(Relaxed),
            none: meter.none.load(Relaxed),
            failed: meter.failed.each_ref().map(|count| count.load(Relaxed)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_keeps_its_name() {
        for class in RoutingFailureClass::ALL {
            assert_eq!(FindFailure::from(*class).name(), class.name());
        }
    }
}
