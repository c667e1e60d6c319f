//! The time of a run: the wall clock is read once, by the caller, and everything after it is measured.

use schema::Timestamp;
use tokio::time::Instant;

/// Turns moments of the (pausable) monotonic clock into wall-clock time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: Timestamp,
    origin: Instant,
}

impl Clock {
    /// A clock that says `wall` now.
    pub fn started_at(wall: Timestamp) -> Self {
        Self { wall, origin: Instant::now() }
    }

    /// A clock that said `wall` at the moment `origin`.
    pub const fn said_at(wall: Timestamp, origin: Instant) -> Self {
        Self { wall, origin }
    }

    /// When the run began.
    pub const fn start(&self) -> Timestamp {
        self.wall
    }

    /// The wall-clock time of a moment.
    pub fn at(&self, instant: Instant) -> Timestamp {
        self.wall.after(instant.saturating_duration_since(self.origin))
    }
}
