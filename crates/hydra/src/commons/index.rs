//! Things by their place among keys: a sorted array that is cut into cells of equal prefixes.
//!
//! The XOR of two cells' numbers is the beginning of the distance between their keys, so whoever is closest to a target is found
//! by going through the cells in the order of that XOR, and sorting within each. Reading is what it is made for: a write moves
//! what stands behind it.

use std::{cmp::Ordering, ops::Range};

use kad::Key;

/// Cells are halved when they hold more than so many on average, and doubled when they hold a quarter of it.
const MAX_PER_CELL: usize = 8;

/// The most bits that tell cells apart: 65,536 of them, for half a million things.
const MAX_CELL_BITS: u32 = 16;

/// Things by their keys, which are all different.
#[derive(Debug, Clone)]
pub struct KeyIndex<T> {
    /// Sorted.
    keys: Vec<Key>,
    /// In the order of their keys.
    items: Vec<T>,
    /// How many leading bits of a key say in which cell it is.
    bits: u32,
    /// Where each cell begins among the keys, and where the last one ends.
    starts: Vec<u32>,
}

/// One that may be among the closest: the beginning of its distance, and its position.
type Near = (u64, usize);

impl<T> Default for KeyIndex<T> {
    fn default() -> Self {
        Self { keys: Vec::new(), items: Vec::new(), bits: 0, starts: vec![0, 0] }
    }
}

