//! A part of the lists in memory, behind a lock of its own.

use std::{collections::VecDeque, sync::Arc};

use hashbrown::HashTable;

use super::{
    backend::ProviderRow,
    held::{Pending, ProvidersHeld},
    provider::NewRecord,
};

/// What a list takes beside itself, in bytes: its place and its number in the table, each with room to grow.
const SLOT_BYTES: usize = 2 * size_of::<Option<Slot>>() + 10;

/// Places that are looked at for one that makes room.
const SAMPLE: usize = 8;

/// How long it is remembered that nobody provides a key, in microseconds; where others write the backend, less.
const NOBODY_US: u64 = 60_000_000;

/// Lists that make room for one record at most.
const MAX_EVICTIONS: usize = 4;

/// Lists by their keys. They stand in places that keep their numbers, so that who goes through all of them can stop anywhere.
#[derive(Debug, Default)]
pub(super) struct Shard {
    index: HashTable<u32>,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    bytes: usize,
    records: usize,
    /// The place that is looked at next for what has expired.
    hand: usize,
    pending: Pending,
    /// The places of lists with something to write.
    dirty: VecDeque<u32>,
}

/// A list and what is known of it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) held: Arc<ProvidersHeld>,
    hash: u64,
    /// When the backend was asked for all of it, in microseconds since the Unix epoch; `None` if it was not.
    pub(super) whole_us: Option<u64>,
    /// Whether its place is among those with something to write.
    is_dirty: bool,
}

/// The bounds of a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShardLimits {
    pub(super) bytes: usize,
    pub(super) per_key: usize,
}

/// A key with its hash.
#[derive(Debug, Clone, Copy)]
pub(super) struct HashedKey<'a> {
    pub(super) key: &'a [u8],
    pub(super) hash: u64,
}

impl Shard {
    pub(super) const fn records(&self) -> usize {
        self.records
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn pending(&self) -> Pending {
        self.pending
    }

    pub(super) const fn places(&self) -> usize {
        self.slots.len()
    }

    /// The list at a place.
    pub(super) fn at(&self, place: usize) -> Option<&Slot> {
        self.slots.get(place)?.as_ref()
    }

    /// What is known of a key.
    pub(super) fn get(&self, key: HashedKey<'_>) -> Option<&Slot> {
        self.find(key).and_then(|place| self.at(place))
    }

    fn find(&self, HashedKey { key, hash }: HashedKey<'_>) -> Option<usize> {
        let is_same = |&place: &u32| self.at(place as usize).is_some_and(|slot| slot.held.key() == key);
        self.index.find(hash, is_same).map(|&place| place as usize)
    }

    /// The list of a key, made if there is none.
    fn place_of(&mut self, key: HashedKey<'_>) -> usize {
        if let Some(place) = self.find(key) {
            return place;
        }
        let held = Arc::new(ProvidersHeld::new(key.key));
        self.bytes += held.size() + SLOT_BYTES;
        let slot = Some(Slot { held, hash: key.hash, whole_us: None, is_dirty: false });
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(free) = self.slots.get_mut(place as usize) {
            *free = slot;
        }
        let slots = &self.slots;
        let hash_of =
            |&place: &u32| slots.get(place as usize).and_then(Option::as_ref).map_or(0, |slot| slot.hash);
        self.index.insert_unique(key.hash, place, hash_of);
        place as usize
    }

    /// Keeps a record, of which the backend knows or not; `false` if a better one is there. What exceeds the bounds is
    /// dropped: of a key the oldest record, of all lists one that got none for longer than some others.
    pub(super) fn add(
        &mut self,
        key: HashedKey<'_>,
        (new, tag): (&NewRecord<'_>, u32),
        is_unsaved: bool,
        limits: ShardLimits,
    ) -> bool {
        let place = self.place_of(key);
        let add = |held: &mut ProvidersHeld| held.add(new, tag, is_unsaved, limits.per_key);
        let is_added = self.change(place, add).unwrap_or_default();
        if is_added && is_unsaved {
            self.has_to_write(place);
        }
        self.keep_within(limits.bytes, place);
        is_added
    }

    fn keep_within(&mut self, bytes: usize, spared: usize) {
        for _ in 0..MAX_EVICTIONS {
            if self.bytes <= bytes || !self.evict(spared) {
                break;
            }
        }
    }

    /// Puts what the backend said of a key at `asked_us` to what is there: from now on that is all.
    pub(super) fn merge<'a>(
        &mut self,
        key: HashedKey<'_>,
        records: impl Iterator<Item = (NewRecord<'a>, u32)>,
        asked_us: u64,
        limits: ShardLimits,
    ) -> Option<Arc<ProvidersHeld>> {
        let place = self.place_of(key);
        if let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) {
            slot.whole_us = slot.whole_us.max(Some(asked_us));
        }
        self.change(place, |held| {
            for (record, tag) in records {
                held.add(&record, tag, false, limits.per_key);
            }
        });
        let held = self.at(place).map(|slot| Arc::clone(&slot.held));
        self.keep_within(limits.bytes, place);
        held
    }

    fn has_to_write(&mut self, place: usize) {
        let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) else { return };
        if !std::mem::replace(&mut slot.is_dirty, true) {
            self.dirty.extend(u32::try_from(place));
        }
    }

