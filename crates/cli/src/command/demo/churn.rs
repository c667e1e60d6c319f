//! Who comes and goes in the network of a demo, by the scenario alone: how long there is something to be seen, and what
//! there was.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::Serialize;
use testnet::{
    Life, LifeClock, State, World,
    life::{EventKind, Moment, Presence},
};
use tokio::time::Instant;

use crate::{clock, output};

/// How many peers have come or gone before the network is crawled: then tables are late, as they are in networks.
const ENOUGH: usize = 12;

/// How long that is waited for. Where less happens, what happens until then has to do.
const MOST: Duration = Duration::from_secs(10);

/// The life of a demo's network.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) world: Arc<World>,
    /// By the calendar.
    clock: LifeClock,
}

/// Who came and went until the end of a crawl.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Churn {
    /// Ids in all, those that are never up at the same time among them.
    pub(crate) ids: u64,
    /// Ids that were up when the crawl began.
    pub(crate) up_at_start: u64,
    /// Ids that were up when it ended.
    pub(crate) up_at_end: u64,
    /// What happened before the crawl, by the name of its kind.
    pub(crate) before: BTreeMap<&'static str, u64>,
    /// What happened while it went on.
    pub(crate) during: BTreeMap<&'static str, u64>,
}

impl Course {
    /// That of a world which began to live at a time of the calendar, in milliseconds since 1970.
    pub(super) fn new(world: Arc<World>, began_unix_ms: f64) -> Self {
        let clock = LifeClock::starting_at(&world, Instant::now(), began_unix_ms);
        Self { world, clock }
    }

    /// The clock that it goes by: for times of the calendar.
    pub(super) const fn clock(&self) -> LifeClock {
        self.clock
    }

    /// Waits until enough has happened.
    pub(super) async fn churn(&self) {
        let Some((events, at)) = self.enough() else { return };
        let wait_ms = (self.clock.unix_ms(at) - clock::unix_ms()).max(0.0);
        let wait = Duration::from_secs_f64(wait_ms / 1e3).min(MOST);
        if wait.is_zero() {
            return;
        }
        output::note(&format!(
            "peers come and go; the crawl begins in {:.0} s, when {events} have",
            wait.as_secs_f64().ceil()
        ));
        tokio::time::sleep(wait).await;
    }

    /// How many events are waited for, and when the last of them is due; `None` if none comes in time.
    fn enough(&self) -> Option<(usize, Moment)> {
        let mut life = Life::of(&self.world)?;
        let limit = Moment::at(self.clock.stretch(MOST));
        let in_time = std::iter::from_fn(|| life.next(limit)).take(ENOUGH);
        (1..).zip(in_time).last().map(|(count, event)| (count, event.at))
    }

    /// What happened until a crawl began, and until it ended.
    pub(super) fn seen(&self, from: Moment, to: Moment) -> Churn {
        let Some(mut life) = Life::of(&self.world) else { return Churn::default() };
        let count_until = |life: &mut Life, until| {
            let mut counts: BTreeMap<_, _> = EventKind::ALL.iter().map(|kind| (kind.name(), 0)).collect();
            while let Some(event) = life.next(until) {
                *counts.entry(event.kind.name()).or_default() += 1;
            }
            counts
        };
        let up = |life: &Life| {
            let is_up = |peer: &u32| life.presence(*peer).is_none_or(Presence::is_up);
            let exists = |peer: &u32| self.world.state(*peer) != State::Departed;
            self.world.peers().filter(|peer| exists(peer) && is_up(peer)).count() as u64
        };
        let before = count_until(&mut life, from);
        let up_at_start = up(&life);
        let during = count_until(&mut life, to);
        Churn { ids: self.world.len() as u64, up_at_start, up_at_end: up(&life), before, during }
    }
}

#[cfg(test)]
mod tests {
    use testnet::Scenario;

    use super::*;

    fn course(life: &str) -> Course {
        let scenario = Scenario::parse(&format!("peers = 200\n{life}"), "test").unwrap();
        Course::new(Arc::new(World::generate(&scenario)), 0.0)
    }

    const RESTLESS: &str = "[life]\nspeed = 60.0\n[[life.classes]]\nname = 'x'\nshare = 1.0\n\
        up = { law = 'exponential', median_s = 600 }\ndown = { law = 'exponential', median_s = 600 }\n";

    #[test]
    fn something_has_churned_before_a_network_that_lives_is_crawled() {
        let course = course(RESTLESS);
        let (events, at) = course.enough().unwrap();
        let seen = course.seen(at, at.after(Duration::from_secs(600)));
        assert_eq!((events, seen.before.values().sum::<u64>()), (ENOUGH, ENOUGH as u64));
        assert!(seen.during.values().sum::<u64>() > 100, "{seen:?}");
        assert!(seen.up_at_start > 50 && seen.up_at_start < 150 && seen.ids == 200, "{seen:?}");
    }

    #[test]
    fn nobody_waits_for_a_network_in_which_next_to_nothing_happens() {
        assert_eq!(course("").enough(), None);
        let slow = course(&RESTLESS.replace("speed = 60.0", "speed = 0.000001"));
        assert_eq!(slow.enough(), None);
    }
}
