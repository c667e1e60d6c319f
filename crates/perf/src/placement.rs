//! How well a record was placed: beside the peers that a crawl says are the closest.

use std::collections::HashSet;

use kad::{Key, PeerId, message::K};
use serde::Serialize;

use crate::Operation;

/// Where a record went, beside who is closest to its key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PlacementScore {
    /// How many peers were given it.
    pub holders: usize,
    /// The share of the closest peers (20 of them, or all, if there are fewer) that are among them: from 0 to 1.
    pub recall: f64,
    /// How many peers that were not given it are closer than a holder, in the middle of all holders: 0 where the closest have it and nobody
    /// else.
    pub displacement: f64,
    /// The mean of the holders' distances to the key, as a share of what it is where the closest have it, on the average over all keys:
    /// about 1, and more where it went too far out (`N / 10.5` for 20 holders among N peers).
    pub distance: f64,
}

impl PlacementScore {
    /// Of a record with these holders, beside all peers of a network, as far as a crawl knows. `None` without holders, and without anybody
    /// to compare with.
    pub fn of<'a>(
        key: &[u8],
        holders: impl IntoIterator<Item = &'a PeerId>,
        everybody: impl IntoIterator<Item = &'a PeerId>,
    ) -> Option<Self> {
        let target = Key::of(key);
        let distance = |peer: &PeerId| target.distance(&Key::of_peer(peer));
        let mut all: Vec<_> = everybody.into_iter().map(|peer| (distance(peer), peer)).collect();
        all.sort_unstable();
        all.dedup();
        let mut held: Vec<_> = holders.into_iter().map(|peer| (distance(peer), peer)).collect();
        held.sort_unstable();
        held.dedup();
        if all.is_empty() || held.is_empty() {
            return None;
        }
        let has_it: HashSet<&PeerId> = held.iter().map(|(_, peer)| *peer).collect();
        let closest = &all[..K.min(all.len())];
        let reached = closest.iter().filter(|(_, peer)| has_it.contains(peer)).count();
        let closer = |(away, _): &(kad::key::Distance, &PeerId)| {
            let nearer = all.partition_point(|(other, _)| other < away);
            all[..nearer].iter().filter(|(_, peer)| !has_it.contains(peer)).count() as f64
        };
        let count = held.len() as f64;
        let mean = held.iter().map(|(away, _)| away.normed()).sum::<f64>() / count;
        // The nearest of N is 1/(N + 1) away on the average, the next one as much more.
        let expected = f64::midpoint(count, 1.0) / (all.len() as f64 + 1.0);
        Some(Self {
            holders: held.len(),
            recall: reached as f64 / closest.len() as f64,
            displacement: held.iter().map(closer).sum::<f64>() / count,
            distance: mean / expected,
        })
    }

    /// Of a publication, by those that were sent its record. `None` as above.
    pub fn of_operation<'a>(
        operation: &'a Operation,
        everybody: impl IntoIterator<Item = &'a PeerId>,
    ) -> Option<Self> {
        let sent = operation.requests.iter().filter(|request| request.is_gift() && request.has_left());
        Self::of(&operation.key, sent.map(|given| &given.peer), everybody)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u32) -> PeerId {
        let hash = Key::of(&number.to_be_bytes());
        PeerId::from_bytes(&[&[0x12, 0x20][..], hash.as_bytes()].concat()).unwrap()
    }

    /// All peers, the closest first.
    fn sorted(key: &[u8], count: u32) -> Vec<PeerId> {
        let mut all: Vec<PeerId> = (0..count).map(peer).collect();
        all.sort_by_key(|peer| Key::of(key).distance(&Key::of_peer(peer)));
        all
    }

    #[test]
    fn the_closest_are_the_right_place() {
        let mut distances = 0.0;
        for number in 0..50_u8 {
            let all = sorted(&[number], 2000);
            let score = PlacementScore::of(&[number], &all[..20], &all).unwrap();
            assert_eq!((score.holders, score.recall, score.displacement), (20, 1.0, 0.0));
            distances += score.distance / 50.0;
        }
        assert!((0.9..1.1).contains(&distances), "{distances}");
    }

    #[test]
    fn who_stands_in_for_the_closest_is_displaced() {
        let all = sorted(b"key", 2000);
        // 15 of 20, as a full table by Go's rules; and the next 20 after the closest.
        let some = PlacementScore::of(b"key", &all[..15], &all).unwrap();
        assert_eq!((some.holders, some.recall, some.displacement), (15, 0.75, 0.0));
        let next = PlacementScore::of(b"key", &all[20..40], &all).unwrap();
        assert_eq!((next.recall, next.displacement), (0.0, 20.0));
        assert!(next.distance > 2.0, "{next:?}");
        let strangers: Vec<PeerId> = (5000..5005).map(peer).collect();
        let unknown = PlacementScore::of(b"key", &strangers, &all).unwrap();
        assert!(unknown.recall == 0.0 && unknown.displacement > 100.0, "{unknown:?}");
    }

    #[test]
    fn nobody_has_no_place() {
        let all = sorted(b"key", 10);
        assert_eq!(PlacementScore::of(b"key", [], &all), None);
        assert_eq!(PlacementScore::of(b"key", &all[..1], []), None);
        let few = PlacementScore::of(b"key", &all, &all).unwrap();
        assert_eq!((few.holders, few.recall), (10, 1.0));
    }
}
