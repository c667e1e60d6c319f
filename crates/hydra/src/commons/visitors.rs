//! Peers that said who they are and are no servers that all heads know: clients, and servers that nobody could dial.
//!
//! A server names the peer that it is asked for, whoever that is, as long as it knows where it is. Pure: times are given.

use std::{collections::VecDeque, time::Duration};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use kad::Key;

use super::peer::CommonPeer;

/// How long they are known after they last said who they are (go-libp2p, `peerstore.RecentlyConnectedAddrTTL`).
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The most of them, for all heads. Of more, the one that was heard of the longest ago is forgotten.
pub(super) const MAX_VISITORS: usize = 16 * 1024;

/// Peers that were met, by their keys.
#[derive(Debug, Default)]
pub(super) struct Visitors {
    met: HashMap<Key, CommonPeer, RandomState>,
    /// When each said who it is, the oldest first. Who has said so again since stands here twice.
    order: VecDeque<(Duration, Key)>,
}

impl Visitors {
    /// Remembers a peer that has just said who it is.
    pub(super) fn meet(&mut self, key: Key, peer: CommonPeer) {
        let now = peer.answered;
        self.met.insert(key, peer);
        self.order.push_back((now, key));
        while let Some(&(then, oldest)) = self.order.front()
            && (self.order.len() > MAX_VISITORS || now.saturating_sub(then) > LIFETIME)
        {
            self.order.pop_front();
            if self.met.get(&oldest).is_some_and(|peer| peer.answered == then) {
                self.met.remove(&oldest);
            }
        }
    }

    /// A peer that was met not long ago.
    pub(super) fn get(&self, key: &Key, now: Duration) -> Option<&CommonPeer> {
        self.met.get(key).filter(|peer| now.saturating_sub(peer.answered) <= LIFETIME)
    }

    /// Forgets one: it is known as a server now.
    pub(super) fn forget(&mut self, key: &Key) {
        self.met.remove(key);
    }

    /// How many are remembered.
    pub(super) fn len(&self) -> usize {
        self.met.len()
    }
}

#[cfg(test)]
mod tests {
    use kad::{Contact, PeerId};

    use super::*;

    fn meet(met: &mut Visitors, now: Duration) -> Key {
        let contact = Contact { peer: PeerId::random(), addrs: Vec::new() };
        let key = Key::of_peer(&contact.peer);
        met.meet(key, CommonPeer::new(&contact, now));
        key
    }

    #[test]
    fn who_was_met_is_known_for_a_quarter_of_an_hour() {
        let mut met = Visitors::default();
        let first = meet(&mut met, Duration::ZERO);
        assert!(met.get(&first, LIFETIME).is_some());
        assert!(met.get(&first, LIFETIME + Duration::from_nanos(1)).is_none());
        meet(&mut met, LIFETIME * 2);
        assert_eq!(met.len(), 1);
    }

    #[test]
    fn of_too_many_the_oldest_is_forgotten_and_nothing_grows_by_who_comes_again() {
        let mut met = Visitors::default();
        let first = meet(&mut met, Duration::ZERO);
        let again = Contact { peer: PeerId::random(), addrs: Vec::new() };
        for n in 1..=2 * MAX_VISITORS as u64 {
            met.meet(Key::of_peer(&again.peer), CommonPeer::new(&again, Duration::from_millis(n)));
        }
        assert!(met.get(&first, Duration::ZERO).is_none());
        assert!(met.get(&Key::of_peer(&again.peer), Duration::from_secs(40)).is_some());
        assert_eq!((met.len(), met.order.len()), (1, MAX_VISITORS));
    }
}
