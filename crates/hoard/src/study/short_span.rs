//! A span of time in four bytes, with room for there being none.

use std::{num::NonZeroU32, time::Duration};

/// A span of time of whole microseconds, up to 71 minutes; what is longer counts as that. That there is none takes no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShortSpan(NonZeroU32);

impl ShortSpan {
    /// The longest.
    pub const MAX: Duration = Duration::from_micros(u32::MAX as u64 - 1);
}

impl From<Duration> for ShortSpan {
    fn from(span: Duration) -> Self {
        let micros = u32::try_from(span.as_micros()).unwrap_or(u32::MAX);
        Self(NonZeroU32::MIN.saturating_add(micros))
    }
}

impl From<ShortSpan> for Duration {
    fn from(span: ShortSpan) -> Self {
        Self::from_micros(u64::from(span.0.get() - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_kept_to_the_microsecond_and_the_longest_is_said() {
        for span in [Duration::ZERO, Duration::from_micros(1), Duration::from_secs(80), ShortSpan::MAX] {
            assert_eq!(Duration::from(ShortSpan::from(span)), span);
        }
        assert_eq!(Duration::from(ShortSpan::from(Duration::MAX)), ShortSpan::MAX);
        assert!(ShortSpan::MAX > Duration::from_secs(71 * 60));
    }
}
