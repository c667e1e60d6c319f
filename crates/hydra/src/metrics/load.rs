//! Our metrics of load: what was admitted to which rung, what was shed and why, and what is in force.

use http::{Labels, Metric, MetricKind};
use kad::fabric::Member;

use super::source::{Source, types};
use crate::{AskedType, Rung, ShedReason};

pub(super) fn metrics<M: Member>(source: &Source<M>) -> [Metric; 6] {
    [
        source.by_type(
            (MetricKind::Counter, "kadscope_hydra_requests_total"),
            "Requests that came, by type: each was admitted to a rung, or shed.",
            types(),
            |view, kind| view.load().counts().of(kind).asked,
        ),
        admitted(source),
        source.by_type(
            (MetricKind::Counter, "kadscope_hydra_requests_fell_total"),
            "Requests that were admitted to a rung and answered by closer peers alone, since the belly did not answer.",
            types(),
            |view, kind| view.load().counts().of(kind).fell(),
        ),
        shed(source),
        rung(source),
        source.single(
            (MetricKind::Gauge, "kadscope_hydra_share_requests_per_second"),
            "How many requests a second one remote may ask at the moment; infinite while nobody is held to a share.",
            Labels::none(),
            |view| view.load().share().map_or(f64::INFINITY, f64::from),
        ),
    ]
}

fn admitted<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::over(
        (MetricKind::Counter, "kadscope_hydra_requests_admitted_total"),
        "Requests that were admitted, by type and by the rung of the ladder that was in force.",
        types().with("rung", Rung::ALL.iter().map(|rung| rung.name())),
        move || {
            let counts = view.load().counts();
            let of = |kind: &AskedType| {
                let counts = counts.of(*kind);
                Rung::ALL.iter().map(move |rung| counts.admitted(*rung) as f64)
            };
            AskedType::ALL.iter().flat_map(of).collect()
        },
    )
}

fn shed<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::over(
        (MetricKind::Counter, "kadscope_hydra_requests_shed_total"),
        "Requests that were shed, by type and reason.",
        types().with("reason", ShedReason::ALL.iter().map(|reason| reason.name())),
        move || {
            let counts = view.load().counts();
            let of = |kind: &AskedType| {
                let counts = counts.of(*kind);
                ShedReason::ALL.iter().map(move |reason| counts.shed(*reason) as f64)
            };
            AskedType::ALL.iter().flat_map(of).collect()
        },
    )
}

fn rung<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::over(
        (MetricKind::Gauge, "kadscope_hydra_rung"),
        "Which rung of the ladder is in force: 1 for that one, 0 for all others.",
        Labels::none().with("rung", Rung::ALL.iter().map(|rung| rung.name())),
        move || {
            let now = view.load().rung();
            Rung::ALL.iter().map(|rung| f64::from(u8::from(*rung == now))).collect()
        },
    )
}
