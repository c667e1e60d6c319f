//! How long peers stay: as RFM 2 drew it, and by an estimate that takes in those that go on.

use std::collections::BTreeMap;

use estimate::{Survival, Timed, log_rank};
use schema::Timestamp;

use super::{
    ChurnCurve, ChurnNumbers, DrawnPoint, MAX_GROUPS, VersionAlert,
    agents::{groups, minor, program},
};
use crate::{
    gathered::{Gathered, SeenPeer},
    period::Watched,
    stay::{SeenStay, seconds},
};

/// The most steps of a curve that are kept.
const MAX_STEPS: usize = 400;

/// The fewest stays of a version that are compared.
const MIN_STAYS: usize = 20;

/// Differences with a probability above this are taken for chance.
const LEVEL: f64 = 0.05;

/// All stays of all peers.
pub(super) fn all_stays(gathered: &Gathered) -> impl Iterator<Item = &SeenStay> + Clone {
    gathered.peers.iter().flat_map(|peer| &peer.stays)
}

impl ChurnNumbers {
    /// `None` without a stay that began within the period.
    pub(super) fn of(gathered: &Gathered, watched: Watched) -> Option<Self> {
        let overall = ChurnCurve::of("all peers".to_owned(), all_stays(gathered), watched)?;
        let by_program = groups(gathered).into_iter().filter_map(|group| {
            let stays = stays_of(gathered, |agent| program(agent) == group);
            ChurnCurve::of(group.clone(), stays, watched)
        });
        let samples = versions(gathered, watched);
        let versions = samples.iter().filter_map(|(name, _)| {
            let stays = stays_of(gathered, |agent| version_name(agent).as_ref() == Some(name));
            ChurnCurve::of(name.clone(), stays, watched)
        });
        Some(Self {
            versions: versions.collect(),
            compared: compared(&samples),
            overall: std::iter::once(overall).chain(by_program).collect(),
        })
    }

    /// Of stays that came within what was watched; `None` without one.
    pub(super) fn survival<'a>(
        stays: impl Iterator<Item = &'a SeenStay>,
        watched: Watched,
    ) -> Option<Survival> {
        Survival::of(began(stays, watched).map(timed)).ok()
    }
}

impl ChurnCurve {
    fn of<'a>(
        group: String,
        stays: impl Iterator<Item = &'a SeenStay> + Clone,
        watched: Watched,
    ) -> Option<Self> {
        let survival = ChurnNumbers::survival(stays.clone(), watched)?;
        let half = Watched { until: midpoint(watched.from, watched.until), ..watched };
        let drawn: Vec<f64> = stays
            .filter(|stay| is_within(stay.first_up, half))
            .map(|stay| hours(stay.first_up, stay.last_up))
            .collect();
        Some(Self {
            group,
            drawn_n: drawn.len() as u64,
            drawn: distribution(drawn),
            quantiles: [0.5, 0.8].map(|share| survival.quantile(share)),
            survival: survival.thinned(MAX_STEPS),
        })
    }
}

/// Stays of peers by what they call their program.
fn stays_of(
    gathered: &Gathered,
    is_meant: impl Fn(&str) -> bool + Clone,
) -> impl Iterator<Item = &SeenStay> + Clone {
    let is_of = move |peer: &&SeenPeer| gathered.agent(peer).is_some_and(&is_meant);
    gathered.peers.iter().filter(is_of).flat_map(|peer| &peer.stays)
}

/// Those that came within what was watched: of those that were there before nobody knows for how long, and long ones are more likely among
/// them.
fn began<'a>(
    stays: impl Iterator<Item = &'a SeenStay>,
    watched: Watched,
) -> impl Iterator<Item = &'a SeenStay> {
    stays.filter(move |stay| stay.came_by > watched.from && stay.came_by <= watched.until)
}

fn is_within(at: Timestamp, watched: Watched) -> bool {
    watched.from <= at && at <= watched.until
}

fn timed(stay: &SeenStay) -> Timed {
    Timed { after: stay.length_s() / 3600.0, is_censored: stay.went().is_none() }
}

