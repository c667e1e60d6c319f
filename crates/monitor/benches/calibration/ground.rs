//! What looks at one peer meet: its life, chance, and the observer's own outages. Crawls are the same whatever rule looks beside them.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use schema::Timestamp;

use super::{
    laws::{HOUR, Law, Life, MINUTE},
    watched::{Look, at, seconds},
};

/// From one crawl to the next, and how long one takes.
const CRAWL_EVERY: f64 = 30.0 * MINUTE;
const CRAWL_TAKES: f64 = 5.0 * MINUTE;

/// The share of peers that are up that a crawl meets.
const CRAWL_MEETS: f64 = 0.98;

/// For how long the tables of others name a peer that has left.
const STALE: f64 = HOUR;

/// When a dial ends that nobody answers, and one that somebody does.
const SILENCE: f64 = 15.0;
const ANSWER: f64 = 0.5;

/// A peer and what is drawn for it.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    law: &'a Law,
    life: &'a Life,
    rng: StdRng,
    round: u32,
}

/// A crawl, as far as one peer is concerned.
#[derive(Debug)]
pub(super) struct CrawlOfOne {
    pub(super) at: f64,
    meets: f64,
    loses: f64,
}

impl<'a> Ground<'a> {
    pub(super) fn new(law: &'a Law, life: &'a Life) -> Self {
        Self { law, life, rng: StdRng::seed_from_u64(life.seed.rotate_left(17)), round: 0 }
    }

    /// The next crawl.
    pub(super) fn crawl(&mut self) -> CrawlOfOne {
        let at = f64::from(self.round) * CRAWL_EVERY + self.rng.random::<f64>() * CRAWL_TAKES;
        self.round += 1;
        CrawlOfOne { at, meets: self.rng.random(), loses: self.rng.random() }
    }

    /// Until when the observer cannot see, if it cannot, and whether it stands still meanwhile.
    pub(super) fn outage(&self, now: f64) -> Option<(f64, bool)> {
        let hit = self.law.outages.iter().find(|(from, until, _)| (*from..*until).contains(&now));
        hit.map(|(_, until, is_still)| (*until, *is_still))
    }

    /// Which of its times it is up in, if it is; `Err` with the next one if not.
    fn up_at(&self, now: f64) -> Result<usize, usize> {
        let next = self.life.ups.partition_point(|(from, _)| *from <= now);
        let is_up = next
            .checked_sub(1)
            .and_then(|last| self.life.ups.get(last))
            .is_some_and(|(_, until)| now < *until);
        if is_up { Ok(next - 1) } else { Err(next) }
    }

    /// Whether a crawl visits it: it is up, or was not long ago.
    pub(super) fn meets(&self, crawl: &CrawlOfOne) -> bool {
        match self.up_at(crawl.at) {
            Ok(_) => crawl.meets < CRAWL_MEETS,
            Err(next) => {
                let last = next.checked_sub(1).and_then(|last| self.life.ups.get(last));
                last.is_some_and(|(_, until)| crawl.at - until < STALE)
            }
        }
    }

    /// The visit of a crawl.
    pub(super) fn crawled(&self, crawl: &CrawlOfOne) -> Look {
        let is_up = self.up_at(crawl.at).is_ok();
        let is_answered = is_up && crawl.loses >= self.life.lost;
        let is_sure = !is_up && self.life.is_refusing;
        let took = if is_answered || is_sure { ANSWER } else { SILENCE };
        Look { at: at(crawl.at), ended: at(crawl.at + took), is_up: is_answered, is_sure, is_spoiled: false }
    }

    /// A look that dials once more after each pause, as long as nobody answers, and pauses after the last as well; and how often it dialled.
    pub(super) fn looked(&self, begun: f64, pauses: &[f64], rng: &mut StdRng) -> (Look, u64) {
        let is_spoiled = self.outage(begun).is_some();
        let (mut now, mut dials, mut refused) = (begun, 0, 0);
        let mut look = Look { at: at(begun), ended: at(begun), is_up: false, is_sure: false, is_spoiled };
        for pause in pauses {
            dials += 1;
            let is_up = self.up_at(now).is_ok() && self.outage(now).is_none();
            if is_up && rng.random::<f64>() >= self.life.lost {
                look.is_up = true;
                now += ANSWER;
                break;
            }
            look.is_sure = !is_up && self.life.is_refusing && !is_spoiled;
            refused += u32::from(look.is_sure);
            now += pause + if look.is_sure { ANSWER } else { SILENCE };
            // Nobody dials a host for the third time that has refused twice.
            if refused > 1 {
                break;
            }
        }
        look.ended = at(now);
        (look, dials)
    }

    /// Marks the time that it is up in which a look saw.
    pub(super) fn mark(&self, seen_at: Timestamp, seen: &mut [bool]) {
        let index = self.life.ups.partition_point(|(from, _)| *from <= seconds(seen_at));
        if let Some(seen) = index.checked_sub(1).and_then(|index| seen.get_mut(index)) {
            *seen = true;
        }
    }
}
