//! The time by which a share has ended, with its interval.
//!
//! R. Brookmeyer and J. Crowley, "A Confidence Interval for the Median Survival Time", Biometrics 38 (1982) 29-41: the times whose
//! intervals contain the share. Here these intervals are those on the scale of log(-log), as in R's `survfit(conf.type = "log-log")`.

use serde::{Deserialize, Serialize};

use super::Survival;

/// What a product is off by at most, after as many factors as there are observations.
const SLACK: f64 = 1e-9;

/// The time by which a share of all has ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// The share, 0 to 1.
    pub share: f64,
    /// The first time by which as many had ended; `None` where they had not when the last was cut short: it is later than all that
    /// was seen.
    pub value: Option<f64>,
    /// The lower end of the 95 % interval; `None` where even that is later.
    pub low: Option<f64>,
    /// The upper end of the 95 % interval; `None` where nothing that was seen bounds it.
    pub high: Option<f64>,
    /// How many were watched.
    pub n: u64,
    /// How many of these were cut short.
    pub censored: u64,
}

impl Survival {
    /// The time by which a share between 0 and 1 has ended.
    pub fn quantile(&self, share: f64) -> Quantile {
        let left = 1.0 - share + SLACK;
        let first = |is_below: &dyn Fn(&super::SurvivalStep) -> bool| {
            self.steps.iter().find(|step| is_below(step)).map(|step| step.at)
        };
        Quantile {
            share,
            value: first(&|step| step.going_on <= left),
            low: first(&|step| step.low <= left),
            high: first(&|step| step.high.is_some_and(|high| high <= left)),
            n: self.n,
            censored: self.censored,
        }
    }
}
