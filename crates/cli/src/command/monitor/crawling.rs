//! The crawls of a monitor: each is a run of its own, as if it had been made by `kadscope crawl`.

use std::{sync::Arc, time::Duration};

use crawl::{Clock, Crawl, CrawlConfig, FateCounts, Outlets, Progress};
use kad::{Contact, opt_out::OptOut};
use monitor::running::{CrawlEnded, Crawler};
use net::Host;
use schema::{Row, RunState};
use store::StoreUrl;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    crawling::finish,
    keeping::{RunOrder, ToolRun},
};

/// Rows that wait to be kept.
const ROWS: usize = 1024;

/// Crawls into a store.
#[derive(Debug, Clone)]
pub(super) struct StoredCrawler(Arc<CrawlTerms>);

/// How it crawls, and where rows go.
#[derive(Debug)]
pub(super) struct CrawlTerms {
    pub(super) host: Host,
    pub(super) protocols: Vec<String>,
    pub(super) config: CrawlConfig,
    pub(super) opt_out: Arc<OptOut>,
    pub(super) store: StoreUrl,
    /// What a run of it is.
    pub(super) order: RunOrder,
    /// Cancelled when the command is to end, and how long a run may then wait for a store that is away.
    pub(super) hurry: (CancellationToken, Duration),
}

impl StoredCrawler {
    pub(super) fn new(terms: CrawlTerms) -> Self {
        Self(Arc::new(terms))
    }

    async fn made(
        &self,
        begin_with: Vec<Contact>,
        seen: mpsc::Sender<Row>,
        cancel: CancellationToken,
    ) -> anyhow::Result<CrawlEnded> {
        let terms = &self.0;
        let run = ToolRun::beside(&terms.store, terms.order.clone(), terms.hurry.clone()).await?;
        let (wall, origin) = run.began();
        let crawl = Crawl {
            network: terms.host.clone(),
            id: run.id(),
            network_name: terms.order.network.clone(),
            protocols: terms.protocols.clone(),
            bootstrap: begin_with,
            config: terms.config.clone(),
            opt_out: Arc::clone(&terms.opt_out),
            clock: Clock::said_at(wall, origin),
        };
        let (rows, passing) = mpsc::channel(ROWS);
        let outlets = Outlets {
            rows: Some(rows),
            progress: watch::Sender::new(Progress::default()),
            fates: FateCounts::default(),
            cancel,
        };
        let kept = run.rows();
        let (crawled, ()) = tokio::join!(Box::pin(crawl.run(outlets)), pass_on(passing, (kept, seen)));
        let mut summary = crawled.summary;
        finish(run, &mut summary).await??;
        Ok(CrawlEnded { reached: summary.peers.reachable, is_whole: summary.state == RunState::Succeeded })
    }
}

impl Crawler for StoredCrawler {
    async fn crawl(
        &self,
        begin_with: Vec<Contact>,
        seen: mpsc::Sender<Row>,
        cancel: CancellationToken,
    ) -> CrawlEnded {
        self.made(begin_with, seen, cancel).await.unwrap_or_else(|error| {
            tracing::warn!("a crawl was not made: {error:#}; the next one has its turn");
            CrawlEnded::default()
        })
    }
}

/// Every row is kept, and seen. Nobody reads on where neither is possible any more.
async fn pass_on(
    mut rows: mpsc::Receiver<Row>,
    (kept, seen): (Option<mpsc::Sender<Row>>, mpsc::Sender<Row>),
) {
    while let Some(row) = rows.recv().await {
        if let Some(kept) = &kept
            && kept.send(row.clone()).await.is_err()
        {
            return;
        }
        // Whoever looks on may have gone: the crawl is kept nevertheless.
        drop(seen.send(row).await);
    }
}
