//! Peers that said who they are and stand in no table: clients, and servers for whom there was no room.
//!
//! A server names the peer that it is asked for, whoever that is, as long as it knows where it is. Pure: times are given.

use std::{collections::BTreeMap, time::Duration};

use super::state::Neighbour;

/// How long they are known after they last said who they are (go-libp2p, `peerstore.RecentlyConnectedAddrTTL`).
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The most of them. Of more, the one that was heard of the longest ago is forgotten.
const MAX: usize = 1024;

/// Peers that were met, by the bytes of their ids.
#[derive(Debug, Default)]
pub(super) struct Acquaintances(BTreeMap<Box<[u8]>, (Duration, Neighbour)>);

impl Acquaintances {
    /// Remembers a peer that has just said who it is.
    pub(super) fn meet(&mut self, peer: Neighbour, now: Duration) {
        if self.0.len() >= MAX && !self.0.contains_key(&peer.id) {
            let oldest = self.0.iter().min_by_key(|(_, (met, _))| *met).map(|(id, _)| id.clone());
            if let Some(oldest) = oldest {
                self.0.remove(&oldest);
            }
        }
        self.0.insert(peer.id.clone(), (now, peer));
    }

    /// Forgets a peer.
    pub(super) fn forget(&mut self, id: &[u8]) {
        self.0.remove(id);
    }

    /// A peer that was met not long ago.
    pub(super) fn get(&self, id: &[u8], now: Duration) -> Option<&Neighbour> {
        let (met, peer) = self.0.get(id)?;
        (now.saturating_sub(*met) <= LIFETIME).then_some(peer)
    }
}

#[cfg(test)]
mod tests {
    use kad::{Contact, PeerId};

    use super::*;

    fn peer() -> Neighbour {
        let addrs = vec!["/ip4/127.0.0.1/tcp/1".parse().unwrap()];
        Neighbour::new(Contact { peer: PeerId::random(), addrs })
    }

    #[test]
    fn who_was_met_is_known_for_a_quarter_of_an_hour() {
        let (mut met, peer) = (Acquaintances::default(), peer());
        met.meet(peer.clone(), Duration::ZERO);
        assert!(met.get(&peer.id, LIFETIME).is_some());
        assert!(met.get(&peer.id, LIFETIME + Duration::from_nanos(1)).is_none());
    }

    #[test]
    fn of_too_many_the_oldest_is_forgotten() {
        let (mut met, first) = (Acquaintances::default(), peer());
        met.meet(first.clone(), Duration::ZERO);
        for n in 1..=MAX as u64 {
            met.meet(peer(), Duration::from_millis(n));
        }
        assert_eq!(met.0.len(), MAX);
        assert!(met.get(&first.id, Duration::ZERO).is_none());
    }
}
