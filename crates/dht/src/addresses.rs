//! Where peers are, as the answers of one lookup say.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use kad::{
    Contact, Multiaddr,
    message::{PeerView, entry_addrs},
    policy::is_relayed,
};

/// The most addresses that are kept of one peer.
const MAX_ADDRESSES: usize = 32;

/// The most peers that are kept: four times as many as a lookup has in mind (`kad::lookup::MAX_KNOWN`), who may not be the
/// first that liars name.
const MAX_PEERS: usize = 16 * 1024;

/// Addresses of peers that may be dialled.
#[derive(Debug, Clone, Default)]
pub struct KnownAddresses {
    known: HashMap<Vec<u8>, PeerAddresses, RandomState>,
}

/// What is known of one peer.
#[derive(Debug, Clone, Default)]
struct PeerAddresses {
    addrs: Vec<Multiaddr>,
    /// Somebody said that it can be reached through a relay, where that is not dialled.
    is_relayed: bool,
    /// Of the entry that was read last: most entries of a peer are alike, and need not be read again.
    entry_hash: u64,
}

impl KnownAddresses {
    /// Takes in what an answer says of a peer, as far as it is `admitted`. Says whether an address is known now.
    pub fn learn(&mut self, entry: &PeerView<'_>, admitted: &impl Fn(&Multiaddr) -> bool) -> bool {
        let hash = self.known.hasher().hash_one(entry.bytes());
        if self.known.len() >= MAX_PEERS && !self.known.contains_key(entry.id) {
            return false;
        }
        let known = self.known.entry_ref(entry.id).or_default();
        if std::mem::replace(&mut known.entry_hash, hash) != hash {
            for bytes in entry_addrs(entry.bytes()) {
                if let Ok(addr) = Multiaddr::try_from(bytes.to_vec()) {
                    known.add(addr, admitted);
                }
            }
        }
        !known.addrs.is_empty()
    }

    /// Takes addresses of a peer in, as far as they are `admitted`.
    pub fn add(&mut self, contact: &Contact, admitted: &impl Fn(&Multiaddr) -> bool) {
        let known = self.known.entry_ref(&contact.peer.to_bytes()[..]).or_default();
        for addr in &contact.addrs {
            known.add(addr.clone(), admitted);
        }
    }

    /// The addresses of a peer: none if it is not known.
    pub fn of(&self, id: &[u8]) -> &[Multiaddr] {
        self.known.get(id).map_or(&[], |known| &known.addrs)
    }

    /// Whether somebody said that a peer can be reached through a relay, by an address that may not be dialled.
    pub fn is_relayed(&self, id: &[u8]) -> bool {
        self.known.get(id).is_some_and(|known| known.is_relayed)
    }
}

impl PeerAddresses {
    fn add(&mut self, addr: Multiaddr, admitted: &impl Fn(&Multiaddr) -> bool) {
        if self.addrs.len() >= MAX_ADDRESSES || self.addrs.contains(&addr) {
            return;
        }
        if admitted(&addr) {
            self.addrs.push(addr);
        } else {
            self.is_relayed |= is_relayed(&addr);
        }
    }
}
