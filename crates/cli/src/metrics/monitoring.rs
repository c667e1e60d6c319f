//! What can be read of a monitor while it goes on.

use http::{Metric, MetricKind};
use monitor::running::{LookCounts, MonitorNow};
use tokio::sync::watch;

/// All metrics of a monitor.
pub(crate) fn monitor_metrics(shown: &watch::Receiver<MonitorNow>) -> Vec<Metric> {
    let single = |kind, name, help, read: fn(&MonitorNow) -> f64| {
        let shown = shown.clone();
        Metric::single((kind, name), help, move || read(&shown.borrow()))
    };
    let gauge = |name, help, read| single(MetricKind::Gauge, name, help, read);
    let counter = |name, help, read| single(MetricKind::Counter, name, help, read);
    vec![
        gauge("kadscope_monitor_peers_known", "Peers that are known.", |now| now.known as f64),
        gauge("kadscope_monitor_peers_up", "Peers that are believed up, those in doubt included.", |now| {
            now.up as f64
        }),
        gauge(
            "kadscope_monitor_peers_doubtful",
            "Peers whose last look failed, and whose session is not over yet.",
            |now| now.doubtful as f64,
        ),
        gauge("kadscope_monitor_looks_under_way", "Looks that are under way.", |now| now.under_way as f64),
        gauge(
            "kadscope_monitor_looks_wanted_per_second",
            "Looks a second that are wanted, before intervals are stretched.",
            |now| now.wanted_per_s,
        ),
        gauge(
            "kadscope_monitor_interval_stretch_ratio",
            "By what factor intervals are longer than they should be, since looks a second are limited.",
            |now| now.stretch,
        ),
        gauge(
            "kadscope_monitor_lag_seconds",
            "How late the look is that has been due for the longest.",
            |now| now.lag.as_secs_f64(),
        ),
        gauge("kadscope_monitor_crawl_under_way", "Whether a crawl is under way.", |now| {
            f64::from(u8::from(now.is_crawling))
        }),
        counter("kadscope_monitor_crawls_total", "Crawls that came to their end.", |now| now.crawls as f64),
        counter("kadscope_monitor_gaps_total", "Times in which the observer saw nothing.", |now| {
            now.gaps as f64
        }),
        counter("kadscope_monitor_peers_left_out_total", "Peers for which there was no place.", |now| {
            now.left_out as f64
        }),
        looks("kadscope_monitor_looks_total", "Looks, by what they say of the peer.", shown, |now| now.looks),
        looks(
            "kadscope_monitor_crawl_visits_total",
            "Visits of crawls, by what they say of the peer.",
            shown,
            |now| now.crawl_visits,
        ),
        sessions(shown.clone()),
    ]
}

fn looks(
    name: &'static str,
    help: &'static str,
    shown: &watch::Receiver<MonitorNow>,
    read: fn(&MonitorNow) -> LookCounts,
) -> Metric {
    let shown = shown.clone();
    Metric::labelled((MetricKind::Counter, name), help, ("says", vec!["up", "down", "unclear"]), move || {
        let looks = read(&shown.borrow());
        [looks.up, looks.down, looks.unclear].map(|count| count as f64).into()
    })
}

fn sessions(shown: watch::Receiver<MonitorNow>) -> Metric {
    Metric::labelled(
        (MetricKind::Counter, "kadscope_monitor_sessions_total"),
        "Sessions that began, that ended, and peers in doubt that were seen up again.",
        ("what", vec!["began", "ended", "recovered"]),
        move || {
            let now = shown.borrow();
            [now.began, now.ended, now.recovered].map(|count| count as f64).into()
        },
    )
}
