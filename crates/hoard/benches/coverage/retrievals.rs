//! Walks drawn from a law that is known, and what is estimated of what changes would save on them.
//!
//! Keys differ in how often their provider is named, in how often without addresses, and in what a second walk takes, so walks of one key are
//! alike. A walk makes 20 requests, one every tenth of a second, and takes two seconds. Who names the provider first does so at a time that is
//! the mean of two that are uniform over the first second; if without addresses, every second time somebody gives them half a second later.

use std::time::Duration;

use estimate::{ClusteredValue, Proportion};
use kad::PeerId;
use kadscope_hoard::{
    PolicyRule,
    savings::{
        LookAgain, ProviderPlace, RetrievalWalk, SavingsNumbers, SavingsRows, SavingsSection, SavingsTerms,
        SecondWalk, WalkAnswer, WayNumbers,
    },
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::tally::{Said, Tally, tallies};

/// Keys of a study, and the walks to each: one every five minutes.
const KEYS: u32 = 50;
const WALKS: u32 = 12;
const EVERY: Duration = Duration::from_secs(300);

/// Seconds of a walk, and requests in it.
const TOOK: f64 = 2.0;
const REQUESTS: u32 = 20;

/// The share of walks that do not name the provider, and of the others' first answers those without addresses: means over keys, of which each
/// has a share of its own between 0 and twice that.
const UNNAMED: f64 = 0.1;
const BARE: f64 = 0.3;
const NAMED_BARE: f64 = (1.0 - UNNAMED) * BARE;

/// How often addresses come later, and how much later.
const TOLD_AGAIN: f64 = 0.5;
const LATER: f64 = 0.5;

/// When the provider is first named, and how many requests were made by then: means.
const FIRST: f64 = 0.5;
const BY_THEN: f64 = 5.5;

/// What second walks take and ask: means.
const SECOND: f64 = 1.5;
const SECOND_REQUESTS: f64 = 30.0;

/// Servers that would give addresses for half an hour would do so in 5 of the 12 walks.
const LIFETIME: Duration = Duration::from_secs(1800);
const TOO_OLD: f64 = 7.0 / 12.0;

/// How the drawn walks are taken.
#[derive(Debug, Clone, Copy)]
enum Taking {
    /// As they should be: those that were cut short say nothing of what came after.
    Right,
    /// Each walk is taken for a key of its own.
    AsKeys,
    /// Those that were cut short are taken for whole ones.
    CutAsWhole,
}

/// What is estimated of studies by one order.
#[derive(Debug)]
pub(super) struct Retrievals {
    rules: &'static [PolicyRule],
    lifetimes: &'static [Duration],
    ages: &'static [Duration],
    /// The share of walks that were cut short half a second after they began.
    cut: f64,
    taking: Taking,
    estimands: &'static [(&'static str, f64)],
    of: fn(&SavingsSection) -> Vec<Option<Said>>,
}

impl Retrievals {
    /// Of so many studies.
    pub(super) fn tallies(&self, seeds: u64) -> Vec<Tally> {
        let terms = SavingsTerms {
            rules: self.rules.to_vec(),
            look_again: vec![LookAgain::WithoutAddresses],
            address_lifetimes: self.lifetimes.to_vec(),
            ages: self.ages.to_vec(),
            ..SavingsTerms::default()
        };
        tallies(self.estimands, seeds, |seed| {
            let mut rows = SavingsRows::new(SavingsTerms { seed, ..terms.clone() });
            self.draw(seed, &mut rows);
            (self.of)(&rows.section())
        })
    }

    fn draw(&self, seed: u64, rows: &mut SavingsRows) {
        let mut rng = StdRng::seed_from_u64(seed);
        for key in 0..KEYS {
            let law = KeyLaw::draw(key, &mut rng);
            for number in 0..WALKS {
                let mut walk = law.walk(number, &mut rng);
                let is_cut = rng.random::<f64>() < self.cut;
                match self.taking {
                    Taking::Right if is_cut => {
                        rows.add_cut_short();
                        continue;
                    }
                    Taking::CutAsWhole if is_cut => cut(&mut walk),
                    Taking::AsKeys => walk.key = key * WALKS + number,
                    Taking::Right | Taking::CutAsWhole => {}
                }
                rows.add(&walk);
            }
        }
    }
}

