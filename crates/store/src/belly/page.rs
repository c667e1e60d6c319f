//! All records, a page after the other.

use std::time::Duration;

use kad::records::PROVIDER_ADDRESS_LIFETIME;

use super::{
    backend::ProviderRow,
    held::HeldProvider,
    shelves::{SHARDS, Shelves},
};

/// Lists that are looked at for one page at most: one lock each.
const PLACES: usize = 4096;

/// Where a page ended. The next one begins behind it, whatever was written meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordCursor(pub(super) PageEnd);

/// The same for who keeps the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PageEnd {
    /// In memory: a part, a list in it, and the last provider of that.
    Memory { shard: usize, place: usize, id: Vec<u8> },
    /// In a backend.
    Stored(StoredEnd),
    /// In a backend: the last item, by its key and second.
    #[cfg(feature = "dynamodb")]
    Item { key: Vec<u8>, ttl: u64 },
}

/// The last record of a page in a backend, and where the last page ends: what comes behind that later is on none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StoredEnd {
    pub(super) key: Vec<u8>,
    pub(super) id: Vec<u8>,
    /// The greatest key that there was at the first page.
    pub(super) last: Vec<u8>,
}

/// A provider record with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedProvider {
    /// The key, as it was announced: mostly a multihash.
    pub key: Vec<u8>,
    /// The bytes of the provider's id.
    pub id: Vec<u8>,
    /// Its entry in a message, with its addresses as long as those live.
    pub entry: Vec<u8>,
    /// When the record came, since the Unix epoch.
    pub received: Duration,
    /// How long it lives from then on.
    pub lifetime: Duration,
    /// Whether somebody else than the provider gave it.
    pub is_fetched: bool,
}

/// A page of the provider records. It may hold fewer than were asked for, even none, without being the last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordPage {
    /// Records that have not expired; each once, if it was there before the first page and is after the last.
    pub records: Vec<ListedProvider>,
    /// Where the next page begins; `None` if this is the last.
    pub next: Option<RecordCursor>,
}

impl RecordPage {
    /// What a backend has behind a place; the last page if there is less than was asked for. What no belly has written is left out.
    pub(super) fn of_rows(rows: Vec<Option<ProviderRow>>, limit: usize, now_us: u64, last: Vec<u8>) -> Self {
        let is_full = rows.len() >= limit;
        let rows: Vec<_> = rows.into_iter().flatten().collect();
        let next = rows.last().filter(|_| is_full).map(|row| {
            RecordCursor(PageEnd::Stored(StoredEnd { key: row.key.to_vec(), id: row.id().to_vec(), last }))
        });
        let live = rows.iter().filter(|row| row.expires_us() >= now_us);
        Self { records: live.map(|row| ListedProvider::of_row(row, now_us)).collect(), next }
    }
}

impl ListedProvider {
    pub(super) fn of_row(row: &ProviderRow, now_us: u64) -> Self {
        let age = Duration::from_micros(now_us.saturating_sub(row.received_us));
        let bare = row.entry.len() - row.addrs().len();
        let shown = if age <= PROVIDER_ADDRESS_LIFETIME { row.entry.len() } else { bare };
        Self {
            key: row.key.to_vec(),
            id: row.id().to_vec(),
            entry: row.entry.get(..shown).unwrap_or_default().to_vec(),
            received: Duration::from_micros(row.received_us),
            lifetime: Duration::from_secs(row.lifetime_s.into()),
            is_fetched: row.is_fetched,
        }
    }

    pub(super) fn of(key: &[u8], held: &HeldProvider<'_>) -> Self {
        Self {
            key: key.to_vec(),
            id: held.known.id.to_vec(),
            entry: held.known.entry.to_vec(),
            received: held.received,
            lifetime: held.lifetime,
            is_fetched: held.is_fetched,
        }
    }
}

impl Shelves {
    /// The records behind a place, at most `limit`.
    pub(super) fn page(&self, after: Option<&RecordCursor>, limit: usize, now: Duration) -> RecordPage {
        let (mut shard, mut place, mut id) = match after {
            Some(RecordCursor(PageEnd::Memory { shard, place, id })) => (*shard, *place, id.clone()),
            _ => (0, 0, Vec::new()),
        };
        let mut page = RecordPage::default();
        for _ in 0..PLACES {
            if shard == SHARDS {
                return page;
            }
            let locked = self.shard(shard);
            if place >= locked.places() {
                (shard, place, id) = (shard + 1, 0, Vec::new());
                continue;
            }
            let held = locked.at(place).map(|slot| std::sync::Arc::clone(&slot.held));
            drop(locked);
            if let Some(held) = held {
                let mut records: Vec<_> = held.iter(now).filter(|held| *held.known.id > *id).collect();
                records.sort_unstable_by_key(|held| held.known.id);
                let room = limit.max(1) - page.records.len();
                page.records
                    .extend(records.iter().take(room).map(|record| ListedProvider::of(held.key(), record)));
                if records.len() >= room {
                    let id = page.records.last().map(|record| record.id.clone()).unwrap_or_default();
                    page.next = Some(RecordCursor(PageEnd::Memory { shard, place, id }));
                    return page;
                }
            }
            (place, id) = (place + 1, Vec::new());
        }
        page.next = Some(RecordCursor(PageEnd::Memory { shard, place, id }));
        page
    }
}
