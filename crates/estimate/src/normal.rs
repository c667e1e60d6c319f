//! The normal distribution and Student's, as far as intervals and tests need them.

/// The normal quantile of a two-sided 95 % interval.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// Below this the series is summed, above it the continued fraction is followed.
const TURN: f64 = 2.5;

/// How likely a standard normal number is as far from zero as `z` or farther, on either side.
pub(crate) fn two_sided(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The quantile of Student's distribution of a two-sided 95 % interval, by degrees of freedom, at least 1: exact for one and two, else
/// within 0.2 %. Abramowitz and Stegun, 26.7.5.
pub(crate) fn student(freedom: f64) -> f64 {
    if freedom < 1.5 {
        return (std::f64::consts::PI * 0.475).tan();
    }
    if freedom < 2.5 {
        return (2.0 / (0.05 * 1.95) - 2.0_f64).sqrt();
    }
    let square = Z * Z;
    let terms = [
        (square + 1.0) / 4.0,
        ((5.0 * square + 16.0) * square + 3.0) / 96.0,
        (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) / 384.0,
        ((((79.0 * square + 776.0) * square + 1482.0) * square - 1920.0) * square - 945.0) / 92_160.0,
    ];
    Z * (1.0 + terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom))
}

/// The complementary error function of a number that is not below zero. M. Abramowitz and I. A. Stegun, "Handbook of Mathematical
/// Functions" (1964), 7.1.6 and 7.1.14.
fn erfc(x: f64) -> f64 {
    let scale = (-x * x).exp() / std::f64::consts::PI.sqrt();
    if x < TURN {
        // erf x = 2/sqrt(pi) exp(-x^2) (x + 2 x^3/3 + 4 x^5/15 + ...)
        let (mut term, mut sum, mut odd) = (x, x, 1.0);
        while term > sum * 1e-17 {
            odd += 2.0;
            term *= 2.0 * x * x / odd;
            sum += term;
        }
        return 1.0 - 2.0 * scale * sum;
    }
    // sqrt(pi) exp(x^2) erfc x = 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))), from far enough within.
    let fraction = (1..=120_u32).rev().fold(x, |rest, depth| x + f64::from(depth) / 2.0 / rest);
    scale / fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.special.erfc` of scipy 1.17.1.
    #[test]
    fn it_is_what_others_compute() {
        for (x, expected) in [
            (0.0, 1.0),
            (0.1, 0.887_537_083_981_715_2),
            (0.5, 0.479_500_122_186_953_7),
            (1.0, 0.157_299_207_050_285_16),
            (2.0, 0.004_677_734_981_047_266),
            (3.0, 2.209_049_699_858_544_5e-5),
            (5.0, 1.537_459_794_428_034_7e-12),
            (8.0, 1.122_429_717_298_292_8e-29),
        ] {
            let computed = erfc(x);
            assert!((computed / expected - 1.0).abs() < 1e-12, "{x}: {computed:e} is not {expected:e}");
        }
        assert!((two_sided(Z) - 0.05).abs() < 1e-12);
    }

    /// `scipy.stats.t.ppf(0.975, freedom)` of scipy 1.17.1.
    #[test]
    fn students_quantiles_are_what_others_compute() {
        for (freedom, expected) in [
            (1.0, 12.706_204_736_174_694),
            (2.0, 4.302_652_729_749_462),
            (3.0, 3.182_446_305_283_707_8),
            (10.0, 2.228_138_851_986_274),
            (99.0, 1.984_216_951_586_417_4),
        ] {
            let computed = student(freedom);
            assert!((computed / expected - 1.0).abs() < 2e-3, "{freedom}: {computed} is not {expected}");
        }
    }
}
