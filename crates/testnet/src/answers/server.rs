//! What an honest peer does with a request: what a server does, with what it has learned since the testnet began.

use std::sync::Arc;

use kad::{
    Key, PeerId,
    answer::{Answer, Asked, Findings, Query},
    fabric::Introduced,
    records::Provided,
};

use super::Answers;
use crate::{guests::Listed, scenario::holder::HolderShare};

impl Answers {
    /// What `peer` answers to `asker`, having kept what it was given.
    pub(super) fn serve(&self, peer: u32, asker: &[u8], request: &[u8]) -> Answer {
        let guests = self.with_room(peer, self.memory.heard(peer, asker));
        let (store, holder) = (self.world.store(peer), self.world.holder(peer));
        if holder.is_some_and(HolderShare::watches) {
            self.memory.seen(store, asker);
        }
        match Asked::read(request, asker) {
            Ok(Asked::Answered(answer)) => answer,
            Ok(Asked::Lookup(lookup)) => Answer::Message(self.look_up(peer, asker, &lookup, &guests)),
            Ok(Asked::Provide(provide)) => {
                if !holder.is_some_and(|holder| holder.swallows) {
                    self.memory.provide(store, asker, &provide);
                }
                Answer::Nothing
            }
            Ok(Asked::Put(put)) if self.memory.put(store, &put) => Answer::Message(put.answer()),
            // An undecodable request and a value that has expired, or is older than what is there, are handler errors: those
            // reset the stream.
            Ok(Asked::Put(_)) | Err(_) => Answer::Reset,
        }
    }

    /// Whether `peer` wants to know who asks it. Peers that do not serve learn nothing.
    pub(crate) fn asks(&self, peer: u32, asker: &PeerId) -> bool {
        self.world.state(peer).is_honest_server() && self.memory.is_of_interest(asker)
    }

    /// Somebody who has asked `peer` says who it is. The world's own peers are in its tables, and no guests.
    pub(crate) fn met(&self, peer: u32, introduced: Introduced) {
        if self.world.find(&introduced.peer).is_none() {
            self.memory.met(peer, introduced);
        }
    }

    /// A connection on which `asker` has asked `peer` something, for as long as it lasts; `None` where it does not matter.
    pub(crate) fn watch(self: &Arc<Self>, peer: u32, asker: &[u8]) -> Option<Watched> {
        self.world.holder(peer).filter(|holder| holder.watches_connections())?;
        let store = self.world.store(peer);
        self.memory.opened(store, asker);
        Some(Watched { answers: Arc::clone(self), store, asker: asker.into() })
    }

    /// Those for whom the buckets of a peer's table have room, the first come first. A server takes nobody into a full
    /// one; and who asked for a bucket of more than K would not be told of all.
    fn with_room(&self, peer: u32, mut guests: Vec<Arc<Listed>>) -> Vec<Arc<Listed>> {
        let (own, k) = (self.world.prefixes[peer as usize], usize::from(self.world.scenario().tables.k));
        let mut taken = Vec::with_capacity(guests.len());
        guests.retain(|guest| {
            let bucket = (own ^ guest.prefix()).leading_zeros();
            let before = taken.iter().filter(|&&other| other == bucket).count();
            let has_room = self.world.tables.places(peer, bucket) + before < k;
            if has_room {
                taken.push(bucket);
            }
            has_room
        });
        guests
    }

    fn look_up(&self, peer: u32, asker: &[u8], lookup: &Query<'_>, guests: &[Arc<Listed>]) -> Vec<u8> {
        let own = self.world.peers[peer as usize].id;
        let kept = self.memory.kept(self.world.store(peer), self.world.holder(peer), lookup);
        let mut found = self.find(peer, asker, lookup.kind(), lookup.key());
        found.providers = kept.providers.iter().map(Provided::known).collect();
        found.record = kept.record.as_deref();
        join(&mut found, lookup.key(), guests);
        lookup.answer(own.as_bytes(), asker, &found)
    }
}

/// A connection with a holder that remembers when it ended.
#[derive(Debug)]
pub(crate) struct Watched {
    answers: Arc<Answers>,
    store: u32,
    asker: Box<[u8]>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.answers.memory.closed(self.store, &self.asker);
    }
}

/// Puts guests among the peers of a table, by their distance from the key.
fn join<'a>(found: &mut Findings<'a>, key: &[u8], guests: &'a [Arc<Listed>]) {
    if guests.is_empty() {
        return;
    }
    found.closest.extend(guests.iter().map(|listed| listed.known()));
    let target = Key::of(key);
    found.closest.sort_by_cached_key(|known| Key::of(known.id).distance(&target));
    found.target = found.target.or_else(|| found.closest.first().filter(|known| known.id == key).copied());
}

#[cfg(test)]
mod tests;
