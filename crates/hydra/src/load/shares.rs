//! What one remote may ask while there is overload: a level that sinks as long as there is, so that whoever asks most gives
//! first, and whoever asks less than the level is answered as if nothing were. Pure: times are given.

use std::time::Duration;

use super::tally::RemoteTally;

/// How long it takes to forget half of what remotes asked: then what is remembered of one that goes on is between what it
/// asks in half a second and in a second.
const HALF_LIFE: Duration = Duration::from_millis(500);

/// By how much the level sinks in a look, in tenths of itself.
const SINKS_TENTHS: u32 = 2;

/// What one remote may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareConfig {
    /// How many requests a second a peer may have answered in full however bad it is. Default 20, which is more than a lookup
    /// asks of one server.
    pub least_per_s: u32,
    /// How many it may have at most while there is overload; the level begins here, or where the one who asks most is, if
    /// that is less. Default: no bound.
    pub most_per_s: u32,
}

impl Default for ShareConfig {
    fn default() -> Self {
        Self { least_per_s: 20, most_per_s: u32::MAX }
    }
}

/// How the level moves.
#[derive(Debug)]
pub(super) struct Shares {
    config: ShareConfig,
    level: Option<u32>,
    halved: Duration,
}

impl Shares {
    pub(super) const fn new(config: ShareConfig) -> Self {
        Self { config, level: None, halved: Duration::ZERO }
    }

    /// Looks at what remotes asked until `now`. The level from now on; `None` if there is none.
    pub(super) fn note(&mut self, is_overloaded: bool, tally: &RemoteTally, now: Duration) -> Option<u32> {
        let ShareConfig { least_per_s, most_per_s } = self.config;
        self.level = is_overloaded.then(|| {
            let level = self.level.unwrap_or_else(|| tally.most().min(most_per_s));
            (level - level / 10 * SINKS_TENTHS).max(least_per_s)
        });
        if now.saturating_sub(self.halved) >= HALF_LIFE {
            self.halved = now;
            tally.halve();
        }
        self.level
    }
}
