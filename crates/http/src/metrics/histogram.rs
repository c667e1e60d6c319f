//! How often something came out how large, in buckets whose bounds are fixed. Counting takes no lock.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Counts of what was observed, by size. Observed are whole numbers of a small unit (nanoseconds, bytes), so that sums add up.
#[derive(Debug)]
pub struct Histogram {
    /// Rising; what equals a bound is below it. Source: Prometheus' data model, `le`.
    bounds: Box<[u64]>,
    /// One for each bound, and one for what is beyond the last.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// Of nothing yet, with these bounds, rising, in the unit that will be observed.
    pub fn new(bounds: &[u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds: bounds.into(), counts, sum: AtomicU64::new(0) }
    }

    /// Of times, with these bounds: [`observe_time`](Self::observe_time) counts nanoseconds.
    pub fn of_times(bounds: &[Duration]) -> Self {
        Self::new(&bounds.iter().copied().map(nanoseconds).collect::<Vec<_>>())
    }

    /// Counts one.
    pub fn observe(&self, value: u64) {
        let bucket = self.bounds.partition_point(|&bound| bound < value);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Relaxed);
            self.sum.fetch_add(value, Relaxed);
        }
    }

    /// Counts one time.
    pub fn observe_time(&self, time: Duration) {
        self.observe(nanoseconds(time));
    }

    /// What was counted so far, with so many of the observed unit in one of the unit that is shown: 1e9 for seconds of what was
    /// observed in nanoseconds.
    pub fn distribution(&self, per_unit: f64) -> Distribution {
        Distribution {
            bounds: self.bounds.iter().map(|&bound| bound as f64 / per_unit).collect(),
            counts: self.counts.iter().map(|count| count.load(Relaxed)).collect(),
            sum: self.sum.load(Relaxed) as f64 / per_unit,
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What a histogram has counted, in the unit that its name says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Distribution {
    /// The upper bounds of the buckets, rising, without the infinite one.
    pub bounds: Vec<f64>,
    /// How many fell into each bucket alone, the infinite one last.
    pub counts: Vec<u64>,
    /// The sum of all that were observed.
    pub sum: f64,
}

impl Distribution {
    /// How many were observed.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_equals_a_bound_is_below_it() {
        let histogram = Histogram::of_times(&[Duration::from_millis(1), Duration::from_millis(10)]);
        for us in [0, 999, 1000, 1001, 10_000, 10_001, 5_000_000] {
            histogram.observe_time(Duration::from_micros(us));
        }
        let Distribution { bounds, counts, sum } = histogram.distribution(1e9);
        assert_eq!((bounds, counts), (vec![0.001, 0.01], vec![3, 2, 2]));
        assert!((sum - 5.023_001).abs() < 1e-9, "{sum}");
        assert_eq!(histogram.distribution(1e6).bounds, [1.0, 10.0]);
    }

    #[test]
    fn nothing_is_lost_where_many_count_at_once() {
        let histogram = Histogram::new(&[10, 20]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..30).for_each(|value| histogram.observe(value)));
            }
        });
        let all = histogram.distribution(1.0);
        assert_eq!((all.counts.clone(), all.count()), (vec![44, 40, 36], 120));
        assert!((all.sum - 4.0 * 435.0).abs() < 1e-9);
    }
}
