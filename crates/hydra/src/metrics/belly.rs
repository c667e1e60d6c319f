//! Our metrics of the belly: what it holds, what waits for its backend, and how long that takes.

use http::{Distribution, Labels, Metric, MetricKind};
use kad::fabric::Member;
use store::{BellyBacklog, LATENCY_BOUNDS_US, Latencies, ReadFailure, WriteShed};

use super::source::Source;

pub(super) fn metrics<M: Member>(source: &Source<M>) -> Vec<Metric> {
    let mut metrics = vec![records(source), is_exact(source)];
    metrics.extend(waiting(source));
    metrics.extend(backend(source));
    metrics
}

fn records<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::labelled(
        (MetricKind::Gauge, "kadscope_hydra_records"),
        "Records that are kept, as they were counted within the last seconds.",
        ("of", vec!["providers", "values"]),
        move || {
            let records = view.records();
            vec![records.providers as f64, records.values as f64]
        },
    )
}

fn is_exact<M: Member>(source: &Source<M>) -> Metric {
    source.single(
        (MetricKind::Gauge, "kadscope_hydra_records_exact"),
        "Whether these were counted (1), or estimated by the database (0).",
        Labels::none(),
        |view| f64::from(u8::from(view.records().is_exact)),
    )
}

/// A number of the backlog.
fn of_backlog<M: Member>(
    source: &Source<M>,
    what: (MetricKind, &'static str),
    help: &'static str,
    read: fn(&BellyBacklog) -> f64,
) -> Metric {
    source.single(what, help, Labels::none(), move |view| read(&view.belly().backlog()))
}

fn waiting<M: Member>(source: &Source<M>) -> Vec<Metric> {
    let gauge = |name, help, read| of_backlog(source, (MetricKind::Gauge, name), help, read);
    vec![
        gauge("kadscope_belly_memory_bytes", "Records in memory.", |backlog| backlog.memory_bytes as f64),
        gauge("kadscope_belly_reads_waiting", "Keys that wait for the backend.", |backlog| {
            backlog.reads_waiting as f64
        }),
        gauge("kadscope_belly_oldest_read_seconds", "How long the oldest of them has waited.", |backlog| {
            backlog.oldest_read.as_secs_f64()
        }),
        gauge("kadscope_belly_writes_waiting", "Records that wait to be written.", |backlog| {
            backlog.writes_waiting as f64
        }),
        gauge("kadscope_belly_writes_waiting_bytes", "What these take.", |backlog| {
            backlog.write_bytes as f64
        }),
        gauge(
            "kadscope_belly_away",
            "Whether the backend did not answer when it was last asked (1).",
            |backlog| f64::from(u8::from(backlog.is_away)),
        ),
    ]
}

fn backend<M: Member>(source: &Source<M>) -> Vec<Metric> {
    let counter = |name, help, read| of_backlog(source, (MetricKind::Counter, name), help, read);
    vec![
        counter("kadscope_belly_statements_total", "Statements that the backend was asked.", |backlog| {
            backlog.statements as f64
        }),
        counter("kadscope_belly_statements_failed_total", "Those of them that failed.", |backlog| {
            backlog.failed_statements as f64
        }),
        counter(
            "kadscope_belly_throttled_total",
            "Requests that the backend refused since more is asked than was paid for.",
            |backlog| backlog.throttled as f64,
        ),
        counter(
            "kadscope_belly_unplaced_total",
            "Records that the backend could not keep, since all places where they may stand are taken.",
            |backlog| backlog.unplaced as f64,
        ),
        shed(
            source,
            ("kadscope_belly_reads_shed_total", "Reads that were not answered, by the reason."),
            |backlog| named(ReadFailure::ALL.iter().map(|failure| failure.name()), backlog.shed_reads),
        ),
        shed(
            source,
            ("kadscope_belly_writes_shed_total", "Records that were dropped, by the reason."),
            |backlog| named(WriteShed::ALL.iter().map(|shed| shed.name()), backlog.shed_writes),
        ),
        took(
            source,
            (
                "kadscope_belly_read_duration_seconds",
                "How long reads of the backend took, their waiting included.",
            ),
            |backlog| backlog.reads,
        ),
        took(
            source,
            ("kadscope_belly_write_duration_seconds", "How long batches took to be written to the backend."),
            |backlog| backlog.writes,
        ),
    ]
}

/// Counts by their reasons.
type Named = Vec<(&'static str, u64)>;

fn named(names: impl Iterator<Item = &'static str>, counts: impl IntoIterator<Item = u64>) -> Named {
    names.zip(counts).collect()
}

fn shed<M: Member>(
    source: &Source<M>,
    (name, help): (&'static str, &'static str),
    read: fn(&BellyBacklog) -> Named,
) -> Metric {
    let reasons = read(&BellyBacklog::default()).iter().map(|(reason, _)| *reason).collect();
    let view = source.view.clone();
    Metric::labelled((MetricKind::Counter, name), help, ("reason", reasons), move || {
        read(&view.belly().backlog()).iter().map(|(_, count)| *count as f64).collect()
    })
}

fn took<M: Member>(
    source: &Source<M>,
    (name, help): (&'static str, &'static str),
    read: fn(&BellyBacklog) -> Latencies,
) -> Metric {
    let view = source.view.clone();
    Metric::histogram(name, help, Labels::none(), move || vec![distribution(&read(&view.belly().backlog()))])
}

/// Latencies as they are shown, in seconds.
fn distribution(latencies: &Latencies) -> Distribution {
    Distribution {
        bounds: LATENCY_BOUNDS_US.iter().map(|&bound| bound as f64 / 1e6).collect(),
        counts: latencies.classes.to_vec(),
        sum: latencies.sum.as_secs_f64(),
    }
}
