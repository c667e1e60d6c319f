//! The law of the k-th smallest of many distances, the gamma law: its distribution and its quantiles.
//!
//! A crate of special functions would bring some ten thousand lines for these two.

/// At which relative change a series or an iteration is done.
const PRECISION: f64 = 1e-15;

/// The most terms and steps: the series needs a few times the root of the shape, so this is enough for shapes of a million.
const MAX_TERMS: usize = 100_000;

/// Where the regularised lower incomplete gamma function P(shape, x) is `portion`: the quantile of the gamma law with this
/// shape and the scale 1. `shape` is positive, `portion` lies between 0 and 1, both excluded; NaN for anything else.
pub(crate) fn quantile(shape: f64, portion: f64) -> f64 {
    if !(shape > 0.0 && portion > 0.0 && portion < 1.0) {
        return f64::NAN;
    }
    let (mut low, mut high) = (0.0, shape.max(1.0));
    while distribution(shape, high) < portion {
        low = high;
        high *= 2.0;
    }
    let mut x = f64::midpoint(low, high);
    for _ in 0..MAX_TERMS {
        let excess = distribution(shape, x) - portion;
        if excess > 0.0 {
            high = x;
        } else {
            low = x;
        }
        // Newton's step where it stays within what is known, else half of that.
        let newton = x - excess / density(shape, x);
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        if (next - x).abs() <= PRECISION * x {
            return next;
        }
        x = next;
    }
    x
}

/// The regularised lower incomplete gamma function P(shape, x), for a positive shape and an x of at least 0.
fn distribution(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        0.0
    } else if x < shape + 1.0 {
        series(shape, x) * density(shape, x) * x
    } else {
        1.0 - fraction(shape, x) * density(shape, x) * x
    }
}

/// Of the gamma law with this shape and the scale 1.
fn density(shape: f64, x: f64) -> f64 {
    ((shape - 1.0) * x.ln() - x - ln_gamma(shape)).exp()
}

/// The sum of x^n / (a (a + 1) ... (a + n)): NIST Digital Library of Mathematical Functions, 8.11.4.
fn series(shape: f64, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0 / shape, 1.0 / shape);
    for n in 1..MAX_TERMS {
        term *= x / (shape + n as f64);
        sum += term;
        if term < sum * PRECISION {
            break;
        }
    }
    sum
}

/// The continued fraction of the upper function, by Lentz' method: NIST Digital Library of Mathematical Functions, 8.9.2.
fn fraction(shape: f64, x: f64) -> f64 {
    let mut denominator = x + 1.0 - shape;
    let (mut above, mut below) = (f64::MAX, 1.0 / denominator);
    let mut whole = below;
    for n in 1..MAX_TERMS {
        let numerator = n as f64 * (shape - n as f64);
        denominator += 2.0;
        below = 1.0 / (numerator * below + denominator);
        above = denominator + numerator / above;
        whole *= above * below;
        if (above * below - 1.0).abs() < PRECISION {
            break;
        }
    }
    whole
}

/// The logarithm of the gamma function of a positive number: Stirling's series from 16 on, where five of its terms are right
/// to the last digit.
fn ln_gamma(mut x: f64) -> f64 {
    let mut product = 1.0;
    while x < 16.0 {
        product *= x;
        x += 1.0;
    }
    let square = (x * x).recip();
    let tail = 1.0 / 12.0
        - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0)));
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + tail / x - product.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_those_of_gonum() {
        // GammaIncRegInv(k, 0.1) and GammaIncRegInv(k / 2 + 1, 0.9).
        let known = [
            (1.0, 0.105_361, 3.125_694),
            (2.0, 0.531_812, 3.889_720),
            (5.0, 2.432_591, 6.008_518),
            (8.0, 4.656_118, 7.993_590),
            (10.0, 6.221_305, 9.274_674),
            (16.0, 11.135_297, 12.994_712),
            (20.0, 14.525_261, 15.406_641),
            (32.0, 24.998_145, 22.451_579),
            (64.0, 53.985_482, 40.542_743),
        ];
        for (k, individual, set) in known {
            assert!((quantile(k, 0.1) - individual).abs() < 1e-6, "{k}: {}", quantile(k, 0.1));
            assert!(
                (quantile(k / 2.0 + 1.0, 0.9) - set).abs() < 1e-6,
                "{k}: {}",
                quantile(k / 2.0 + 1.0, 0.9)
            );
        }
    }

    #[test]
    fn the_quantile_undoes_the_distribution() {
        for shape in [0.5, 1.0, 3.5, 20.0, 100.0, 3_000.0, 1e5] {
            for share in [1e-6, 0.025, 0.1, 0.5, 0.9, 0.975, 1.0 - 1e-6] {
                let back = distribution(shape, quantile(shape, share));
                assert!((back - share).abs() < 1e-10, "{shape}, {share}: {back}");
            }
        }
        assert!(quantile(0.0, 0.5).is_nan() && quantile(1.0, 1.0).is_nan());
    }

    #[test]
    fn the_law_of_shape_one_is_the_exponential_one() {
        for share in [0.1, 0.5, 0.99_f64] {
            assert!((quantile(1.0, share) + (1.0 - share).ln()).abs() < 1e-12);
        }
    }
}
