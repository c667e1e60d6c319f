//! What happens to a peer, with its stable name.

use super::{HostPlace, Moment};

kad::named! {
    /// What happened.
    pub enum EventKind {
        /// The peer came for the first time.
        Entered = "entered",
        /// It returned, at the address where it was last.
        Up = "up",
        /// It returned at another address of its host.
        Moved = "moved",
        /// It came in the place of another peer of the same host, which had gone before.
        Rotated = "rotated",
        /// It went, and will return or be succeeded.
        Down = "down",
        /// It went for good.
        Left = "left",
    }
}

impl EventKind {
    /// Whether the peer is up from then on.
    pub const fn comes(self) -> bool {
        !matches!(self, Self::Down | Self::Left)
    }
}

/// One change of one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifeEvent {
    /// When.
    pub at: Moment,
    /// The peer's number.
    pub peer: u32,
    /// What.
    pub kind: EventKind,
    /// Where the peer is from then on, or was until then.
    pub place: HostPlace,
}
