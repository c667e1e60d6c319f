//! Who can be measured: what the register says, and what it said before while it is away.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use store::RegisteredServer;
use tokio::time::Instant;

use super::seat::Seat;

/// For how long after its last heartbeat a server counts as alive (Parsec, `scheduler.go`).
pub(super) const ALIVE_FOR: Duration = Duration::from_secs(120);

/// Servers, sorted by where they stand, one for each place.
pub(super) type Servers = Arc<[Arc<RegisteredServer>]>;

/// Who can be measured.
#[derive(Debug, Default)]
pub(super) struct Roster {
    known: BTreeMap<Seat, Arc<RegisteredServer>>,
    is_away: bool,
    /// Until then whoever was known stays, since nobody could say that it lives while the register was away.
    forgiven_until: Option<Instant>,
}

impl Roster {
    /// Takes in what the register says; `None` if it says nothing.
    pub(super) fn told(&mut self, listed: Option<Vec<RegisteredServer>>, now: Instant) {
        let Some(listed) = listed else {
            self.is_away = true;
            return;
        };
        if self.is_away {
            self.is_away = false;
            self.forgiven_until = Some(now + ALIVE_FOR);
        }
        if self.forgiven_until.is_none_or(|until| now >= until) {
            self.forgiven_until = None;
            self.known.clear();
        }
        self.admit(listed);
    }

    /// Takes in servers that live.
    pub(super) fn admit(&mut self, listed: Vec<RegisteredServer>) {
        for server in listed {
            let seat = Seat::of(&server);
            // Whoever was killed and started anew stands in the register twice for a while.
            if self.known.get(&seat).is_none_or(|known| known.id <= server.id) {
                self.known.insert(seat, Arc::new(server));
            }
        }
    }

    /// Whether the register does not say who lives.
    pub(super) fn is_away(&self) -> bool {
        self.is_away
    }

    /// All of them.
    pub(super) fn servers(&self) -> Servers {
        self.known.values().cloned().collect()
    }
}
