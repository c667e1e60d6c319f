//! What many lookups come to, with the error of each figure.

use crate::known_network::Sample;

/// Two-sided 95 % of the normal distribution.
const Z: f64 = 1.959_964;

/// Lookups by the same rules in the same network.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) samples: Vec<Sample>,
}

impl Figures {
    /// The mean of something and its standard error.
    pub(crate) fn mean(&self, of: impl Fn(&Sample) -> f64) -> (f64, f64) {
        let n = self.samples.len() as f64;
        let mean = self.samples.iter().map(&of).sum::<f64>() / n;
        let squares: f64 = self.samples.iter().map(|sample| (of(sample) - mean).powi(2)).sum();
        (mean, (squares / (n - 1.0) / n).sqrt())
    }

    /// Which share of the lookups ended with all of the closest peers, and its interval of 95 % (Wilson's).
    pub(crate) fn complete(&self) -> (f64, [f64; 2]) {
        let n = self.samples.len() as f64;
        let share = self.samples.iter().filter(|sample| sample.found == sample.of).count() as f64 / n;
        let middle = share + Z * Z / (2.0 * n);
        let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        // It holds the share itself, which rounding must not undo at 0 and 1.
        (share, [((middle - half) / scale).min(share), ((middle + half) / scale).max(share)])
    }

    /// Which share of the closest peers of one lookup it ended with, on average, and the standard error.
    pub(crate) fn recall(&self) -> (f64, f64) {
        self.mean(|sample| sample.found as f64 / sample.of as f64)
    }
}
