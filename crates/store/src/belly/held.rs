//! Who provides one key: a list that is ready to be answered with.
//!
//! The entries of all providers lie behind each other in one buffer, behind the key. An answer shares the list and copies
//! bytes out of it; while none does, a new provider is put at its end. What is replaced leaves a gap until there are as many
//! bytes of gaps as of entries.

use std::time::Duration;

use kad::{answer::Known, records::PROVIDER_ADDRESS_LIFETIME};

use super::{
    backend::ProviderRow,
    provider::{NewRecord, bare_len},
};

/// Gaps that are not worth closing, in bytes.
const GAPS_BYTES: usize = 512;

/// What the allocator and the count of users of a list take beside its parts, in bytes.
const OVERHEAD_BYTES: usize = 16 + 3 * 16;

/// What a record takes that waits to be written, beside its entry, in bytes: its share of a list, and its row on the way.
const PENDING_BYTES: usize = 192;

/// The most that the entries of one key take, in bytes: of a longer list the oldest are dropped. An answer holds 4 MiB.
const KEY_BYTES: usize = 1 << 20;

/// Somebody else than the provider gave it.
const FETCHED: u8 = 1;
/// The backend does not have it.
const UNSAVED: u8 = 2;
/// It is on its way to the backend.
const SENT: u8 = 4;

/// The providers of a key, as they were known at one moment.
#[derive(Debug, Clone, Default)]
pub struct ProvidersHeld {
    /// The oldest first.
    records: Vec<Place>,
    /// The key, then entries.
    bytes: Vec<u8>,
    key_len: usize,
    gaps: usize,
    pending: Pending,
}

/// What the backend does not have yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) records: usize,
    /// What they take where they wait, in bytes, estimated from above.
    pub(super) bytes: usize,
}

/// One record of a list.
#[derive(Debug, Clone, Copy)]
struct Place {
    received_us: u64,
    lifetime_s: u32,
    /// Tells most ids apart without a look at them.
    tag: u32,
    at: u32,
    len: u16,
    id_len: u8,
    state: u8,
}

/// A record of a list with its times.
#[derive(Debug, Clone, Copy)]
pub struct HeldProvider<'a> {
    /// The provider as it stands in an answer.
    pub known: Known<'a>,
    /// Its entry with all addresses that the record came with, whether they live or not.
    pub entry: &'a [u8],
    /// When the record came, since the Unix epoch.
    pub received: Duration,
    /// How long it lives from then on.
    pub lifetime: Duration,
    /// Whether somebody else than the provider gave it.
    pub is_fetched: bool,
}

impl Place {
    const fn expires_us(&self) -> u64 {
        self.received_us.saturating_add(self.lifetime_s as u64 * 1_000_000)
    }

    const fn is_fetched(&self) -> bool {
        self.state & FETCHED != 0
    }

    fn pending(&self) -> Pending {
        match self.state & (UNSAVED | SENT) {
            0 => Pending::default(),
            _ => Pending { records: 1, bytes: PENDING_BYTES + usize::from(self.len) },
        }
    }
}

impl ProvidersHeld {
    /// A list without a provider.
    pub(super) fn new(key: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(key.len() + 96);
        bytes.extend_from_slice(key);
        Self { records: Vec::new(), bytes, key_len: key.len(), gaps: 0, pending: Pending::default() }
    }

    /// The key.
    pub fn key(&self) -> &[u8] {
        self.bytes.get(..self.key_len).unwrap_or_default()
    }

