//! Metrics: each described once and read when somebody asks, from counters that are there anyway.

mod process;
mod text;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use self::process::process_metrics;
pub(crate) use self::text::CONTENT_TYPE as METRICS_TYPE;

/// What a number does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows, from zero at the start of the process.
    Counter,
    /// It goes up and down.
    Gauge,
}

impl MetricKind {
    /// As Prometheus calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// Reads the values of all series, in their order.
type Read = Box<dyn Fn() -> Vec<f64> + Send + Sync>;

/// Says the values of a label.
type Values = Box<dyn Fn() -> Vec<&'static str> + Send + Sync>;

/// One metric: a number, or one for each value of a label whose values are words of the program, so that what peers say never
/// becomes a series.
pub struct Metric {
    name: &'static str,
    kind: MetricKind,
    help: &'static str,
    label: Option<(&'static str, Values)>,
    read: Read,
}

impl Metric {
    /// One number. Its name says its unit (`_seconds`, `_bytes`), and of a counter ends in `_total`; its help is a sentence.
    pub fn single(
        (kind, name): (MetricKind, &'static str),
        help: &'static str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Self {
        Self { name, kind, help, label: None, read: Box::new(move || vec![read()]) }
    }

    /// A number for each value of a label; `read` gives them in the order of the values.
    pub fn labelled(
        what: (MetricKind, &'static str),
        help: &'static str,
        (label, values): (&'static str, Vec<&'static str>),
        read: impl Fn() -> Vec<f64> + Send + Sync + 'static,
    ) -> Self {
        Self::growing(what, help, (label, move || values.clone()), read)
    }

    /// The same of a label whose values become more while the program begins. Of what one of the two lacks nothing is shown.
    pub(crate) fn growing(
        (kind, name): (MetricKind, &'static str),
        help: &'static str,
        (label, values): (&'static str, impl Fn() -> Vec<&'static str> + Send + Sync + 'static),
        read: impl Fn() -> Vec<f64> + Send + Sync + 'static,
    ) -> Self {
        Self { name, kind, help, label: Some((label, Box::new(values))), read: Box::new(read) }
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

    /// Its label, and all values of it; `None` if it is one number.
    pub fn label(&self) -> Option<(&'static str, Vec<&'static str>)> {
        self.label.as_ref().map(|(name, values)| (*name, values()))
    }

    /// What goes against the conventions of Prometheus, or `None`.
    /// Source: `prometheus.io/docs/practices/naming`, and its data model for the characters.
    fn problem(&self) -> Option<&'static str> {
        let is_word = |word: &str| {
            let mut bytes = word.bytes();
            bytes.next().is_some_and(|first| first.is_ascii_lowercase())
                && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        let values = self.label().map_or_else(Vec::new, |(_, values)| values);
        match () {
            () if !is_word(self.name) => Some("its name is no word in snake_case"),
            () if (self.kind == MetricKind::Counter) != self.name.ends_with("_total") => {
                Some("counters, and only they, end in _total")
            }
            () if self.help.is_empty() || !self.help.ends_with('.') => Some("its help is no sentence"),
            () if self.label().is_some_and(|(label, _)| !is_word(label)) => {
                Some("its label is no word in snake_case")
            }
            () if values.iter().collect::<BTreeSet<_>>().len() != values.len() => {
                Some("a value of its label stands twice")
            }
            () if (self.read)().len() != values.len().max(usize::from(self.label.is_none())) => {
                Some("it does not have a number for each value of its label")
            }
            () => None,
        }
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

    fn all(&self) -> MutexGuard<'_, Vec<Metric>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with their descriptions, for the tests of who registers them.
    pub fn problems(&self) -> Vec<String> {
        let (all, mut names) = (self.all(), BTreeSet::new());
        let twice =
            all.iter().filter(|metric| !names.insert(metric.name)).map(|metric| (metric, "it stands twice"));
        let wrong = all.iter().filter_map(|metric| Some((metric, metric.problem()?)));
        wrong.chain(twice).map(|(metric, problem)| format!("{}: {problem}", metric.name)).collect()
    }

    /// All of them as Prometheus reads them.
    pub fn text(&self) -> String {
        text::of(&self.all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: (MetricKind, &str) = (MetricKind::Gauge, "up");

    fn problems(metrics: impl IntoIterator<Item = Metric>) -> usize {
        let all = Metrics::default();
        all.extend(metrics);
        all.problems().len()
    }

    #[test]
    fn the_conventions_are_held() {
        let single = |kind, name| Metric::single((kind, name), "Help.", || 1.0);
        assert_eq!(
            problems([single(MetricKind::Gauge, "up"), single(MetricKind::Counter, "dials_total")]),
            0
        );
        assert_eq!(problems([single(MetricKind::Gauge, "up"), single(MetricKind::Gauge, "up")]), 1);
        for wrong in ["", "Up", "9up", "up-time", "up_total"] {
            assert_eq!(problems([single(MetricKind::Gauge, wrong)]), 1, "{wrong}");
        }
        assert_eq!(problems([single(MetricKind::Counter, "dials")]), 1);
        assert_eq!(problems([Metric::single(UP, "no sentence", || 1.0)]), 1);
        let labelled = |values: Vec<_>, count| {
            Metric::labelled(UP, "Help.", ("state", values), move || vec![1.0; count])
        };
        assert_eq!(problems([labelled(vec!["a", "b"], 2)]), 0);
        assert_eq!(problems([labelled(vec!["a", "a"], 2)]), 1);
        assert_eq!(problems([labelled(vec!["a", "b"], 1)]), 1);
    }
}
