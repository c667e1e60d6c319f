//! How much each remote has asked of late, in memory that does not grow with how many there are.
//!
//! A remote is a peer, and beside it the group of IP addresses that it is seen in, as peers cost nothing. What each asked is
//! counted in one cell of each row, by a keyed hash; the least of its cells is at least what it asked, and is more where
//! others fell into all of them. Counting may lose a request where two threads count at once: it is an estimate.

use std::{
    hash::{BuildHasher, Hash},
    net::IpAddr,
    sync::atomic::{AtomicU32, Ordering},
};

use foldhash::fast::RandomState;
use kad::{PeerId, table::AddressGroup};

/// How many cells a row has: 2^13, so that four rows take 128 KiB.
const CELLS_BITS: u32 = 13;

/// How many rows there are for peers, and as many for groups.
const ROWS: usize = 2;

/// How many times a peer's share a group of IP addresses may ask: 2^16 addresses of IPv4 are the network of somebody with more
/// than one customer.
const GROUP_SHARES: u32 = 16;

/// What remotes asked of late.
#[derive(Debug)]
pub(super) struct RemoteTally {
    hasher: RandomState,
    peers: Cells,
    groups: Cells,
}

#[derive(Debug)]
struct Cells([Box<[AtomicU32]>; ROWS]);

impl RemoteTally {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::default(), peers: Cells::new(), groups: Cells::new() }
    }

    /// Counts a request of a peer, unless it or its group has asked as much as the `level` is; whether it was counted.
    pub(super) fn take(&self, peer: &PeerId, ip: Option<IpAddr>, level: u32) -> bool {
        let peers = self.peers.of(self.hash(peer));
        // What is not on IP is judged by its peer alone.
        let groups = ip.map(|ip| self.groups.of(self.hash(&AddressGroup::of_ip(ip))));
        let is_within = |cells: &[&AtomicU32; ROWS], level: u32| least(cells) < level;
        if !is_within(&peers, level)
            || !groups.is_none_or(|groups| is_within(&groups, level.saturating_mul(GROUP_SHARES)))
        {
            return false;
        }
        for cell in peers.into_iter().chain(groups.into_iter().flatten()) {
            cell.store(cell.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
        }
        true
    }

    /// How much the one asked that asked most.
    pub(super) fn most(&self) -> u32 {
        // Each row holds everybody, and more where two fell together.
        let most = |row: &[AtomicU32]| row.iter().map(|cell| cell.load(Ordering::Relaxed)).max();
        self.peers.0.iter().filter_map(|row| most(row)).min().unwrap_or(0)
    }

    /// Forgets half of it.
    pub(super) fn halve(&self) {
        for cell in self.peers.0.iter().chain(&self.groups.0).flatten() {
            cell.store(cell.load(Ordering::Relaxed) / 2, Ordering::Relaxed);
        }
    }

    fn hash(&self, of: &impl Hash) -> u64 {
        self.hasher.hash_one(of)
    }
}

impl Cells {
    fn new() -> Self {
        Self(std::array::from_fn(|_| (0..1 << CELLS_BITS).map(|_| AtomicU32::new(0)).collect()))
    }

    /// The cells of what has this hash.
    fn of(&self, hash: u64) -> [&AtomicU32; ROWS] {
        let mut hash = hash;
        self.0.each_ref().map(|row| {
            let number = hash & ((1 << CELLS_BITS) - 1);
            hash >>= CELLS_BITS;
            // A row has as many cells as there are such numbers.
            &row[usize::try_from(number).unwrap_or(0)]
        })
    }
}

fn least(cells: &[&AtomicU32; ROWS]) -> u32 {
    cells.iter().map(|cell| cell.load(Ordering::Relaxed)).min().unwrap_or(0)
}
