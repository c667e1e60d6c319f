//! Which keys are asked for most, and whether the belly has them: what heads are for is told by the share of those.
//!
//! Pure, and bounded: of all keys a fixed number is counted by the Space-Saving algorithm (Metwally, Agrawal and El Abbadi, 2005,
//! "Efficient computation of frequent and top-k elements in data streams"). A key that is asked for more often than one in
//! [`MAX_KEYS`] requests is always among them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// How many keys are counted.
pub const MAX_KEYS: usize = 1024;

/// After so many requests all counts are halved, so that what was asked for long ago is forgotten.
const HALVED_AFTER: u64 = 1 << 16;

/// Counts keys.
#[derive(Debug, Default)]
pub struct PopularKeys {
    counted: HashMap<Box<[u8]>, Popular>,
    /// The same by their counts, the smallest first.
    by_count: BTreeSet<(u64, Box<[u8]>)>,
    since_halved: u64,
}

#[derive(Debug, Clone, Copy)]
struct Popular {
    count: u64,
    /// How much of the count may be another key's, whose place it took.
    error: u64,
    is_held: bool,
}

/// How many of the keys that are asked for most the belly had when they were last asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldShare {
    /// Keys that it had.
    pub held: usize,
    /// All that were looked at.
    pub of: usize,
}

impl PopularKeys {
    /// A key was asked for, and the belly had a record of it or not.
    pub fn note(&mut self, key: &[u8], is_held: bool) {
        let (count, error) = match self.counted.get(key) {
            Some(known) => {
                self.by_count.remove(&(known.count, key.into()));
                (known.count, known.error)
            }
            None => self.make_room(),
        };
        let count = count + 1;
        self.counted.insert(key.into(), Popular { count, error, is_held });
        self.by_count.insert((count, key.into()));
        self.since_halved += 1;
        if self.since_halved >= HALVED_AFTER {
            self.halve();
        }
    }

    /// Of the `top` keys that are asked for most. Left out are those that may have their place by that of another key alone.
    pub fn share(&self, top: usize) -> HeldShare {
        let known = self.by_count.iter().rev().filter_map(|(_, key)| self.counted.get(key));
        let popular = known.filter(|key| key.count > 2 * key.error).take(top);
        popular.fold(HeldShare { held: 0, of: 0 }, |share, key| HeldShare {
            held: share.held + usize::from(key.is_held),
            of: share.of + 1,
        })
    }

    /// Room for one more key: the one that was asked for least goes. Its count is what the new one may be short of.
    fn make_room(&mut self) -> (u64, u64) {
        if self.counted.len() < MAX_KEYS {
            return (0, 0);
        }
        let Some((least, key)) = self.by_count.pop_first() else { return (0, 0) };
        self.counted.remove(&key);
        (least, least)
    }

    fn halve(&mut self) {
        self.since_halved = 0;
        self.counted.retain(|_, key| {
            (key.count, key.error) = (key.count / 2, key.error / 2);
            key.count > 0
        });
        self.by_count = self.counted.iter().map(|(key, known)| (known.count, key.clone())).collect();
    }
}

/// One request in so many is looked at where many ask at once.
const SAMPLED: u64 = 8;

/// The same for many who ask at once.
#[derive(Debug, Default)]
pub(crate) struct SampledKeys {
    requests: AtomicU64,
    keys: Mutex<PopularKeys>,
}

impl SampledKeys {
    /// A key was asked for, and the belly had a record of it or not.
    pub(crate) fn note(&self, key: &[u8], is_held: bool) {
        if self.requests.fetch_add(1, Relaxed).is_multiple_of(SAMPLED) {
            self.keys.lock().unwrap_or_else(PoisonError::into_inner).note(key, is_held);
        }
    }

    /// [`PopularKeys::share`].
    pub(crate) fn share(&self, top: usize) -> HeldShare {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).share(top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> [u8; 8] {
        number.to_be_bytes()
    }

    #[test]
    fn of_what_is_asked_for_most_the_share_is_known() {
        let mut popular = PopularKeys::default();
        assert_eq!(popular.share(10), HeldShare { held: 0, of: 0 });
        for number in 0..20 {
            // Key 0 twenty times, key 19 once; even ones are held.
            for _ in number..20 {
                popular.note(&key(number), number % 2 == 0);
            }
        }
        assert_eq!(popular.share(5), HeldShare { held: 3, of: 5 });
        assert_eq!(popular.share(100), HeldShare { held: 10, of: 20 });
        // What counts is whether it was there the last time.
        popular.note(&key(1), true);
        assert_eq!(popular.share(5), HeldShare { held: 4, of: 5 });
    }

    #[test]
    fn a_flood_of_keys_that_are_asked_for_once_drowns_no_popular_one_and_takes_no_memory() {
        let mut popular = PopularKeys::default();
        for number in 0..100_000 {
            popular.note(&key(1_000_000 + number), false);
            // A hundred keys, each asked for by one request of two hundred.
            popular.note(&key(number % 100), true);
        }
        assert_eq!(popular.share(100), HeldShare { held: 100, of: 100 });
        assert!(popular.counted.len() <= MAX_KEYS && popular.by_count.len() == popular.counted.len());
    }

    #[test]
    fn what_was_asked_for_long_ago_is_forgotten() {
        let mut popular = PopularKeys::default();
        for _ in 0..1000 {
            popular.note(&key(1), true);
        }
        for _ in 0..12 * HALVED_AFTER {
            popular.note(&key(2), false);
        }
        assert_eq!(popular.share(2), HeldShare { held: 0, of: 1 });
    }
}
