//! Draws from the laws of a scenario: whole lengths, and what is left of one that is under way.
//!
//! Who looks at a random moment finds long sessions more often than short ones, in proportion to their length, and finds
//! them at an even share of their length (renewal theory: the inspection paradox). So a world that begins in the
//! middle of things draws lengths weighted by themselves, and cuts them evenly.

use std::f64::consts::{LN_2, TAU};

use rand::{Rng, RngExt};

use crate::scenario::life::Law;

/// The shortest length that is drawn, in microseconds: a millisecond, so that events stay countable.
const SHORTEST_US: f64 = 1e3;

/// The longest, likewise: a hundred years.
const LONGEST_US: f64 = 100.0 * 31_557_600.0 * 1e6;

/// A length under way: how much of it is over, and how much is left, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnderWay {
    pub(crate) age_us: i64,
    pub(crate) left_us: i64,
}

impl Law {
    /// A whole length in microseconds.
    pub(crate) fn draw_us(self, rng: &mut impl Rng) -> i64 {
        micros(match self.kind() {
            Kind::LogNormal { median_s, sigma } => median_s * (sigma * normal(rng)).exp(),
            // The logarithm is that of a number above 0 and at most 1.
            Kind::Weibull { scale_s, shape } => {
                scale_s * (-(1.0 - rng.random::<f64>()).ln()).powf(shape.recip())
            }
        })
    }

    /// A length that is under way at a random moment.
    pub(crate) fn under_way(self, rng: &mut impl Rng) -> UnderWay {
        let whole_us = micros(match self.kind() {
            // Weighted by its length, a log-normal law is one again, with a median greater by this factor.
            Kind::LogNormal { median_s, sigma } => {
                median_s * (sigma * sigma).exp() * (sigma * normal(rng)).exp()
            }
            // Weighted likewise, the power of a Weibull variable that is exponential becomes a gamma one.
            Kind::Weibull { scale_s, shape } => scale_s * gamma(rng, 1.0 + shape.recip()).powf(shape.recip()),
        });
        let age_us = rng.random_range(0..whole_us);
        UnderWay { age_us, left_us: whole_us - age_us }
    }

    /// The mean in seconds.
    pub(crate) fn mean_s(self) -> f64 {
        match self.kind() {
            Kind::LogNormal { median_s, sigma } => median_s * (sigma * sigma / 2.0).exp(),
            Kind::Weibull { scale_s, shape } => scale_s * gamma_function(1.0 + shape.recip()),
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Exponential { median_s } => Kind::Weibull { scale_s: median_s / LN_2, shape: 1.0 },
            Self::Weibull { median_s, shape } => {
                Kind::Weibull { scale_s: median_s / LN_2.powf(shape.recip()), shape }
            }
            Self::LogNormal { median_s, sigma } => Kind::LogNormal { median_s, sigma },
        }
    }
}

/// The laws as they are drawn from: the exponential one is a Weibull law of the shape 1.
enum Kind {
    Weibull { scale_s: f64, shape: f64 },
    LogNormal { median_s: f64, sigma: f64 },
}

/// Seconds as microseconds, within the bounds; what is no number is the shortest.
#[expect(clippy::cast_possible_truncation, reason = "in the range")]
fn micros(seconds: f64) -> i64 {
    if seconds.is_nan() { SHORTEST_US as i64 } else { (seconds * 1e6).clamp(SHORTEST_US, LONGEST_US) as i64 }
}

/// A draw from the standard normal law (Box and Muller 1958).
fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (TAU * rng.random::<f64>()).cos()
}

