//! The time to live of records and of their addresses, by the program that holds them, and by which clock it runs.

use std::{collections::BTreeMap, time::Duration};

use estimate::{Bracketed, CommonTime, NoCommonTime, Proportion, common_time, common_times};
use serde::{Deserialize, Serialize};

use super::{
    aspects::LifeAspect,
    rows::{LifeRow, LifeRows},
};

/// The most times to live of one program.
const MAX_TIMES: usize = 4;

/// The most programs of an arm that are told of, those of most holders.
const MAX_PROGRAMS: usize = 30;

/// One clock fits better if what was seen is as many times likelier by it, as a logarithm: twenty times.
const CLEAR_LEAD: f64 = 3.0;

kad::named! {
    /// From when on a time to live runs.
    pub enum TtlClock: serde {
        /// From when the holder was sent the record; from when publication began, where that is not known.
        Published = "published",
        /// From when the publisher hung up.
        Closed = "closed",
    }
}

/// When records or addresses end with holders of one program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TtlNumbers {
    /// What ends: records, or their addresses.
    pub aspect: LifeAspect,
    /// In which arm.
    pub arm: String,
    /// The program and its version; `None` of all holders.
    pub program: Option<String>,
    /// With how many holders it began.
    pub n: u64,
    /// With how many of these it was seen to have ended.
    pub ended: u64,
    /// What it looks like by each clock that there is.
    pub fits: Vec<ClockFit>,
    /// The clock by which it fits clearly best; else that of publication for records, and of the disconnect for addresses. `None` where no time stands out by any.
    pub clock: Option<TtlClock>,
    /// Whether that clock fits clearly better than the other: what was seen is twenty times likelier by it. `None` where there is one clock.
    pub is_clear: Option<bool>,
    /// By that clock, all times that stand out, that of most holders first: more than one where what one name stands for differs.
    pub times_s: Vec<CommonTime>,
    /// Most holders have it for longer than that, in seconds since the record was sent; `None` of fewer holders than say so.
    pub longer_than_s: Option<f64>,
}

/// The time to live by one clock, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClockFit {
    /// The clock.
    pub clock: TtlClock,
    /// The time; `None` where none stands out.
    pub time_s: Option<CommonTime>,
    /// Why none does.
    pub no_time_because: Option<NoCommonTime>,
}

impl LifeRow {
    /// When a clock began, since publication did; `None` if it never did.
    const fn began(&self, clock: TtlClock) -> Option<Duration> {
        match (clock, self.sent) {
            (TtlClock::Published, Some(sent)) => Some(sent),
            (TtlClock::Published, None) => Some(Duration::ZERO),
            (TtlClock::Closed, _) => self.closed,
        }
    }
}

impl LifeRows {
    /// When programs drop records and their addresses: by arm, of all holders and then by program.
    pub fn times(&self) -> Vec<TtlNumbers> {
        self.arms().into_iter().flat_map(|arm| self.times_of(arm)).collect()
    }

    fn times_of(&self, arm: u32) -> Vec<TtlNumbers> {
        let rows: Vec<&LifeRow> = self.rows.iter().filter(|row| row.arm == arm).collect();
        let mut programs: BTreeMap<u32, Vec<&LifeRow>> = BTreeMap::new();
        for row in &rows {
            programs.entry(row.program).or_default().push(row);
        }
        let mut programs: Vec<(&str, Vec<&LifeRow>)> =
            programs.into_iter().map(|(program, rows)| (self.programs.name(program), rows)).collect();
        programs.sort_by(|(one, first), (other, second)| {
            second.len().cmp(&first.len()).then_with(|| one.cmp(other))
        });
        programs.truncate(MAX_PROGRAMS);
        let mut times = Vec::new();
        for aspect in [LifeAspect::Record, LifeAspect::Addresses] {
            let all = [(None, &rows)].into_iter();
            let each = programs.iter().map(|(program, rows)| (Some((*program).to_owned()), rows));
            for (program, rows) in all.chain(each) {
                let numbers = numbers(aspect, rows);
                let arm = self.arms.name(arm).to_owned();
                times.extend(numbers.map(|numbers| TtlNumbers { arm, program, ..numbers }));
            }
        }
        times
    }
}

/// `None` where it began with nobody.
fn numbers(aspect: LifeAspect, rows: &[&LifeRow]) -> Option<TtlNumbers> {
    let by = |clock: TtlClock| -> Vec<Bracketed> {
        // The holders of one key are looked at together.
        let of_key = |row: &&LifeRow| Some(row.life.lifespan(aspect)?.since(row.began(clock)?, row.key));
        rows.iter().filter_map(of_key).collect()
    };
    let published = by(TtlClock::Published);
    let mut clocks = vec![(TtlClock::Published, &published)];
    let closed = by(TtlClock::Closed);
    // Clocks are compared by the same holders: of a publisher that is connected still, only one runs.
    if closed.len() == published.len() {
        clocks.push((TtlClock::Closed, &closed));
    }
    let fits: Vec<ClockFit> = clocks.iter().map(|(clock, observed)| fit(*clock, observed)).collect();
    let mut ranked: Vec<(TtlClock, f64)> =
        fits.iter().filter_map(|fit| fit.time_s.map(|time| (fit.clock, time.evidence))).collect();
    ranked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let lead = match ranked[..] {
        [(_, best), (_, next), ..] => best - next,
        _ => f64::INFINITY,
    };
    let is_clear = lead > CLEAR_LEAD;
    // Where the one is hardly likelier than the other, it is that which programs are known to use.
    let usual = ranked.iter().map(|(clock, _)| *clock).find(|clock| *clock == usual(aspect));
    let clock = ranked.first().map(|(clock, _)| *clock);
    let clock = if is_clear { clock } else { usual.or(clock) };
    let observed = clocks.iter().find(|(known, _)| Some(*known) == clock);
    (!published.is_empty()).then(|| TtlNumbers {
        aspect,
        arm: String::new(),
        program: None,
        n: published.len() as u64,
        ended: published.iter().filter(|one| one.by.is_some()).count() as u64,
        is_clear: clock.filter(|_| fits.len() > 1).map(|_| is_clear),
        times_s: observed
            .and_then(|(_, observed)| common_times(observed, MAX_TIMES).ok())
            .unwrap_or_default(),
        longer_than_s: longer_than(&published),
        clock,
        fits,
    })
}

/// By which clock programs drop it, as far as is known.
const fn usual(aspect: LifeAspect) -> TtlClock {
    match aspect {
        LifeAspect::Record | LifeAspect::Reachability => TtlClock::Published,
        LifeAspect::Addresses => TtlClock::Closed,
    }
}

fn fit(clock: TtlClock, observed: &[Bracketed]) -> ClockFit {
    let time = common_time(observed);
    ClockFit { clock, time_s: time.ok(), no_time_because: time.err() }
}

/// The latest time at which more than half of those that were watched for as long have it still, by the interval of that share.
fn longer_than(observed: &[Bracketed]) -> Option<f64> {
    let sorted = |of: fn(&Bracketed) -> f64| {
        let mut times: Vec<f64> = observed.iter().map(of).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let (seen, watched) = (sorted(|one| one.after), sorted(|one| one.until.max(one.after)));
    let still = |times: &[f64], at: f64| (times.len() - times.partition_point(|time| *time < at)) as u64;
    let most_have =
        |at: f64| Proportion::of(still(&seen, at), still(&watched, at)).is_some_and(|share| share.low > 0.5);
    seen.iter().rev().copied().find(|at| most_have(*at))
}
