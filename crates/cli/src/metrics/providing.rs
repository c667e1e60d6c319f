//! What can be read of `provide`: how many of its keys have been given to somebody.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use http::{Metric, MetricKind};

/// How the keys stand. Clones are of the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProvideView(Arc<Keys>);

#[derive(Debug, Default)]
struct Keys {
    waiting: AtomicU64,
    provided: AtomicU64,
    failed: AtomicU64,
}

impl ProvideView {
    /// Of so many keys that have not been provided yet.
    pub(crate) fn of(keys: usize) -> Self {
        let view = Self::default();
        view.0.waiting.store(keys as u64, Ordering::Relaxed);
        view
    }

    /// One of them is done: somebody has its record, or nobody.
    pub(crate) fn done(&self, is_provided: bool) {
        let Keys { waiting, provided, failed } = &*self.0;
        waiting.fetch_sub(1, Ordering::Relaxed);
        if is_provided { provided } else { failed }.fetch_add(1, Ordering::Relaxed);
    }

    /// What it has come to.
    pub(crate) fn metrics(&self) -> [Metric; 1] {
        let keys = Arc::clone(&self.0);
        [Metric::labelled(
            (MetricKind::Gauge, "kadscope_provide_keys"),
            "Keys by how they stand: to be provided, with a record that somebody has, or one that nobody has.",
            ("state", vec!["waiting", "provided", "failed"]),
            move || {
                let Keys { waiting, provided, failed } = &*keys;
                [waiting, provided, failed].map(|count| count.load(Ordering::Relaxed) as f64).into()
            },
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_one_state() {
        let view = ProvideView::of(3);
        view.done(true);
        view.done(false);
        let metrics = http::Metrics::default();
        metrics.extend(view.metrics());
        for (state, count) in [("waiting", 1), ("provided", 1), ("failed", 1)] {
            let line = format!("kadscope_provide_keys{{state=\"{state}\"}} {count}\n");
            assert!(metrics.text().contains(&line), "{}", metrics.text());
        }
    }
}