    /// Those whose records live at `now`, the newest first; each with its addresses as long as those live.
    pub fn known(&self, now: Duration) -> impl Iterator<Item = Known<'_>> + Clone {
        self.iter(now).map(|held| held.known)
    }

    /// How many records live at `now`.
    pub fn live(&self, now: Duration) -> usize {
        let now = micros(now);
        self.records.iter().filter(|place| place.expires_us() >= now).count()
    }

    /// Whether no record lives at `now`.
    pub fn is_empty(&self, now: Duration) -> bool {
        let now = micros(now);
        !self.records.iter().rev().any(|place| place.expires_us() >= now)
    }

    /// The same records with their times.
    pub fn iter(&self, now: Duration) -> impl Iterator<Item = HeldProvider<'_>> + Clone {
        let now = micros(now);
        let live = self.records.iter().rev().filter(move |place| place.expires_us() >= now);
        live.filter_map(move |place| self.held(place, now))
    }

    fn held(&self, place: &Place, now_us: u64) -> Option<HeldProvider<'_>> {
        let (entry, id) = (self.entry(place)?, self.id(place)?);
        let bare = bare_len(id.len());
        let age = Duration::from_micros(now_us.saturating_sub(place.received_us));
        let has_addresses = entry.len() > bare && age <= PROVIDER_ADDRESS_LIFETIME;
        let shown = if has_addresses { entry } else { entry.get(..bare)? };
        Some(HeldProvider {
            known: Known { id, entry: shown, has_addresses },
            entry,
            received: Duration::from_micros(place.received_us),
            lifetime: Duration::from_secs(place.lifetime_s.into()),
            is_fetched: place.is_fetched(),
        })
    }

    fn entry(&self, place: &Place) -> Option<&[u8]> {
        let at = place.at as usize;
        self.bytes.get(at..at + usize::from(place.len))
    }

    fn id(&self, place: &Place) -> Option<&[u8]> {
        let at = place.at as usize + 2;
        self.bytes.get(at..at + usize::from(place.id_len))
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// When the newest record came, in microseconds since the Unix epoch; 0 if there is none.
    pub(super) fn newest_us(&self) -> u64 {
        self.records.last().map_or(0, |place| place.received_us)
    }

    /// What it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        let places = self.records.capacity() * size_of::<Place>();
        size_of::<Self>() + OVERHEAD_BYTES + places + self.bytes.capacity()
    }

    /// Adds a record, of which the backend knows or not. A list longer than `cap` loses its oldest.
    /// `false` if what is there is newer, or comes from the provider itself.
    pub(super) fn add(&mut self, new: &NewRecord<'_>, tag: u32, is_unsaved: bool, cap: usize) -> bool {
        let id = new.provider.id();
        let same = self.records.iter().rposition(|place| place.tag == tag && self.id(place) == Some(id));
        if same.and_then(|at| self.records.get(at)).is_some_and(|place| !replaces(place, new)) {
            return false;
        }
        if let Some(at) = same {
            self.remove(at);
        }
        let at = self.records.partition_point(|place| place.received_us <= new.received_us);
        if at == 0 && self.records.len() >= cap {
            return false;
        }
        let place = self.append(new, tag, is_unsaved);
        reserve_a_little(&mut self.records, 1);
        self.pending.add(place.pending());
        self.records.insert(at, place);
        while self.records.len() > cap || (self.bytes.len() - self.gaps > KEY_BYTES && self.records.len() > 1)
        {
            self.remove(0);
        }
        true
    }

    fn append(&mut self, new: &NewRecord<'_>, tag: u32, is_unsaved: bool) -> Place {
        let entry = new.provider.entry();
        if self.gaps > GAPS_BYTES && self.gaps > self.bytes.len() / 2 {
            self.close_gaps();
        }
        let at = self.bytes.len();
        reserve_a_little(&mut self.bytes, entry.len());
        self.bytes.extend_from_slice(entry);
        let state = if new.is_fetched { FETCHED } else { 0 } | if is_unsaved { UNSAVED } else { 0 };
        // Both lengths fit: `NewProvider` is no longer.
        let len = u16::try_from(entry.len()).unwrap_or(u16::MAX);
        let id_len = u8::try_from(new.provider.id().len()).unwrap_or(u8::MAX);
        let (received_us, lifetime_s) = (new.received_us, new.lifetime_s);
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        Place { received_us, lifetime_s, tag, at, len, id_len, state }
    }

    fn remove(&mut self, at: usize) {
        let place = self.records.remove(at);
        self.gaps += usize::from(place.len);
        self.pending.take_away(place.pending());
    }

    fn close_gaps(&mut self) {
        let mut bytes = Vec::with_capacity(self.bytes.len().saturating_sub(self.gaps) + 96);
        bytes.extend_from_slice(self.key());
        for place in &mut self.records {
            let at = place.at as usize;
            place.at = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(self.bytes.get(at..at + usize::from(place.len)).unwrap_or_default());
        }
        (self.bytes, self.gaps) = (bytes, 0);
    }

    /// Whether a record has expired at `now`.
    pub(super) fn has_expired(&self, now_us: u64) -> bool {
        self.records.iter().any(|place| place.expires_us() < now_us)
    }

    /// Drops what has expired.
    pub(super) fn expire(&mut self, now_us: u64) {
        let (gaps, pending) = (&mut self.gaps, &mut self.pending);
        self.records.retain(|place| {
            let is_live = place.expires_us() >= now_us;
            if !is_live {
                *gaps += usize::from(place.len);
                pending.take_away(place.pending());
            }
            is_live
        });
        if self.gaps > GAPS_BYTES && self.gaps > self.bytes.len() / 2 {
            self.close_gaps();
            self.records.shrink_to_fit();
        }
    }

    /// What the backend lacks, as far as is known.
    pub(super) const fn pending(&self) -> Pending {
        self.pending
    }

    /// Takes out rows of records that are to be written, at most `limit`; whether there are more.
    pub(super) fn send(&mut self, limit: usize, rows: &mut Vec<ProviderRow>) -> bool {
        let mut room = limit;
        for at in 0..self.records.len() {
            let Some(place) = self.records.get(at).filter(|place| place.state & UNSAVED != 0).copied() else {
                continue;
            };
            if room == 0 {
                return true;
            }
            room -= 1;
            rows.push(ProviderRow {
                key: self.key().into(),
                entry: self.entry(&place).unwrap_or_default().into(),
                id_len: usize::from(place.id_len),
                received_us: place.received_us,
                lifetime_s: place.lifetime_s,
                is_fetched: place.is_fetched(),
            });
            if let Some(place) = self.records.get_mut(at) {
                place.state = place.state & !UNSAVED | SENT;
            }
        }
        false
    }

    /// What was sent is written, or has to be sent again; whether there is anything to send.
    pub(super) fn sent(&mut self, is_written: bool) -> bool {
        for place in self.records.iter_mut().filter(|place| place.state & SENT != 0) {
            if is_written {
                self.pending.take_away(place.pending());
                place.state &= !SENT;
            } else {
                place.state = place.state & !SENT | UNSAVED;
            }
        }
        self.records.iter().any(|place| place.state & UNSAVED != 0)
    }
}

impl Pending {
    pub(super) const fn add(&mut self, more: Self) {
        self.records += more.records;
        self.bytes += more.bytes;
    }

    pub(super) const fn take_away(&mut self, less: Self) {
        self.records -= less.records;
        self.bytes -= less.bytes;
    }
}

/// Makes room without doubling what is small: most keys have one provider.
fn reserve_a_little<T>(list: &mut Vec<T>, more: usize) {
    if list.capacity() - list.len() < more {
        list.reserve_exact(more.max(list.len() / 2));
    }
}

/// Whether a record takes the place of one of the same provider.
fn replaces(place: &Place, new: &NewRecord<'_>) -> bool {
    let is_over = place.expires_us() < new.received_us;
    match (new.is_fetched, place.is_fetched()) {
        (true, _) => is_over,
        (false, true) => true,
        (false, false) => new.received_us >= place.received_us,
    }
}

/// A time since the Unix epoch in microseconds.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
