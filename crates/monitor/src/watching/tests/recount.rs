//! The numbers of a view, counted from the whole list of what it was told, peer by peer: slow, and without anything that is carried on.

use std::collections::BTreeMap;

use super::*;

/// One thing that was told of a peer, and where in the list.
struct Told<'a> {
    index: usize,
    at: Timestamp,
    news: &'a WatchNews,
}

/// A time for which a peer was up.
struct Stay {
    from: Timestamp,
    last: Timestamp,
    /// Where in the list it was first seen, and whether it is known to have been away before.
    began: (usize, bool),
    /// Where in the list it ended, and when.
    ended: Option<(usize, Timestamp)>,
    /// Whether sight of the peer was lost, so that nobody knows whether it ended.
    is_lost: bool,
}

/// All that was told.
struct Past<'a> {
    steps: &'a [(Timestamp, Step)],
    now: Timestamp,
    /// Where in the list the run begins, and when it began.
    run: usize,
    run_began: Timestamp,
    /// Who was met, with its stays.
    peers: Vec<(Vec<Stay>, Vec<Told<'a>>)>,
}

pub(super) fn recount(steps: &[(Timestamp, Step)]) -> NetworkCounts {
    let past = Past::of(steps);
    let (active, seen) = (past.active(), past.seen_today());
    let (active_count, behind_nat) = (active.len() as u64, past.behind_nat());
    let is_today = |at: Timestamp| day_of(at) == day_of(past.now);
    let gone_today = past.departures().filter(|(_, at)| is_today(*at)).count() as u64;
    let all_left = past.departures().count() as u64;
    let watched_s: f64 = past.stays().map(length_s).sum();
    let looks = past.looks();
    let looks_that = |is: fn(&WatchNews) -> bool| looks.iter().filter(|news| is(news)).count() as u64;
    let failed =
        |news: &&WatchNews| if let WatchNews::Failed(class) = news { Some(class.name()) } else { None };
    NetworkCounts {
        at: past.now,
        active: active_count,
        unconfirmed: past.peers.iter().filter(|(stays, _)| is_up(stays)).count() as u64 - active_count,
        behind_nat,
        known: past.peers.len() as u64,
        arrived_in_run: past.arrivals().filter(|(index, _)| *index >= past.run).count() as u64,
        left_in_run: past.departures().filter(|(index, _)| *index >= past.run).count() as u64,
        seen_today: seen,
        arrived_today: past.arrivals().filter(|(_, at)| is_today(*at)).count() as u64,
        gone_today,
        daily_churn: (seen > 0).then(|| gone_today as f64 / seen as f64),
        mean_stay_s: (all_left > 0).then(|| watched_s / all_left as f64),
        nat_rate: (behind_nat + active_count > 0)
            .then(|| behind_nat as f64 / (behind_nat + active_count) as f64),
        rtt: rtts(active.iter().copied()),
        transports: tallied(
            active.iter().filter_map(|told| newest(told, |seen| seen.transport?.name().into())),
        ),
        looks: looks.len() as u64,
        answered_looks: looks_that(|news| matches!(news, WatchNews::Up(_))),
        nat_looks: looks_that(|news| matches!(news, WatchNews::BehindNat(_))),
        failures: tallied(looks.iter().filter_map(failed)),
        uncounted_looks: 0,
    }
}

impl<'a> Past<'a> {
    fn of(steps: &'a [(Timestamp, Step)]) -> Self {
        let begun = steps.iter().rposition(|(_, step)| matches!(step, Step::Begin));
        let mut peers: BTreeMap<u32, Vec<Told<'a>>> = BTreeMap::new();
        for (index, (at, step)) in steps.iter().enumerate() {
            if let Step::Fact { peer, news, .. } = step {
                let told = peers.entry(*peer).or_default();
                if !told.is_empty() || is_look(news) {
                    told.push(Told { index, at: *at, news });
                }
            }
        }
        peers.retain(|_, told| !told.is_empty());
        Self {
            steps,
            now: steps.last().map_or(NOON, |(at, _)| *at),
            run: begun.map_or(0, |index| index + 1),
            run_began: begun.map_or(NOON, |index| steps[index].0),
            peers: peers.into_values().map(|told| (stays(steps, &told), told)).collect(),
        }
    }

