//! What a study has done so far, as far as whoever goes on with it must know.

use std::collections::BTreeSet;

use kad::PeerId;
use schema::Timestamp;

use crate::WatchedKey;

/// What a study has done so far. Rows that say so come from a store: reading them is left to whoever has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// Every key that was published or taken in, in any order.
    pub keys: Vec<ResumedKey>,
    /// Publishers of which it is known that they left.
    pub left: BTreeSet<PeerId>,
    /// When something was seen last: until then whoever published was there.
    pub last_seen: Timestamp,
}

impl Default for Resumed {
    /// Nothing: a study that begins.
    fn default() -> Self {
        Self { keys: Vec::new(), left: BTreeSet::new(), last_seen: Timestamp(0) }
    }
}

/// A key that was published or taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumedKey {
    /// The key, with its holders.
    pub watched: WatchedKey,
    /// Its place in its arm, from 0.
    pub position: u32,
    /// Its last round, from 1, that was done, missed or stopped, as those before it were; 0 if none was.
    pub done: u32,
    /// Whether its readings right after the publication are there: a round that was soon due may be kept before them.
    pub is_read_back: bool,
}
