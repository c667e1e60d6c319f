//! What hosts do beside their laws: they sleep at night, and some go for good all at one time.

use rand::RngExt;

use super::{Moment, cast::HostRole};
use crate::{
    World,
    random::{Stream, stream},
};

/// The dates of one host.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Calendar {
    /// When it goes for good, if it was there before.
    departs: Option<Moment>,
    nights: Option<Nights>,
}

/// The nights of one host: the end of each period, all of them equally late. All of it in microseconds.
#[derive(Debug, Clone, Copy)]
struct Nights {
    period: i64,
    dark: i64,
    late: i64,
}

impl Calendar {
    /// That of a host of a world.
    pub(super) fn of(world: &World, host: &HostRole) -> Self {
        let class = world.cast.class(host);
        let (departs, night) = (class.departs, class.night);
        if departs.share.get() <= 0.0 && night.share.get() <= 0.0 {
            return Self::default();
        }
        let first = world.cast.ids()[host.first_id as usize];
        let rng = &mut stream(world.scenario().seed, Stream::Calendar, first);
        let goes = rng.random_bool(departs.share.get());
        let sleeps = rng.random_bool(night.share.get());
        let late = micros(night.spread_s * rng.random::<f64>());
        Self {
            departs: goes.then(|| Moment::from_micros(micros(departs.at_s))),
            nights: sleeps.then(|| Nights {
                period: micros(night.period_s),
                dark: micros(night.dark_s),
                late,
            }),
        }
    }

    /// When a session ends that began at a moment and would last until another one.
    pub(super) fn end_of_session(&self, began: Moment, due: Moment) -> Moment {
        let departs = self.departs.filter(|departs| *departs > began);
        let dusk = self.nights.map(|nights| nights.dusk_after(began));
        [departs, dusk].into_iter().flatten().fold(due, Moment::min)
    }

    /// When somebody returns who went at a moment and would return at another one; [`Moment::ENDLESS`] if never.
    pub(super) fn end_of_absence(&self, went: Moment, due: Moment) -> Moment {
        if self.departs.is_some_and(|departs| went <= departs && departs <= due) {
            return Moment::ENDLESS;
        }
        self.nights.map_or(due, |nights| nights.awake(due))
    }
}

impl Nights {
    /// When the first night begins that begins later. The first of all is at the end of the first period.
    fn dusk_after(self, moment: Moment) -> Moment {
        let first = self.period - self.dark + self.late;
        let since = moment.micros().saturating_sub(first);
        let passed = if since < 0 { 0 } else { since / self.period + 1 };
        Moment::from_micros(first.saturating_add(passed.saturating_mul(self.period)))
    }

    /// The moment itself, or the end of the night that it is in.
    fn awake(self, moment: Moment) -> Moment {
        if moment == Moment::ENDLESS {
            return moment;
        }
        let dusk = self.dusk_after(moment).shifted(-self.period);
        let dawn = dusk.shifted(self.dark);
        let is_night = dusk >= Moment::START && moment < dawn;
        if is_night { dawn } else { moment }
    }
}

fn micros(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and the scenario bounds it")]
    let micros = (seconds * 1e6) as i64;
    micros
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn at(hours: i64) -> Moment {
        Moment::from_micros(hours * HOUR)
    }

    #[test]
    fn sessions_end_at_dusk_and_absences_at_dawn() {
        let nights = Nights { period: 24 * HOUR, dark: 8 * HOUR, late: HOUR };
        let calendar = Calendar { departs: None, nights: Some(nights) };
        for (began, due, end) in [(0, 16, 16), (0, 18, 17), (17, 50, 41), (20, 30, 30), (26, 99, 41)] {
            assert_eq!(calendar.end_of_session(at(began), at(due)), at(end), "{began} to {due}");
        }
        for (due, end) in [(0, 0), (16, 16), (17, 25), (24, 25), (25, 25), (40, 40), (45, 49)] {
            assert_eq!(calendar.end_of_absence(at(0), at(due)), at(end), "{due}");
        }
    }

    #[test]
    fn who_was_there_before_a_departure_is_not_there_after_it() {
        let calendar = Calendar { departs: Some(at(5)), nights: None };
        for (began, due, end) in [(0, 4, 4), (0, 9, 5), (6, 9, 9)] {
            assert_eq!(calendar.end_of_session(at(began), at(due)), at(end));
        }
        assert_eq!(calendar.end_of_absence(at(1), at(4)), at(4));
        assert_eq!(calendar.end_of_absence(at(1), at(5)), Moment::ENDLESS);
        assert_eq!(calendar.end_of_absence(at(5), at(9)), Moment::ENDLESS);
        assert_eq!(calendar.end_of_absence(at(6), at(9)), at(9), "who came later stays as the laws say");
    }
}
