//! One peer, watched for two weeks by crawls every half hour and by the looks of a rule between them.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use schema::Timestamp;

use super::{
    ground::Ground,
    laws::{Law, Life, MINUTE, WATCH},
};

/// Over how much time those are spread who were overdue after a stop.
const SPREAD: f64 = 10.0 * MINUTE;

/// A look, of a crawl or of the rule's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) at: Timestamp,
    pub(crate) ended: Timestamp,
    pub(crate) is_up: bool,
    /// Whether the peer's host itself said that it is not there.
    pub(crate) is_sure: bool,
    /// Whether it fell into an outage of the observer.
    pub(crate) is_spoiled: bool,
}

/// A session as a rule saw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// The last moment before at which it was known not to be up; `None` if there is none.
    pub(crate) began_after: Option<Timestamp>,
    pub(crate) first_up: Timestamp,
    pub(crate) last_up: Timestamp,
    pub(crate) first_failed: Option<Timestamp>,
    /// When the rule said that it is over; `None` if it did not.
    pub(crate) decided: Option<Timestamp>,
}

/// What decides when to look, and what sessions there are.
pub(crate) trait WatchRule {
    /// How often a look dials, at most, and how long it waits after each dial that failed.
    const PAUSES: &'static [f64];
    /// Takes a look into account; says which session it ended.
    fn looked(&mut self, look: &Look, chance: f64) -> Option<Seen>;
    /// A crawl did not meet it.
    fn not_met(&mut self, at: Timestamp);
    /// When it looks next; `None` if a crawl has to meet the peer first.
    fn next(&self) -> Option<Timestamp>;
    /// The session that is open.
    fn open(&self) -> Option<Seen>;
}

/// What came of watching one peer.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) sessions: Vec<Seen>,
    /// Which of the times that it was up were seen.
    pub(crate) seen: Vec<bool>,
    /// Dials of looks beside those of crawls.
    pub(crate) dials: u64,
}

pub(crate) fn at(seconds: f64) -> Timestamp {
    Timestamp(0).after(Duration::from_secs_f64(seconds.max(0.0)))
}

pub(crate) fn seconds(at: Timestamp) -> f64 {
    at.0 as f64 / 1e6
}

/// Watches a peer by a rule.
pub(crate) fn watch<R: WatchRule>(law: &Law, life: &Life, mut rule: R) -> Watched {
    let mut watched = Watched { seen: vec![false; life.ups.len()], ..Watched::default() };
    let mut rng = StdRng::seed_from_u64(!life.seed);
    let mut ground = Ground::new(law, life);
    let mut crawl = ground.crawl();
    loop {
        let next = rule.next().map_or(f64::INFINITY, seconds);
        let is_crawl = crawl.at <= next;
        let mut now = next.min(crawl.at);
        if now >= WATCH {
            break;
        }
        let outage = ground.outage(now);
        let look = if is_crawl {
            let this = std::mem::replace(&mut crawl, ground.crawl());
            if outage.is_some() {
                continue;
            }
            if !ground.meets(&this) {
                rule.not_met(at(now));
                continue;
            }
            ground.crawled(&this)
        } else {
            if let Some((until, _)) = outage.filter(|(_, is_still)| *is_still) {
                // Whoever stood still looks once it goes on; those overdue are spread.
                now = until + rng.random::<f64>() * SPREAD;
                while crawl.at < now {
                    crawl = ground.crawl();
                }
            }
            let (look, dials) = ground.looked(now, R::PAUSES, &mut rng);
            watched.dials += dials;
            look
        };
        if look.is_up {
            ground.mark(look.ended, &mut watched.seen);
        }
        watched.sessions.extend(rule.looked(&look, rng.random()));
    }
    watched.sessions.extend(rule.open());
    watched
}
