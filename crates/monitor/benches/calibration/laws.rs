//! Peers that come and go by laws that are known: when each is up, what a look meets at it, and when the observer itself cannot see.
//!
//! Times are in seconds since the watch began. Lives begin before it, so that it meets peers as a network has them.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

pub(crate) const MINUTE: f64 = 60.0;
pub(crate) const HOUR: f64 = 3600.0;
pub(crate) const DAY: f64 = 24.0 * HOUR;

/// For how long all are watched.
pub(crate) const WATCH: f64 = 14.0 * DAY;

/// How long before the watch lives begin.
const BEFORE: f64 = 3.0 * DAY;

/// How long something takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Length {
    /// By its mean.
    Exponential(f64),
    /// By its scale and its shape.
    Weibull(f64, f64),
    /// A share `1 / (1 + a / c)` takes longer than a, by its c: half longer than c, a fifth longer than 4 c.
    Heavy(f64),
    /// A mean, and another for the given share.
    TwoMeans(f64, f64, f64),
    /// The rest of the day from 20:00 or so until 8:00 or so, by the zone of the peer.
    Night,
}

/// What goes by what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Law {
    pub(crate) name: &'static str,
    pub(crate) up: Length,
    pub(crate) down: Length,
    /// The share of looks at a peer that is up that fail.
    pub(crate) lost: f64,
    /// The share of peers that are behind NAT, and of looks at these that fail.
    pub(crate) behind_nat: (f64, f64),
    /// When how many of those up leave within ten minutes.
    pub(crate) departure: Option<(f64, f64)>,
    /// From when until when the observer cannot see; whether it stands still meanwhile, or its looks fail.
    pub(crate) outages: &'static [(f64, f64, bool)],
}

pub(crate) const PLAIN: Law = Law {
    name: "exponential",
    up: Length::Exponential(3.0 * HOUR),
    down: Length::Exponential(3.0 * HOUR),
    lost: 0.02,
    behind_nat: (0.0, 0.0),
    departure: None,
    outages: &[],
};

const WEIBULL: Law = Law {
    name: "Weibull",
    up: Length::Weibull(3.0 * HOUR, 0.6),
    down: Length::Weibull(4.0 * HOUR, 0.7),
    ..PLAIN
};

const HEAVY: Law =
    Law { name: "heavy mix", up: Length::Heavy(2.0 * HOUR), down: Length::Weibull(4.0 * HOUR, 0.6), ..PLAIN };

/// What is judged.
pub(crate) const JUDGED: [Law; 7] = [
    PLAIN,
    WEIBULL,
    HEAVY,
    Law { name: "day and night", up: Length::Weibull(9.0 * HOUR, 1.5), down: Length::Night, ..PLAIN },
    Law { name: "behind NAT", behind_nat: (0.4, 0.3), ..WEIBULL },
    Law { name: "mass departure", departure: Some((7.5 * DAY, 0.6)), ..HEAVY },
    Law {
        name: "observer outages",
        outages: &[
            (2.0 * DAY, 2.0 * DAY + 10.0 * MINUTE, false),
            (4.0 * DAY, 4.0 * DAY + HOUR, false),
            (6.3 * DAY, 6.3 * DAY + 6.0 * HOUR, true),
            (9.0 * DAY, 9.0 * DAY + 3.0 * HOUR, false),
            (11.0 * DAY, 12.0 * DAY, true),
        ],
        ..HEAVY
    },
];

/// What the constants were tuned on: none of these is judged.
pub(crate) const TUNING: [Law; 3] = [
    Law {
        name: "tuning: two means",
        up: Length::TwoMeans(50.0 * MINUTE, 9.0 * HOUR, 0.45),
        down: Length::TwoMeans(40.0 * MINUTE, 12.0 * HOUR, 0.5),
        ..PLAIN
    },
    Law {
        name: "tuning: Weibull",
        up: Length::Weibull(5.0 * HOUR, 0.75),
        down: Length::Exponential(5.0 * HOUR),
        lost: 0.03,
        ..PLAIN
    },
    Law {
        name: "tuning: short",
        up: Length::Exponential(70.0 * MINUTE),
        down: Length::Weibull(2.0 * HOUR, 0.8),
        behind_nat: (0.2, 0.2),
        ..PLAIN
    },
];

/// A peer as it lives.
#[derive(Debug)]
pub(crate) struct Life {
    /// From when until when it is up, in order; the last may end after the watch.
    pub(crate) ups: Vec<(f64, f64)>,
    /// The share of looks that fail while it is up.
    pub(crate) lost: f64,
    /// Whether its host says so when it is down.
    pub(crate) is_refusing: bool,
    /// By what its looks are drawn.
    pub(crate) seed: u64,
}

/// The share of peers whose hosts refuse dials while they are down: the program is gone and the host is not.
const REFUSING: f64 = 0.3;

/// Peers by a law and a seed.
pub(crate) fn lives(law: &Law, peers: u32, seed: u64) -> Vec<Life> {
    (0..u64::from(peers)).map(|peer| life(law, (seed << 32) | peer)).collect()
}

fn life(law: &Law, seed: u64) -> Life {
    let mut rng = StdRng::seed_from_u64(seed);
    let zone = f64::from(rng.random_range(0_u32..3)) * 8.0 * HOUR;
    let (share, lost_behind) = law.behind_nat;
    let lost = if rng.random::<f64>() < share { lost_behind } else { law.lost };
    let is_refusing = rng.random::<f64>() < REFUSING;
    let leaves = law.departure.filter(|(_, share)| rng.random::<f64>() < *share);
    let leaves = leaves.map(|(at, _)| at + 10.0 * MINUTE * rng.random::<f64>());
    let mut ups = Vec::new();
    let mut now = -BEFORE + draw(law.down, 0.0, &mut rng) * rng.random::<f64>();
    while now < WATCH {
        let mut until = now + draw(law.up, now + zone, &mut rng);
        if let Some(at) = leaves.filter(|at| now < *at && until > *at) {
            until = at;
        }
        ups.push((now, until));
        now = until + draw(law.down, until + zone, &mut rng);
    }
    Life { ups, lost, is_refusing, seed }
}

fn draw(length: Length, now: f64, rng: &mut StdRng) -> f64 {
    let even = 1.0 - rng.random::<f64>();
    // No program leaves or is back within less.
    let least = MINUTE;
    least.max(match length {
        Length::Exponential(mean) => -mean * even.ln(),
        Length::Weibull(scale, shape) => scale * (-even.ln()).powf(1.0 / shape),
        Length::Heavy(half) => half * (even.recip() - 1.0),
        Length::TwoMeans(mean, other, share) => {
            -(if rng.random::<f64>() < share { mean } else { other }) * even.ln()
        }
        Length::Night => {
            let hour = (now.rem_euclid(DAY)) / HOUR;
            let waking = 8.0 + 2.0 * (rng.random::<f64>() - 0.5);
            if (8.0..20.0).contains(&hour) {
                // A break by day.
                return least.max(-HOUR * even.ln());
            }
            (waking - hour).rem_euclid(24.0) * HOUR
        }
    })
}
