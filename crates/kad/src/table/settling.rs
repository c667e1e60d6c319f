//! How a new table comes to rest: until it has been refreshed, those in it make way for those who come.

use std::time::Duration;

use super::RoutingTable;

/// How long after the second refresh everybody in a table stays (go-libp2p-kad-dht, `rtFreezeTimeout`).
pub const FREEZE_AFTER: Duration = Duration::from_secs(60);

/// After which refresh the table is frozen, counted from the first peer in it.
const FREEZING_REFRESH: u32 = 2;

/// Whether the peers of a table may be replaced, as go-libp2p-kad-dht has it.
///
/// A table that was empty takes peers in as replaceable until its first refresh is over: those that it happened to meet
/// first. After the second refresh and [`FREEZE_AFTER`] these stay, too.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settling {
    is_new: bool,
    refreshes: u32,
    freezes_at: Option<Duration>,
}

impl Settling {
    /// Whether a peer that comes now is replaceable. To be asked before each [`RoutingTable::insert`].
    pub fn comes<T>(&mut self, table: &mut RoutingTable<T>, now: Duration) -> bool {
        self.pass(table, now);
        if table.is_empty() {
            *self = Self { is_new: true, refreshes: 0, freezes_at: None };
        }
        self.is_new
    }

    /// Notes that a refresh without a gap ([`Refresh::is_whole`](super::Refresh::is_whole)) is over; `true` if another
    /// is due at once.
    pub fn refreshed(&mut self, now: Duration) -> bool {
        self.refreshes = self.refreshes.saturating_add(1);
        if self.refreshes == FREEZING_REFRESH {
            self.freezes_at = Some(now + FREEZE_AFTER);
        }
        std::mem::take(&mut self.is_new)
    }

    /// Lets time pass: freezes the table when that is due.
    pub fn pass<T>(&mut self, table: &mut RoutingTable<T>, now: Duration) {
        if self.freezes_at.is_some_and(|at| at <= now) {
            self.freezes_at = None;
            table.keep_all();
        }
    }
}
