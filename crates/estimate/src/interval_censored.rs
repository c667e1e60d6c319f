//! How long something takes, where it is only known between which two looks it ended: the share that has not ended by a time.
//!
//! The nonparametric maximum likelihood estimate: R. Peto, Appl. Statist. 22 (1973) 86-91; B. W. Turnbull, "The Empirical Distribution
//! Function with Arbitrarily Grouped, Censored and Truncated Data", J. R. Stat. Soc. B 38 (1976) 290-295. It gives weight to `atoms` alone,
//! and how much is found by `likelihood`; how sure the share at a time is comes from `spread`. It assumes that when somebody is looked at
//! does not hang on when it ends. Where ends are known exactly, [`Survival`](crate::Survival) says the same, and is sooner done.

mod atoms;
mod likelihood;
mod quantile;
mod spread;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::quantile::BracketedQuantile;
use self::{
    atoms::{Atom, Atoms},
    likelihood::Likelihood,
    spread::Clusters,
};
use crate::{NoSurvival, proportion::wilson};

/// How far the mean log-likelihood of one observation may be below its maximum.
const SHORTFALL: f64 = 1e-9;

/// Between which two looks something ended, in any unit that is the same for all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bracketed {
    /// It had not ended then.
    pub after: f64,
    /// It had ended then; the same as `after` where the end was seen itself, `None` if it was never seen to have ended.
    pub by: Option<f64>,
    /// The last look that would have told: not before `after` and `by`.
    pub until: f64,
    /// Of whom it is, or who is looked at with it: observations of one cluster may hang together, those of two do not.
    pub cluster: u32,
}

/// What is known of how long something takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BracketedSurvival {
    /// How many were watched.
    pub n: u64,
    /// How many of these were not seen to end.
    pub censored: u64,
    /// Of how many clusters they are.
    pub clusters: u64,
    /// A step for each stretch of time in which some ended, from the first on.
    pub steps: Vec<BracketedStep>,
    /// The latest time at which it is known of anybody whether it had ended.
    pub last: f64,
    /// How far the log-likelihood is below its maximum, at most.
    pub shortfall: f64,
    /// The share at the start, before any step.
    pub first: ShareGoingOn,
}

/// A share that goes on, with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShareGoingOn {
    /// The share, 0 to 1.
    pub going_on: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
}

/// What is known of a stretch of time in which some ended, and of the time from there to the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BracketedStep {
    /// They had not ended then; when they did before `by` nothing says.
    pub after: f64,
    /// They had ended then.
    pub by: f64,
    /// The share that goes on from there.
    pub share: ShareGoingOn,
}

impl BracketedSurvival {
    /// From what was observed, in any order. The same seed gives the same intervals.
    pub fn of(observed: &[Bracketed], seed: u64) -> Result<Self, NoSurvival> {
        if !observed.iter().all(Bracketed::is_possible) {
            return Err(NoSurvival::NotATime);
        }
        let looks = observed.iter().flat_map(|one| [Some(one.after), one.by]).flatten();
        let last = looks.max_by(f64::total_cmp).ok_or(NoSurvival::NothingObserved)?;
        let atoms = Atoms::of(observed);
        let (pairs, of_each) = paired(&atoms, observed);
        let mut likelihood = Likelihood::new(pairs, atoms.list.len());
        let mut weights = vec![0.0; likelihood.pairs()];
        for pair in &of_each {
            if let Some(weight) = weights.get_mut(*pair) {
                *weight += 1.0;
            }
        }
        let fit = likelihood.maximum(&weights, None, SHORTFALL);
        let clusters = Clusters::of(observed, &of_each);
        let variances = clusters.variances(&mut likelihood, &fit.masses, seed);
        let told = spread::told(observed, &atoms.list);
        let mut left = 1.0;
        let mut steps = Vec::new();
        for (index, (Atom { after, by }, mass)) in atoms.list.iter().zip(&fit.masses).enumerate() {
            left = f64::max(left - mass, 0.0);
            let (Some(by), true) = (*by, *mass > f64::EPSILON) else { continue };
            let going_on = if left < 1e-12 { 0.0 } else { left };
            let variance = variances.get(index).copied().unwrap_or_default();
            let told = told.get(index).copied().unwrap_or_default();
            let worth = spread::worth(going_on, variance, told, clusters.len());
            let (low, high) = wilson(going_on, worth.min(observed.len() as f64));
            steps.push(BracketedStep { after: *after, by, share: ShareGoingOn { going_on, low, high } });
        }
        let (low, high) = wilson(1.0, clusters.len() as f64);
        Ok(Self {
            n: observed.len() as u64,
            censored: observed.iter().filter(|one| one.by.is_none()).count() as u64,
            clusters: clusters.len() as u64,
            steps,
            last,
            shortfall: fit.shortfall,
            first: ShareGoingOn { going_on: 1.0, low, high },
        })
    }

    /// With no more than about so many of the steps, by which the curve hardly differs from all of them: it falls by as much from each to
    /// the next. The first and the last are among them.
    #[must_use]
    pub fn thinned(mut self, most: usize) -> Self {
        if self.steps.len() <= most {
            return self;
        }
        let (fall, last) = (1.0 / most.max(1) as f64, self.steps.len().saturating_sub(1));
        let (mut index, mut before) = (0, f64::INFINITY);
        self.steps.retain(|step| {
            let is_kept = before - step.share.going_on >= fall || index == last;
            before = if is_kept { step.share.going_on } else { before };
            index += 1;
            is_kept
        });
        self
    }

    /// The share that goes on at a time. Within a stretch in which some ended it lies between what it was before and what it is after,
    /// and so does its interval.
    pub fn at(&self, time: f64) -> ShareGoingOn {
        let before = self.steps.partition_point(|step| step.after < time);
        let past = self.steps.partition_point(|step| step.by <= time);
        let of = |count: usize| {
            count.checked_sub(1).and_then(|index| self.steps.get(index)).map_or(self.first, |step| step.share)
        };
        // An end that was seen itself has no stretch: what was before does not reach to it.
        let (upper, lower) = (of(past), of(before.max(past)));
        let going_on = f64::midpoint(upper.going_on, lower.going_on);
        ShareGoingOn { going_on, low: lower.low, high: upper.high }
    }
}

impl Bracketed {
    fn is_possible(&self) -> bool {
        let by = self.by.unwrap_or(self.after);
        self.after.is_finite() && by.is_finite() && by >= self.after && self.until >= by
    }
}

/// The distinct runs of atoms that observations leave open, and which of these each observation has.
fn paired(atoms: &Atoms, observed: &[Bracketed]) -> (Vec<[usize; 2]>, Vec<usize>) {
    let mut known: BTreeMap<[usize; 2], usize> = BTreeMap::new();
    let mut pairs = Vec::new();
    let of_each = observed.iter().map(|one| {
        let run = atoms.run(one);
        *known.entry(run).or_insert_with(|| {
            pairs.push(run);
            pairs.len() - 1
        })
    });
    let of_each = of_each.collect();
    (pairs, of_each)
}
