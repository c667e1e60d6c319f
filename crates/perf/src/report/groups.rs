//! From attempts to numbers: which belong together, and what of each is an end.

use std::collections::{BTreeMap, BTreeSet};

use estimate::{Proportion, Survival, Timed, log_rank, quantile_difference};
use schema::{OperationKind, OperationOutcome, Timestamp};

use super::{
    numbers::{
        FleetDifference, GroupNumbers, KindNumbers, OutcomeNumbers, PairNumbers, PerfSection,
        PlacementNumbers,
    },
    rows::{NameNumber, ReportRows, Row},
};

/// The quantiles that are told.
const SHARES: [f64; 3] = [0.5, 0.9, 0.99];

/// The most steps of a curve that are kept.
const MAX_STEPS: usize = 150;

/// The most outliers of a box plot that are kept.
const MAX_OUTLIERS: usize = 12;

/// The fleet that others are compared with, where there is one of that name; else the first.
const AGAINST: &str = "default";

/// What the rows of a group have in common: their fleet, and region, day and connections where groups differ in these.
type GroupKey = (String, Option<String>, Option<String>, Option<String>);

/// Why a draw of samples hangs on nothing but the rows: each comparison has this seed.
const SEED: u64 = 17;

impl ReportRows {
    /// All numbers of these attempts.
    pub fn section(&self) -> PerfSection {
        let named = |of: fn(&Row) -> NameNumber| {
            let names: BTreeSet<&str> = self.rows.iter().map(|row| self.name(of(row))).collect();
            names.into_iter().map(str::to_owned).collect()
        };
        let times = || self.rows.iter().map(|row| row.planned_at);
        let kinds = OperationKind::ALL.iter().filter_map(|kind| self.of_kind(*kind)).collect();
        PerfSection {
            from: times().min(),
            to: times().max(),
            attempts: self.rows.len() as u64,
            fleets: named(|row| row.fleet),
            regions: named(|row| row.region),
            kinds,
            matrix: self.matrix(),
            differences: OperationKind::ALL.iter().flat_map(|kind| self.differences(*kind)).collect(),
            placements: self.placements(),
        }
    }

    /// `None` where there is no attempt of that kind.
    fn of_kind(&self, kind: OperationKind) -> Option<KindNumbers> {
        let rows: Vec<&Row> = self.rows.iter().filter(|row| row.kind == kind).collect();
        let has_policies = rows.iter().filter_map(|row| row.policy).collect::<BTreeSet<_>>().len() > 1;
        let by = |region: bool, day: bool, policy: bool| {
            let groups = grouped(&rows, |row| {
                let fleet = self.name(row.fleet).to_owned();
                let region = region.then(|| self.name(row.region).to_owned());
                let day = day.then(|| day_of(row.planned_at));
                (fleet, region, day, row.policy.filter(|_| policy).map(|policy| policy.name().to_owned()))
            });
            let of_group = |((fleet, region, day, policy), rows): (GroupKey, Vec<&Row>)| {
                // Of a day a box is drawn, and no curve.
                let steps = if day.is_some() { 0 } else { MAX_STEPS };
                GroupNumbers { fleet, region, day, policy, ..numbers(&rows, kind, steps) }
            };
            groups.into_iter().map(of_group).collect()
        };
        (!rows.is_empty()).then(|| KindNumbers {
            kind,
            fleets: by(false, false, false),
            places: by(true, false, false),
            days: by(false, true, false),
            policies: if has_policies { by(false, false, true) } else { Vec::new() },
            outcomes: self.outcomes(&rows),
        })
    }

    fn outcomes(&self, rows: &[&Row]) -> Vec<OutcomeNumbers> {
        let mut outcomes = Vec::new();
        for (fleet, rows) in grouped(rows, |row| self.name(row.fleet).to_owned()) {
            for outcome in OperationOutcome::ALL {
                let hits = rows.iter().filter(|row| row.outcome == *outcome).count();
                let share = Proportion::of(hits as u64, rows.len() as u64).filter(|share| share.hits > 0);
                outcomes.extend(share.map(|share| OutcomeNumbers {
                    fleet: fleet.clone(),
                    outcome: *outcome,
                    share,
                }));
            }
        }
        outcomes
    }

