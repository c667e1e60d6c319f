//! What can be read of a study while it goes on.

use hoard::HoardNow;
use http::{Labels, Metric, MetricKind};
use kad::retrieval::RetrievalVerdict;
use schema::{HolderAnswer, RoundEnd, Whereabouts};
use tokio::sync::watch;

/// All metrics of a study.
pub(crate) fn hoard_metrics(shown: &watch::Receiver<HoardNow>) -> Vec<Metric> {
    let gauge = |name, help, read: fn(&HoardNow) -> f64| {
        let shown = shown.clone();
        Metric::single((MetricKind::Gauge, name), help, move || read(&shown.borrow()))
    };
    vec![
        gauge("kadscope_hoard_keys", "Keys that were published or taken in.", |now| now.keys as f64),
        gauge("kadscope_hoard_keys_failed", "Keys whose record nobody was given.", |now| {
            now.failed_keys as f64
        }),
        gauge("kadscope_hoard_keys_watched", "Keys that still have rounds to come.", |now| {
            now.watched as f64
        }),
        gauge("kadscope_hoard_publishers", "Publishers that are there.", |now| now.publishers as f64),
        gauge("kadscope_hoard_round", "The highest round that ended.", |now| f64::from(now.round)),
        gauge(
            "kadscope_hoard_left_seconds",
            "How long the study still takes, as planned; 0 where that has no end.",
            |now| now.eta.unwrap_or_default().as_secs_f64(),
        ),
        gauge(
            "kadscope_hoard_next_round_seconds",
            "In how long the next round is due; 0 while one waits, and where none is to come.",
            |now| now.next_round.unwrap_or_default().as_secs_f64(),
        ),
        under_way(shown.clone()),
        rounds(shown.clone()),
        lags(shown.clone()),
        holders(shown.clone()),
        provider_dials(shown.clone()),
    ]
}

fn under_way(shown: watch::Receiver<HoardNow>) -> Metric {
    Metric::labelled(
        (MetricKind::Gauge, "kadscope_hoard_under_way"),
        "Rounds that are under way, and the dials, questions and lookups in them.",
        ("what", vec!["rounds", "requests"]),
        move || {
            let now = shown.borrow().in_flight;
            [now.rounds, now.requests].map(f64::from).into()
        },
    )
}

fn rounds(shown: watch::Receiver<HoardNow>) -> Metric {
    Metric::labelled(
        (MetricKind::Counter, "kadscope_hoard_rounds_total"),
        "Rounds of keys, by how they ended.",
        ("end", RoundEnd::ALL.iter().map(|end| end.name()).collect()),
        move || shown.borrow().rounds.map(|count| count as f64).into(),
    )
}

fn lags(shown: watch::Receiver<HoardNow>) -> Metric {
    Metric::labelled(
        (MetricKind::Gauge, "kadscope_hoard_lag_seconds"),
        "How late the last 1,024 rounds began: the median, and what 99 % kept within; and the latest of all.",
        ("of", vec!["p50", "p99", "max"]),
        move || {
            let lag = shown.borrow().lag;
            [lag.p50, lag.p99, lag.max].map(|lag| lag.as_secs_f64()).into()
        },
    )
}

fn holders(shown: watch::Receiver<HoardNow>) -> Metric {
    let whereabouts: Vec<_> = Whereabouts::ALL.iter().map(|at| at.name()).collect();
    let answers: Vec<_> = HolderAnswer::ALL.iter().map(|answer| answer.name()).collect();
    Metric::over(
        (MetricKind::Gauge, "kadscope_hoard_holders"),
        "Holders of the keys that are watched, by where they were and what they said when they were looked at last.",
        Labels::none().with("whereabouts", whereabouts).with("answer", answers),
        move || {
            let now = shown.borrow();
            let of = |&at: &Whereabouts| HolderAnswer::ALL.iter().map(move |&answer| (at, answer));
            let all = Whereabouts::ALL.iter().flat_map(of);
            all.map(|(at, answer)| now.holders.count(|a, b| a == at && b == answer) as f64).collect()
        },
    )
}

fn provider_dials(shown: watch::Receiver<HoardNow>) -> Metric {
    Metric::labelled(
        (MetricKind::Counter, "kadscope_hoard_provider_dials_total"),
        "Dials of those who provide keys, by what came of them.",
        ("verdict", RetrievalVerdict::ALL.iter().map(|verdict| verdict.name()).collect()),
        move || shown.borrow().provider_dials.map(|count| count as f64).into(),
    )
}