/// How the walks of one key go.
struct KeyLaw {
    key: u32,
    provider: PeerId,
    unnamed: f64,
    bare: f64,
    second: f64,
}

impl KeyLaw {
    fn draw(key: u32, rng: &mut StdRng) -> Self {
        Self {
            key,
            provider: peer(key),
            unnamed: 2.0 * UNNAMED * rng.random::<f64>(),
            bare: 2.0 * BARE * rng.random::<f64>(),
            second: 1.0 + 0.5 * rng.random::<f64>(),
        }
    }

    fn walk(&self, number: u32, rng: &mut StdRng) -> RetrievalWalk {
        let first = f64::midpoint(rng.random(), rng.random());
        let is_named = rng.random::<f64>() >= self.unnamed;
        let is_bare = rng.random::<f64>() < self.bare;
        let is_told_again = rng.random::<f64>() < TOLD_AGAIN;
        let answer = |after: f64, has_addresses| WalkAnswer {
            after: Duration::from_secs_f64(after),
            providers: vec![(self.provider, has_addresses)],
        };
        let mut answers = Vec::new();
        if is_named {
            answers.push(answer(first, !is_bare));
            answers.extend((is_bare && is_told_again).then(|| answer(first + LATER, true)));
        }
        RetrievalWalk {
            key: self.key,
            provider: self.provider,
            age: Some(EVERY * (number + 1)),
            took: Duration::from_secs_f64(TOOK),
            asked: (0..REQUESTS).map(|request| Duration::from_millis(100) * request).collect(),
            answers,
            second: Some(SecondWalk {
                took: Duration::from_secs_f64(self.second + 0.5 * rng.random::<f64>()),
                requests: 20 + rng.random_range(0..=20),
            }),
            place: ProviderPlace::Assumed,
        }
    }
}

/// A walk as it is when it is cut short half a second after it began.
fn cut(walk: &mut RetrievalWalk) {
    let end = Duration::from_millis(500);
    walk.took = end;
    walk.asked.retain(|asked| *asked < end);
    walk.answers.retain(|answer| answer.after < end);
}

/// What is estimated as it should be.
pub(super) const OURS: &[Retrievals] = &[
    Retrievals {
        rules: &[PolicyRule::PeerSetAfter],
        lifetimes: &[],
        ages: &[Duration::from_secs(900), Duration::from_secs(1800)],
        cut: 0.1,
        taking: Taking::Right,
        estimands: &[
            ("walks that bring the id alone", NAMED_BARE),
            ("the same at ages of 15 to 30 min", NAMED_BARE),
            ("requests until the first answer", (1.0 - UNNAMED) * BY_THEN + UNNAMED * 20.0),
            ("seconds until the first answer", (1.0 - UNNAMED) * FIRST + UNNAMED * TOOK),
            ("retrievals that come to addresses", 1.0 - UNNAMED),
            (
                "requests of retrievals",
                (1.0 - UNNAMED) * BY_THEN + UNNAMED * 20.0 + NAMED_BARE * SECOND_REQUESTS,
            ),
            ("seconds until addresses, mean", FIRST + BARE * SECOND),
            // Half of all is where 1 - 2 (1 - t)^2 of those whose first answer has them is; nobody else is as early.
            ("seconds until addresses, median", 0.678_792),
            ("second walks that telling again saves", -NAMED_BARE * TOLD_AGAIN),
            (
                "requests that telling again saves",
                NAMED_BARE * (TOLD_AGAIN * (5.0 - SECOND_REQUESTS) + (1.0 - TOLD_AGAIN) * (20.0 - BY_THEN)),
            ),
            (
                "seconds that telling again saves",
                BARE * (TOLD_AGAIN * (LATER - SECOND) + (1.0 - TOLD_AGAIN) * (TOOK - FIRST)),
            ),
        ],
        of: telling_again,
    },
    Retrievals {
        rules: &[PolicyRule::PeerSetBefore, PolicyRule::PeerSetAfter],
        lifetimes: &[LIFETIME],
        ages: &[],
        cut: 0.0,
        taking: Taking::Right,
        estimands: &[
            ("second walks with addresses for 30 min", (1.0 - UNNAMED) * TOO_OLD),
            ("second walks that these save", (1.0 - UNNAMED) * TOO_OLD - NAMED_BARE),
            ("what both changes save alike", NAMED_BARE * TOLD_AGAIN),
        ],
        of: kept_longer,
    },
];

