//! Where a peer is and was: its last two sessions, which is all that routing tables remember of it.

use super::Moment;

/// Which of its host's addresses a peer is at, counted from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(pub u8);

/// One stay: from a moment on, until another one, which is no longer part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// When the peer came.
    pub from: Moment,
    /// When it went; [`Moment::ENDLESS`] while it is up.
    pub to: Moment,
    /// Where it was.
    pub place: Place,
}

impl Session {
    /// A stay that never was.
    pub const NEVER: Self = Self { from: Moment::NEVER, to: Moment::NEVER, place: Place(0) };

    /// Whether the peer was up at a moment.
    pub fn holds(&self, at: Moment) -> bool {
        self.from <= at && at < self.to
    }
}

/// The last two sessions of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// The present one, if the peer is up, else the last one.
    pub last: Session,
    /// The one before.
    pub before: Session,
}

impl Presence {
    /// Of a peer that was never there.
    pub const NEVER: Self = Self { last: Session::NEVER, before: Session::NEVER };

    /// Whether the peer is up.
    pub fn is_up(&self) -> bool {
        self.last.to == Moment::ENDLESS
    }

    /// Where it is; `None` while it is down.
    pub fn place(&self) -> Option<Place> {
        self.is_up().then_some(self.last.place)
    }

    /// When it came or went last; [`Moment::NEVER`] if it never was there.
    pub fn since(&self) -> Moment {
        if self.is_up() { self.last.from } else { self.last.to }
    }

    /// The peer comes.
    pub(crate) const fn come(&mut self, from: Moment, place: Place) {
        *self = Self { last: Session { from, to: Moment::ENDLESS, place }, before: self.last };
    }

    /// The peer goes.
    pub(crate) const fn go(&mut self, at: Moment) {
        self.last.to = at;
    }
}
