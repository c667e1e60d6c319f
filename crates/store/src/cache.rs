//! A map of bounded size that forgets what was not used lately.

use std::{borrow::Borrow, hash::Hash};

use foldhash::fast::RandomState;
use hashbrown::{Equivalent, HashMap};

/// Two generations of at most `capacity` entries each. When the young one is full it becomes the old one, and what was
/// in the old one and not asked for since is forgotten.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    capacity: usize,
    young: HashMap<K, V, RandomState>,
    old: HashMap<K, V, RandomState>,
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// Remembers between `capacity` and twice as many entries.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, young: HashMap::default(), old: HashMap::default() }
    }

    /// What is remembered for `key`; `None` if it was never put in or is forgotten.
    pub(crate) fn get<Q: Hash + Equivalent<K> + ?Sized>(&mut self, key: &Q) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.put(key, value.clone());
        Some(value)
    }

    /// Remembers a value.
    pub(crate) fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.capacity {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// What is remembered for `key`, or else what `make` makes, which is then remembered.
    pub(crate) fn get_or_try<Q, E>(&mut self, key: &Q, make: impl FnOnce() -> Result<V, E>) -> Result<V, E>
    where
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        K: Borrow<Q>,
    {
        if let Some(value) = self.get(key) {
            return Ok(value);
        }
        let value = make()?;
        self.put(key.to_owned(), value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_what_was_not_used_and_stays_bounded() {
        let mut cache = Cache::new(10);
        cache.put(0, 0);
        for n in 1..1000 {
            cache.put(n, n);
            assert_eq!(cache.get(&0), Some(0), "in use");
            assert!(cache.young.len() + cache.old.len() <= 20);
        }
        assert_eq!(cache.get(&999), Some(999));
        assert_eq!(cache.get(&500), None);
    }
}
