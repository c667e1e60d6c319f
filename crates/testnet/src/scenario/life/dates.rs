//! What hosts do at set times, beside the laws of their class.

use serde::Deserialize;

use super::law::MAX_MEDIAN_S;
use crate::scenario::Share;

/// Hosts that go for good all at one time, as when a provider of many ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Departs {
    /// The share of the class. Who comes for the first time later does not go.
    pub share: Share,
    /// When, in seconds of life: whoever is up goes then, and who is down does not return.
    pub at_s: f64,
}

/// Hosts that are down at night. Life begins in the morning: a night is the last part of each period.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Night {
    /// The share of the class.
    pub share: Share,
    /// How long a day and a night take together, in seconds of life.
    pub period_s: f64,
    /// How long the night takes of that, likewise.
    pub dark_s: f64,
    /// By how much later than others the nights of a host are, likewise: uniform from 0 to this.
    pub spread_s: f64,
}

impl Default for Night {
    fn default() -> Self {
        Self { share: Share::default(), period_s: 86_400.0, dark_s: 28_800.0, spread_s: 3_600.0 }
    }
}

/// The offending key and what is wrong with it.
type Problem = (&'static str, String);

impl Departs {
    pub(super) fn check(&self, class: &str) -> Result<(), Problem> {
        // Not a number is in no range.
        if self.share.get() > 0.0 && !(self.at_s > 0.0 && self.at_s <= MAX_MEDIAN_S) {
            let problem = format!("`{class}` needs `at_s`, above 0 and at most {MAX_MEDIAN_S} s");
            return Err(("departs", problem));
        }
        Ok(())
    }
}

impl Night {
    pub(super) fn check(&self, class: &str) -> Result<(), Problem> {
        let Self { period_s, dark_s, spread_s, .. } = *self;
        let is_period = (1.0..=MAX_MEDIAN_S).contains(&period_s);
        if is_period && dark_s > 0.0 && spread_s >= 0.0 && dark_s + spread_s < period_s {
            return Ok(());
        }
        let problem = format!(
            "`{class}` needs `period_s` from 1 to {MAX_MEDIAN_S} s, and `dark_s` (above 0) and `spread_s` that are \
             shorter together"
        );
        Err(("night", problem))
    }
}
