//! How far what a rule says is from the truth, and what it cost.

use estimate::{Survival, Timed};
use kadscope_monitor::{
    lengths::{SeenLength, SessionLengths},
    schedule::ScheduleRules,
};

use super::{
    laws::{DAY, HOUR, Law, Life, MINUTE, WATCH},
    rules::{Nebula, Ours},
    watched::{Seen, WatchRule, Watched, seconds, watch},
};

/// Up to which length curves are compared, and means taken.
const LONGEST: f64 = 4.0 * DAY;

/// What came of watching all peers of a law by one rule.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// The largest distance between the distribution of the lengths of sessions and that of the times that peers were up, which began during
    /// the watch.
    pub(crate) distance: f64,
    /// The same of lengths from the first success to the last, cut short where nobody saw the end.
    pub(crate) own_distance: f64,
    /// By what share the mean up to four days is too long.
    pub(crate) bias: f64,
    /// The share of times up that no look saw.
    pub(crate) missed: f64,
    /// The share of sessions that were said to be over and were not.
    pub(crate) false_ends: f64,
    /// The mean seconds from an end to when it was said.
    pub(crate) delay: f64,
    /// Beside those of crawls.
    pub(crate) dials: u64,
    /// For each peer and hour.
    pub(crate) dials_per_hour: f64,
}

impl Judgement {
    /// Whether it is closer to the truth than another, however that one's lengths are taken, for fewer dials.
    pub(crate) fn is_better_than(&self, other: &Self) -> bool {
        self.distance < other.distance.min(other.own_distance) && self.dials < other.dials
    }
}

/// By our rule, with all intervals longer by a factor.
pub(crate) fn ours(law: &Law, lives: &[Life], factor: f64) -> Judgement {
    judge(law, lives, || Ours::new(ScheduleRules { stretch: factor, ..ScheduleRules::default() }))
}

/// By Nebula's.
pub(crate) fn nebula(law: &Law, lives: &[Life]) -> Judgement {
    judge(law, lives, Nebula::default)
}

/// Watches all by a rule, and judges.
fn judge<R: WatchRule>(law: &Law, lives: &[Life], rule: impl Fn() -> R) -> Judgement {
    let all: Vec<Watched> = lives.iter().map(|life| watch(law, life, rule())).collect();
    let seen: Vec<&Seen> =
        all.iter().flat_map(|one| &one.sessions).filter(|one| one.began_after.is_some()).collect();
    let truth = curve(
        lives.iter().flat_map(began).map(|(from, until)| Timed { after: until - from, is_censored: false }),
    );
    let plain = curve(seen.iter().map(|one| Timed {
        after: seconds(one.last_up) - seconds(one.first_up),
        is_censored: one.decided.is_none(),
    }));
    let left_open: Vec<SeenLength> = seen.iter().filter_map(|one| left_open(one)).collect();
    let lengths = SessionLengths::of(&left_open);
    let share = |length: f64| lengths.as_ref().map_or(1.0, |lengths| lengths.longer_than(length));
    let (mean, true_mean) = (area(share), area(|length| truth.going_on(length)));
    let (delay, false_ends) = ends(lives, &all);
    let (began, missed) = missed(lives, &all);
    let dials = all.iter().map(|one| one.dials).sum();
    Judgement {
        distance: furthest(&truth, share),
        own_distance: furthest(&truth, |length| plain.going_on(length)),
        bias: mean / true_mean - 1.0,
        missed: missed / began,
        false_ends,
        delay,
        dials,
        dials_per_hour: dials as f64 / lives.len() as f64 / (WATCH / HOUR),
    }
}

/// The times up that began during the watch.
fn began(life: &Life) -> impl Iterator<Item = (f64, f64)> + '_ {
    life.ups.iter().copied().filter(|(from, _)| *from > 0.0)
}

fn curve(lengths: impl Iterator<Item = Timed>) -> Survival {
    let nothing = Survival { n: 0, censored: 0, steps: Vec::new(), censored_at: Vec::new(), last: 0.0 };
    Survival::of(lengths).unwrap_or(nothing)
}

/// What looks leave open of a session; `None` if it may have begun before the watch.
fn left_open(seen: &Seen) -> Option<SeenLength> {
    let first = seconds(seen.first_up);
    Some(SeenLength {
        unseen_before: first - seconds(seen.began_after?),
        seen_for: seconds(seen.last_up) - first,
        ended_by: seen.first_failed.map(|failed| seconds(failed) - first),
    })
}

/// The largest distance of a curve from the truth at any length up to the longest.
fn furthest(truth: &Survival, share: impl Fn(f64) -> f64) -> f64 {
    lengths().map(|length| (truth.going_on(length) - share(length)).abs()).fold(0.0, f64::max)
}

/// The mean length up to the longest.
fn area(share: impl Fn(f64) -> f64) -> f64 {
    let mut before = 0.0;
    lengths().map(|length| (length - std::mem::replace(&mut before, length)) * share(length)).sum()
}

/// Every minute for six hours, then in steps of a hundredth.
fn lengths() -> impl Iterator<Item = f64> {
    let next = |length: &f64| Some(length + MINUTE.max(length / 360.0));
    std::iter::successors(Some(MINUTE), next).take_while(|length| *length <= LONGEST)
}

/// The mean delay with which ends were said, and the share of what was said that was no end.
fn ends(lives: &[Life], all: &[Watched]) -> (f64, f64) {
    let (mut delay, mut right, mut wrong) = (0.0, 0.0_f64, 0.0);
    for (life, watched) in lives.iter().zip(all) {
        for (last, decided) in watched.sessions.iter().filter_map(|seen| Some((seen.last_up, seen.decided?)))
        {
            let (last, decided) = (seconds(last), seconds(decided));
            let index = life.ups.partition_point(|(from, _)| *from <= last);
            let until =
                index.checked_sub(1).and_then(|index| life.ups.get(index)).map_or(last, |(_, until)| *until);
            if decided < until {
                wrong += 1.0;
            } else {
                (right, delay) = (right + 1.0, delay + decided - until);
            }
        }
    }
    (delay / right.max(1.0), wrong / (right + wrong).max(1.0))
}

/// How many times up began during the watch, and how many of these nobody saw.
fn missed(lives: &[Life], all: &[Watched]) -> (f64, f64) {
    let (mut began, mut missed) = (0.0, 0.0);
    for (life, watched) in lives.iter().zip(all) {
        for ((from, _), seen) in life.ups.iter().zip(&watched.seen) {
            began += f64::from(u8::from(*from > 0.0));
            missed += f64::from(u8::from(*from > 0.0 && !seen));
        }
    }
    (began, missed)
}
