//! Who agrees with a time, who does not, and whether it stands out.

use std::collections::BTreeSet;

use super::FEWEST;
use crate::{Bracketed, Proportion};

/// How many more have to agree with a time than with those beside it, as a multiple and in standard deviations.
const MULTIPLE: f64 = 2.0;
const DEVIATIONS: f64 = 3.0;

/// How seldom as many end together anywhere if all end at any time: once in so many studies.
const SELDOM: f64 = 100.0;

/// Whether it may have ended then.
pub(super) fn leaves_open(one: &Bracketed, time: f64) -> bool {
    one.after < time && one.by.is_none_or(|by| time <= by)
}

/// Those that did not end then; who was not seen to end and was not watched for so long says nothing of it.
pub(super) fn others_than(observed: &[Bracketed], time: f64) -> Vec<Bracketed> {
    observed.iter().filter(|one| !leaves_open(one, time)).copied().collect()
}

/// How many differ of those that were looked at before the stretch in which it is and after: whether they are among these does not hang on when
/// they end.
pub(super) fn differing(observed: &[Bracketed], time: f64, (_, by): (f64, f64)) -> Option<Proportion> {
    let watched = observed.iter().filter(|one| one.until >= by.max(time));
    let (n, hits) = watched.fold((0, 0), |(n, hits), one| (n + 1, hits + u64::from(!leaves_open(one, time))));
    Proportion::of(hits, n)
}

/// With fewer clusters nobody can tell whether their looks meet.
const FEWEST_CLUSTERS: usize = 3;

/// One end of an observation.
type End = fn(&Bracketed) -> Option<f64>;

/// Whether these ends of several clusters meet at a place, among those that agree with it; and how near.
pub(super) fn meet(agreeing: &[Bracketed], end: End, place: f64, near: f64) -> bool {
    let agreeing = || agreeing.iter();
    let clusters = |of: &mut dyn Iterator<Item = &Bracketed>| -> usize {
        of.map(|one| one.cluster).collect::<BTreeSet<u32>>().len()
    };
    let is_near = |one: &&Bracketed| end(one).is_some_and(|end| (end - place).abs() <= near);
    clusters(&mut agreeing().filter(is_near)) > 1 || clusters(&mut agreeing()) < FEWEST_CLUSTERS
}

/// Whether many more ended then than just before or just after (as long before and after as those that agree leave open), and than ever do
/// together by chance: by H. Chernoff's bound on a Poisson count, for as many stretches as the range has, moved to each that agrees.
pub(super) fn is_apart(observed: &[Bracketed], time: f64, range: f64) -> bool {
    let ended = || observed.iter().filter_map(|one| one.by.map(|by| (one, by)));
    let mut widths: Vec<f64> =
        ended().filter(|(one, _)| leaves_open(one, time)).map(|(one, by)| by - one.after).collect();
    widths.sort_by(f64::total_cmp);
    let Some(width) = widths.get(widths.len() / 2).copied() else { return false };
    let beside = [time - width, time + width].map(|other| {
        let other = ended().filter(|(one, _)| leaves_open(one, other) && !leaves_open(one, time));
        other.count() as f64
    });
    let most = beside.into_iter().fold(0.0, f64::max);
    let agreeing = widths.len() as f64;
    let by_chance = ended().count() as f64 * width / range;
    let surprise = agreeing * (agreeing / by_chance).ln() - agreeing + by_chance;
    widths.len() as u64 >= FEWEST
        && agreeing > MULTIPLE * most + DEVIATIONS * most.sqrt()
        && surprise > (SELDOM * agreeing * range / width).ln()
}