impl<T> KeyIndex<T> {
    /// How many things there are.
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is nothing.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// All of them, with their keys, in the order of these.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &T)> {
        self.keys.iter().zip(&self.items)
    }

    /// Those behind a key, whether something is at it or not; all of them if there is no key.
    pub fn behind(&self, key: Option<&Key>) -> impl Iterator<Item = (&Key, &T)> {
        self.iter().skip(key.map_or(0, |key| self.keys.partition_point(|own| own <= key)))
    }

    /// What is at a key; `None` if nothing is.
    pub fn get(&self, key: &Key) -> Option<&T> {
        self.items.get(self.position(key).ok()?)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, key: &Key) -> Option<&mut T> {
        let position = self.position(key).ok()?;
        self.items.get_mut(position)
    }

    /// Puts something at a key; what was there before, if anything was.
    pub fn insert(&mut self, key: Key, item: T) -> Option<T> {
        match self.position(&key) {
            Ok(position) => self.items.get_mut(position).map(|before| std::mem::replace(before, item)),
            Err(position) => {
                self.keys.insert(position, key);
                self.items.insert(position, item);
                let cell = self.cell(&key);
                self.starts.iter_mut().skip(cell + 1).for_each(|start| *start += 1);
                self.cut();
                None
            }
        }
    }

    /// Takes away what is at a key; `None` if nothing is.
    pub fn remove(&mut self, key: &Key) -> Option<T> {
        let position = self.position(key).ok()?;
        self.keys.remove(position);
        let removed = self.items.remove(position);
        let cell = self.cell(key);
        self.starts.iter_mut().skip(cell + 1).for_each(|start| *start -= 1);
        self.cut();
        Some(removed)
    }

    /// Keeps only what is wanted.
    pub fn retain(&mut self, is_wanted: impl Fn(&Key, &T) -> bool) {
        let wanted: Vec<bool> = self.iter().map(|(key, item)| is_wanted(key, item)).collect();
        let mut flags = wanted.iter();
        self.keys.retain(|_| flags.next().is_none_or(|&wanted| wanted));
        let mut flags = wanted.iter();
        self.items.retain(|_| flags.next().is_none_or(|&wanted| wanted));
        self.cut_into(self.bits);
        self.cut();
    }

    /// The `count` things closest to a target, the closest first, each as `as_what` makes it of its key and itself.
    pub fn closest<'a, R>(
        &'a self,
        target: &Key,
        count: usize,
        as_what: impl Fn(&'a Key, &'a T) -> R,
    ) -> Vec<R> {
        let mut near: Vec<Near> = Vec::with_capacity(count + MAX_PER_CELL);
        let (own, cells) = (self.cell(target), 1 << self.bits);
        for step in 0..cells {
            let begun = near.len();
            if begun >= count {
                break;
            }
            let range = self.range(own ^ step);
            let distance = |position: usize| self.keys[position].prefix64() ^ target.prefix64();
            near.extend(range.map(|position| (distance(position), position)));
            self.order(&mut near, begun, count, target);
        }
        let at = |position: usize| self.keys.get(position).zip(self.items.get(position));
        let found = near.into_iter().filter_map(|(_, position)| at(position));
        found.map(|(key, item)| as_what(key, item)).collect()
    }

    /// Sorts those from `begun` on by distance, and keeps `count` of all.
    fn order(&self, near: &mut Vec<Near>, begun: usize, count: usize, target: &Key) {
        let fresh = &mut near[begun..];
        let by_distance = |a: &Near, b: &Near| self.compare(a, b, target);
        let wanted = count - begun;
        if fresh.len() > wanted {
            // A cell that somebody has filled on purpose is not sorted as a whole.
            fresh.select_nth_unstable_by(wanted, by_distance);
            near.truncate(count);
        }
        near[begun..].sort_unstable_by(by_distance);
    }

    fn compare(&self, a: &Near, b: &Near, target: &Key) -> Ordering {
        let whole = |near: &Near| self.keys[near.1].distance(target);
        a.0.cmp(&b.0).then_with(|| whole(a).cmp(&whole(b)))
    }

    /// In which cell a key is.
    fn cell(&self, key: &Key) -> usize {
        usize::from(key.prefix16()) >> (16 - self.bits)
    }

    fn range(&self, cell: usize) -> Range<usize> {
        let at = |cell: usize| self.starts.get(cell).map_or(self.keys.len(), |&start| start as usize);
        at(cell)..at(cell + 1)
    }

    /// Where a key is, or would be.
    fn position(&self, key: &Key) -> Result<usize, usize> {
        let range = self.range(self.cell(key));
        let begin = range.start;
        self.keys[range].binary_search(key).map(|at| begin + at).map_err(|at| begin + at)
    }

    /// Cuts anew where there are too many or too few in a cell.
    fn cut(&mut self) {
        let cells = 1_usize << self.bits;
        if self.len() > cells * MAX_PER_CELL && self.bits < MAX_CELL_BITS {
            self.cut_into(self.bits + 1);
        } else if self.bits > 0 && self.len() < cells * MAX_PER_CELL / 4 {
            self.cut_into(self.bits - 1);
        }
    }

    fn cut_into(&mut self, bits: u32) {
        self.bits = bits;
        let mut starts = vec![0_u32; (1 << bits) + 1];
        for key in &self.keys {
            starts[self.cell(key) + 1] += 1;
        }
        for cell in 1..starts.len() {
            starts[cell] += starts[cell - 1];
        }
        self.starts = starts;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Many of one prefix, which fill a cell, among others.
    fn keys() -> impl Strategy<Value = Vec<Key>> {
        let key = (any::<[u8; 32]>(), any::<bool>()).prop_map(|(mut bytes, is_crowd)| {
            if is_crowd {
                bytes[..9].fill(0x5a);
            }
            Key::from_bytes(bytes)
        });
        prop::collection::vec(key, 0..400)
    }

    fn of(keys: &[Key]) -> KeyIndex<Key> {
        let mut index = KeyIndex::default();
        for key in keys {
            index.insert(*key, *key);
        }
        index
    }

    proptest! {
        #[test]
        fn the_closest_are_those_that_comparing_all_of_them_finds(
            keys in keys(), target: [u8; 32], crowded: bool, count in 0_usize..40,
        ) {
            let mut target = target;
            if crowded {
                target[..8].fill(0x5a);
            }
            let (index, target) = (of(&keys), Key::from_bytes(target));
            let mut all = keys.clone();
            all.sort_by_key(|key| key.distance(&target));
            all.dedup();
            all.truncate(count);
            prop_assert_eq!(index.closest(&target, count, |_, key| *key), all);
        }

        #[test]
        fn what_was_taken_away_is_gone_and_all_else_is_found(keys in keys(), taken: [bool; 400]) {
            let mut index = of(&keys);
            for (key, _) in keys.iter().zip(taken).filter(|(_, taken)| *taken) {
                index.remove(key);
            }
            let is_taken = |key: &Key| keys.iter().zip(taken).any(|(other, taken)| taken && other == key);
            for key in &keys {
                prop_assert_eq!(index.get(key), Some(key).filter(|key| !is_taken(key)));
            }
            prop_assert_eq!(index.iter().count(), index.len());
            prop_assert!(index.iter().map(|(key, _)| key).is_sorted());
            let mut kept = index.clone();
            kept.retain(|key, _| key.as_bytes()[31] % 2 == 0);
            prop_assert!(kept.iter().all(|(key, _)| key.as_bytes()[31] % 2 == 0 && kept.get(key).is_some()));
        }
    }
}
