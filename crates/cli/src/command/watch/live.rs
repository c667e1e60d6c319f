//! Looks at a network and shows it at once: crawls find who is there, looks tell who is so still. Nothing is kept.

use std::sync::Arc;

use anyhow::Context as _;
use crawl::{Clock, CrawlConfig};
use monitor::{
    due::DueLimits,
    running::{
        LibraryCrawler, Monitor, MonitorConfig, MonitorFact, MonitorOutlets, MonitorState, MonitorSummary,
    },
    watching::{DEFAULT_WATCHED_PEERS, WatchFeed, watch_schedule},
};
use net::{Host, HostConfig, Identity};
use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    args::NetworkWatchArgs, bootstrap, clock, crawling::fit_to_machine, network::Network, output,
    progress::WatchTold, staying::Staying,
};

/// Facts that wait to be made into what is shown; with more, nothing new is begun.
const QUEUED_FACTS: usize = 1024;

/// A network that is looked at.
#[derive(Debug)]
pub(super) struct Live {
    over: CancellationToken,
    monitoring: AbortOnDropHandle<(MonitorSummary, MonitorState)>,
    feeding: AbortOnDropHandle<()>,
}

impl Live {
    /// Begins to look at a network; what becomes known is sent to `told`, by that clock.
    pub(super) async fn begin(
        args: &NetworkWatchArgs,
        network: Network,
        (clock, told): (Clock, mpsc::Sender<WatchTold>),
        staying: &Staying,
    ) -> anyhow::Result<Self> {
        let seed = clock::seed();
        let mut crawl =
            CrawlConfig { parallelism: args.search_workers, seed: Some(seed), ..CrawlConfig::default() };
        let mut host = HostConfig::new(Identity::generate()?, network.addresses.into());
        host.agent = args.reach.manners.agent(&network);
        host.dials = args.reach.dials(&network)?;
        fit_to_machine(&mut crawl, host.dials.shared_descriptors())?;
        host.dials.max_connecting = crawl.max_dials as usize;
        let host = Host::new(host).context("could not open a socket to dial from")?;
        let bootstrap = staying.unless_stopped(bootstrap::gather(&network.bootstrap, &host)).await??;
        let opt_out = args.reach.manners.opt_out.load()?;
        let protocols: Arc<[String]> = network.protocols.into();
        let crawler = LibraryCrawler {
            network: host.clone(),
            protocols: Arc::clone(&protocols),
            config: crawl,
            opt_out: Arc::clone(&opt_out),
            clock,
        };
        let config = config(args, seed);
        let monitor = Monitor { network: host, protocols, crawler, bootstrap, config, opt_out, clock };
        let ((facts, found), over) = (mpsc::channel(QUEUED_FACTS), CancellationToken::new());
        let (now, renew) = (watch::Sender::default(), CancellationToken::new());
        let outlets = MonitorOutlets { facts, now, cancel: over.clone(), renew };
        let monitoring = tokio::spawn(Box::pin(monitor.run(MonitorState::default(), outlets)));
        let feeding = tokio::spawn(feed(found, told));
        Ok(Self {
            over,
            monitoring: AbortOnDropHandle::new(monitoring),
            feeding: AbortOnDropHandle::new(feeding),
        })
    }

    /// Ends it in order: looks under way are given up.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        self.over.cancel();
        self.monitoring.await?;
        Ok(self.feeding.await?)
    }
}

fn config(args: &NetworkWatchArgs, seed: u64) -> MonitorConfig {
    let usual = MonitorConfig::default();
    MonitorConfig {
        crawl_every: args.search_every,
        schedule: watch_schedule(args.look_every),
        due: DueLimits {
            peers: u32::try_from(DEFAULT_WATCHED_PEERS).unwrap_or(u32::MAX),
            looks_per_s: args.looks_per_s.into(),
            up_at_once: args.liveness_workers,
            doubtful_at_once: args.liveness_workers,
            down_at_once: args.liveness_workers,
        },
        dial_timeout: args.reach.dial_timeout,
        seed,
        ..usual
    }
}

/// Tells what becomes known, until nothing more does.
async fn feed(mut found: mpsc::Receiver<MonitorFact>, told: mpsc::Sender<WatchTold>) {
    let mut feed = WatchFeed::default();
    while let Some(fact) = found.recv().await {
        let news = feed.told(&fact).into_iter().map(WatchTold::Fact);
        let swept = match fact {
            MonitorFact::Crawled { is_whole: true, .. } => Some(WatchTold::Swept),
            MonitorFact::Crawled { is_whole: false, reached: 0 } => {
                output::note("none of the peers to begin with answered; they are asked again");
                None
            }
            _ => None,
        };
        for told_next in news.chain(swept) {
            // Who shows it has ended, and so does this.
            if told.send(told_next).await.is_err() {
                return;
            }
        }
    }
}
