//! Times until answers.

use std::time::Duration;

/// Times in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<u32>);

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The median, and the 99th of a hundred; `None` if there are none.
    pub(crate) fn quantiles(&mut self) -> Option<[Duration; 2]> {
        self.0.sort_unstable();
        let at =
            |percent: usize| self.0.get((self.0.len() * percent / 100).min(self.0.len().saturating_sub(1)));
        let [p50, p99] = [at(50)?, at(99)?];
        Some([p50, p99].map(|us| Duration::from_micros(u64::from(*us))))
    }
}
