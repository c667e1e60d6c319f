//! When holders of records last saw their providers: by its last request, and by when it hung up.
//!
//! Without IO and without a clock: times are given, and do not go backwards.

use std::{collections::HashMap, time::Duration};

/// The most pairs of a holder and a peer that are remembered. One more, and the one that was not seen for longest is
/// forgotten; it counts as seen when it announced.
const MAX_SIGHTINGS: usize = 65_536;

/// What holders know of those who asked them.
#[derive(Debug, Default)]
pub(crate) struct Sightings(HashMap<(u32, Vec<u8>), Sighting>);

/// When a peer was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// Its last request.
    pub(crate) asked: Duration,
    /// How many connections it has.
    pub(crate) open: u32,
    /// When it last closed one; zero if it never did.
    pub(crate) hung_up: Duration,
}

impl Sightings {
    /// A holder was asked something.
    pub(crate) fn asked(&mut self, holder: u32, peer: &[u8], now: Duration) {
        self.of(holder, peer).asked = now;
    }

    /// A peer has asked something for the first time on a connection.
    pub(crate) fn opened(&mut self, holder: u32, peer: &[u8], now: Duration) {
        let sighting = self.of(holder, peer);
        sighting.open += 1;
        sighting.asked = now;
    }

    /// Such a connection is over.
    pub(crate) fn closed(&mut self, holder: u32, peer: &[u8], now: Duration) {
        let sighting = self.of(holder, peer);
        sighting.open = sighting.open.saturating_sub(1);
        sighting.hung_up = now;
    }

    /// When a holder saw a peer; nothing but zeros if it never did.
    pub(crate) fn get(&self, holder: u32, peer: &[u8]) -> Sighting {
        self.0.get(&(holder, peer.to_vec())).copied().unwrap_or_default()
    }

    fn of(&mut self, holder: u32, peer: &[u8]) -> &mut Sighting {
        let key = (holder, peer.to_vec());
        if self.0.len() >= MAX_SIGHTINGS && !self.0.contains_key(&key) {
            let last = |sighting: &Sighting| (sighting.open > 0, sighting.asked.max(sighting.hung_up));
            let oldest = self.0.iter().min_by_key(|(_, sighting)| last(sighting));
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.0.remove(&oldest);
            }
        }
        self.0.entry(key).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_and_requests_dated() {
        let (mut sightings, second) = (Sightings::default(), Duration::from_secs(1));
        sightings.opened(1, b"peer", second);
        sightings.opened(1, b"peer", 2 * second);
        sightings.closed(1, b"peer", 3 * second);
        assert_eq!(sightings.get(1, b"peer"), Sighting { asked: 2 * second, open: 1, hung_up: 3 * second });
        sightings.asked(1, b"peer", 4 * second);
        sightings.closed(1, b"peer", 5 * second);
        assert_eq!(sightings.get(1, b"peer"), Sighting { asked: 4 * second, open: 0, hung_up: 5 * second });
        assert_eq!(sightings.get(2, b"peer"), Sighting::default());
    }

    #[test]
    fn who_was_not_seen_for_longest_makes_room() {
        let mut sightings = Sightings::default();
        for number in 0..=u32::try_from(MAX_SIGHTINGS).expect("small") {
            sightings.asked(number, b"peer", Duration::from_secs(1 + u64::from(number)));
        }
        assert_eq!(sightings.0.len(), MAX_SIGHTINGS);
        assert_eq!(
            (sightings.get(0, b"peer").asked, sightings.get(1, b"peer").asked.as_secs()),
            (Duration::ZERO, 2)
        );
    }
}