    /// Takes out rows that are to be written, at most `limit`, and the places that they come from.
    pub(super) fn send(&mut self, limit: usize, rows: &mut Vec<ProviderRow>, places: &mut Vec<usize>) {
        let end = rows.len() + limit;
        while rows.len() < end
            && let Some(place) = self.dirty.pop_front()
        {
            let place = place as usize;
            let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) else { continue };
            slot.is_dirty = false;
            places.push(place);
            if Arc::make_mut(&mut slot.held).send(end - rows.len(), rows) {
                self.has_to_write(place);
            }
        }
    }

    /// What was sent from a place is written, or has to be sent again.
    pub(super) fn sent(&mut self, place: usize, is_written: bool) {
        if self.at(place).is_some() && self.change(place, |held| held.sent(is_written)) == Some(true) {
            self.has_to_write(place);
        }
    }

    /// Changes a list and counts what it takes; it goes when it is empty and nothing is known of it.
    pub(super) fn change<T>(
        &mut self,
        place: usize,
        change: impl FnOnce(&mut ProvidersHeld) -> T,
    ) -> Option<T> {
        let slot = self.slots.get_mut(place)?.as_mut()?;
        let (records, bytes) = (slot.held.len(), slot.held.size());
        self.pending.take_away(slot.held.pending());
        let changed = change(Arc::make_mut(&mut slot.held));
        self.pending.add(slot.held.pending());
        self.records = self.records + slot.held.len() - records;
        self.bytes = self.bytes + slot.held.size() - bytes;
        if slot.held.len() == 0 && slot.whole_us.is_none() {
            self.drop_list(place);
        }
        Some(changed)
    }

    fn drop_list(&mut self, place: usize) {
        let Some(slot) = self.slots.get_mut(place).and_then(Option::take) else { return };
        self.records -= slot.held.len();
        self.bytes -= slot.held.size() + SLOT_BYTES;
        self.pending.take_away(slot.held.pending());
        if let Ok(found) = self.index.find_entry(slot.hash, |&other| other as usize == place) {
            found.remove();
        }
        self.free.extend(u32::try_from(place));
    }

    /// Drops the list that got no record for longest, of a few that stand beside each other; never the one at `spared`, nor
    /// one that the backend does not have.
    fn evict(&mut self, spared: usize) -> bool {
        let places = self.slots.len();
        let near = (0..SAMPLE.min(places)).map(|step| (self.hand + step) % places);
        let may_go = near.filter(|&place| place != spared).filter_map(|place| {
            let slot = self.at(place).filter(|slot| slot.held.pending().records == 0)?;
            // That nobody provides a key is worth less: who asks for keys at random must not drive out the others.
            let is_provided = slot.held.len() > 0;
            Some((is_provided, slot.held.newest_us().max(slot.whole_us.unwrap_or_default()), place))
        });
        let oldest = may_go.min();
        self.hand = (self.hand + SAMPLE) % places.max(1);
        let Some((.., place)) = oldest else { return false };
        self.drop_list(place);
        true
    }

    /// Drops what has expired of the next few lists.
    pub(super) fn sweep(&mut self, steps: usize, now_us: u64) {
        for _ in 0..steps.min(self.slots.len()) {
            self.hand = (self.hand + 1) % self.slots.len();
            let place = self.hand;
            let is_old =
                |slot: &Slot| slot.whole_us.is_none_or(|whole| whole.saturating_add(NOBODY_US) < now_us);
            if self.at(place).is_some_and(|slot| slot.held.len() == 0 && is_old(slot)) {
                self.drop_list(place);
            } else if self.at(place).is_some_and(|slot| slot.held.has_expired(now_us)) {
                self.change(place, |held| held.expire(now_us));
            }
        }
    }
}
