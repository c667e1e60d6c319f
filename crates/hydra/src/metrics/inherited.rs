//! The metrics of hydra-booster by its own names. What each means now, and which are gone, is in `docs/metrics.md`.
//!
//! Latencies are in milliseconds, as there; what is a number of the moment is a gauge, whatever it ends in.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use http::{Labels, Metric, MetricKind};
use kad::fabric::Member;

use super::source::{PER_MILLISECOND, Source};
use crate::{AskedType, HydraHead, HydraView};

/// Those among them whose names break the conventions of Prometheus. No other may.
pub const INHERITED: &[&str] = &[
    "hydrabooster_unique_peers_total",
    "hydrabooster_prov_prefetches",
    "hydrabooster_prov_prefetch_duration",
    "hydrabooster_prov_ddb_collisions",
    "hydrabooster_libp2p_io_dht_kad_received_messages",
    "hydrabooster_libp2p_io_dht_kad_received_message_errors",
    "hydrabooster_libp2p_io_dht_kad_sent_requests",
    "hydrabooster_libp2p_io_dht_kad_sent_request_errors",
    "hydrabooster_libp2p_io_dht_kad_inbound_request_latency",
    "hydrabooster_libp2p_io_dht_kad_outbound_request_latency",
];

pub(super) fn metrics<M: Member>(source: &Source<M>) -> Vec<Metric> {
    let mut metrics = heads(source);
    metrics.extend(records(source));
    metrics.extend(requests(source));
    metrics
}

fn heads<M: Member>(source: &Source<M>) -> Vec<Metric> {
    let gauge = |name| (MetricKind::Gauge, name);
    vec![
        of_heads(source, gauge("hydrabooster_heads"), "Heads that have joined.", |heads, _| {
            vec![1.0; heads.len()]
        }),
        of_heads(
            source,
            gauge("hydrabooster_bootstrapped_heads"),
            "Heads that some server of the network has answered under their own identity.",
            |heads, _| heads.iter().map(|head| f64::from(u8::from(head.is_known()))).collect(),
        ),
        connected_peers(source),
        source.single(
            gauge("hydrabooster_unique_peers_total"),
            "Different peers that had a connection with any head so far, off by 0.81 % (one standard error).",
            source.named(),
            |view| view.counters().unique_peers().round(),
        ),
        source.single(
            gauge("hydrabooster_routing_table_size"),
            "Peers that the heads would have in routing tables of their own, all of these added up.",
            source.named(),
            |view| view.heads().iter().map(|head| view.table_size(head) as f64).sum(),
        ),
    ]
}

/// A number for each head, or their sum.
fn of_heads<M: Member>(
    source: &Source<M>,
    what: (MetricKind, &'static str),
    help: &'static str,
    read: fn(&[Arc<HydraHead>], &HydraView<M>) -> Vec<f64>,
) -> Metric {
    let view = source.view.clone();
    if source.terms.per_head {
        let heads = view.heads();
        let labels = by_head(source, &heads);
        Metric::over(what, help, labels, move || read(&heads, &view))
    } else {
        Metric::over(what, help, source.named(), move || vec![read(&view.heads(), &view).iter().sum()])
    }
}

fn by_head<M: Member>(source: &Source<M>, heads: &[Arc<HydraHead>]) -> Labels {
    source.named().with("peer_id", heads.iter().map(|head| head.peer().to_string()))
}

/// Peers, not connections; one that has some with several heads is one peer, unless heads are shown apart.
fn connected_peers<M: Member>(source: &Source<M>) -> Metric {
    let what = (MetricKind::Gauge, "hydrabooster_connected_peers");
    let help = "Peers that have a connection, each once: with any head, or where heads are shown apart, with each of them.";
    let view = source.view.clone();
    if source.terms.per_head {
        let labels = by_head(source, &view.heads());
        Metric::over(what, help, labels, move || {
            view.peers_by_head().iter().map(|&count| count as f64).collect()
        })
    } else {
        source.single(what, help, source.named(), |view| view.counters().connected_peers() as f64)
    }
}

fn records<M: Member>(source: &Source<M>) -> [Metric; 3] {
    [
        source.single(
            (MetricKind::Gauge, "hydrabooster_provider_records"),
            "Provider records that are kept, as they were counted within the last seconds.",
            source.named(),
            |view| view.records().providers as f64,
        ),
        source.single(
            (MetricKind::Gauge, "hydrabooster_ipns_records"),
            "Values that are kept, as they were counted within the last seconds: IPNS records and public keys.",
            source.named(),
            |view| view.records().values as f64,
        ),
        source.single(
            (MetricKind::Counter, "hydrabooster_prov_ddb_collisions"),
            "How often two providers of a key came in one second in DynamoDB, so that one was moved to another second.",
            source.named(),
            |view| view.belly().backlog().collisions as f64,
        ),
    ]
}

/// The types of requests as libp2p names them.
fn message_types() -> Labels {
    Labels::none().with("message_type", AskedType::ALL.iter().map(|kind| kind.name().to_ascii_uppercase()))
}

fn requests<M: Member>(source: &Source<M>) -> [Metric; 8] {
    let counter = |name| (MetricKind::Counter, name);
    [
        source.by_type(
            counter("hydrabooster_libp2p_io_dht_kad_received_messages"),
            "Requests that came, by type.",
            message_types(),
            |view, kind| view.load().counts().of(kind).asked,
        ),
        source.by_type(
            counter("hydrabooster_libp2p_io_dht_kad_received_message_errors"),
            "Those of them that were not answered: malformed, of no known type, not valid or shed.",
            message_types(),
            |view, kind| view.counters().answered(kind).failed.load(Relaxed),
        ),
        source.by_type(
            counter("hydrabooster_libp2p_io_dht_kad_sent_requests"),
            "Requests that the heads sent, by type.",
            message_types(),
            |view, kind| view.counters().asked(kind).sent.load(Relaxed),
        ),
        source.by_type(
            counter("hydrabooster_libp2p_io_dht_kad_sent_request_errors"),
            "Requests of the heads that nobody answered, those that could not be sent among them.",
            message_types(),
            |view, kind| view.counters().asked(kind).failed.load(Relaxed),
        ),
        source.distributions(
            ("hydrabooster_libp2p_io_dht_kad_received_bytes", "How large the requests were that came, in bytes."),
            message_types(),
            1.0,
            |view, kind| &view.counters().answered(kind).received,
        ),
        source.distributions(
            ("hydrabooster_libp2p_io_dht_kad_sent_bytes", "How large the answers were, in bytes."),
            message_types(),
            1.0,
            |view, kind| &view.counters().answered(kind).sent,
        ),
        source.distributions(
            (
                "hydrabooster_libp2p_io_dht_kad_inbound_request_latency",
                "How long requests took that came, from when they were read until their answer was there, in milliseconds.",
            ),
            message_types(),
            PER_MILLISECOND,
            |view, kind| &view.counters().answered(kind).latency,
        ),
        source.distributions(
            (
                "hydrabooster_libp2p_io_dht_kad_outbound_request_latency",
                "How long requests of the heads took that were answered, dialling included, in milliseconds.",
            ),
            message_types(),
            PER_MILLISECOND,
            |view, kind| &view.counters().asked(kind).latency,
        ),
    ]
}
