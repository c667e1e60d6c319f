//! What whoever goes on with a study must know of it.

use std::{collections::BTreeSet, sync::Arc};

use kad::{Address, Multiaddr};
use schema::Timestamp;

use super::{Study, StudyHolder, StudyKey};
use crate::{KnownHolder, Resumed, ResumedKey, WatchedKey};

impl Study {
    /// What was done of it: the keys with their holders, each one's last round, and who is known to have left.
    pub fn resumed(&self) -> Resumed {
        let keys = self.keys.iter().map(|key| self.resumed_key(key)).collect();
        let left: BTreeSet<_> =
            self.keys.iter().filter(|key| key.closed_after.is_some()).map(|key| key.provider).collect();
        let last_seen = self.keys.iter().map(last_seen).max().unwrap_or(Timestamp(0));
        Resumed { keys, left, last_seen }
    }

    fn resumed_key(&self, key: &StudyKey) -> ResumedKey {
        let holders: Arc<[KnownHolder]> =
            key.holders.iter().filter_map(|holder| self.known_holder(holder)).collect();
        let watched = WatchedKey {
            key: key.key.as_slice().into(),
            arm: key.arm,
            provider: key.provider,
            published_at: key.published_at,
            holders,
        };
        // Of what stands behind a gap nothing is known to be done: what is done twice is read once.
        let rounds = key.rounds.iter().filter(|round| round.round > 0);
        let unbroken = (1..).zip(rounds).take_while(|(number, round)| *number == round.round);
        let done = unbroken.last().map_or(0, |(number, _)| number);
        ResumedKey { watched, position: key.position, done, is_read_back: key.round(0).is_some() }
    }

    fn known_holder(&self, holder: &StudyHolder) -> Option<KnownHolder> {
        // An address that is none was never dialled, and is not now.
        let read = |address: &Address| Multiaddr::try_from(address.as_bytes().to_vec()).ok();
        let addresses = holder.first_addresses.iter().filter_map(read).collect();
        Some(KnownHolder { peer: *self.peer(holder.peer)?, addresses, agent: holder.agent.clone() })
    }
}

/// When something was seen of a key last.
fn last_seen(key: &StudyKey) -> Timestamp {
    let of_rounds = key.rounds.iter().map(|round| round.began_after).max().unwrap_or_default();
    key.published_at.after(of_rounds.max(key.took))
}
