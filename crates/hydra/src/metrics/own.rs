//! Our metrics of heads, of whom they know, and of what they ask and are asked.

use std::sync::atomic::Ordering::Relaxed;

use http::{Labels, Metric, MetricKind};
use kad::fabric::Member;

use super::source::{PER_SECOND, Source, types};
use crate::AskedType;

pub(super) fn metrics<M: Member>(source: &Source<M>) -> Vec<Metric> {
    let mut metrics = known(source);
    metrics.extend(per_head(source));
    metrics.extend(answered(source));
    metrics.extend(asked(source));
    metrics
}

fn known<M: Member>(source: &Source<M>) -> Vec<Metric> {
    let gauge = |name| (MetricKind::Gauge, name);
    let counter = |name| (MetricKind::Counter, name);
    let none = Labels::none;
    vec![
        source.single(gauge("kadscope_hydra_heads"), "Heads that have joined.", none(), |view| {
            view.heads().len() as f64
        }),
        source.single(
            gauge("kadscope_hydra_heads_known"),
            "Heads that some server of the network has answered under their own identity.",
            none(),
            |view| view.heads().iter().filter(|head| head.is_known()).count() as f64,
        ),
        source.single(gauge("kadscope_hydra_connections"), "Connections of all heads.", none(), |view| {
            view.heads().iter().map(|head| head.connections() as f64).sum()
        }),
        source.single(
            gauge("kadscope_hydra_servers"),
            "Servers of the network that all heads know together.",
            none(),
            |view| view.known().0 as f64,
        ),
        source.single(
            gauge("kadscope_hydra_visitors"),
            "Other peers that said who they are, and are known for a while.",
            none(),
            |view| view.known().1 as f64,
        ),
        source.single(
            counter("kadscope_hydra_bootstraps_failed_total"),
            "Times that none of the bootstrap peers answered.",
            none(),
            |view| view.counters().bootstraps_failed.load(Relaxed) as f64,
        ),
        announcements(source),
        closed_bytes(source),
    ]
}

fn announcements<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::labelled(
        (MetricKind::Counter, "kadscope_hydra_announcements_total"),
        "Peers that a head dialled since they should know it, by what came of it.",
        ("outcome", vec!["answered", "failed"]),
        move || {
            let counters = view.counters();
            [&counters.announced, &counters.announcements_failed]
                .map(|count| count.load(Relaxed) as f64)
                .into()
        },
    )
}

fn closed_bytes<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::labelled(
        (MetricKind::Counter, "kadscope_hydra_closed_bytes_total"),
        "Bytes on connections that are over, above the transport.",
        ("direction", vec!["sent", "received"]),
        move || {
            let counters = view.counters();
            [&counters.closed_sent_bytes, &counters.closed_received_bytes]
                .map(|count| count.load(Relaxed) as f64)
                .into()
        },
    )
}

/// What each head has, on request.
fn per_head<M: Member>(source: &Source<M>) -> Vec<Metric> {
    if !source.terms.per_head {
        return Vec::new();
    }
    let heads = source.view.heads();
    let labels = || Labels::none().with("peer_id", heads.iter().map(|head| head.peer().to_string()));
    let (connected, asked) = (heads.clone(), heads.clone());
    vec![
        Metric::over(
            (MetricKind::Gauge, "kadscope_hydra_head_connections"),
            "Connections of each head.",
            labels(),
            move || connected.iter().map(|head| head.connections() as f64).collect(),
        ),
        Metric::over(
            (MetricKind::Counter, "kadscope_hydra_head_requests_total"),
            "Requests that came to each head, by type.",
            labels().with("type", AskedType::ALL.iter().map(|kind| kind.name())),
            move || {
                let of_head = |head: &std::sync::Arc<crate::HydraHead>| {
                    AskedType::ALL.iter().map(|kind| head.requests(*kind) as f64).collect::<Vec<_>>()
                };
                asked.iter().flat_map(of_head).collect()
            },
        ),
    ]
}

/// Requests of others.
fn answered<M: Member>(source: &Source<M>) -> [Metric; 4] {
    [
        source.by_type(
            (MetricKind::Counter, "kadscope_hydra_requests_failed_total"),
            "Requests that were answered by resetting their stream, by type: malformed, unknown, not valid or shed.",
            types(),
            |view, kind| view.counters().answered(kind).failed.load(Relaxed),
        ),
        source.distributions(
            (
                "kadscope_hydra_request_duration_seconds",
                "How long requests took, from when they were read until their answer was there.",
            ),
            types(),
            PER_SECOND,
            |view, kind| &view.counters().answered(kind).latency,
        ),
        source.distributions(
            ("kadscope_hydra_request_size_bytes", "How large requests were."),
            types(),
            1.0,
            |view, kind| &view.counters().answered(kind).received,
        ),
        source.distributions(
            ("kadscope_hydra_answer_size_bytes", "How large answers were."),
            types(),
            1.0,
            |view, kind| &view.counters().answered(kind).sent,
        ),
    ]
}

/// Requests of ours.
fn asked<M: Member>(source: &Source<M>) -> [Metric; 3] {
    [
        source.by_type(
            (MetricKind::Counter, "kadscope_hydra_sent_requests_total"),
            "Requests that the heads sent, by type.",
            types(),
            |view, kind| view.counters().asked(kind).sent.load(Relaxed),
        ),
        source.by_type(
            (MetricKind::Counter, "kadscope_hydra_sent_requests_failed_total"),
            "Requests of the heads that nobody answered, those that could not be sent among them.",
            types(),
            |view, kind| view.counters().asked(kind).failed.load(Relaxed),
        ),
        source.distributions(
            (
                "kadscope_hydra_sent_request_duration_seconds",
                "How long requests of the heads took that were answered, dialling included.",
            ),
            types(),
            PER_SECOND,
            |view, kind| &view.counters().asked(kind).latency,
        ),
    ]
}
