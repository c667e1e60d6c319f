//! Metrics: each described once and read when somebody asks, from counters that are there anyway.

mod conventions;
mod histogram;
mod labels;
mod process;
mod text;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(crate) use self::text::CONTENT_TYPE as METRICS_TYPE;
pub use self::{
    histogram::{Distribution, Histogram},
    labels::Labels,
    process::process_metrics,
};

/// What a number does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows, from zero at the start of the process.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counters of how often something came out how large.
    Histogram,
}

impl MetricKind {
    /// As Prometheus calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Reads the values of all series, in their order.
enum Read {
    Numbers(Box<dyn Fn() -> Vec<f64> + Send + Sync>),
    Distributions(Box<dyn Fn() -> Vec<Distribution> + Send + Sync>),
}

/// Says what the series are.
type Series = Box<dyn Fn() -> Labels + Send + Sync>;

/// One metric: a number, or one for each of its series.
pub struct Metric {
    name: &'static str,
    kind: MetricKind,
    help: &'static str,
    series: Series,
    read: Read,
}

impl Metric {
    /// One number. Its name says its unit (`_seconds`, `_bytes`), and of a counter ends in `_total`; its help is a sentence.
    pub fn single(
        what: (MetricKind, &'static str),
        help: &'static str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Self {
        Self::over(what, help, Labels::none(), move || vec![read()])
    }

    /// A number for each value of a label; `read` gives them in the order of the values.
    pub fn labelled(
        what: (MetricKind, &'static str),
        help: &'static str,
        (label, values): (&'static str, Vec<&'static str>),
        read: impl Fn() -> Vec<f64> + Send + Sync + 'static,
    ) -> Self {
        Self::over(what, help, Labels::none().with(label, values), read)
    }

    /// A number for each series; `read` gives them in the order of these.
    pub fn over(
        what: (MetricKind, &'static str),
        help: &'static str,
        labels: Labels,
        read: impl Fn() -> Vec<f64> + Send + Sync + 'static,
    ) -> Self {
        Self::growing(what, help, move || labels.clone(), read)
    }

    /// The same of series that become more, up to a bound; new ones come last. Of what one of the two lacks nothing is shown.
    pub fn growing(
        (kind, name): (MetricKind, &'static str),
        help: &'static str,
        series: impl Fn() -> Labels + Send + Sync + 'static,
        read: impl Fn() -> Vec<f64> + Send + Sync + 'static,
    ) -> Self {
        Self { name, kind, help, series: Box::new(series), read: Read::Numbers(Box::new(read)) }
    }

    /// A histogram for each series; `read` gives what they have counted, in the order of these and in the unit that the name
    /// ends in. All have the same bounds.
    pub fn histogram(
        name: &'static str,
        help: &'static str,
        labels: Labels,
        read: impl Fn() -> Vec<Distribution> + Send + Sync + 'static,
    ) -> Self {
        let (kind, read) = (MetricKind::Histogram, Read::Distributions(Box::new(read)));
        Self { name, kind, help, series: Box::new(move || labels.clone()), read }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it does.
    pub fn kind(&self) -> MetricKind {
        self.kind
    }

    /// What it says.
    pub fn help(&self) -> &'static str {
        self.help
    }

    /// What tells its series apart.
    pub fn labels(&self) -> Labels {
        (self.series)()
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metric").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// All metrics of a process. Clones are of the same ones: a tool adds its own when it has them.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Mutex<Vec<Metric>>>);

impl Metrics {
    /// Adds some.
    pub fn extend(&self, metrics: impl IntoIterator<Item = Metric>) {
        self.all().extend(metrics);
    }

    /// Adds some, each in place of one of the same name that is there: that was of a run which is over.
    pub fn renew(&self, metrics: impl IntoIterator<Item = Metric>) {
        let mut all = self.all();
        for metric in metrics {
            match all.iter_mut().find(|before| before.name == metric.name) {
                Some(before) => *before = metric,
                None => all.push(metric),
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Metric>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with their descriptions, for the tests of who registers them.
    pub fn problems(&self) -> Vec<String> {
        self.problems_but(&[])
    }

    /// The same where these have names of another program, by which its dashboards ask: of the conventions they may break those on
    /// how a name ends, and no others. Each of them must be there, and break one.
    pub fn problems_but(&self, inherited: &[&str]) -> Vec<String> {
        conventions::problems(&self.all(), inherited)
    }

    /// All of them as Prometheus reads them.
    pub fn text(&self) -> String {
        text::of(&self.all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_of_the_next_run_takes_the_place_of_that_of_the_last() {
        let metrics = Metrics::default();
        for rows in [7.0, 1.0] {
            metrics.renew([
                Metric::single((MetricKind::Counter, "rows_total"), "Rows.", move || rows),
                Metric::single((MetricKind::Gauge, "peers"), "Peers.", move || rows),
            ]);
        }
        assert_eq!(metrics.problems(), [""; 0]);
        let text = metrics.text();
        let values: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(values, ["rows_total 1", "peers 1"]);
    }
}
