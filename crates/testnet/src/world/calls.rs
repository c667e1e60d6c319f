//! When peers that nobody can dial call others.

use std::time::Duration;

use rand::RngExt;

use super::World;
use crate::{
    random::{Stream, stream},
    state::State,
};

impl World {
    /// The peers behind address translation.
    pub(crate) fn callers(&self) -> impl Iterator<Item = u32> {
        self.peers().filter(|&peer| matches!(self.state(peer), State::BehindNat(_)))
    }

    /// When a peer behind address translation would call for the first time, since the network began: each at a time of its own.
    /// `None` for all others.
    pub(crate) fn first_call(&self, peer: u32) -> Option<Duration> {
        let State::BehindNat(calls) = self.state(peer) else { return None };
        let every_ms = u64::from(calls.every_s) * 1000;
        let first_ms = stream(self.scenario.seed, Stream::Calls, peer).random_range(0..every_ms);
        Some(Duration::from_millis(first_ms))
    }

    /// The first time after `now`, both since the network began, at which a peer behind address translation calls.
    pub(crate) fn next_call(&self, peer: u32, now: Duration) -> Option<Duration> {
        let State::BehindNat(calls) = self.state(peer) else { return None };
        let (first, every) = (self.first_call(peer)?, Duration::from_secs(calls.every_s.into()));
        let Some(since) = now.checked_sub(first) else { return Some(first) };
        let turns = u32::try_from(since.as_millis() / every.as_millis() + 1).unwrap_or(u32::MAX);
        Some(first + every * turns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn calls_come_at_equal_intervals_and_each_peer_has_its_own_beginning() {
        let text =
            "peers = 50\nstates = [{ state = 'behind_nat', calls_every_s = 100, stays_s = 9, share = 0.4 }]";
        let world = World::generate(&Scenario::parse(text, "x").unwrap());
        let mut firsts: Vec<Duration> = world.callers().filter_map(|peer| world.first_call(peer)).collect();
        for peer in world.callers() {
            let first = world.first_call(peer).unwrap();
            assert!(first < Duration::from_secs(100));
            for (now, turn) in
                [(first, 1), (first + Duration::from_secs(99), 1), (first + Duration::from_secs(100), 2)]
            {
                assert_eq!(world.next_call(peer, now), Some(first + Duration::from_secs(100 * turn)));
            }
            let before = first.saturating_sub(Duration::from_millis(1));
            assert_eq!(world.next_call(peer, before), Some(first));
        }
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), 20);
        let other = world.peers().find(|&peer| world.state(peer) == State::Online).unwrap();
        assert_eq!(world.next_call(other, Duration::ZERO), None);
    }
}
