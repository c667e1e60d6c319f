//! Looks in the order of their ends, whichever way they came: a crawl's visits come through queues, and others overtake them. Pure.

use std::{cmp::Ordering, collections::VecDeque, time::Duration};

use schema::{PeerNumber, Timestamp};

use crate::evidence::PeerLook;

/// By how much a look is overtaken at most.
const OVERTAKEN: Duration = Duration::from_secs(1);

/// Looks of which nothing was concluded yet. Memory: those of a second.
#[derive(Debug, Default)]
pub(super) struct ArrivedLooks(VecDeque<(PeerNumber, PeerLook)>);

impl ArrivedLooks {
    /// Takes a look in.
    pub(super) fn push(&mut self, peer: PeerNumber, look: PeerLook) {
        let place = self.0.partition_point(|(_, other)| other.order(&look) != Ordering::Greater);
        self.0.insert(place, (peer, look));
    }

    /// The next one that nothing can come before any more at a moment; the next one at all if nothing is on its way.
    pub(super) fn pop(&mut self, at: Option<Timestamp>) -> Option<(PeerNumber, PeerLook)> {
        let (_, first) = self.0.front()?;
        if at.is_some_and(|at| at < first.ended_at.after(OVERTAKEN)) {
            return None;
        }
        self.0.pop_front()
    }

    /// How long that lasts at a moment; `None` if there is no look.
    pub(super) fn next_after(&self, at: Timestamp) -> Option<Duration> {
        Some(self.0.front()?.1.ended_at.after(OVERTAKEN).since(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::UptimeEvidence;

    fn look(ended_ms: i64, evidence: UptimeEvidence) -> PeerLook {
        let at = Timestamp(ended_ms * 1000);
        let (started_at, ended_at) = (at, at);
        PeerLook { started_at, ended_at, evidence, failure: None, is_answered: true, is_sure: false }
    }

    #[test]
    fn looks_are_taken_in_the_order_of_their_ends() {
        let mut arrived = ArrivedLooks::default();
        for (peer, ended_ms) in [(0, 900), (1, 500), (2, 1800), (3, 900)] {
            arrived.push(PeerNumber(peer), look(ended_ms, UptimeEvidence::Up));
        }
        arrived.push(PeerNumber(4), look(900, UptimeEvidence::Down));
        let at = |ms: i64| Timestamp(ms * 1000);
        assert_eq!(arrived.pop(Some(at(1499))), None);
        assert_eq!(arrived.next_after(at(1400)), Some(Duration::from_millis(100)));
        let mut taken = Vec::new();
        while let Some((peer, _)) = arrived.pop(Some(at(2000))) {
            taken.push(peer.0);
        }
        assert_eq!(taken, [1, 0, 3, 4]);
        assert_eq!(arrived.pop(None).map(|(peer, _)| peer.0), Some(2));
        assert_eq!((arrived.pop(None), arrived.next_after(at(0))), (None, None));
    }
}