    /// What was told of those that are up and were seen in this run.
    fn active(&self) -> Vec<&Vec<Told<'a>>> {
        let is_active =
            |stays: &[Stay]| is_up(stays) && stays.last().is_some_and(|stay| stay.last >= self.run_began);
        self.peers.iter().filter(|(stays, _)| is_active(stays)).map(|(_, told)| told).collect()
    }

    fn behind_nat(&self) -> u64 {
        self.peers.iter().filter(|(stays, told)| !is_up(stays) && is_behind_nat(told)).count() as u64
    }

    fn seen_today(&self) -> u64 {
        let is_seen =
            |told: &Told<'_>| matches!(told.news, WatchNews::Up(_)) && day_of(told.at) == day_of(self.now);
        self.peers.iter().filter(|(_, told)| told.iter().any(is_seen)).count() as u64
    }

    fn stays(&self) -> impl Iterator<Item = &Stay> {
        self.peers.iter().flat_map(|(stays, _)| stays)
    }

    fn arrivals(&self) -> impl Iterator<Item = (usize, Timestamp)> {
        self.stays().filter(|stay| stay.began.1).map(|stay| (stay.began.0, stay.from))
    }

    fn departures(&self) -> impl Iterator<Item = (usize, Timestamp)> {
        self.stays().filter_map(|stay| stay.ended)
    }

    /// The looks of the run.
    fn looks(&self) -> Vec<&'a WatchNews> {
        let look = |step: &'a Step| match step {
            Step::Fact { news, .. } if is_look(news) => Some(news),
            _ => None,
        };
        self.steps[self.run..].iter().filter_map(|(_, step)| look(step)).collect()
    }
}

fn is_look(news: &WatchNews) -> bool {
    !matches!(news, WatchNews::Gone | WatchNews::Lost)
}

fn is_up(stays: &[Stay]) -> bool {
    stays.last().is_some_and(|stay| stay.ended.is_none() && !stay.is_lost)
}

/// The stays of a peer. A new run ends none, and begins another one where the peer is seen again.
fn stays(steps: &[(Timestamp, Step)], told: &[Told<'_>]) -> Vec<Stay> {
    let mut stays: Vec<Stay> = Vec::new();
    for Told { index, at, news } in told {
        let begun = steps[..*index].iter().rposition(|(_, step)| matches!(step, Step::Begin));
        let run = begun.map_or(0, |begun| begun + 1);
        let run_began = begun.map_or(NOON, |begun| steps[begun].0);
        let is_swept = steps[run..*index].iter().any(|(_, step)| matches!(step, Step::Swept));
        let was_lost = stays.last().is_some_and(|stay| stay.is_lost);
        let open = stays.last_mut().filter(|stay| stay.ended.is_none() && !stay.is_lost);
        match (news, open) {
            (WatchNews::Up(_), Some(stay)) if stay.last >= run_began => stay.last = *at,
            (WatchNews::Up(_), open) => {
                let was_known = told[0].index < *index;
                let is_arrival = open.is_none() && !was_lost && (was_known || is_swept);
                stays.push(Stay {
                    from: *at,
                    last: *at,
                    began: (*index, is_arrival),
                    ended: None,
                    is_lost: false,
                });
            }
            (WatchNews::Gone, Some(stay)) => stay.ended = Some((*index, *at)),
            (WatchNews::Lost, Some(stay)) => stay.is_lost = true,
            _ => {}
        }
    }
    stays
}

fn length_s(stay: &Stay) -> f64 {
    let unseen = stay.ended.map_or(Duration::ZERO, |(_, at)| at.since(stay.last) / 2);
    (stay.last.since(stay.from) + unseen).as_secs_f64()
}

/// Whether that was said of it since it was last seen up.
fn is_behind_nat(told: &[Told<'_>]) -> bool {
    told.iter()
        .rev()
        .take_while(|told| !matches!(told.news, WatchNews::Up(_)))
        .any(|told| matches!(told.news, WatchNews::BehindNat(_)))
}

/// The last value that looks saw.
fn newest<T>(told: &[Told<'_>], of: impl Fn(&PeerSeen) -> Option<T>) -> Option<T> {
    told.iter().rev().find_map(|told| match told.news {
        WatchNews::Up(seen) => of(seen),
        _ => None,
    })
}

fn rtts<'a>(active: impl Iterator<Item = &'a Vec<Told<'a>>>) -> Option<RttSummary> {
    let mut rtts: Vec<u32> = active
        .filter_map(|told| newest(told, |seen| seen.rtt))
        .map(|rtt| u32::try_from(rtt.as_micros()).unwrap())
        .collect();
    rtts.sort_unstable();
    // The least one that so many tenths are not longer than.
    let least = |tenths: usize| {
        let is_enough =
            |rtt: &&u32| rtts.iter().filter(|other| other <= rtt).count() * 10 >= rtts.len() * tenths;
        rtts.iter().find(is_enough).copied()
    };
    Some(RttSummary { peers: rtts.len() as u64, p10_us: least(1)?, median_us: least(5)?, p90_us: least(9)? })
}

fn tallied(names: impl Iterator<Item = &'static str>) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}
