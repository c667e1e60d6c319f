//! Where the numbers come from, and the labels that several metrics have.

use http::{Distribution, Histogram, Labels, Metric, MetricKind};
use kad::fabric::Member;

use super::MetricsTerms;
use crate::{AskedType, HydraView};

/// Nanoseconds in a unit.
pub(super) const PER_SECOND: f64 = 1e9;
pub(super) const PER_MILLISECOND: f64 = 1e6;

/// A kind and a name.
pub(super) type What = (MetricKind, &'static str);

/// A hydra, and how it is shown.
#[derive(Debug)]
pub(super) struct Source<M> {
    pub(super) view: HydraView<M>,
    pub(super) terms: MetricsTerms,
}

impl<M: Member> Source<M> {
    pub(super) fn new(view: &HydraView<M>, terms: &MetricsTerms) -> Self {
        Self { view: view.clone(), terms: terms.clone() }
    }

    /// The label `name`.
    pub(super) fn named(&self) -> Labels {
        Labels::none().with("name", [self.terms.name.clone()])
    }

    /// One number.
    pub(super) fn single(
        &self,
        what: What,
        help: &'static str,
        labels: Labels,
        read: impl Fn(&HydraView<M>) -> f64 + Send + Sync + 'static,
    ) -> Metric {
        let view = self.view.clone();
        Metric::over(what, help, labels, move || vec![read(&view)])
    }

    /// A number for each type of requests.
    pub(super) fn by_type(
        &self,
        what: What,
        help: &'static str,
        labels: Labels,
        read: impl Fn(&HydraView<M>, AskedType) -> u64 + Send + Sync + 'static,
    ) -> Metric {
        let view = self.view.clone();
        Metric::over(what, help, labels, move || {
            AskedType::ALL.iter().map(|kind| read(&view, *kind) as f64).collect()
        })
    }

    /// A histogram for each type of requests, with so many of the counted unit in one that is shown.
    pub(super) fn distributions(
        &self,
        (name, help): (&'static str, &'static str),
        labels: Labels,
        per_unit: f64,
        of: fn(&HydraView<M>, AskedType) -> &Histogram,
    ) -> Metric {
        let view = self.view.clone();
        let read = move || -> Vec<Distribution> {
            AskedType::ALL.iter().map(|kind| of(&view, *kind).distribution(per_unit)).collect()
        };
        Metric::histogram(name, help, labels, read)
    }
}

/// The types of requests by our names.
pub(super) fn types() -> Labels {
    Labels::none().with("type", AskedType::ALL.iter().map(|kind| kind.name()))
}
