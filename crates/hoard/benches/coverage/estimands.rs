//! What is estimated of holders' lives in studies whose law is known, and how often the interval holds that.

use estimate::{CommonTime, Mean, Proportion, Survival, Timed};
use kadscope_hoard::life::{LifeAspect, LifeCurve, LifeRows, TtlClock, TtlNumbers};
use schema::HolderAnswer;

use super::{
    laws::{Law, NEVER, draw},
    tally::{Said, Tally, tallies},
};

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

/// A law, and what is estimated of studies that go by it.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) laws: &'static [(&'static str, Law)],
    pub(super) silence: HolderAnswer,
    pub(super) estimands: &'static [(&'static str, f64)],
    pub(super) of: fn(&LifeRows) -> Vec<Option<Said>>,
}

impl Case {
    /// Of so many studies.
    pub(super) fn tallies(&self, seeds: u64) -> Vec<Tally> {
        tallies(self.estimands, seeds, |seed| {
            let mut rows = LifeRows::default();
            for (number, (arm, law)) in (0..).zip(self.laws) {
                draw(law, seed * 16 + number, arm, &mut rows, self.silence);
            }
            (self.of)(&rows)
        })
    }
}

const PLAIN: Law = Law {
    keys: 30,
    holders: 5,
    peers: 150,
    publishing: 600.0,
    every: 1800.0,
    rounds: 40,
    record: &[],
    addresses: NEVER,
    restart: NEVER,
    leave: NEVER,
    early: 0.0,
    never: 0.0,
    silent: 0.05,
    missed: 0.05,
    is_staggered: false,
};

/// Peers that hold three keys each, restart and leave: what one has of all keys ends together.
const RESTARTING: Law = Law { peers: 50, restart: 10.0 * HOUR, leave: 30.0 * HOUR, never: 0.1, ..PLAIN };

/// Records that live a day, a tenth ends early, some leave.
const DAILY: Law =
    Law { record: &[(DAY, 1.0)], early: 0.1, leave: 120.0 * HOUR, rounds: 72, is_staggered: true, ..PLAIN };

/// Every three minutes for fifty, as RFM 17.1: addresses live a quarter of an hour after the disconnect.
const QUARTER: Law = Law { every: 180.0, rounds: 16, addresses: 900.0, leave: 4.0 * HOUR, ..PLAIN };

/// Two versions by one name.
const MIXED: Law = Law {
    record: &[(DAY, 0.6), (2.0 * DAY, 0.4)],
    rounds: 160,
    leave: 200.0 * HOUR,
    is_staggered: true,
    ..PLAIN
};

/// Two arms on the same keys, of which one is taken by more.
const TAKEN: Law = Law { never: 0.1, rounds: 4, ..PLAIN };
const REFUSED: Law = Law { never: 0.3, rounds: 4, ..PLAIN };

/// What is estimated as it should be.
pub(super) const OURS: &[Case] = &[
    Case {
        laws: &[("arm", RESTARTING)],
        silence: HolderAnswer::TimedOut,
        estimands: &[
            ("share of records that last 5 h", 0.606_530_659_7),
            ("share of records that last 15 h", 0.223_130_160_1),
            ("median life of records, h", 6.931_471_805_6),
            ("share of holders reached for 10 h", 0.716_531_310_6),
        ],
        of: lasting,
    },
    Case {
        laws: &[("arm", RESTARTING)],
        silence: HolderAnswer::TimedOut,
        estimands: &[("share that stores", 0.9)],
        of: |rows| vec![rows.census().first().and_then(|census| census.stored).map(share)],
    },
    Case {
        laws: &[("arm", DAILY)],
        silence: HolderAnswer::TimedOut,
        estimands: &[
            ("time to live of records, h", 24.0),
            ("share that ends at another time", 0.1 * 24.0 / 36.0),
        ],
        of: |rows| {
            let time = time_of(rows, LifeAspect::Record).and_then(|numbers| numbers.times_s.first().copied());
            vec![time.map(|time| time_said(&time)), time.and_then(|time| time.differing).map(share)]
        },
    },
    Case {
        laws: &[("arm", QUARTER)],
        silence: HolderAnswer::TimedOut,
        estimands: &[("time to live of addresses from the disconnect, h", 0.25)],
        of: |rows| {
            let numbers = time_of(rows, LifeAspect::Addresses);
            let numbers = numbers.filter(|numbers| numbers.clock == Some(TtlClock::Closed));
            vec![numbers.and_then(|numbers| numbers.times_s.first().map(time_said))]
        },
    },
    Case {
        laws: &[("arm", MIXED)],
        silence: HolderAnswer::TimedOut,
        estimands: &[("shorter of two times to live, h", 24.0), ("longer of two times to live, h", 48.0)],
        of: |rows| {
            let mut times =
                time_of(rows, LifeAspect::Record).map(|numbers| numbers.times_s).unwrap_or_default();
            times.sort_by(|one, other| one.value.total_cmp(&other.value));
            vec![times.first().map(time_said), times.get(1).map(time_said)]
        },
    },
    Case {
        laws: &[("one", TAKEN), ("two", REFUSED)],
        silence: HolderAnswer::TimedOut,
        estimands: &[("difference of two arms on the same keys", -0.2)],
        of: |rows| {
            let pairs = rows.pairs();
            let pair = pairs.iter().find(|pair| pair.aspect == LifeAspect::Record);
            vec![pair.and_then(|pair| mean(pair.difference?))]
        },
    },
    Case {
        laws: &[("arm", TAKEN)],
        silence: HolderAnswer::TimedOut,
        estimands: &[("holders that say they keep it, a key", 5.0 * 0.9 * 0.95)],
        of: |rows| {
            let rounds = rows.round_means();
            vec![rounds.iter().find(|round| round.round == 2).and_then(|round| mean(round.keeping))]
        },
    },
];

