//! What holds memory: queues, caches and connections by their bounds, and a report of them when memory gets short.

mod limit;
mod watch;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;

pub use self::{
    limit::memory_limit,
    watch::{MemoryReport, MemoryWatch, resident_bytes},
};
use crate::metrics::{Labels, Metric, MetricKind};

/// Something with a bound that holds memory.
pub struct Holding {
    name: &'static str,
    bound: u64,
    item_bytes: Option<u64>,
    held: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl Holding {
    /// What it is called (a word in `snake_case`, with what it counts: `peers_waiting`), how many it may hold, and how it is asked
    /// how many it holds. Being asked takes no lock that is held for long.
    pub fn new(name: &'static str, bound: u64, held: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { name, bound, item_bytes: None, held: Box::new(held) }
    }

    /// About how many bytes one of them takes, where that is known.
    #[must_use]
    pub fn each_of(mut self, bytes: u64) -> Self {
        self.item_bytes = Some(bytes);
        self
    }

    fn row(&self) -> HoldingRow {
        let held = (self.held)();
        let bytes = self.item_bytes.map(|each| each.saturating_mul(held));
        HoldingRow { name: self.name, held, bound: self.bound, bytes }
    }
}

impl fmt::Debug for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holding")
            .field("name", &self.name)
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

/// What one of them holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldingRow {
    /// What it is called.
    pub name: &'static str,
    /// How many it holds.
    pub held: u64,
    /// How many it may hold.
    pub bound: u64,
    /// About how many bytes they take; `None` where nobody knows.
    pub bytes: Option<u64>,
}

/// Everything with a bound that tools have named. Clones are of the same list.
#[derive(Debug, Clone, Default)]
pub struct Holdings(Arc<Mutex<Vec<Holding>>>);

impl Holdings {
    /// Names one more, in the place of one of the same name that is there: that was of a run which is over.
    pub fn add(&self, holding: Holding) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.iter_mut().find(|before| before.name == holding.name) {
            Some(before) => *before = holding,
            None => all.push(holding),
        }
    }

    /// What each holds, in the order in which they were named.
    pub fn rows(&self) -> Vec<HoldingRow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(Holding::row).collect()
    }

    /// Two metrics: what they hold, and their bounds; of those, too, that are named later.
    pub fn metrics(&self) -> [Metric; 2] {
        let names = || {
            let holdings = self.clone();
            move || Labels::none().with("what", holdings.rows().iter().map(|row| row.name))
        };
        let read = |of: fn(&HoldingRow) -> u64| {
            let holdings = self.clone();
            move || holdings.rows().iter().map(|row| of(row) as f64).collect()
        };
        [
            Metric::growing(
                (MetricKind::Gauge, "kadscope_held"),
                "What each queue, cache and pool holds.",
                names(),
                read(|row| row.held),
            ),
            Metric::growing(
                (MetricKind::Gauge, "kadscope_held_limit"),
                "What each queue, cache and pool may hold.",
                names(),
                read(|row| row.bound),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_read_when_somebody_asks() {
        let (holdings, queue) = (Holdings::default(), Arc::new(Mutex::new(vec![0u8; 3])));
        let held = Arc::clone(&queue);
        holdings
            .add(Holding::new("rows_waiting", 10, move || held.lock().unwrap().len() as u64).each_of(100));
        holdings.add(Holding::new("connections", 5, || 1));
        queue.lock().unwrap().push(0);
        let row = |name, held, bound, bytes| HoldingRow { name, held, bound, bytes };
        let expected = [row("rows_waiting", 4, 10, Some(400)), row("connections", 1, 5, None)];
        assert_eq!(holdings.rows(), expected);
        let metrics = crate::Metrics::default();
        metrics.extend(holdings.metrics());
        holdings.add(Holding::new("named_later", 7, || 2));
        assert_eq!(metrics.problems(), [""; 0]);
        assert!(metrics.text().contains("kadscope_held{what=\"rows_waiting\"} 4\n"));
        assert!(metrics.text().contains("kadscope_held_limit{what=\"connections\"} 5\n"));
        assert!(metrics.text().contains("kadscope_held{what=\"named_later\"} 2\n"));
    }

    #[test]
    fn a_queue_of_the_next_run_takes_the_place_of_that_of_the_last() {
        let holdings = Holdings::default();
        for (bound, held) in [(10, 7), (20, 0)] {
            holdings.add(Holding::new("rows_waiting", bound, move || held));
            holdings.add(Holding::new("connections", 5, || 1));
        }
        let bounds: Vec<_> = holdings.rows().iter().map(|row| (row.name, row.held, row.bound)).collect();
        assert_eq!(bounds, [("rows_waiting", 0, 20), ("connections", 1, 5)]);
    }
}
