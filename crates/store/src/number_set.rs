//! A set of numbers of rows.

/// A bit for each number up to the largest that is in it. Numbers below zero, which no row has, count as being in it.
#[derive(Debug, Default)]
pub(crate) struct NumberSet(Vec<u64>);

impl NumberSet {
    pub(crate) fn insert(&mut self, id: i64) {
        let Ok(id) = usize::try_from(id) else { return };
        if self.0.len() <= id / 64 {
            self.0.resize(id / 64 + 1, 0);
        }
        self.0[id / 64] |= 1 << (id % 64);
    }

    pub(crate) fn contains(&self, id: i64) -> bool {
        let Ok(id) = usize::try_from(id) else { return true };
        self.0.get(id / 64).is_some_and(|bits| bits >> (id % 64) & 1 == 1)
    }

    /// How many are in it.
    pub(crate) fn len(&self) -> u64 {
        self.0.iter().map(|bits| u64::from(bits.count_ones())).sum()
    }
}