/// What is wrong on purpose.
pub(super) const WRONG: &[Case] = &[
    Case {
        laws: &[("arm", RESTARTING)],
        silence: HolderAnswer::WithoutRecord,
        estimands: &[
            ("silence taken for loss: share of records that last 5 h", 0.606_530_659_7),
            ("silence taken for loss: share of records that last 15 h", 0.223_130_160_1),
            ("silence taken for loss: median life of records, h", 6.931_471_805_6),
        ],
        of: lasting,
    },
    Case {
        laws: &[("arm", DAILY)],
        silence: HolderAnswer::TimedOut,
        estimands: &[
            ("the look that saw the end taken for it: time to live of records, h", 24.0),
            ("the middle of two looks taken for it: time to live of records, h", 24.0),
        ],
        of: |rows| {
            let ends = |part: f64| {
                let spans = rows.lifespans(LifeAspect::Record);
                let ends = spans.filter_map(|span| Some((span.after, span.by?)));
                let ends = ends.map(|(after, by)| {
                    let (after, by) = (after.as_secs_f64(), by.as_secs_f64());
                    (after + part * (by - after)) / HOUR
                });
                mean(Mean::of(ends)?)
            };
            vec![ends(1.0), ends(0.5)]
        },
    },
    Case {
        laws: &[("arm", RESTARTING)],
        silence: HolderAnswer::TimedOut,
        estimands: &[(
            "peers taken for as many as their records: share of records that last 5 h",
            0.606_530_659_7,
        )],
        of: |rows| {
            let spans = rows.lifespans(LifeAspect::Record);
            let timed = spans.map(|span| Timed {
                after: span.by.unwrap_or(span.after).as_secs_f64() / HOUR,
                is_censored: span.by.is_none(),
            });
            let survival = Survival::of(timed).ok();
            let step = survival.as_ref().and_then(|survival| survival.step_at(5.05));
            vec![step.map(|step| (step.going_on, step.low, step.high))]
        },
    },
];

/// Of records and holders that last: two shares, a median, and the share that is reached.
fn lasting(rows: &LifeRows) -> Vec<Option<Said>> {
    let curves = rows.curves();
    let of = |aspect| curves.iter().find(|curve| curve.aspect == aspect);
    let at = |aspect, hours: f64| {
        let share = of(aspect).map(|curve: &LifeCurve| curve.survival.at(hours * HOUR));
        share.map(|share| (share.going_on, share.low, Some(share.high)))
    };
    let median = of(LifeAspect::Record).and_then(|curve| {
        let median = curve.quantiles.iter().find(|quantile| (quantile.share - 0.5).abs() < 1e-9)?;
        Some((median.value? / HOUR, median.low? / HOUR, median.high.map(|high| high / HOUR)))
    });
    let record = LifeAspect::Record;
    vec![at(record, 5.0), at(record, 15.0), median, at(LifeAspect::Reachability, 10.0)]
}

fn time_of(rows: &LifeRows, aspect: LifeAspect) -> Option<TtlNumbers> {
    rows.times().into_iter().find(|numbers| numbers.aspect == aspect && numbers.program.is_none())
}

fn time_said(time: &CommonTime) -> Said {
    (time.value / HOUR, time.low / HOUR, Some(time.high / HOUR))
}

fn share(share: Proportion) -> Said {
    (share.share, share.low, Some(share.high))
}

fn mean(mean: Mean) -> Option<Said> {
    Some((mean.mean, mean.low?, mean.high))
}
