//! What routing tables remember of peers that come and go: new ones are learned late, those that went are kept for a
//! while. How late and how long differs from table to table and from peer to peer, and never changes.
//!
//! The table of q names p when p has been up for as long as q takes to learn of it, and until p has been down for as
//! long as q takes to forget it. Who returns before it is forgotten stays named, at the address that q knew, until q
//! learns of the return. A session that is over before q learns of it leaves no trace.

use std::time::Duration;

use super::{HostPlace, Moment, Presence};
use crate::{luck::mixed, scenario::life};

/// How long all tables of a world take to learn and to forget.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lag {
    seed: u64,
    learn_us: i64,
    forget_us: i64,
}

impl Lag {
    pub(crate) fn new(seed: u64, life: &life::LifeTable) -> Self {
        let micros = |seconds| {
            let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
        };
        Self { seed, learn_us: micros(life.learn_s), forget_us: micros(life.forget_s) }
    }

    /// The longest that anybody remembers, in microseconds.
    pub(crate) const fn longest_us(&self) -> i64 {
        self.forget_us
    }

    /// From when `peer` came until `owner` names it, in microseconds.
    pub(crate) fn learn_us(&self, owner: u32, peer: u32) -> i64 {
        self.delay(owner, peer, self.learn_us, 1)
    }

    /// From when `peer` went until `owner` names it no longer, in microseconds.
    pub(crate) fn forget_us(&self, owner: u32, peer: u32) -> i64 {
        self.delay(owner, peer, self.forget_us, 2)
    }

    /// Where the table of `owner` says that `peer` is; `None` if it says nothing.
    pub(crate) fn listed(
        &self,
        owner: u32,
        peer: u32,
        presence: &Presence,
        now: Moment,
    ) -> Option<HostPlace> {
        let Presence { last, before } = presence;
        let learn = self.learn_us(owner, peer);
        let forget = self.forget_us(owner, peer);
        let end = if presence.is_up() { now } else { last.to };
        if !presence.is_up() && now.micros_since(last.to) >= forget {
            return None;
        }
        if end.micros_since(last.from) >= learn {
            return Some(last.place);
        }
        let was_learned = before.to.micros_since(before.from) >= learn;
        (was_learned && last.from.micros_since(before.to) < forget).then_some(before.place)
    }

    /// A time below `most_us` that hangs on the pair and the purpose alone.
    fn delay(&self, owner: u32, peer: u32, most_us: i64, purpose: u64) -> i64 {
        let pair = u64::from(owner) << 32 | u64::from(peer);
        let random = mixed(self.seed.rotate_left(32) ^ mixed(pair ^ purpose.rotate_right(4)));
        // The upper half of the product is uniform below the factor.
        let product = u128::from(random) * u128::from(most_us.unsigned_abs());
        i64::try_from(product >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::Stay;

    const NOBODY: Stay = Stay::NEVER;

    fn lag(learn_s: f64, forget_s: f64) -> Lag {
        Lag::new(3, &life::LifeTable { learn_s, forget_s, ..life::LifeTable::default() })
    }

    fn at(seconds: i64) -> Moment {
        Moment::from_micros(seconds * 1_000_000)
    }

    fn session(from: i64, to: i64, place: u8) -> Stay {
        Stay { from: at(from), to: at(to), place: HostPlace(place) }
    }

    #[test]
    fn delays_are_spread_evenly_below_the_longest() {
        let lag = lag(60.0, 600.0);
        let delays: Vec<i64> = (0..2_000).map(|peer| lag.forget_us(7, peer)).collect();
        assert!(delays.iter().all(|delay| (0..600_000_000).contains(delay)));
        let early = delays.iter().filter(|delay| **delay < 150_000_000).count();
        assert!((400..600).contains(&early), "{early} of 2000 in the first quarter");
        assert_ne!(lag.forget_us(7, 8), lag.forget_us(8, 7));
        let ratio = |peer| lag.learn_us(7, peer) * 10 / lag.forget_us(7, peer).max(1);
        assert!((0..50).any(|peer| ratio(peer) != ratio(0)), "learning and forgetting are independent");
    }

    #[test]
    fn who_came_is_named_late_and_who_went_for_a_while() {
        let lag = lag(60.0, 600.0);
        let (learn, forget) = (lag.learn_us(1, 2), lag.forget_us(1, 2));
        let up = Presence { last: Stay { to: Moment::ENDLESS, ..session(0, 0, 3) }, before: NOBODY };
        assert_eq!(lag.listed(1, 2, &up, at(0).shifted(learn - 1)), None);
        assert_eq!(lag.listed(1, 2, &up, at(0).shifted(learn)), Some(HostPlace(3)));
        let down = Presence { last: session(0, 1_000, 3), before: NOBODY };
        assert_eq!(lag.listed(1, 2, &down, at(1_000).shifted(forget - 1)), Some(HostPlace(3)));
        assert_eq!(lag.listed(1, 2, &down, at(1_000).shifted(forget)), None);
        assert_eq!(lag.listed(1, 2, &Presence::NEVER, at(0)), None);
    }

    #[test]
    fn a_quick_return_keeps_the_name_at_the_address_that_was_known() {
        let lag = lag(60.0, 600.0);
        let (learn, forget) = (lag.learn_us(1, 2), lag.forget_us(1, 2));
        let last = Stay { from: at(1_000).shifted(forget - 1), to: Moment::ENDLESS, place: HostPlace(1) };
        let returned = Presence { last, before: session(0, 1_000, 0) };
        assert_eq!(lag.listed(1, 2, &returned, last.from), Some(HostPlace(0)));
        assert_eq!(lag.listed(1, 2, &returned, last.from.shifted(learn)), Some(HostPlace(1)));
        let late = Stay { from: at(1_000).shifted(forget), ..last };
        let returned = Presence { last: late, before: session(0, 1_000, 0) };
        assert_eq!(lag.listed(1, 2, &returned, late.from), None);
    }

    #[test]
    fn what_was_over_before_it_was_learned_leaves_no_trace() {
        let lag = lag(60.0, 600.0);
        let learn = lag.learn_us(1, 2);
        assert!(learn > 1);
        let short = Stay { from: at(0), to: at(0).shifted(learn - 1), place: HostPlace(0) };
        assert_eq!(lag.listed(1, 2, &Presence { last: short, before: NOBODY }, short.to), None);
    }

    #[test]
    fn tables_without_delay_follow_at_once() {
        let lag = lag(0.0, 0.0);
        let up = Presence { last: Stay { to: Moment::ENDLESS, ..session(5, 0, 0) }, before: NOBODY };
        assert_eq!(lag.listed(1, 2, &up, at(5)), Some(HostPlace(0)));
        let down = Presence { last: session(5, 9, 0), before: NOBODY };
        assert_eq!(lag.listed(1, 2, &down, at(9)), None);
        assert_eq!(lag.listed(1, 2, &Presence::NEVER, at(9)), None);
    }
}