/// A draw from the gamma law with this shape, above 1, and the scale 1 (Marsaglia and Tsang 2000).
fn gamma(rng: &mut impl Rng, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    loop {
        let x = normal(rng);
        let v = (1.0 + x / (9.0 * d).sqrt()).powi(3);
        let accepted = (1.0 - rng.random::<f64>()).ln();
        if v > 0.0 && accepted < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// The gamma function of a number above 1, by Stirling's series from 8 on: right to 9 digits.
fn gamma_function(x: f64) -> f64 {
    if x < 8.0 {
        return gamma_function(x + 1.0) / x;
    }
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
    ((x - 0.5) * x.ln() - x + 0.5 * TAU.ln() + series).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Stream, stream};

    const LAWS: [Law; 5] = [
        Law::Exponential { median_s: 100.0 },
        Law::LogNormal { median_s: 100.0, sigma: 0.8 },
        Law::Weibull { median_s: 100.0, shape: 0.6 },
        Law::Weibull { median_s: 100.0, shape: 1.0 },
        Law::Weibull { median_s: 100.0, shape: 3.0 },
    ];

    const DRAWS: u32 = 40_000;

    fn seconds(micros: i64) -> f64 {
        micros as f64 / 1e6
    }

    #[test]
    fn half_of_the_draws_are_below_the_median_and_their_mean_is_the_mean() {
        for (number, law) in (0..).zip(LAWS) {
            let mut rng = stream(5, Stream::Life, number);
            let draws: Vec<f64> = (0..DRAWS).map(|_| seconds(law.draw_us(&mut rng))).collect();
            let below = draws.iter().filter(|draw| **draw < 100.0).count() as f64 / f64::from(DRAWS);
            assert!((below - 0.5).abs() < 0.01, "{law:?}: {below}");
            let mean = draws.iter().sum::<f64>() / f64::from(DRAWS);
            assert!((mean / law.mean_s() - 1.0).abs() < 0.04, "{law:?}: {mean} for {}", law.mean_s());
        }
    }

    #[test]
    fn what_is_left_is_that_of_renewal_theory() {
        for (number, law) in (0..).zip(LAWS) {
            let mut rng = stream(6, Stream::Life, number);
            let draws: Vec<UnderWay> = (0..DRAWS).map(|_| law.under_way(&mut rng)).collect();
            // The mean of what is left is E[X^2] / 2 E[X], and so is that of what is over.
            let mut of = stream(7, Stream::Life, number);
            let whole: Vec<f64> = (0..DRAWS).map(|_| seconds(law.draw_us(&mut of))).collect();
            let expected = whole.iter().map(|x| x * x).sum::<f64>() / whole.iter().sum::<f64>() / 2.0;
            let mean = |of: &dyn Fn(&UnderWay) -> i64| {
                draws.iter().map(|draw| seconds(of(draw))).sum::<f64>() / f64::from(DRAWS)
            };
            for found in [mean(&|draw| draw.left_us), mean(&|draw| draw.age_us)] {
                assert!((found / expected - 1.0).abs() < 0.12, "{law:?}: {found} for {expected}");
            }
            // Its distribution is that of min(X, t), averaged: here at t = 50 s.
            let within = draws.iter().filter(|draw| seconds(draw.left_us) < 50.0).count() as f64;
            let exact = whole.iter().map(|x| x.min(50.0)).sum::<f64>() / whole.iter().sum::<f64>();
            assert!((within / f64::from(DRAWS) - exact).abs() < 0.015, "{law:?}: {within} for {exact}");
        }
    }

    #[test]
    fn an_exponential_law_does_not_age() {
        let law = Law::Exponential { median_s: 100.0 };
        let mut rng = stream(8, Stream::Life, 0);
        let left = (0..DRAWS).map(|_| seconds(law.under_way(&mut rng).left_us)).sum::<f64>();
        assert!((left / f64::from(DRAWS) / law.mean_s() - 1.0).abs() < 0.03);
    }

    #[test]
    fn the_gamma_function_is_the_factorial() {
        for (x, factorial) in [(2.0, 1.0), (3.0, 2.0), (6.0, 120.0), (1.5, 0.886_226_925_453)] {
            assert!((gamma_function(x) / factorial - 1.0).abs() < 1e-9, "{x}");
        }
    }
}
