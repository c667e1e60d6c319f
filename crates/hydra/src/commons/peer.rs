//! A peer as all heads know it: ready to be copied into an answer.

use std::time::Duration;

use kad::{
    Contact, Multiaddr, PeerId,
    answer::{Known, entry},
    message::{ConnectionType, entry_addrs},
};

/// A peer that all heads know. It is kept as it stands in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonPeer {
    entry: Box<[u8]>,
    id_bytes: u8,
    has_addresses: bool,
    /// Whether it is a head of this process: it is never tested, and goes when it leaves.
    pub is_head: bool,
    /// When it last answered.
    pub answered: Duration,
}

/// An entry begins with the id: a tag and a length of one byte each.
const BEFORE_ID: usize = 2;

impl CommonPeer {
    /// A peer of the network that has answered just now.
    pub fn new(contact: &Contact, answered: Duration) -> Self {
        let id = contact.peer.to_bytes();
        let addrs = contact.addrs.iter().map(AsRef::as_ref);
        let entry = entry(&id, addrs, ConnectionType::NotConnected).into_boxed_slice();
        // The id of a peer is a hash of at most 64 bytes.
        let id_bytes = u8::try_from(id.len()).unwrap_or(0);
        Self { entry, id_bytes, has_addresses: !contact.addrs.is_empty(), is_head: false, answered }
    }

    /// A head of this process.
    pub fn head(contact: &Contact) -> Self {
        Self { is_head: true, ..Self::new(contact, Duration::ZERO) }
    }

    /// The bytes of its id.
    pub fn id(&self) -> &[u8] {
        self.entry.get(BEFORE_ID..BEFORE_ID + usize::from(self.id_bytes)).unwrap_or_default()
    }

    /// The same as a peer of an answer.
    pub fn known(&self) -> Known<'_> {
        Known { id: self.id(), entry: &self.entry, has_addresses: self.has_addresses }
    }

    /// Who it is, and where; `None` if its id is none, which is not so of anybody who was taken in.
    pub fn contact(&self) -> Option<Contact> {
        let peer = PeerId::from_bytes(self.id()).ok()?;
        let addrs = entry_addrs(&self.entry).filter_map(|addr| Multiaddr::try_from(addr.to_vec()).ok());
        Some(Contact { peer, addrs: addrs.collect() })
    }

    /// Whether both stand in a message alike.
    pub fn is_said_as(&self, other: &Self) -> bool {
        self.entry == other.entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_what_it_was_taken_in_as() {
        for addrs in [&[][..], &["/ip4/127.0.0.1/tcp/1"], &["/ip4/127.0.0.1/tcp/1", "/ip6/::1/udp/2/quic-v1"]]
        {
            let addrs: Vec<Multiaddr> = addrs.iter().map(|addr| addr.parse().unwrap()).collect();
            let contact = Contact { peer: PeerId::random(), addrs };
            let peer = CommonPeer::new(&contact, Duration::ZERO);
            assert_eq!(peer.contact(), Some(contact.clone()));
            let known = peer.known();
            assert_eq!(
                (known.id, known.has_addresses),
                (&*contact.peer.to_bytes(), !contact.addrs.is_empty())
            );
        }
    }
}
