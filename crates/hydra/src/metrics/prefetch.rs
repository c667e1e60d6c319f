//! What the belly could not answer, and what was looked up of it: by the names of hydra-booster and by ours. Where nothing is looked
//! up, all of it is zero.

use std::sync::atomic::Ordering::Relaxed;

use http::{Distribution, Labels, Metric, MetricKind};
use kad::fabric::Member;

use super::source::{PER_MILLISECOND, PER_SECOND, Source, What};
use crate::{HeldShare, HydraView, Prefetch, PrefetchOutcome, PrefetchRefusal, prefetch::no_times};

/// How long a lookup that was in vain is remembered, in seconds.
const REMEMBERED_S: f64 = 3600.0;

/// How many of the keys that are asked for most are looked at.
const TOP_KEYS: usize = 100;

/// What hydra-booster said of prefetches.
pub(super) fn inherited<M: Member>(source: &Source<M>) -> [Metric; 6] {
    let gauge = |name| (MetricKind::Gauge, name);
    [
        statuses(source),
        durations(source),
        number(
            source,
            gauge("hydrabooster_prov_prefetch_pending"),
            "Keys that are looked up in the background, or wait for it.",
            |prefetch| prefetch.pending() as f64,
        ),
        number(
            source,
            gauge("hydrabooster_prov_prefetch_pending_limit"),
            "How many of them there may be.",
            |prefetch| (prefetch.config().queue + prefetch.config().workers) as f64,
        ),
        number(
            source,
            gauge("hydrabooster_prov_prefetch_neg_cache_size"),
            "Keys that are remembered as looked up.",
            |prefetch| prefetch.remembered() as f64,
        ),
        number(
            source,
            gauge("hydrabooster_prov_prefetch_neg_cache_ttl"),
            "How long a lookup that was in vain is remembered at most, in seconds.",
            |_| REMEMBERED_S,
        ),
    ]
}

fn number<M: Member>(
    source: &Source<M>,
    what: What,
    help: &'static str,
    read: fn(&Prefetch) -> f64,
) -> Metric {
    source.single(what, help, source.named(), move |view| view.prefetch().map_or(0.0, read))
}

fn statuses<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::over(
        (MetricKind::Counter, "hydrabooster_prov_prefetches"),
        "Questions for providers that the belly had records for (local), lookups in the background by what they found, and keys \
         that were not looked up, since that was in vain lately or too many wait.",
        source.named().with("status", ["local", "succeeded", "failed", "failed-cached", "discarded"]),
        move || {
            let [found, nobody, failed] = ended(&view);
            let refused = |reason| view.prefetch().map_or(0, |prefetch| prefetch.refused(reason));
            let cached = refused(PrefetchRefusal::FailedLately) + refused(PrefetchRefusal::FailedBefore);
            let local = view.counters().belly_hits.load(Relaxed);
            [local, found, nobody + failed, cached, refused(PrefetchRefusal::QueueFull)]
                .map(|count| count as f64)
                .into()
        },
    )
}

/// How many lookups came to each outcome.
fn ended<M: Member>(view: &HydraView<M>) -> [u64; 3] {
    [PrefetchOutcome::Found, PrefetchOutcome::Nobody, PrefetchOutcome::Failed]
        .map(|outcome| took(view, outcome, 1.0).count())
}

/// How long those lookups took.
fn took<M: Member>(view: &HydraView<M>, outcome: PrefetchOutcome, per_unit: f64) -> Distribution {
    view.prefetch().map_or_else(
        || no_times().distribution(per_unit),
        |prefetch| prefetch.took(outcome).distribution(per_unit),
    )
}

fn durations<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::histogram(
        "hydrabooster_prov_prefetch_duration",
        "How long lookups in the background took, in milliseconds.",
        source.named().with("status", ["succeeded", "failed"]),
        move || {
            let of = |outcome| took(&view, outcome, PER_MILLISECOND);
            let (mut failed, nobody) = (of(PrefetchOutcome::Failed), of(PrefetchOutcome::Nobody));
            failed.counts.iter_mut().zip(&nobody.counts).for_each(|(sum, count)| *sum += count);
            failed.sum += nobody.sum;
            vec![of(PrefetchOutcome::Found), failed]
        },
    )
}

/// What we say of them.
pub(super) fn own<M: Member>(source: &Source<M>) -> [Metric; 6] {
    let pending = source.single(
        (MetricKind::Gauge, "kadscope_hydra_prefetches_pending"),
        "Keys that are looked up in the background, or wait for it.",
        Labels::none(),
        |view| view.prefetch().map_or(0.0, |prefetch| prefetch.pending() as f64),
    );
    [questions(source), popular(source), outcomes(source), refusals(source), pending, own_durations(source)]
}

fn own_durations<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::histogram(
        "kadscope_hydra_prefetch_duration_seconds",
        "How long lookups in the background took, by what they came to.",
        Labels::none().with("outcome", PrefetchOutcome::ALL.iter().map(|outcome| outcome.name())),
        move || PrefetchOutcome::ALL.iter().map(|outcome| took(&view, *outcome, PER_SECOND)).collect(),
    )
}

fn questions<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::labelled(
        (MetricKind::Counter, "kadscope_hydra_belly_questions_total"),
        "Questions for providers that were answered from the belly and what is asked beside it: with records, or with none.",
        ("outcome", vec!["hit", "miss"]),
        move || {
            let counters = view.counters();
            [&counters.belly_hits, &counters.belly_misses].map(|count| count.load(Relaxed) as f64).into()
        },
    )
}

fn popular<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::labelled(
        (MetricKind::Gauge, "kadscope_hydra_popular_keys"),
        "Of the 100 keys whose providers are asked for most: those that the belly had when they were last asked for, and those that it had not.",
        ("outcome", vec!["hit", "miss"]),
        move || {
            let HeldShare { held, of } = view.counters().popular_keys(TOP_KEYS);
            vec![held as f64, (of - held) as f64]
        },
    )
}

fn outcomes<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::labelled(
        (MetricKind::Counter, "kadscope_hydra_prefetches_total"),
        "Lookups in the background that have ended, by what they came to.",
        ("outcome", PrefetchOutcome::ALL.iter().map(|outcome| outcome.name()).collect()),
        move || ended(&view).map(|count| count as f64).into(),
    )
}

fn refusals<M: Member>(source: &Source<M>) -> Metric {
    let view = source.view.clone();
    Metric::labelled(
        (MetricKind::Counter, "kadscope_hydra_prefetches_refused_total"),
        "Questions that the belly had no records for and that began no lookup, by the reason.",
        ("reason", PrefetchRefusal::ALL.iter().map(|reason| reason.name()).collect()),
        move || {
            let refused =
                |reason: &PrefetchRefusal| view.prefetch().map_or(0, |prefetch| prefetch.refused(*reason));
            PrefetchRefusal::ALL.iter().map(|reason| refused(reason) as f64).collect()
        },
    )
}
