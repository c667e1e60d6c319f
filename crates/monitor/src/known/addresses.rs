//! The addresses of one peer in one piece of memory: for each its length and its bytes.

use kad::Multiaddr;

/// The most addresses that are kept of one peer: as many as are dialled in one look.
pub(super) const MAX_ADDRESSES: usize = 32;

/// The longest address that is kept, in bytes: its length is one byte.
const MAX_ADDRESS_BYTES: usize = 255;

/// Addresses, packed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct PackedAddresses(Box<[u8]>);

impl PackedAddresses {
    /// The first ones of these, each once; what is too long to be kept is left out.
    pub(super) fn of<'a>(addresses: impl IntoIterator<Item = &'a Multiaddr>) -> Self {
        let mut taken: Vec<&[u8]> = Vec::new();
        for address in addresses {
            let bytes: &[u8] = address.as_ref();
            if taken.len() < MAX_ADDRESSES && bytes.len() <= MAX_ADDRESS_BYTES && !taken.contains(&bytes) {
                taken.push(bytes);
            }
        }
        let mut packed = Vec::with_capacity(taken.iter().map(|bytes| 1 + bytes.len()).sum());
        for bytes in taken {
            packed.extend(u8::try_from(bytes.len()));
            packed.extend_from_slice(bytes);
        }
        Self(packed.into())
    }

    /// All of them.
    pub(super) fn unpacked(&self) -> Vec<Multiaddr> {
        let mut rest = &*self.0;
        let mut addresses = Vec::new();
        while let Some((&length, after)) = rest.split_first() {
            let Some((bytes, next)) = after.split_at_checked(length.into()) else { break };
            addresses.extend(Multiaddr::try_from(bytes.to_vec()));
            rest = next;
        }
        addresses
    }
}