/// What is wrong on purpose.
pub(super) const WRONG: &[Retrievals] = &[
    Retrievals {
        rules: &[],
        lifetimes: &[],
        ages: &[],
        cut: 0.0,
        taking: Taking::AsKeys,
        estimands: &[("walks taken for keys: walks that bring the id alone", NAMED_BARE)],
        of: |section| vec![section.changes.first().map(|change| share(change.all.id_only))],
    },
    Retrievals {
        rules: &[],
        lifetimes: &[],
        ages: &[],
        cut: 0.3,
        taking: Taking::CutAsWhole,
        estimands: &[
            ("walks that were cut taken for whole: walks that bring the id alone", NAMED_BARE),
            ("walks that were cut taken for whole: retrievals that come to addresses", 1.0 - UNNAMED),
        ],
        of: |section| {
            let all = section.changes.first().map(|change| &change.all);
            vec![all.map(|all| share(all.id_only)), all.and_then(way).and_then(|way| way.reached).map(share)]
        },
    },
];

fn telling_again(section: &SavingsSection) -> Vec<Option<Said>> {
    let first = section.changes.first();
    let all = first.map(|change| &change.all);
    let older = first.and_then(|change| change.ages.iter().find(|age| age.from_s == 900));
    let way = all.and_then(way);
    let saved = section.differences.first();
    vec![
        all.map(|all| share(all.id_only)),
        older.map(|age| share(age.numbers.id_only)),
        all.and_then(|all| value(all.requests)),
        all.and_then(|all| value(all.settled_s)),
        way.and_then(|way| way.reached).map(share),
        way.and_then(|way| value(way.requests?)),
        way.and_then(|way| value(way.mean_s?)),
        way.and_then(|way| value(way.median_s?)),
        saved.and_then(|saved| value(saved.second_walks)),
        saved.and_then(|saved| value(saved.requests?)),
        saved.and_then(|saved| value(saved.seconds?)),
    ]
}

fn kept_longer(section: &SavingsSection) -> Vec<Option<Said>> {
    let lifetime = Some(LIFETIME.as_secs());
    let first = PolicyRule::FirstAnswer.name();
    let change =
        section.changes.iter().find(|change| (change.policy, change.address_lifetime_s) == (first, lifetime));
    let saved = section
        .differences
        .iter()
        .find(|saved| (saved.policy, saved.address_lifetime_s) == (first, lifetime));
    vec![
        change.and_then(|change| way(&change.all)).map(|way| share(way.second_walk)),
        saved.and_then(|saved| value(saved.second_walks)),
        section.interactions.first().and_then(|both| value(both.overlap)),
    ]
}

fn way(numbers: &SavingsNumbers) -> Option<&WayNumbers> {
    numbers.ways.first()
}

fn share(share: Proportion) -> Said {
    (share.share, share.low, Some(share.high))
}

fn value(value: ClusteredValue) -> Option<Said> {
    Some((value.value?, value.low?, value.high))
}

/// A peer for each number.
fn peer(number: u32) -> PeerId {
    let mut encoded = vec![8, 1, 18, 32];
    encoded.extend([0; 28]);
    encoded.extend(number.to_be_bytes());
    kad::peer_id::of_public_key(&encoded).unwrap_or_else(PeerId::random)
}
