//! What can be read of a monitor while it goes on.

use http::{Metric, MetricKind};
use monitor::running::{LookCounts, MonitorNow, MonitorSummary};
use tokio::sync::watch;

/// What is shown of a monitor. Its runs follow each other, and each counts from zero; what is shown is counted over all of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct MonitorView {
    now: watch::Sender<MonitorNow>,
    /// Of the runs that are over.
    before: watch::Sender<MonitorNow>,
}

impl MonitorView {
    /// Where a run says how it stands.
    pub(crate) const fn now(&self) -> &watch::Sender<MonitorNow> {
        &self.now
    }

    /// A run is over, and the next one goes on with it.
    pub(crate) fn renewed(&self, summary: &MonitorSummary) {
        self.before.send_modify(|before| before.count_in(&summary.counts));
        self.now.send_replace(summary.counts.gone_on_with());
    }

    /// How it stands, with everything that was counted.
    fn whole(&self) -> MonitorNow {
        let mut whole = self.now.borrow().clone();
        whole.count_in(&self.before.borrow());
        whole
    }
}

/// All metrics of a monitor.
pub(crate) fn monitor_metrics(view: &MonitorView) -> Vec<Metric> {
    let single = |kind, name, help, read: fn(&MonitorNow) -> f64| {
        let view = view.clone();
        Metric::single((kind, name), help, move || read(&view.whole()))
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
        looks("kadscope_monitor_looks_total", "Looks, by what they say of the peer.", view, |now| now.looks),
        counter(
            "kadscope_monitor_looks_met_others_total",
            "Looks in which somebody else answered at an address of the peer.",
            |now| now.met_others as f64,
        ),
        looks(
            "kadscope_monitor_crawl_visits_total",
            "Visits of crawls, by what they say of the peer.",
            view,
            |now| now.crawl_visits,
        ),
        sessions(view.clone()),
    ]
}

fn looks(
    name: &'static str,
    help: &'static str,
    view: &MonitorView,
    read: fn(&MonitorNow) -> LookCounts,
) -> Metric {
    let view = view.clone();
    Metric::labelled((MetricKind::Counter, name), help, ("says", vec!["up", "down", "unclear"]), move || {
        let looks = read(&view.whole());
        [looks.up, looks.down, looks.unclear].map(|count| count as f64).into()
    })
}

fn sessions(view: MonitorView) -> Metric {
    Metric::labelled(
        (MetricKind::Counter, "kadscope_monitor_sessions_total"),
        "Sessions that began, that ended, and peers in doubt that were seen up again.",
        ("what", vec!["began", "ended", "recovered"]),
        move || {
            let now = view.whole();
            [now.began, now.ended, now.recovered].map(|count| count as f64).into()
        },
    )
}

#[cfg(test)]
mod tests {
    use http::Metrics;
    use monitor::running::MonitorEnd;
    use schema::Timestamp;

    use super::*;

    /// A counter that fell back would hide a gap that each run has one of: a machine that sleeps every night.
    #[test]
    fn counters_go_on_where_the_next_run_begins() {
        let (view, metrics) = (MonitorView::default(), Metrics::default());
        metrics.extend(monitor_metrics(&view));
        let says = |line: &str| metrics.text().lines().any(|said| said == line);
        let counts =
            MonitorNow { is_ready: true, known: 9, up: 5, gaps: 1, ended: 2, ..MonitorNow::default() };
        let (started_at, finished_at) = (Timestamp(0), Timestamp(1));
        for nights in 1..=3 {
            view.now().send_replace(counts.clone());
            assert!(says(&format!("kadscope_monitor_gaps_total {nights}")), "{}", metrics.text());
            let end = MonitorEnd::Renewed;
            view.renewed(&MonitorSummary { end, started_at, finished_at, counts: counts.clone() });
            assert!(says(&format!("kadscope_monitor_gaps_total {nights}")), "{}", metrics.text());
            let ended = nights * 2;
            assert!(says(&format!("kadscope_monitor_sessions_total{{what=\"ended\"}} {ended}")));
            assert!(says("kadscope_monitor_peers_up 5") && says("kadscope_monitor_peers_known 9"));
        }
    }
}
