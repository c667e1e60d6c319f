//! The time at which all of one kind end, each seen to have ended between two looks: a time to live.
//!
//! The model: of those observed a share ends at one time that all have in common; some end at any time up to the last look, for reasons of
//! their own, and some later than all looks. How likely a time is hangs on how many observations leave it open, and on nothing else about
//! it; the estimate is the median of that likelihood over time, and the interval its middle 95 %. For one kind observed alone this is E. J. G. Pitman's
//! interval of a location ("The Estimation of the Location and Scale Parameters of a Continuous Population of any Given Form", Biometrika
//! 30 (1939) 391-421): it is exact whatever the looks, as long as they do not hang on the very time that is looked for. Programs and
//! those who plan looks like the same round numbers, though: where looks of several clusters meet at an end of what all leave open, the
//! interval goes to there and a little beyond. Here a cluster is of those that are looked at together. Those that
//! end early, or never began, count against a time by what the share that differs makes of them: they widen the interval, and do not move it.

mod agreement;
mod profile;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::{
    agreement::{is_apart, others_than},
    profile::{Profile, Range, Shares},
};
use crate::{Bracketed, Proportion};

/// How often the shares and the time are made to fit each other.
const MAX_TURNS: usize = 8;

/// How near to each other looks meet, as a part of the time that all leave open.
const MEETING: f64 = 0.025;

/// The fewest that have a time in common.
const FEWEST: u64 = 3;

/// A time that many have in common.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CommonTime {
    /// The time.
    pub value: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end of its 95 % interval.
    pub high: f64,
    /// As many as ever leave open all times later than this, and not later than `by`.
    pub after: f64,
    /// See `after`.
    pub by: f64,
    /// How many observations there were.
    pub n: u64,
    /// How many of these leave it open.
    pub agreeing: u64,
    /// How many of those that were looked at before and after it ended at another time; `None` where none were.
    pub differing: Option<Proportion>,
    /// The logarithm of how likely all that was seen is by this model, over all times: of two clocks for the same ends, that which has
    /// more fits better.
    pub evidence: f64,
}

kad::named! {
    /// Why many have no time in common.
    pub enum NoCommonTime: serde {
        /// Nothing was observed.
        NothingObserved = "nothing_observed",
        /// A time is no number, or something ended at the look that still saw it.
        NotATime = "not_a_time",
        /// Fewer than three ended while they were watched.
        TooFewEnded = "too_few_ended",
        /// They end over a wide range of time: no time stands out.
        Spread = "spread",
    }
}

/// The time that most have in common.
pub fn common_time(observed: &[Bracketed]) -> Result<CommonTime, NoCommonTime> {
    let range = Range::of(observed)?;
    let mut shares = Shares::EVEN;
    let mut profile = Profile::of(observed, &range, &shares);
    for _ in 0..MAX_TURNS {
        let next = Shares::of(observed, &range, profile.peak());
        let is_same = next.is_near(&shares);
        shares = next;
        profile = Profile::of(observed, &range, &shares);
        if is_same {
            break;
        }
    }
    let [low, value, high] = profile.quantiles([0.025, 0.5, 0.975]);
    if !is_apart(observed, value, range.width()) {
        return Err(NoCommonTime::Spread);
    }
    let (after, by) = profile.deepest();
    let slack = MEETING * (by - after);
    let agreeing: Vec<Bracketed> =
        observed.iter().filter(|one| agreement::leaves_open(one, value)).copied().collect();
    let meets_low = agreement::meet(&agreeing, |one| Some(one.after), after, slack);
    let meets_high = agreement::meet(&agreeing, |one| one.by, by, slack);
    Ok(CommonTime {
        value,
        low: if low > after && meets_low { after - slack } else { low },
        high: if high < by && meets_high { by + slack } else { high },
        after,
        by,
        n: observed.len() as u64,
        agreeing: agreeing.len() as u64,
        differing: agreement::differing(observed, value, (after, by)),
        evidence: profile.evidence(),
    })
}

/// The times that many have in common, that of most first, at most so many: of what is a mixture of kinds.
pub fn common_times(observed: &[Bracketed], most: usize) -> Result<Vec<CommonTime>, NoCommonTime> {
    let mut times = vec![common_time(observed)?];
    let mut rest = observed.to_vec();
    while let (true, Some(last)) = (times.len() < most, times.last()) {
        rest = others_than(&rest, last.value);
        let ended = rest.iter().filter(|one| one.by.is_some()).count();
        // A kind that is less than a twentieth of all is not told from those that end for reasons of their own.
        let Ok(next) = common_time(&rest) else { break };
        if ended * 20 < observed.len() || next.agreeing * 20 < observed.len() as u64 {
            break;
        }
        times.push(CommonTime {
            n: observed.len() as u64,
            differing: agreement::differing(observed, next.value, (next.after, next.by)),
            ..next
        });
    }
    Ok(times)
}
