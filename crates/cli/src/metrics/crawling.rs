//! What can be read of a crawl: the counters that it has anyway.

use crawl::{CrawlConfig, FateCounts, Progress};
use http::{Holding, Metric, MetricKind};
use schema::Row;
use store::{Totals, Writer};
use tokio::sync::{mpsc::WeakSender, watch};

/// About how much a peer takes that waits for its visit, its addresses included, in bytes. Source: the memory of crawls in
/// `docs/benchmarks.md`.
const PEER_BYTES: u64 = 1 << 10;

/// What looks on while a crawl goes on. It costs the crawl nothing: it reads what is there when somebody asks.
#[derive(Debug)]
pub(crate) struct CrawlView {
    progress: watch::Receiver<Progress>,
    fates: FateCounts,
    kept: Option<Kept>,
    /// The most peers in mind, and the most visits at once.
    bounds: (u64, u64),
}

/// What looks on while rows are kept.
#[derive(Debug)]
struct Kept {
    totals: watch::Receiver<Totals>,
    /// Weak, so that who looks on does not keep the queue open.
    queue: WeakSender<Row>,
    bound: u64,
}

impl CrawlView {
    /// Of a crawl that is about to begin.
    pub(crate) fn new(
        progress: watch::Receiver<Progress>,
        fates: FateCounts,
        writer: Option<&Writer>,
        config: &CrawlConfig,
    ) -> Self {
        let kept = writer.map(|writer| {
            let (queue, totals) = (writer.sender(), writer.progress());
            Kept { totals, bound: queue.max_capacity() as u64, queue: queue.downgrade() }
        });
        let visits = u64::from(config.parallelism) + u64::from(config.max_dials);
        Self { progress, fates, kept, bounds: (config.max_peers.into(), visits) }
    }

    /// Of none, with everything that one can have.
    #[cfg(test)]
    pub(super) fn of_nothing() -> Self {
        let kept = Kept {
            totals: watch::channel(Totals::default()).1,
            queue: tokio::sync::mpsc::channel(1).0.downgrade(),
            bound: 1,
        };
        let mut view = Self::new(
            watch::channel(Progress::default()).1,
            FateCounts::default(),
            None,
            &CrawlConfig::default(),
        );
        view.kept = Some(kept);
        view
    }

    /// What has a bound in a crawl.
    pub(crate) fn holdings(&self) -> Vec<Holding> {
        let of = |read: fn(&Progress) -> u64| {
            let progress = self.progress.clone();
            move || read(&progress.borrow())
        };
        let (peers, visits) = self.bounds;
        let mut holdings = vec![
            Holding::new("peers_in_mind", peers, of(|progress| progress.discovered)).each_of(PEER_BYTES),
            Holding::new("visits_under_way", visits, of(|progress| progress.under_way)),
        ];
        if let Some(Kept { queue, bound, .. }) = &self.kept {
            let queue = queue.clone();
            let waiting =
                move || queue.upgrade().map_or(0, |queue| (queue.max_capacity() - queue.capacity()) as u64);
            holdings.push(Holding::new("rows_waiting", *bound, waiting));
        }
        holdings
    }

    /// What it has come to.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let mut metrics =
            vec![self.discovered(), self.peers(), self.visits(), self.edges(), self.second_chances()];
        metrics.extend(self.addresses());
        metrics.extend(self.kept.as_ref().map(|kept| rows(kept.totals.clone())));
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

/// What is in the store.
fn rows(totals: watch::Receiver<Totals>) -> Metric {
    Metric::labelled(
        (MetricKind::Counter, "kadscope_store_rows_total"),
        "Rows of this run that are committed.",
        ("of", vec!["peers", "visits", "edges"]),
        move || {
            let totals = *totals.borrow();
            [totals.peers, totals.visits, totals.edges].map(|count| count as f64).into()
        },
    )
}
