//! When programs drop records and addresses, as estimated from sights in virtual time, beside when they do.

use std::time::Duration;

use kadscope_hoard::{
    HolderSight, RoundParts,
    life::{LifeAspect, LifeHolder, LifeRows, LifeSight, TtlClock},
};
use places::Clouds;
use testnet::Scenario;

use crate::{
    ground::Ground,
    watching::{Order, Watched, Watching, watch},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Dense where programs are known to drop something: around 10, 15 and 30 minutes, 12, 24 and 48 hours.
fn rounds() -> Vec<Duration> {
    let mut all: Vec<Duration> = (1..=15).map(|n| 3 * n * MINUTE).collect();
    for hours in [6, 12, 18, 24, 36, 48, 60] {
        all.extend([(60 * hours - 5) * MINUTE, (60 * hours + 5) * MINUTE]);
    }
    all.sort_unstable();
    all
}

/// Holders of all keys, with what they call their programs in truth.
fn rows(ground: &Ground, watching: &Watching) -> LifeRows {
    let mut rows = LifeRows::new(Clouds::default());
    for watched in &watching.keys {
        let mut key =
            rows.key("default", &watched.key.key, Some(watching.left.saturating_sub(watched.began)));
        for (place, holder) in watched.key.holders.iter().enumerate() {
            let agent = ground.world().find(&holder.peer).map(|peer| ground.world().agent(peer));
            let sent = watched.sent.get(&holder.peer).map(|at| at.saturating_sub(watched.began));
            let rank = u32::try_from(place + 1).expect("few");
            let of = LifeHolder { peer: &holder.peer, rank, agent, ips: &[], sent };
            key.holder(&of, sights(watched, place).into_iter());
        }
        key.done();
    }
    rows
}

fn sights(watched: &Watched, place: usize) -> Vec<LifeSight> {
    let life = |round: u32, sight: &HolderSight| LifeSight {
        round,
        after: sight.after,
        answer: sight.said.answer,
        whereabouts: sight.whereabouts,
    };
    let mut all: Vec<LifeSight> =
        watched.rounds.iter().filter_map(|round| Some(life(round.round, round.sights.get(place)?))).collect();
    all.sort_by_key(|sight| sight.after);
    all
}

#[tokio::test(start_paused = true)]
async fn times_to_live_are_those_of_the_programs_by_the_clock_that_they_go_by() {
    let ground = Ground::of(&Scenario::named("forgetful").expect("built in"));
    // Each key is published at another time before the publisher leaves: so the two clocks are told apart.
    let order = Order {
        keys: 20,
        rounds: rounds(),
        lookups: Vec::new(),
        parts: RoundParts::Holders,
        gap: MINUTE / 2,
    };
    let watching = watch(&ground, &order).await;
    let times = rows(&ground, &watching).times();
    let of = |aspect, program| {
        let is_it = |it: &&kadscope_hoard::life::TtlNumbers| {
            it.aspect == aspect && it.program.as_deref() == Some(program)
        };
        times.iter().find(is_it).expect("a program")
    };
    for (aspect, program, truth, clock) in [
        (LifeAspect::Addresses, "ten-minutes/1", 10 * MINUTE, TtlClock::Published),
        (LifeAspect::Addresses, "fifteen-minutes/1", 15 * MINUTE, TtlClock::Closed),
        (LifeAspect::Addresses, "half-an-hour/1", 30 * MINUTE, TtlClock::Published),
        (LifeAspect::Addresses, "two-days/1", 24 * HOUR, TtlClock::Published),
        (LifeAspect::Record, "half-a-day/1", 12 * HOUR, TtlClock::Published),
        (LifeAspect::Record, "one-day/1", 24 * HOUR, TtlClock::Published),
        (LifeAspect::Record, "two-days/1", 48 * HOUR, TtlClock::Published),
    ] {
        let numbers = of(aspect, program);
        let fit = numbers.fits.iter().find(|fit| fit.clock == clock).expect("a clock");
        let time = fit.time_s.expect("a time");
        let truth = truth.as_secs_f64();
        assert!((time.low..=time.high).contains(&truth), "{program} {truth}: {numbers:?}");
        let is_told_apart = truth < HOUR.as_secs_f64();
        let best = (numbers.clock, numbers.is_clear);
        assert!(!is_told_apart || best == (Some(clock), Some(true)), "{program}: {numbers:?}");
    }
}
