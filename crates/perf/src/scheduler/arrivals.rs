//! When rounds are to begin, whatever becomes of those before. Pure.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

kad::named! {
    /// By which law rounds arrive, and what becomes of one for which there is no room.
    pub enum ArrivalLaw: serde {
        /// One each interval. One that begins while as many are under way as may be is skipped, and counted.
        Interval = "interval",
        /// One each interval. One for which there is no room waits, and begins late.
        Fixed = "fixed",
        /// At random with independent gaps, as users come. One for which there is no room waits, and begins late.
        Poisson = "poisson",
    }
}

/// The moments, counted from the beginning. It never ends.
#[derive(Debug)]
pub struct Arrivals {
    law: ArrivalLaw,
    gap: Duration,
    next: Duration,
    rng: ChaCha8Rng,
}

impl Arrivals {
    /// By a law, with so much between two on average.
    pub fn new(law: ArrivalLaw, gap: Duration, seed: u64) -> Self {
        let mut arrivals = Self { law, gap, next: Duration::ZERO, rng: ChaCha8Rng::seed_from_u64(seed) };
        if law == ArrivalLaw::Poisson {
            arrivals.step();
        }
        arrivals
    }

    fn step(&mut self) {
        let gap = match self.law {
            ArrivalLaw::Interval | ArrivalLaw::Fixed => self.gap,
            // From 0 (included) to 1: its complement has a logarithm.
            ArrivalLaw::Poisson => self.gap.mul_f64(-(1.0 - self.rng.random::<f64>()).ln()),
        };
        self.next = self.next.saturating_add(gap);
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = self.next;
        self.step();
        Some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_grid_is_one_from_its_beginning_on() {
        for law in [ArrivalLaw::Interval, ArrivalLaw::Fixed] {
            let moments: Vec<_> = Arrivals::new(law, SECOND, 1).take(4).map(|at| at.as_secs()).collect();
            assert_eq!(moments, [0, 1, 2, 3]);
        }
    }

    #[test]
    fn who_comes_at_random_comes_as_often_on_average_and_forgets_the_past() {
        let moments: Vec<_> = Arrivals::new(ArrivalLaw::Poisson, SECOND, 1).take(20_000).collect();
        let gaps: Vec<_> =
            moments.windows(2).map(|two| two[1].as_secs_f64() - two[0].as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
        // Of an exponential law 1/e are longer than the mean, and of those again 1/e longer than twice that.
        let beyond = |bound: f64| gaps.iter().filter(|&&gap| gap > bound).count() as f64 / gaps.len() as f64;
        assert!((beyond(1.0) - 0.3679).abs() < 0.015 && (beyond(2.0) - 0.1353).abs() < 0.01);
        let again: Vec<_> = Arrivals::new(ArrivalLaw::Poisson, SECOND, 1).take(20_000).collect();
        assert_eq!(moments, again);
    }
}
