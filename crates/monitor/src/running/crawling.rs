//! Crawls beside looks: who makes one, and what a monitor takes from it.

use std::{
    future::{Future, pending},
    sync::Arc,
};

use crawl::{Clock, Crawl, CrawlConfig, FateCounts, Outlets, Progress};
use kad::{Contact, PeerId, network::Network, opt_out::OptOut};
use schema::{PeerNumber, Row, RunId, Visit};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// What a crawl came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CrawlEnded {
    /// How many peers it reached.
    pub reached: u64,
    /// Whether it was not stopped before its end.
    pub is_whole: bool,
}

/// Makes crawls. What a crawl sees is kept by it as it likes.
pub trait Crawler: Clone + Send + Sync + 'static {
    /// Crawls once, from these peers on. Every row is sent to `seen` as well; the crawl waits while that is full.
    fn crawl(
        &self,
        begin_with: Vec<Contact>,
        seen: mpsc::Sender<Row>,
        cancel: CancellationToken,
    ) -> impl Future<Output = CrawlEnded> + Send;
}

/// Crawls and keeps nothing: for whoever only wants to know who is there.
#[derive(Debug, Clone)]
pub struct LibraryCrawler<N> {
    /// Reaches peers.
    pub network: N,
    /// The names of the network's kad protocol, in the order in which they are tried.
    pub protocols: Arc<[String]>,
    /// How it is crawled.
    pub config: CrawlConfig,
    /// Who asked not to be measured.
    pub opt_out: Arc<OptOut>,
    /// The time of the run.
    pub clock: Clock,
}

impl<N: Network> Crawler for LibraryCrawler<N> {
    async fn crawl(
        &self,
        begin_with: Vec<Contact>,
        seen: mpsc::Sender<Row>,
        cancel: CancellationToken,
    ) -> CrawlEnded {
        let crawl = Crawl {
            network: self.network.clone(),
            id: RunId::new(self.clock.start(), [0; 10]),
            network_name: String::new(),
            protocols: self.protocols.to_vec(),
            bootstrap: begin_with,
            config: self.config.clone(),
            opt_out: Arc::clone(&self.opt_out),
            clock: self.clock,
        };
        let outlets = Outlets {
            rows: Some(seen),
            progress: watch::Sender::new(Progress::default()),
            fates: FateCounts::default(),
            cancel: cancel.clone(),
        };
        let crawled = crawl.run(outlets).await;
        let reached = crawled.summary.peers.reachable;
        CrawlEnded { reached, is_whole: !cancel.is_cancelled() && !crawled.rows_lost }
    }
}

/// Rows of a crawl that may wait to be taken.
const ROWS: usize = 1024;

/// What a monitor takes from a crawl.
pub(super) enum CrawlSaw {
    /// A visit to a peer.
    Visit(PeerId, Box<Visit>),
    /// Its end.
    End(CrawlEnded),
}

/// A crawl under way.
pub(super) struct CrawlUnderWay {
    task: JoinHandle<CrawlEnded>,
    rows: mpsc::Receiver<Row>,
    peers: CrawlPeers,
    cancel: CancellationToken,
}

impl CrawlUnderWay {
    /// Begins one.
    pub(super) fn begin(crawler: &impl Crawler, begin_with: Vec<Contact>) -> Self {
        let (seen, rows) = mpsc::channel(ROWS);
        let (crawler, cancel) = (crawler.clone(), CancellationToken::new());
        let stopped = cancel.clone();
        let task = tokio::spawn(async move { crawler.crawl(begin_with, seen, stopped).await });
        Self { task, rows, peers: CrawlPeers::default(), cancel }
    }

    /// Stops it: it ends soon.
    pub(super) fn stop(&self) {
        self.cancel.cancel();
    }

    /// What the crawl says next; waits for ever where there is none. Nothing is lost if it is not waited for to the end.
    pub(super) async fn next_of(crawl: &mut Option<Self>) -> CrawlSaw {
        match crawl {
            Some(crawl) => crawl.next().await,
            None => pending().await,
        }
    }

    async fn next(&mut self) -> CrawlSaw {
        while let Some(row) = self.rows.recv().await {
            match row {
                Row::Peer(number, id) => self.peers.named(number, id),
                Row::Visit(visit) => {
                    if let Some(id) = self.peers.id(visit.peer) {
                        return CrawlSaw::Visit(id, visit);
                    }
                }
                // What else a crawl keeps says nothing of whether somebody is up.
                _ => {}
            }
        }
        // A crawl is made of total functions; one that panics after all has come to nothing.
        CrawlSaw::End((&mut self.task).await.unwrap_or_default())
    }
}

impl Drop for CrawlUnderWay {
    fn drop(&mut self) {
        self.cancel.cancel();
        self.task.abort();
    }
}

/// The peers of one crawl: its numbers are its own.
#[derive(Debug, Default)]
pub(super) struct CrawlPeers(Vec<Option<PeerId>>);

impl CrawlPeers {
    /// A crawl named a peer.
    pub(super) fn named(&mut self, number: PeerNumber, id: PeerId) {
        let place = number.0 as usize;
        // Numbers are given from 0 without gaps.
        if self.0.len() <= place {
            self.0.resize(place + 1, None);
        }
        if let Some(known) = self.0.get_mut(place) {
            *known = Some(id);
        }
    }

    /// Whom a number stands for; `None` if it was not introduced.
    pub(super) fn id(&self, number: PeerNumber) -> Option<PeerId> {
        self.0.get(number.0 as usize).copied().flatten()
    }
}
