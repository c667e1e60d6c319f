//! A table of the whole network: who is closest to a key is known without asking.

use std::{fmt, sync::Arc};

use kad::{
    Contact, Key, Multiaddr, PeerId,
    fullrt::{SortedKeys, TableFilter},
};

/// The most addresses that are kept of one peer.
const MAX_ADDRESSES: usize = 32;

/// Peers that a crawl reached, and where they are. Cheap to clone; it never changes, so whoever crawls anew makes another one.
///
/// It takes some 150 bytes for each peer: contacts are kept as bytes, and made when they are asked for.
#[derive(Clone)]
pub struct FullTable(Arc<Kept>);

#[derive(Debug, Default)]
struct Kept {
    keys: SortedKeys,
    /// Where the contact of each key ends in `bytes`.
    ends: Box<[u32]>,
    bytes: Box<[u8]>,
    filter: TableFilter,
}

impl FullTable {
    /// A table of these peers. One that comes twice is kept as it came first.
    pub fn of(contacts: impl IntoIterator<Item = Contact>) -> Self {
        Self::filtered(contacts, TableFilter::NONE)
    }

    /// A table of those of them that the filter takes in.
    pub fn filtered(contacts: impl IntoIterator<Item = Contact>, filter: TableFilter) -> Self {
        let admitted = contacts.into_iter().filter(|contact| filter.admits(contact));
        let mut all: Vec<(Key, Contact)> =
            admitted.map(|contact| (Key::of_peer(&contact.peer), contact)).collect();
        all.sort_by_key(|(key, _)| *key);
        all.dedup_by_key(|(key, _)| *key);
        let (mut keys, mut ends, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        for (key, contact) in &all {
            append(&mut bytes, contact);
            // Some tens of millions of peers would be too many for a table.
            let Ok(end) = u32::try_from(bytes.len()) else { break };
            keys.push(*key);
            ends.push(end);
        }
        let keys = SortedKeys::new(keys);
        Self(Arc::new(Kept { keys, ends: ends.into(), bytes: bytes.into(), filter }))
    }

    /// The peers closest to a key (the bytes of a peer id or a multihash), the closest first: `count` of them, or fewer if there are no
    /// more.
    pub fn closest(&self, key: &[u8], count: usize) -> Vec<Contact> {
        self.nearest(key).take(count).collect()
    }

    /// All peers, those closest to a key first. Those that the table's filter leaves out of the closest are left out.
    pub(crate) fn nearest<'a>(&'a self, key: &[u8]) -> impl Iterator<Item = Contact> + Send + use<'a> {
        self.nearest_to(&Key::of(key)).map(|(_, contact)| contact)
    }

    /// The same, each with its position in the table.
    pub(crate) fn nearest_to<'a>(
        &'a self,
        key: &Key,
    ) -> impl Iterator<Item = (usize, Contact)> + Send + use<'a> {
        let mut tally = self.0.filter.tally();
        let all = self.0.keys.nearest(key).filter_map(|position| Some((position, self.contact(position)?)));
        all.filter(move |(_, contact)| tally.admits(contact))
    }

    /// A peer by its position; `None` beyond the last.
    pub(crate) fn contact(&self, position: usize) -> Option<Contact> {
        let from = position.checked_sub(1).map_or(Some(0), |before| self.0.ends.get(before).copied())?;
        let to = *self.0.ends.get(position)?;
        read(self.0.bytes.get(from as usize..to as usize)?)
    }

    /// Where its peers lie, in ascending order.
    pub(crate) fn keys(&self) -> &[Key] {
        self.0.keys.keys()
    }

    /// How many peers it holds.
    pub fn len(&self) -> usize {
        self.0.ends.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.0.ends.is_empty()
    }

    /// How many bytes it takes.
    pub fn size_bytes(&self) -> usize {
        let Kept { keys, ends, bytes, .. } = &*self.0;
        size_of::<Kept>() + size_of_val(keys.keys()) + size_of_val(&**ends) + bytes.len()
    }

    /// Every peer, in the order of their keys.
    pub fn contacts(&self) -> impl Iterator<Item = Contact> {
        (0..self.len()).filter_map(|position| self.contact(position))
    }
}

impl Default for FullTable {
    /// A table of nobody.
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl fmt::Debug for FullTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FullTable({} peers)", self.len())
    }
}

/// The id and the addresses, each behind its length.
fn append(bytes: &mut Vec<u8>, contact: &Contact) {
    let id = contact.peer.to_bytes();
    let addrs = contact.addrs.iter().take(MAX_ADDRESSES).map(AsRef::<[u8]>::as_ref);
    for part in std::iter::once(&id[..]).chain(addrs) {
        let Ok(length) = u16::try_from(part.len()) else { continue };
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
}

fn read(mut bytes: &[u8]) -> Option<Contact> {
    let mut next = move || {
        let (length, rest) = bytes.split_first_chunk()?;
        let (part, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        bytes = rest;
        Some(part)
    };
    let peer = PeerId::from_bytes(next()?).ok()?;
    let addrs = std::iter::from_fn(next).filter_map(|part| Multiaddr::try_from(part.to_vec()).ok()).collect();
    Some(Contact { peer, addrs })
}
