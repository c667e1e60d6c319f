//! Records of many servers in the order in which they came, with a lifetime and bounds: what providers and values have
//! in common.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::RecordLimits;
use crate::key::Key;

/// What a record takes beside its body, in bytes, estimated from above: its place in four trees.
const OVERHEAD_BYTES: usize = 256;

/// Records of many servers.
#[derive(Debug)]
pub(super) struct Shelf<B> {
    limits: RecordLimits,
    max_age: Duration,
    /// All records by the number of their coming: the oldest first.
    records: BTreeMap<u64, Shelved<B>>,
    next: u64,
    /// The numbers of those of one server under one key, ascending.
    under: BTreeMap<(u32, Key), Vec<u64>>,
    /// The numbers of those of one server.
    of_server: BTreeSet<(u32, u64)>,
    /// How many records a server has.
    counts: BTreeMap<u32, usize>,
    bytes: usize,
}

/// One record.
#[derive(Debug)]
pub(super) struct Shelved<B> {
    server: u32,
    key: Key,
    bytes: usize,
    pub(super) received: Duration,
    pub(super) body: B,
}

impl<B> Shelf<B> {
    pub(super) const fn new(limits: RecordLimits, max_age: Duration) -> Self {
        Self {
            limits,
            max_age,
            records: BTreeMap::new(),
            next: 0,
            under: BTreeMap::new(),
            of_server: BTreeSet::new(),
            counts: BTreeMap::new(),
            bytes: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Keeps a record with a body of so many bytes, in the place of the one that `is_same`.
    pub(super) fn put(
        &mut self,
        (server, key): (u32, Key),
        now: Duration,
        (body, bytes): (B, usize),
        is_same: impl Fn(&B) -> bool,
    ) {
        self.expire(now);
        let same = |number: &&u64| self.records.get(number).is_some_and(|record| is_same(&record.body));
        if let Some(&number) = self.under.get(&(server, key)).and_then(|numbers| numbers.iter().find(same)) {
            self.remove(number);
        }
        let (number, bytes) = (self.next, bytes + OVERHEAD_BYTES);
        self.next += 1;
        self.bytes += bytes;
        self.records.insert(number, Shelved { server, key, bytes, received: now, body });
        self.under.entry((server, key)).or_default().push(number);
        self.of_server.insert((server, number));
        *self.counts.entry(server).or_default() += 1;
        self.keep_within_limits((server, key));
    }

    /// A server's records under a key that have not expired, the newest first.
    pub(super) fn get(&self, server: u32, key: Key, now: Duration) -> impl Iterator<Item = &Shelved<B>> {
        let numbers = self.under.get(&(server, key)).map_or(&[][..], Vec::as_slice);
        let records = numbers.iter().rev().filter_map(|number| self.records.get(number));
        records.filter(move |record| !self.is_expired(record, now))
    }

    fn is_expired(&self, record: &Shelved<B>, now: Duration) -> bool {
        now.saturating_sub(record.received) > self.max_age
    }

    /// Drops what has expired: since all live equally long, that is at the front.
    fn expire(&mut self, now: Duration) {
        while let Some((&number, oldest)) = self.records.first_key_value()
            && self.is_expired(oldest, now)
        {
            self.remove(number);
        }
    }

    /// Only the place where a record was added can have too many of them, and the store as a whole.
    fn keep_within_limits(&mut self, (server, key): (u32, Key)) {
        let RecordLimits { per_server, per_key, total_bytes } = self.limits;
        let under = self.under.get(&(server, key));
        if let Some(&oldest) = under.filter(|numbers| numbers.len() > per_key).and_then(|list| list.first()) {
            self.remove(oldest);
        }
        if self.counts.get(&server).is_some_and(|&count| count > per_server)
            && let Some(&(_, oldest)) = self.of_server.range((server, 0)..).next()
        {
            self.remove(oldest);
        }
        while self.bytes > total_bytes
            && let Some((&oldest, _)) = self.records.first_key_value()
        {
            self.remove(oldest);
        }
    }

    fn remove(&mut self, number: u64) {
        let Some(Shelved { server, key, bytes, .. }) = self.records.remove(&number) else { return };
        self.bytes -= bytes;
        self.of_server.remove(&(server, number));
        if let Some(numbers) = self.under.get_mut(&(server, key)) {
            numbers.retain(|&other| other != number);
            if numbers.is_empty() {
                self.under.remove(&(server, key));
            }
        }
        if let Some(count) = self.counts.get_mut(&server) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&server);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: RecordLimits =
        RecordLimits { per_server: 5, per_key: 3, total_bytes: 12 * (OVERHEAD_BYTES + 1) };

    proptest! {
        #[test]
        fn no_bound_is_exceeded_and_the_trees_agree(
            steps in proptest::collection::vec((0u32..4, 0u8..3, 0u8..6, 0u64..4), 0..200)
        ) {
            let mut shelf = Shelf::new(LIMITS, Duration::from_secs(20));
            let mut now = Duration::ZERO;
            for (server, key, body, pause) in steps {
                now += Duration::from_secs(pause);
                let key = Key::of(&[key]);
                shelf.put((server, key), now, (body, 1), |&other| other == body);
                let newest = shelf.get(server, key, now).next().map(|record| record.body);
                prop_assert_eq!(newest, Some(body));
                prop_assert!(shelf.bytes <= LIMITS.total_bytes);
                prop_assert!(shelf.counts.values().all(|&count| (1..=LIMITS.per_server).contains(&count)));
                prop_assert!(shelf.under.values().all(|list| (1..=LIMITS.per_key).contains(&list.len())));
                prop_assert!(shelf.records.values().all(|record| !shelf.is_expired(record, now)));
                prop_assert_eq!(shelf.counts.values().sum::<usize>(), shelf.len());
                prop_assert_eq!(shelf.of_server.len(), shelf.len());
                prop_assert_eq!(shelf.under.values().map(Vec::len).sum::<usize>(), shelf.len());
                prop_assert_eq!(shelf.records.values().map(|record| record.bytes).sum::<usize>(), shelf.bytes);
            }
        }
    }
}
