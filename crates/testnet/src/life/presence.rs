//! Where a peer is and was: its last two sessions, which is all that routing tables remember of it.

use super::Moment;

/// Which of its host's addresses a peer is at, counted from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPlace(pub u8);

/// One stay: from a moment on, until another one, which is no longer part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// When the peer came.
    pub from: Moment,
    /// When it went; [`Moment::ENDLESS`] while it is up.
    pub to: Moment,
    /// Where it was.
    pub place: HostPlace,
}

impl Stay {
    /// A stay that never was.
    pub const NEVER: Self = Self { from: Moment::NEVER, to: Moment::NEVER, place: HostPlace(0) };

    /// Whether the peer was up at a moment.
    pub fn holds(&self, at: Moment) -> bool {
        self.from <= at && at < self.to
    }
}

/// The last two sessions of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// The present one, if the peer is up, else the last one.
    pub last: Stay,
    /// The one before.
    pub before: Stay,
}

impl Presence {
    /// Of a peer that was never there.
    pub const NEVER: Self = Self { last: Stay::NEVER, before: Stay::NEVER };

    /// Whether the peer is up.
    pub fn is_up(&self) -> bool {
        self.last.to == Moment::ENDLESS
    }

    /// Where it is; `None` while it is down.
    pub fn place(&self) -> Option<HostPlace> {
        self.is_up().then_some(self.last.place)
    }

    /// When it came or went last; [`Moment::NEVER`] if it never was there.
    pub fn since(&self) -> Moment {
        if self.is_up() { self.last.from } else { self.last.to }
    }

    /// The peer comes.
    pub(crate) const fn come(&mut self, from: Moment, place: HostPlace) {
        *self = Self { last: Stay { from, to: Moment::ENDLESS, place }, before: self.last };
    }

    /// The peer goes.
    pub(crate) const fn go(&mut self, at: Moment) {
        self.last.to = at;
    }
}