    fn matrix(&self) -> Vec<PairNumbers> {
        let rows: Vec<&Row> = self.rows.iter().filter(|row| row.kind == OperationKind::Retrieve).collect();
        let pairs = grouped(&rows, |row| {
            row.publisher_fleet
                .map(|publisher| (self.name(publisher).to_owned(), self.name(row.fleet).to_owned()))
        });
        let of_pair = |(pair, rows): (Option<(String, String)>, Vec<&Row>)| {
            let (publisher_fleet, fleet) = pair?;
            let numbers = numbers(&rows, OperationKind::Retrieve, 0);
            let median = numbers.quantiles.first().copied();
            Some(PairNumbers { publisher_fleet, fleet, succeeded: numbers.succeeded, median })
        };
        pairs.into_iter().filter_map(of_pair).collect()
    }

    fn differences(&self, kind: OperationKind) -> Vec<FleetDifference> {
        let rows: Vec<&Row> = self.rows.iter().filter(|row| row.kind == kind).collect();
        let fleets = grouped(&rows, |row| self.name(row.fleet).to_owned());
        let samples: BTreeMap<String, Vec<Timed>> =
            fleets.into_iter().map(|(fleet, rows)| (fleet, timed(&rows, kind))).collect();
        let Some((against, first)) = samples.get_key_value(AGAINST).or_else(|| samples.first_key_value())
        else {
            return Vec::new();
        };
        let of_fleet = |(fleet, sample): (&String, &Vec<Timed>)| FleetDifference {
            kind,
            fleet: fleet.clone(),
            against: against.clone(),
            log_rank: log_rank(first, sample),
            median: quantile_difference(first, sample, 0.5, SEED),
        };
        samples.iter().filter(|(fleet, _)| *fleet != against).map(of_fleet).collect()
    }

    fn placements(&self) -> Vec<PlacementNumbers> {
        let rows: Vec<&Row> = self.rows.iter().collect();
        let fleets = grouped(&rows, |row| self.name(row.fleet).to_owned());
        let all = fleets.into_iter().map(|(fleet, rows)| placement(fleet, &rows));
        all.filter(|numbers| numbers.publications > 0 || numbers.size_estimates > 0).collect()
    }
}

/// Rows by a key, in the order of the keys.
fn grouped<'a, K: Ord>(rows: &[&'a Row], key: impl Fn(&Row) -> K) -> BTreeMap<K, Vec<&'a Row>> {
    let mut groups: BTreeMap<K, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(key(row)).or_default().push(row);
    }
    groups
}

/// Where the records of these publications went.
fn placement(fleet: String, rows: &[&Row]) -> PlacementNumbers {
    let holders: Vec<_> = rows.iter().filter_map(|row| row.holders).collect();
    let (sent, wanted) = holders.iter().fold((0_u64, 0_u64), |(sent, wanted), (of_sent, of_wanted)| {
        (sent + u64::from(*of_sent), wanted + u64::from(*of_wanted))
    });
    let mut sizes: Vec<f64> =
        rows.iter().filter_map(|row| row.size_estimate).map(|size| size as f64).collect();
    sizes.sort_by(f64::total_cmp);
    let at = |share: f64| {
        sizes
            .iter()
            .enumerate()
            .find(|(index, _)| (index + 1) as f64 >= share * sizes.len() as f64)
            .map(|(_, size)| *size)
    };
    PlacementNumbers {
        fleet,
        publications: holders.len() as u64,
        holders: (!holders.is_empty()).then(|| wanted as f64 / holders.len() as f64),
        sent: Proportion::of(sent, wanted),
        fewest_sent: holders.iter().map(|(sent, _)| *sent).min(),
        size_estimates: sizes.len() as u64,
        size_median: at(0.5),
        size_quartiles: at(0.25).zip(at(0.75)).map(|(low, high)| [low, high]),
    }
}

