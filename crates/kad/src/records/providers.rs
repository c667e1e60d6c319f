//! Who provides which key, as each server was told.

use std::{borrow::Cow, time::Duration};

use multiaddr::Multiaddr;

use super::{PROVIDE_VALIDITY, PROVIDER_ADDRESS_LIFETIME, RecordLimits, shelf::Shelf};
use crate::{
    answer::{self, Known},
    key::Key,
    message::ConnectionType,
};

/// The provider records of any number of servers: one a server, key and provider.
///
/// Each record lives [`PROVIDE_VALIDITY`] from its last announcement, and its addresses [`PROVIDER_ADDRESS_LIFETIME`].
/// That is one clock a record; go-libp2p-kad-dht has one for all addresses of a peer, so that there another key's
/// announcement, or a connection, keeps them longer.
#[derive(Debug)]
pub struct Providers(Shelf<ProviderOnShelf>);

#[derive(Debug)]
struct ProviderOnShelf {
    id: Box<[u8]>,
    /// Its entry in a message, with its addresses.
    entry: Box<[u8]>,
    has_addresses: bool,
}

/// A provider of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provided<'a> {
    /// The bytes of its id.
    pub id: Cow<'a, [u8]>,
    /// Its entry in a message: with its addresses as long as those live.
    pub entry: Cow<'a, [u8]>,
    /// Whether the entry has addresses.
    pub has_addresses: bool,
    /// When the record came, since the Unix epoch.
    pub received: Duration,
}

impl Provided<'_> {
    /// The same as a peer of an answer.
    pub fn known(&self) -> Known<'_> {
        Known { id: &self.id, entry: &self.entry, has_addresses: self.has_addresses }
    }

    /// The same without the store that it is kept in.
    pub fn into_owned(self) -> Provided<'static> {
        let Self { id, entry, has_addresses, received } = self;
        Provided {
            id: Cow::Owned(id.into_owned()),
            entry: Cow::Owned(entry.into_owned()),
            has_addresses,
            received,
        }
    }

    /// The same with its id alone.
    #[must_use]
    pub fn without_addresses(self) -> Self {
        let entry = Cow::Owned(entry(&self.id, &[]));
        Self { entry, has_addresses: false, ..self }
    }
}

impl Default for Providers {
    /// An empty store with the bounds [`RecordLimits::PROVIDERS`].
    fn default() -> Self {
        Self::new(RecordLimits::PROVIDERS)
    }
}

impl Providers {
    /// An empty store.
    pub const fn new(limits: RecordLimits) -> Self {
        Self(Shelf::new(limits, PROVIDE_VALIDITY))
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// How many records are kept. Expired ones count until the next one comes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Keeps that a server was told at `now` that the peer with this id provides a key. What it was told of the two
    /// before is replaced, addresses included.
    pub fn add(&mut self, server: u32, key: &[u8], provider: (&[u8], &[Multiaddr]), now: Duration) {
        let (id, addrs) = provider;
        let entry = entry(id, addrs).into_boxed_slice();
        let bytes = id.len() + entry.len();
        let body = ProviderOnShelf { id: id.into(), entry, has_addresses: !addrs.is_empty() };
        self.0.put((server, Key::of(key)), now, (body, bytes), |other| *other.id == *id);
    }

    /// Who provides a key as far as a server knows at `now`, the newest first.
    pub fn get(&self, server: u32, key: &[u8], now: Duration) -> impl Iterator<Item = Provided<'_>> {
        self.records(server, key, now).map(move |record| {
            let is_located = now.saturating_sub(record.received) <= PROVIDER_ADDRESS_LIFETIME;
            if is_located { record } else { record.without_addresses() }
        })
    }

    /// The same, with all addresses that a record came with, for a server that has a rule of its own for how long it
    /// gives them out.
    pub fn records(&self, server: u32, key: &[u8], now: Duration) -> impl Iterator<Item = Provided<'_>> {
        self.0.get(server, Key::of(key), now).map(|record| {
            let ProviderOnShelf { id, entry, has_addresses } = &record.body;
            let (id, entry) = (Cow::Borrowed(&**id), Cow::Borrowed(&**entry));
            Provided { id, entry, has_addresses: *has_addresses, received: record.received }
        })
    }
}

fn entry(id: &[u8], addrs: &[Multiaddr]) -> Vec<u8> {
    answer::entry(id, addrs.iter().map(AsRef::as_ref), ConnectionType::NotConnected)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const START: Duration = Duration::from_secs(3_600_000);

    fn addrs() -> Vec<Multiaddr> {
        vec!["/ip4/127.0.0.1/tcp/4001".parse().unwrap()]
    }

    fn seen(store: &Providers, server: u32, now: Duration) -> Vec<(Vec<u8>, bool)> {
        store.get(server, b"key", now).map(|found| (found.id.to_vec(), found.has_addresses)).collect()
    }

    #[test]
    fn addresses_live_a_day_and_a_record_two() {
        let mut store = Providers::default();
        store.add(7, b"key", (b"peer", &addrs()), START);
        let whole = entry(b"peer", &addrs());
        assert_eq!(store.get(7, b"key", START).next().map(|found| found.entry.into_owned()), Some(whole));
        assert_eq!(seen(&store, 7, START + 24 * HOUR), [(b"peer".to_vec(), true)]);
        assert_eq!(seen(&store, 7, START + 25 * HOUR), [(b"peer".to_vec(), false)]);
        let bare = store.get(7, b"key", START + 25 * HOUR).next().map(|found| found.entry.into_owned());
        assert_eq!(bare, Some(entry(b"peer", &[])));
        assert_eq!(seen(&store, 7, START + 48 * HOUR), [(b"peer".to_vec(), false)]);
        assert_eq!(seen(&store, 7, START + 49 * HOUR), []);
        assert!(seen(&store, 8, START).is_empty() && store.get(7, b"other", START).next().is_none());
        // The next one that comes sweeps out what has expired.
        store.add(8, b"other", (b"peer", &[]), START + 49 * HOUR);
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn a_new_announcement_replaces_the_old_one() {
        let mut store = Providers::default();
        store.add(1, b"key", (b"one", &[]), START);
        store.add(1, b"key", (b"two", &addrs()), START);
        store.add(1, b"key", (b"one", &addrs()), START + 24 * HOUR);
        assert_eq!(seen(&store, 1, START + 25 * HOUR), [(b"one".to_vec(), true), (b"two".to_vec(), false)]);
        assert_eq!(seen(&store, 1, START + 72 * HOUR), [(b"one".to_vec(), false)]);
        assert_eq!(store.len(), 2);
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut store = Providers::new(RecordLimits { per_server: 4, per_key: 2, total_bytes: 1 << 20 });
        for (hour, id) in (0..).zip([b"a", b"b", b"c"]) {
            store.add(1, b"key", (id, &[]), START + HOUR * hour);
        }
        assert_eq!(seen(&store, 1, START + 2 * HOUR), [(b"c".to_vec(), false), (b"b".to_vec(), false)]);
        for key in [b"k1", b"k2", b"k3"] {
            store.add(1, key, (b"d", &[]), START + 3 * HOUR);
        }
        assert_eq!(seen(&store, 1, START + 3 * HOUR), [(b"c".to_vec(), false)]);
    }
}
