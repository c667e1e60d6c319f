//! Bytes that were given as addresses and are none. They are few, or somebody makes them up: they have a table of their
//! own, and bounds of their own, so that they take no place of an address.

use std::collections::HashMap;

use schema::PeerNumber;

/// The most that are kept of one peer.
const MAX_OF_PEER: usize = 16;

/// The most bytes that are kept of all peers together.
const MAX_BYTES: usize = 16 << 20;

/// What is counted for each in addition to its bytes: about what the tables take.
const OVERHEAD_BYTES: usize = 32;

/// The malformed addresses of the peers that were not reached.
#[derive(Debug, Default)]
pub(super) struct MalformedAddresses {
    of: HashMap<PeerNumber, Vec<Box<[u8]>>>,
    bytes: usize,
    left_out: u64,
}

impl MalformedAddresses {
    /// Keeps one of a peer, unless it is known.
    pub(super) fn add(&mut self, peer: PeerNumber, address: Box<[u8]>) {
        let size = size(&address);
        let known = self.of.get(&peer).map_or(&[][..], Vec::as_slice);
        if known.contains(&address) {
            return;
        }
        if known.len() >= MAX_OF_PEER || self.bytes + size > MAX_BYTES {
            self.left_out += 1;
            return;
        }
        self.bytes += size;
        self.of.entry(peer).or_default().push(address);
    }

    /// Those of a peer.
    pub(super) fn of(&self, peer: PeerNumber) -> Vec<Box<[u8]>> {
        self.of.get(&peer).cloned().unwrap_or_default()
    }

    /// Frees those of a peer that was reached.
    pub(super) fn forget(&mut self, peer: PeerNumber) {
        let forgotten = self.of.remove(&peer).unwrap_or_default();
        self.bytes -= forgotten.iter().map(|address| size(address)).sum::<usize>();
    }

    /// Mentions that had no room.
    pub(super) const fn left_out(&self) -> u64 {
        self.left_out
    }
}

const fn size(address: &[u8]) -> usize {
    address.len() + OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_kept_once_within_bounds() {
        let mut malformed = MalformedAddresses::default();
        let (one, other) = (PeerNumber(1), PeerNumber(2));
        for _ in 0..2 {
            (0..20).for_each(|n: u8| malformed.add(one, Box::new([n])));
        }
        malformed.add(other, Box::new([]));
        assert_eq!((malformed.of(one).len(), malformed.of(other).len()), (MAX_OF_PEER, 1));
        assert_eq!(malformed.left_out(), 2 * 4, "mentions");
        malformed.forget(one);
        malformed.forget(one);
        assert_eq!((malformed.of(one).len(), malformed.bytes), (0, OVERHEAD_BYTES));
        (0..20_000).for_each(|n| malformed.add(PeerNumber(n), vec![7; 1000].into()));
        assert!(malformed.bytes <= MAX_BYTES);
        assert!(malformed.left_out() > 0);
    }
}
