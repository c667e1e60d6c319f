//! The test that a peer passes before it is taken into a table: it is asked for itself.

use std::{collections::BTreeSet, time::Duration};

use super::RoutingTable;
use crate::key::Key;

/// How many peers are tested at once (go-libp2p-kad-dht, `LookupCheckConcurrency`).
pub const MAX_ADMISSION_TESTS: usize = 256;

/// How long a peer has to answer (go-libp2p-kad-dht, `lookupCheckTimeout`).
pub const ADMISSION_TIMEOUT: Duration = Duration::from_secs(10);

/// The peers that are being tested.
///
/// Whoever announces the network's protocol as a server is sent a FIND_NODE of its own id, and its answer is judged by
/// [`RoutingTable::passes`]. Of go's rules only this differs: nobody is tested twice at once.
#[derive(Debug, Clone, Default)]
pub struct TableTrials {
    tested: BTreeSet<Key>,
}

impl TableTrials {
    /// Begins to test a peer; `false` if it is not to be tested: the table has no room for it, it is being tested, or
    /// [`MAX_ADMISSION_TESTS`] are. A peer that is passed over is tested when it is met again.
    pub fn begin<T>(&mut self, table: &RoutingTable<T>, key: &Key) -> bool {
        self.tested.len() < MAX_ADMISSION_TESTS && table.has_room_for(key) && self.tested.insert(*key)
    }

    /// Ends a test: whether the peer passed and may be inserted. `named` is how many peers it named, `None` if it did
    /// not answer. A peer that was not being tested does not pass.
    pub fn end<T>(&mut self, table: &RoutingTable<T>, key: &Key, named: Option<usize>) -> bool {
        self.tested.remove(key) && table.passes(named)
    }

    /// How many peers are being tested.
    pub fn len(&self) -> usize {
        self.tested.len()
    }

    /// Whether nobody is being tested.
    pub fn is_empty(&self) -> bool {
        self.tested.is_empty()
    }
}
