//! What happens to a peer, with its stable name.

use super::{Moment, Place};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// The peer came for the first time.
    Entered,
    /// It returned, at the address where it was last.
    Up,
    /// It returned at another address of its host.
    Moved,
    /// It came in the place of another peer of the same host, which had gone before.
    Rotated,
    /// It went, and will return or be succeeded.
    Down,
    /// It went for good.
    Left,
}

impl EventKind {
    /// Every kind.
    pub const ALL: &'static [Self] =
        &[Self::Entered, Self::Up, Self::Moved, Self::Rotated, Self::Down, Self::Left];

    /// The stable name that logs use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Up => "up",
            Self::Moved => "moved",
            Self::Rotated => "rotated",
            Self::Down => "down",
            Self::Left => "left",
        }
    }

    /// The kind of that name; `None` for a name that is not one of ours.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether the peer is up from then on.
    pub const fn comes(self) -> bool {
        !matches!(self, Self::Down | Self::Left)
    }
}

/// One change of one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// The peer's number.
    pub peer: u32,
    /// What.
    pub kind: EventKind,
    /// Where the peer is from then on, or was until then.
    pub place: Place,
}
