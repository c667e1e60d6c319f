//! The time by which a share has ended, with its interval, where ends are known between two looks.
//!
//! The times whose intervals contain the share, as of [`Quantile`](crate::Quantile). Where in a stretch between two looks things ended
//! nothing says; within it the curve and the ends of its intervals are taken to fall evenly.

use serde::{Deserialize, Serialize};

use super::{BracketedSurvival, ShareGoingOn};

/// What a sum is off by at most, after as many terms as there are steps.
const SLACK: f64 = 1e-9;

/// The time by which a share of all has ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BracketedQuantile {
    /// The share, 0 to 1.
    pub share: f64,
    /// The time by which as many had ended; `None` where they had not when anybody was last looked at.
    pub value: Option<f64>,
    /// It is later than that by what was seen, wherever between two looks things end; `None` as `value`.
    pub after: Option<f64>,
    /// And not later than that.
    pub by: Option<f64>,
    /// The lower end of the 95 % interval; `None` where even that is later than all looks.
    pub low: Option<f64>,
    /// The upper end of the 95 % interval; `None` where no look bounds it.
    pub high: Option<f64>,
    /// How many were watched.
    pub n: u64,
}

impl BracketedSurvival {
    /// The time by which a share between 0 and 1 has ended.
    pub fn quantile(&self, share: f64) -> BracketedQuantile {
        let left = 1.0 - share + SLACK;
        let step = self.steps.iter().find(|step| step.share.going_on <= left);
        BracketedQuantile {
            share,
            value: self.falls_to(left, |share| share.going_on, 1.0),
            after: step.map(|step| step.after),
            by: step.map(|step| step.by),
            low: self.falls_to(left, |share| share.low, self.first.low),
            high: self.falls_to(left, |share| share.high, 1.0),
            n: self.n,
        }
    }

    /// When one of the curves falls to a height.
    fn falls_to(&self, height: f64, of: impl Fn(&ShareGoingOn) -> f64, mut before: f64) -> Option<f64> {
        for step in &self.steps {
            let now = of(&step.share).min(before);
            if now <= height {
                let part =
                    if before > now { ((before - height) / (before - now)).clamp(0.0, 1.0) } else { 1.0 };
                return Some(step.after + part * (step.by - step.after));
            }
            before = now;
        }
        None
    }
}
