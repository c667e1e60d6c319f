//! How long something takes, where some were watched for less time than it took: the share that has not ended by a time, and the
//! time by which a share has.
//!
//! Product-limit estimator: E. L. Kaplan and P. Meier, "Nonparametric Estimation from Incomplete Observations", J. Am. Stat. Assoc. 53
//! (1958) 457-481. Its variance after M. Greenwood (1926), its intervals on the scale of log(-log): J. D. Kalbfleisch and R. L. Prentice,
//! "The Statistical Analysis of Failure Time Data" (1980), 1.3. It assumes that those who are cut short would have gone on as the others do:
//! true of a deadline that is the same for all, not of those who give up because they are slow.

mod boxes;
mod quantile;

use serde::{Deserialize, Serialize};

pub use self::{boxes::BoxStatistics, quantile::Quantile};
use crate::normal::Z;

/// How long one was watched, in any unit that is the same for all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timed {
    /// Until it ended, or until nobody watched any more; not below zero.
    pub after: f64,
    /// Whether it had not ended by then.
    pub is_censored: bool,
}

/// What is known of how long something takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Survival {
    /// How many were watched.
    pub n: u64,
    /// How many of these were cut short.
    pub censored: u64,
    /// A step for each time at which some ended, from the first on.
    pub steps: Vec<SurvivalStep>,
    /// When those were last seen who were cut short, from the first on.
    pub censored_at: Vec<f64>,
    /// The longest time that anybody was watched.
    pub last: f64,
}

/// What is known of the time from one end to the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SurvivalStep {
    /// When some ended.
    pub at: f64,
    /// How many were still watched just before.
    pub at_risk: u64,
    /// How many ended then.
    pub ended: u64,
    /// The share that goes on after that.
    pub going_on: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end of its 95 % interval; `None` where nobody is left to tell.
    pub high: Option<f64>,
}

kad::named! {
    /// Why nothing can be said of how long something takes.
    pub enum NoSurvival: serde {
        /// Nothing was observed.
        NothingObserved = "nothing_observed",
        /// A time is below zero, or no number.
        NotATime = "not_a_time",
    }
}

impl Survival {
    /// From what was observed, in any order. What ended at the moment when another was cut short ended before that.
    pub fn of(observed: impl IntoIterator<Item = Timed>) -> Result<Self, NoSurvival> {
        let mut observed: Vec<Timed> = observed.into_iter().collect();
        if observed.iter().any(|timed| !(timed.after >= 0.0 && timed.after.is_finite())) {
            return Err(NoSurvival::NotATime);
        }
        observed.sort_by(|one, other| {
            one.after.total_cmp(&other.after).then(one.is_censored.cmp(&other.is_censored))
        });
        let last = observed.last().ok_or(NoSurvival::NothingObserved)?.after;
        let censored_at: Vec<f64> =
            observed.iter().filter(|timed| timed.is_censored).map(|timed| timed.after).collect();
        let (n, censored) = (observed.len() as u64, censored_at.len() as u64);
        Ok(Self { n, censored, steps: steps(&observed), censored_at, last })
    }

    /// The share that goes on after a time. After the longest time that anybody was watched it is what it was then.
    pub fn going_on(&self, after: f64) -> f64 {
        self.step_at(after).map_or(1.0, |step| step.going_on)
    }

    /// The step that holds at a time; `None` before the first.
    pub fn step_at(&self, after: f64) -> Option<&SurvivalStep> {
        let until = self.steps.partition_point(|step| step.at <= after);
        self.steps.get(until.checked_sub(1)?)
    }

    /// The share of those who were watched that was cut short.
    pub fn censored_share(&self) -> f64 {
        self.censored as f64 / self.n as f64
    }

    /// No more than about so many of the steps, by which the curve hardly differs from all of them: it falls by as much from each to
    /// the next. The first and the last are among them.
    pub fn thinned(&self, most: usize) -> Vec<SurvivalStep> {
        let fall = 1.0 / most.max(1) as f64;
        let mut kept: Vec<SurvivalStep> = Vec::new();
        let last = self.steps.len().saturating_sub(1);
        for (index, step) in self.steps.iter().enumerate() {
            let has_fallen = kept.last().is_none_or(|before| before.going_on - step.going_on >= fall);
            if has_fallen || index == last || self.steps.len() <= most {
                kept.push(*step);
            }
        }
        kept
    }
}

/// The steps of sorted observations.
fn steps(observed: &[Timed]) -> Vec<SurvivalStep> {
    let mut steps = Vec::new();
    let (mut going_on, mut greenwood) = (1.0_f64, 0.0_f64);
    let mut rest = observed;
    while let Some(first) = rest.first() {
        let same = rest.partition_point(|timed| timed.after <= first.after);
        let (now, after) = rest.split_at(same);
        let (at_risk, ended) = (rest.len() as f64, now.iter().filter(|timed| !timed.is_censored).count());
        if ended > 0 {
            let ends = ended as f64;
            going_on *= 1.0 - ends / at_risk;
            greenwood += ends / (at_risk * (at_risk - ends));
            let (low, high) = interval(going_on, greenwood);
            let (at, at_risk, ended) = (first.after, rest.len() as u64, ended as u64);
            steps.push(SurvivalStep { at, at_risk, ended, going_on, low, high });
        }
        rest = after;
    }
    steps
}

/// The interval of a share that goes on, by Greenwood's sum.
fn interval(going_on: f64, greenwood: f64) -> (f64, Option<f64>) {
    if going_on <= 0.0 || !greenwood.is_finite() {
        return (0.0, None);
    }
    let power = Z * greenwood.sqrt() / going_on.ln();
    // The logarithm is negative: the smaller power is that of the upper end.
    (going_on.powf((-power).exp()), Some(going_on.powf(power.exp())))
}

#[cfg(test)]
mod tests;
