//! What came of asking the belly and a service of delegated routing, for each and for both together. Where no service is asked, all of
//! it is zero.

use delegated::{LATENCY_BOUNDS, ServiceCounts};
use http::{Histogram, Labels, Metric, MetricKind};
use kad::fabric::Member;

use super::source::Source;
use crate::{
    HydraView,
    delegated::{DelegatedCounts, FindFailure, FindSource},
};

pub(super) fn metrics<M: Member>(source: &Source<M>) -> [Metric; 4] {
    let view = source.view.clone();
    [
        outcomes(source),
        Metric::histogram(
            "kadscope_hydra_delegated_duration_seconds",
            "How long requests to a service of delegated routing took, failed ones included.",
            Labels::none(),
            move || vec![of_service(&view).latencies],
        ),
        source.single(
            (MetricKind::Gauge, "kadscope_hydra_delegated_in_flight"),
            "Requests to a service of delegated routing that are under way.",
            Labels::none(),
            |view| of_service(view).in_flight as f64,
        ),
        source.single(
            (MetricKind::Gauge, "kadscope_hydra_delegated_left_alone"),
            "Whether the service is left alone for a while, since it failed again and again (1).",
            Labels::none(),
            |view| f64::from(u8::from(of_service(view).is_open)),
        ),
    ]
}

/// Where no service is asked, as of one that never was.
fn of_service<M: Member>(view: &HydraView<M>) -> ServiceCounts {
    let unasked = || ServiceCounts {
        latencies: Histogram::of_times(&LATENCY_BOUNDS).distribution(1e9),
        ..ServiceCounts::default()
    };
    view.delegated().map_or_else(unasked, |delegated| delegated.counts().service)
}

fn counts<M: Member>(view: &HydraView<M>) -> DelegatedCounts {
    view.delegated().map(crate::delegated::Delegated::counts).unwrap_or_default()
}

fn outcomes<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    let names = ["found", "none"].into_iter().chain(FindFailure::ALL.iter().map(|failure| failure.name()));
    Metric::over(
        (MetricKind::Counter, "kadscope_hydra_finds_total"),
        "Questions for providers where a service of delegated routing may be asked beside the belly, by who was asked and what came of \
         it: found, none, or the class of the failure.",
        Labels::none()
            .with("source", FindSource::ALL.iter().map(|source| source.name()))
            .with("outcome", names),
        move || {
            let counts = counts(&view);
            let of = |source: &FindSource| {
                let outcomes = counts.of(*source);
                [outcomes.found, outcomes.none].into_iter().chain(outcomes.failed).map(|count| count as f64)
            };
            FindSource::ALL.iter().flat_map(of).collect()
        },
    )
}
