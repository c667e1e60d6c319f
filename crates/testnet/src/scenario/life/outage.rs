//! Times in which the observer's own network is away.

use serde::Deserialize;

use super::law::MAX_MEDIAN_S;

/// The most outages of a scenario.
pub(super) const MAX_OUTAGES: usize = 1024;

/// A time in which nothing passes between the observer's region and the rest of the network.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// When it begins, in seconds of life.
    pub from_s: f64,
    /// How long it lasts, likewise.
    pub lasts_s: f64,
    /// What dials meet.
    #[serde(default)]
    pub dials: Cut,
}

/// What the observer's dials meet while its network is away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// The machine itself has no network: they fail at once, without a route.
    #[default]
    NoRoute,
    /// A router on the way has none: they get no answer.
    NoAnswer,
}

impl Cut {
    /// The stable name that scenarios and truth files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::NoAnswer => "no_answer",
        }
    }
}

/// Checks that outages are in their order, and apart from each other.
pub(super) fn check(outages: &[Outage]) -> Result<(), String> {
    if outages.len() > MAX_OUTAGES {
        return Err(format!("at most {MAX_OUTAGES} are allowed"));
    }
    let mut before = 0.0;
    for Outage { from_s, lasts_s, .. } in outages {
        // Not a number is in no range.
        let is_time = (0.0..=MAX_MEDIAN_S).contains(from_s) && *lasts_s > 0.0 && *lasts_s <= MAX_MEDIAN_S;
        if !is_time {
            let problem = format!("`from_s` is from 0 and `lasts_s` above 0, both up to {MAX_MEDIAN_S} s");
            return Err(format!("{problem}, not {from_s} and {lasts_s}"));
        }
        if *from_s < before {
            return Err(format!(
                "that at {from_s} s begins before the one before it has ended, at {before} s"
            ));
        }
        before = from_s + lasts_s;
    }
    Ok(())
}
