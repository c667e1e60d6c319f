//! Time as peers live it: microseconds since life began, whatever the clock on the wall does meanwhile.

use std::time::Duration;

/// A moment of life. What was before the beginning is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// When life begins.
    pub const START: Self = Self(0);

    /// Before everything.
    pub const NEVER: Self = Self(i64::MIN);

    /// After everything.
    pub const ENDLESS: Self = Self(i64::MAX);

    /// So many microseconds after the start.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the start.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Seconds since the start.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// This long after the start.
    pub fn at(since_start: Duration) -> Self {
        Self::START.after(since_start)
    }

    /// This moment and `duration` more; what is endless stays so.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        self.shifted(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
    }

    /// This moment less `duration`; what never was stays so.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        self.shifted(i64::try_from(duration.as_micros()).map_or(i64::MIN, i64::wrapping_neg))
    }

    /// This moment, later by so many microseconds.
    pub(crate) const fn shifted(self, micros: i64) -> Self {
        match self {
            Self::NEVER | Self::ENDLESS => self,
            Self(own) => Self(own.saturating_add(micros)),
        }
    }

    /// Microseconds from `earlier` until this moment: negative if it is later, the most there is if it never was.
    pub(crate) const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}