/// The numbers of rows that belong together; with at most so many steps of the curve.
fn numbers(rows: &[&Row], kind: OperationKind, steps: usize) -> GroupNumbers {
    let times = timed(rows, kind);
    let hits = rows.iter().filter(|row| began(row) && has_succeeded(row, kind)).count() as u64;
    let requests: Vec<f64> =
        rows.iter().filter(|row| began(row)).filter_map(|row| row.requests).map(f64::from).collect();
    let mut numbers = GroupNumbers {
        attempts: rows.len() as u64,
        apart: (rows.len() - times.len()) as u64,
        cut_short: rows.iter().filter(|row| began(row) && is_cut_short(row)).count() as u64,
        succeeded: Proportion::of(hits, times.len() as u64),
        mean_requests: (!requests.is_empty()).then(|| requests.iter().sum::<f64>() / requests.len() as f64),
        ..GroupNumbers::default()
    };
    // Times are durations, so the only reason is that there is none.
    let Ok(survival) = Survival::of(times) else { return numbers };
    numbers.quantiles = SHARES.map(|share| survival.quantile(share)).to_vec();
    numbers.watched_s = survival.last;
    numbers.boxed = Some(survival.box_statistics(MAX_OUTLIERS));
    numbers.curve = if steps == 0 { Vec::new() } else { survival.thinned(steps) };
    if rows.iter().any(|row| row.more_than.is_some()) {
        let earlier: Vec<Row> =
            rows.iter().map(|row| Row { took: row.more_than.unwrap_or(row.took), ..**row }).collect();
        let earlier = Survival::of(timed(&earlier.iter().collect::<Vec<_>>(), kind));
        numbers.quantiles_at_least = earlier
            .map_or_else(|_| Vec::new(), |earlier| SHARES.map(|share| earlier.quantile(share)).to_vec());
    }
    numbers
}

/// Until each operation succeeded. What failed never does: it goes on for as long as any was watched.
fn timed(rows: &[&Row], kind: OperationKind) -> Vec<Timed> {
    let began: Vec<&Row> = rows.iter().copied().filter(|row| began(row)).collect();
    let longest = began.iter().map(|row| row.took).fold(0.0, f64::max);
    let of_row = |row: &&Row| {
        let is_cut_short = is_cut_short(row);
        let has_ended = has_succeeded(row, kind) && !is_cut_short;
        let after = if has_ended || is_cut_short { row.took } else { longest };
        Timed { after, is_censored: !has_ended }
    };
    began.iter().map(of_row).collect()
}

/// Whether a server did anything that says something of the network.
fn began(row: &Row) -> bool {
    use OperationOutcome as Outcome;
    let has_begun = match row.outcome {
        Outcome::Done | Outcome::NotFound | Outcome::Failed | Outcome::TimedOut => true,
        Outcome::Cancelled => row.is_censored,
        Outcome::Denied | Outcome::Unreachable | Outcome::Unready | Outcome::BadAnswer => false,
    };
    has_begun && !row.is_own
}

/// Whether nobody knows how long it would have taken.
fn is_cut_short(row: &Row) -> bool {
    row.is_censored || row.outcome == OperationOutcome::TimedOut
}

/// Whether it did what it was to do: of what nobody provides, nothing is to be found.
fn has_succeeded(row: &Row, kind: OperationKind) -> bool {
    let wanted = match kind {
        OperationKind::Negative => OperationOutcome::NotFound,
        OperationKind::Provide | OperationKind::Retrieve | OperationKind::Findable => OperationOutcome::Done,
    };
    row.outcome == wanted
}

/// The day of UTC, as year, month and day.
fn day_of(at: Timestamp) -> String {
    at.to_string().split('T').next().unwrap_or_default().to_owned()
}
