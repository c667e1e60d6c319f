//! What can be read of a crawl: the counters that it has anyway.

use crawl::{CrawlConfig, FateCounts, Progress};
use http::{Holding, Metric, MetricKind};
use tokio::sync::watch;

use crate::staying::Staying;

/// About how much a peer takes that waits for its visit, its addresses included, in bytes. Source: the memory of crawls in
/// `docs/benchmarks.md`.
const PEER_BYTES: u64 = 1 << 10;

/// What looks on while a crawl goes on. It costs the crawl nothing: it reads what is there when somebody asks.
#[derive(Debug)]
pub(crate) struct CrawlView {
    progress: watch::Receiver<Progress>,
    fates: FateCounts,
    /// The most peers in mind, and the most visits at once.
    bounds: (u64, u64),
}

impl CrawlView {
    /// Of a crawl that is about to begin.
    pub(crate) fn new(progress: watch::Receiver<Progress>, fates: FateCounts, config: &CrawlConfig) -> Self {
        let visits = u64::from(config.parallelism) + u64::from(config.max_dials);
        Self { progress, fates, bounds: (config.max_peers.into(), visits) }
    }

    /// Of none.
    #[cfg(test)]
    pub(super) fn of_nothing() -> Self {
        let progress = watch::channel(Progress::default()).1;
        Self::new(progress, FateCounts::default(), &CrawlConfig::default())
    }

    /// Has it shown.
    pub(crate) fn show(&self, staying: &Staying) {
        self.holdings().into_iter().for_each(|holding| staying.hold(holding));
        staying.show(self.metrics());
    }

    /// What has a bound in a crawl.
    pub(super) fn holdings(&self) -> [Holding; 2] {
        let of = |read: fn(&Progress) -> u64| {
            let progress = self.progress.clone();
            move || read(&progress.borrow())
        };
        let (peers, visits) = self.bounds;
        [
            Holding::new("peers_in_mind", peers, of(|progress| progress.discovered)).each_of(PEER_BYTES),
            Holding::new("visits_under_way", visits, of(|progress| progress.under_way)),
        ]
    }

    /// What it has come to.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let mut metrics = vec![
            self.discovered(),
            self.peers(),
            self.visits(),
            self.edges(),
            self.walks(),
            self.second_chances(),
        ];
        metrics.extend(self.addresses());
        metrics
    }

    fn single(
        &self,
        what: (MetricKind, &'static str),
        help: &'static str,
        read: fn(&Progress) -> u64,
    ) -> Metric {
        let progress = self.progress.clone();
        Metric::single(what, help, move || read(&progress.borrow()) as f64)
    }

    fn discovered(&self) -> Metric {
        let help = "Peers that were heard of.";
        self.single((MetricKind::Counter, "kadscope_crawl_peers_discovered_total"), help, |progress| {
            progress.discovered
        })
    }

    fn visits(&self) -> Metric {
        let help = "Visits that came to their end.";
        self.single((MetricKind::Counter, "kadscope_crawl_visits_total"), help, |progress| progress.visits)
    }

    fn edges(&self) -> Metric {
        let help = "Neighbors in the answers of peers, once for each peer that named them.";
        self.single((MetricKind::Counter, "kadscope_crawl_edges_total"), help, |progress| progress.edges)
    }

    fn walks(&self) -> Metric {
        let help = "Walks that are over; 0 where tables are read.";
        self.single((MetricKind::Counter, "kadscope_crawl_walks_total"), help, |progress| progress.walks)
    }

    fn second_chances(&self) -> Metric {
        let help = "Whether only second chances are left (1), or first visits too (0).";
        self.single((MetricKind::Gauge, "kadscope_crawl_second_chances"), help, |progress| {
            progress.second_chances.into()
        })
    }

    fn peers(&self) -> Metric {
        let progress = self.progress.clone();
        let states = vec!["reachable", "turned_away", "unreachable", "waiting", "under_way"];
        Metric::labelled(
            (MetricKind::Gauge, "kadscope_crawl_peers"),
            "Peers by how they stand: by their last visit, or waiting for one, or with one under way.",
            ("state", states),
            move || {
                let Progress { reachable, turned_away, unreachable, waiting, under_way, .. } =
                    *progress.borrow();
                [reachable, turned_away, unreachable, waiting, under_way].map(|count| count as f64).into()
            },
        )
    }

    /// Those that were dialled, and the others.
    fn addresses(&self) -> [Metric; 2] {
        let (not_dialled, dialled) = {
            let mut names = FateCounts::names();
            let dialled = names.split_off(FateCounts::NOT_DIALLED.min(names.len()));
            (names, dialled)
        };
        let values = |range: fn(&[u64]) -> &[u64]| {
            let fates = self.fates.clone();
            move || range(&fates.values()).iter().map(|&count| count as f64).collect()
        };
        [
            Metric::labelled(
                (MetricKind::Counter, "kadscope_crawl_dials_total"),
                "Addresses that were dialled, by what came of it.",
                ("outcome", dialled),
                values(|counts| counts.split_at(FateCounts::NOT_DIALLED).1),
            ),
            Metric::labelled(
                (MetricKind::Counter, "kadscope_crawl_addresses_not_dialled_total"),
                "Addresses that were not dialled, by the reason.",
                ("reason", not_dialled),
                values(|counts| counts.split_at(FateCounts::NOT_DIALLED).0),
            ),
        ]
    }
}
