//! A provider on its way into the belly.

use kad::{answer::MAX_ENTRY_BYTES, protobuf::varint_len};

/// The longest id of a provider, in bytes. Ids of peers have at most 42 (libp2p specification, `peer-ids/peer-ids.md`).
pub const MAX_PROVIDER_ID_BYTES: usize = 127;

/// The longest lifetime of a record that was fetched, in seconds: that of one that its provider announced.
pub(super) const MAX_LIFETIME_S: u32 = 48 * 3600;

/// Who provides a key, as it stands in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewProvider<'a> {
    id: &'a [u8],
    entry: &'a [u8],
}

impl<'a> NewProvider<'a> {
    /// A provider with its entry as [`kad::answer::entry()`] makes it, not connected. `None` if it is another peer's entry,
    /// or one of a size that no server keeps.
    pub fn new(id: &'a [u8], entry: &'a [u8]) -> Option<Self> {
        let is_fitting =
            !id.is_empty() && id.len() <= MAX_PROVIDER_ID_BYTES && entry.len() <= MAX_ENTRY_BYTES;
        let is_own = is_fitting && entry.len() >= bare_len(id.len()) && entry.get(2..)?.starts_with(id);
        let begins =
            entry.first() == Some(&0x0a) && entry.get(1).is_some_and(|&len| usize::from(len) == id.len());
        let behind = entry.get(bare_len(id.len()));
        (is_own && begins && behind.is_none_or(|&tag| tag == 0x12)).then_some(Self { id, entry })
    }

    /// The bytes of its id.
    pub const fn id(&self) -> &'a [u8] {
        self.id
    }

    /// Its entry in a message, with its addresses.
    pub const fn entry(&self) -> &'a [u8] {
        self.entry
    }

    /// Whether the entry has addresses.
    pub const fn has_addresses(&self) -> bool {
        self.entry.len() > bare_len(self.id.len())
    }
}

/// How long the entry of a provider without addresses is: with them, it begins with the same bytes.
pub(super) const fn bare_len(id_len: usize) -> usize {
    1 + varint_len(id_len as u64) + id_len
}

/// A record about a provider: what the belly keeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewRecord<'a> {
    pub(super) provider: NewProvider<'a>,
    /// When it came, in microseconds since the Unix epoch.
    pub(super) received_us: u64,
    /// How long it lives from then on, in seconds.
    pub(super) lifetime_s: u32,
    /// Whether somebody else than the provider gave it.
    pub(super) is_fetched: bool,
}

#[cfg(test)]
mod tests {
    use kad::{answer::entry, message::ConnectionType};

    use super::*;

    #[test]
    fn an_entry_begins_with_that_of_a_provider_without_addresses() {
        let bare = entry(b"peer", std::iter::empty(), ConnectionType::NotConnected);
        let whole = entry(b"peer", [&b"address"[..]].into_iter(), ConnectionType::NotConnected);
        assert_eq!(whole.get(..bare_len(4)), Some(&bare[..]));
        assert!(!NewProvider::new(b"peer", &bare).unwrap().has_addresses());
        assert!(NewProvider::new(b"peer", &whole).unwrap().has_addresses());
    }

    #[test]
    fn what_is_no_entry_of_the_peer_is_no_provider() {
        let whole = entry(b"peer", [&b"address"[..]].into_iter(), ConnectionType::NotConnected);
        let connected = entry(b"peer", std::iter::empty(), ConnectionType::Connected);
        for (id, entry) in [
            (&b"pee"[..], &whole[..]),
            (b"peers", &whole),
            (b"", &[0x0a, 0]),
            (b"peer", b""),
            (b"peer", &connected),
        ] {
            assert_eq!(NewProvider::new(id, entry), None);
        }
        let long = [7; MAX_PROVIDER_ID_BYTES + 1];
        let of_long = entry(&long, std::iter::empty(), ConnectionType::NotConnected);
        assert_eq!(NewProvider::new(&long, &of_long), None);
    }
}
