//! Why a visit reached nobody, as far as it decides what is done next. When that happens is the frontier's.

use kad::failure::{Failure, FailureClass, Phase};
use schema::Visit;

/// Why a visit reached nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Miss {
    /// Somebody is there and turned us away before it had proved who it is, as peers do that are at their limits.
    TurnedAway,
    /// Of at least one address nothing came.
    Silence,
    /// At every address there was an answer that says no.
    Refusal,
    /// The cause lies with us, and nothing is said of the peer.
    Ours,
}

impl Miss {
    /// Why this visit reached nobody; `None` if it reached somebody, or if nothing was dialled.
    pub(crate) fn of(visit: &Visit) -> Option<Self> {
        let furthest = visit.met.connect_error.as_ref()?;
        let failures = || visit.met.addresses.iter().filter_map(|address| address.outcome.failure());
        Some(if turns_away(furthest) {
            Self::TurnedAway
        } else if failures().any(is_ours) {
            Self::Ours
        } else if failures().any(|failure| failure.class == FailureClass::Timeout) {
            Self::Silence
        } else {
            Self::Refusal
        })
    }
}

/// Whether a failure says that somebody is there, who has no room for us. Over TCP a full server closes a connection
/// as soon as it is accepted, and then the system tells of an end or of a reset, whichever comes first.
pub(crate) fn turns_away(failure: &Failure) -> bool {
    match failure.class {
        FailureClass::ResourceLimit => true,
        FailureClass::ConnectionClosed | FailureClass::ConnectionReset => failure.phase == Phase::Secure,
        _ => false,
    }
}

fn is_ours(failure: &Failure) -> bool {
    match failure.class {
        FailureClass::LocalResources
        | FailureClass::AddressNotAvailable
        | FailureClass::PermissionDenied
        | FailureClass::NameServerFailed => true,
        FailureClass::Timeout => failure.phase == Phase::Dns,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use kad::{Multiaddr, network::AddressOutcome};
    use schema::{AddressVisit, PeerNumber, Timestamp, VisitKind};

    use super::*;

    fn of(failures: &[(Phase, FailureClass)]) -> Option<Miss> {
        let mut visit = Visit::begun(PeerNumber(1), VisitKind::First, Timestamp(0));
        visit.met.addresses.extend(failures.iter().map(|&(phase, class)| AddressVisit {
            address: Multiaddr::empty().into(),
            started_after: None,
            took: None,
            outcome: AddressOutcome::Failed(Failure::new(phase, class)),
            resolved: Vec::new(),
        }));
        visit.met.connect_error = AddressVisit::furthest(&visit.met.addresses);
        Miss::of(&visit)
    }

    #[test]
    fn what_came_furthest_speaks_and_silence_anywhere_is_no_refusal() {
        let refused = (Phase::Connect, FailureClass::ConnectionRefused);
        let silent = (Phase::Connect, FailureClass::Timeout);
        let closed = (Phase::Secure, FailureClass::ConnectionClosed);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[refused, (Phase::Connect, FailureClass::HostUnreachable)]), Some(Miss::Refusal));
        assert_eq!(of(&[refused, silent]), Some(Miss::Silence));
        assert_eq!(of(&[refused, silent, closed]), Some(Miss::TurnedAway));
        assert_eq!(of(&[(Phase::Connect, FailureClass::ResourceLimit)]), Some(Miss::TurnedAway));
        assert_eq!(of(&[(Phase::Connect, FailureClass::ConnectionReset)]), Some(Miss::Refusal));
        assert_eq!(of(&[refused, (Phase::Connect, FailureClass::LocalResources)]), Some(Miss::Ours));
        assert_eq!(of(&[(Phase::Dns, FailureClass::Timeout)]), Some(Miss::Ours));
    }
}