pub(super) fn hours(from: Timestamp, until: Timestamp) -> f64 {
    seconds(from, until) / 3600.0
}

const fn midpoint(one: Timestamp, other: Timestamp) -> Timestamp {
    Timestamp(i64::midpoint(one.0, other.0))
}

/// The empirical distribution, with no more points than are seen.
pub(super) fn distribution(mut values: Vec<f64>) -> Vec<DrawnPoint> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let every = n.div_ceil(MAX_STEPS).max(1);
    let is_told = |index: usize| index % every == every - 1 || index + 1 == n;
    let points = values.iter().enumerate().filter(|(index, _)| is_told(*index));
    points.map(|(index, at)| DrawnPoint { at: *at, share: (index + 1) as f64 / n as f64 }).collect()
}

/// The area under a curve until the last time that anybody was watched.
pub(super) fn restricted_mean(survival: &Survival) -> f64 {
    let mut area = 0.0;
    let (mut from, mut going_on) = (0.0, 1.0);
    for step in &survival.steps {
        area += going_on * (step.at - from);
        (from, going_on) = (step.at, step.going_on);
    }
    area + going_on * (survival.last - from).max(0.0)
}

/// The version of the program that most peers run, as `kubo 0.18`.
fn version_name(agent: &str) -> Option<String> {
    let [major, of_it] = minor(agent)?;
    Some(format!("{} {major}.{of_it}", program(agent)))
}

/// The stays of the most frequent versions of the program that most peers run, from the oldest on.
fn versions(gathered: &Gathered, watched: Watched) -> Vec<(String, Vec<Timed>)> {
    let Some(first) = groups(gathered).into_iter().next() else { return Vec::new() };
    let mut by_version: BTreeMap<[u32; 2], Vec<Timed>> = BTreeMap::new();
    for peer in &gathered.peers {
        let version = gathered.agent(peer).filter(|agent| program(agent) == first).and_then(minor);
        if let Some(version) = version {
            by_version.entry(version).or_default().extend(began(peer.stays.iter(), watched).map(timed));
        }
    }
    let mut most: Vec<usize> = by_version.values().map(Vec::len).collect();
    most.sort_unstable_by(|one, other| other.cmp(one));
    let fewest = most.get(MAX_GROUPS - 1).copied().unwrap_or(0).max(MIN_STAYS);
    by_version
        .into_iter()
        .filter(|(_, stays)| stays.len() >= fewest)
        .map(|([major, of_it], stays)| (format!("{first} {major}.{of_it}"), stays))
        .collect()
}

/// Each version against the one before it, corrected for how many were compared: S. Holm, Scand. J. Statist. 6 (1979) 65-70.
fn compared(samples: &[(String, Vec<Timed>)]) -> Vec<VersionAlert> {
    let median = |stays: &[Timed]| Survival::of(stays.iter().copied()).ok()?.quantile(0.5).value;
    let mut alerts: Vec<VersionAlert> = samples
        .windows(2)
        .filter_map(|pair| {
            let [(before, old), (version, new)] = pair else { return None };
            Some(VersionAlert {
                versions: [version.clone(), before.clone()],
                test: log_rank(old, new)?,
                adjusted_p: 1.0,
                medians_h: [median(new), median(old)],
                is_worse: false,
            })
        })
        .collect();
    let mut order: Vec<usize> = (0..alerts.len()).collect();
    order.sort_by(|one, other| {
        let p = |at: &usize| alerts.get(*at).map_or(1.0, |alert| alert.test.p);
        p(one).total_cmp(&p(other))
    });
    let mut largest = 0.0_f64;
    for (rank, at) in order.iter().enumerate() {
        let left = (order.len() - rank) as f64;
        if let Some(alert) = alerts.get_mut(*at) {
            largest = largest.max((alert.test.p * left).min(1.0));
            alert.adjusted_p = largest;
            // A median that was not reached is longer than any that was.
            let [new, old] = alert.medians_h.map(|median| median.unwrap_or(f64::INFINITY));
            alert.is_worse = largest < LEVEL && new < old;
        }
    }
    alerts
}
