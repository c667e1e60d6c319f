//! Peers that have no room for us. They are there, and not down: they get a pause before their last turn.

use std::{collections::HashSet, time::Duration};

use kad::failure::{Failure, FailureClass, Phase};
use schema::{PeerNumber, Visit, VisitKind};
use tokio::time::Instant;

/// How long who had no room is left alone. go-libp2p's default lets an address open one connection in 5 s once its
/// first ones are used up.
const PAUSE: Duration = Duration::from_secs(5);

/// The peers whose last visit met no room, and when the last of them said so.
#[derive(Debug, Default)]
pub(crate) struct Full {
    peers: HashSet<PeerNumber>,
    last: Option<Instant>,
}

impl Full {
    /// Notes how a visit ended. What a last turn meets changes nothing any more.
    pub(crate) fn note(&mut self, visit: &Visit) {
        if visit.connect_error.as_ref().is_some_and(says_full) && visit.kind != VisitKind::SecondPass {
            self.peers.insert(visit.peer);
            self.last = Some(Instant::now());
        } else {
            self.peers.remove(&visit.peer);
        }
    }

    /// Those who had no room.
    pub(crate) const fn peers(&self) -> &HashSet<PeerNumber> {
        &self.peers
    }

    /// Those who had no room, and when they may be asked again; `None` if there are none.
    pub(crate) fn take(&mut self) -> Option<(HashSet<PeerNumber>, Instant)> {
        let last = self.last.take().filter(|_| !self.peers.is_empty())?;
        Some((std::mem::take(&mut self.peers), last + PAUSE))
    }
}

/// Whether a failure says so. Over TCP a full server closes a connection as soon as it is accepted, and then the
/// system tells of an end or of a reset, whichever comes first.
fn says_full(failure: &Failure) -> bool {
    match failure.class {
        FailureClass::ResourceLimit => true,
        FailureClass::ConnectionClosed | FailureClass::ConnectionReset => failure.phase == Phase::Secure,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use schema::Timestamp;

    use super::*;
    use crate::visit::blank;

    fn visit(peer: u32, kind: VisitKind, failure: Option<(Phase, FailureClass)>) -> Visit {
        let mut visit = blank(PeerNumber(peer), kind, Timestamp(0));
        visit.connect_error = failure.map(|(phase, class)| Failure::new(phase, class));
        visit
    }

    #[tokio::test(start_paused = true)]
    async fn who_had_no_room_is_asked_again_once_and_after_a_pause() {
        let mut full = Full::default();
        let closed = Some((Phase::Secure, FailureClass::ConnectionClosed));
        full.note(&visit(1, VisitKind::First, Some((Phase::Connect, FailureClass::ResourceLimit))));
        full.note(&visit(2, VisitKind::First, closed));
        full.note(&visit(3, VisitKind::First, Some((Phase::Connect, FailureClass::ConnectionRefused))));
        full.note(&visit(2, VisitKind::NewAddresses, None));
        assert_eq!(full.peers(), &HashSet::from([PeerNumber(1)]));
        assert_eq!(full.take(), Some((HashSet::from([PeerNumber(1)]), Instant::now() + PAUSE)));
        full.note(&visit(1, VisitKind::SecondPass, closed));
        assert_eq!(full.take(), None);
    }
}
