//! How likely each time is, with the shares of those that end then, at any time, and later than all looks.

use super::{FEWEST, NoCommonTime};
use crate::Bracketed;

/// The most turns in which shares are made to fit, and when they do.
const MAX_TURNS: usize = 200;
const FIT: f64 = 1e-9;

/// What H. Jeffreys' prior of three shares adds to each count: no share is found to be none.
const PRIOR: f64 = 0.5;

/// From when to when something can have ended and been seen to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    from: f64,
    to: f64,
}

impl Range {
    pub(super) fn of(observed: &[Bracketed]) -> Result<Self, NoCommonTime> {
        let ends_later = |one: &Bracketed| one.by.is_none_or(|by| by.is_finite() && by > one.after);
        if !observed.iter().all(|one| one.after.is_finite() && ends_later(one) && one.until.is_finite()) {
            return Err(NoCommonTime::NotATime);
        }
        let from = observed.iter().map(|one| one.after).reduce(f64::min);
        let from = from.ok_or(NoCommonTime::NothingObserved)?;
        let ended = observed.iter().filter_map(|one| one.by);
        if (ended.clone().count() as u64) < FEWEST {
            return Err(NoCommonTime::TooFewEnded);
        }
        let to = observed.iter().map(|one| one.after.max(one.until)).chain(ended).fold(from, f64::max);
        Ok(Self { from, to })
    }

    pub(super) fn width(&self) -> f64 {
        self.to - self.from
    }

    /// How likely what was seen of one is that ends at any time, and of one that ends later than all looks.
    fn apart(&self, one: &Bracketed) -> (f64, f64) {
        let even = (one.by.unwrap_or(self.to) - one.after) / self.width();
        (even, f64::from(u8::from(one.by.is_none())))
    }
}

/// The shares of those that end at the time, at any time, and later than all looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    common: f64,
    any: f64,
    later: f64,
}

impl Shares {
    pub(super) const EVEN: Self = Self { common: 1.0 / 3.0, any: 1.0 / 3.0, later: 1.0 / 3.0 };

    pub(super) fn is_near(&self, other: &Self) -> bool {
        (self.common - other.common).abs() < FIT && (self.any - other.any).abs() < FIT
    }

    /// By self-consistency (EM), given the time.
    pub(super) fn of(observed: &[Bracketed], range: &Range, time: f64) -> Self {
        let parts: Vec<(f64, f64, f64)> = observed
            .iter()
            .map(|one| {
                let (any, later) = range.apart(one);
                (f64::from(u8::from(super::agreement::leaves_open(one, time))), any, later)
            })
            .collect();
        let n = observed.len() as f64 + 3.0 * PRIOR;
        let mut shares = Self::EVEN;
        for _ in 0..MAX_TURNS {
            let mut next = Self { common: PRIOR, any: PRIOR, later: PRIOR };
            for (common, any, later) in &parts {
                let (common, any, later) = (shares.common * common, shares.any * any, shares.later * later);
                let all = (common + any + later).max(f64::MIN_POSITIVE);
                next.common += common / all;
                next.any += any / all;
                next.later += later / all;
            }
            next = Self { common: next.common / n, any: next.any / n, later: next.later / n };
            if next.is_near(&shares) {
                return next;
            }
            shares = next;
        }
        shares
    }
}

/// How likely what was seen is by the time: the same for all times between two neighbouring looks.
#[derive(Debug)]
pub(super) struct Profile {
    /// The looks, from the first on; each with the logarithm for times from there to the next, and how many leave these open.
    looks: Vec<(f64, f64, i64)>,
    /// The logarithm for times that nobody leaves open, relative to which the others are.
    floor: f64,
    width: f64,
}

impl Profile {
    pub(super) fn of(observed: &[Bracketed], range: &Range, shares: &Shares) -> Self {
        let mut floor = 0.0;
        let mut changes: Vec<(f64, f64, i64)> = Vec::with_capacity(2 * observed.len());
        for one in observed {
            let (any, later) = range.apart(one);
            let apart = (shares.any * any + shares.later * later).max(f64::MIN_POSITIVE);
            floor += apart.ln();
            let more = (1.0 + shares.common / apart).ln();
            changes.push((one.after, more, 1));
            changes.push((one.by.unwrap_or(range.to), -more, -1));
        }
        changes.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (mut sum, mut depth) = (0.0, 0);
        let mut looks: Vec<(f64, f64, i64)> = Vec::new();
        for (at, more, count) in changes {
            sum += more;
            depth += count;
            match looks.last_mut() {
                Some(last) if last.0 >= at => *last = (at, sum, depth),
                _ => looks.push((at, sum, depth)),
            }
        }
        Self { looks, floor, width: range.width() }
    }

    /// The stretches, each with its beginning, its end, the logarithm and how many leave it open.
    fn stretches(&self) -> impl Iterator<Item = (f64, f64, f64, i64)> {
        self.looks.windows(2).filter_map(|pair| match pair {
            [(from, log, depth), (to, ..)] => Some((*from, *to, *log, *depth)),
            _ => None,
        })
    }

    fn highest(&self) -> f64 {
        self.stretches().map(|(_, _, log, _)| log).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The middle of the likeliest stretch.
    pub(super) fn peak(&self) -> f64 {
        let highest = self.highest();
        let peak = self.stretches().find(|(_, _, log, _)| *log >= highest);
        peak.map_or(0.0, |(from, to, ..)| f64::midpoint(from, to))
    }

    /// The stretch that most leave open.
    pub(super) fn deepest(&self) -> (f64, f64) {
        let deepest = self.stretches().map(|(.., depth)| depth).max().unwrap_or(0);
        let all = self.stretches().filter(|(.., depth)| *depth == deepest);
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), stretch| {
            (from.min(stretch.0), to.max(stretch.1))
        })
    }

    /// The logarithm of the mean over all times.
    pub(super) fn evidence(&self) -> f64 {
        let highest = self.highest();
        let sum: f64 = self.stretches().map(|(from, to, log, _)| (to - from) * (log - highest).exp()).sum();
        self.floor + highest + (sum / self.width).ln()
    }

    /// The times below which these shares of the likelihood are.
    pub(super) fn quantiles<const N: usize>(&self, shares: [f64; N]) -> [f64; N] {
        let highest = self.highest();
        let weigh = |(from, to, log, _): (f64, f64, f64, i64)| (to - from) * (log - highest).exp();
        let all: f64 = self.stretches().map(weigh).sum();
        shares.map(|share| {
            let mut below = 0.0;
            let mut at = self.looks.first().map_or(0.0, |look| look.0);
            for stretch in self.stretches() {
                let here = weigh(stretch);
                if here > 0.0 && below + here >= share * all {
                    let (from, to, ..) = stretch;
                    return from + (to - from) * ((share * all - below) / here).clamp(0.0, 1.0);
                }
                below += here;
                at = stretch.1;
            }
            at
        })
    }
}
