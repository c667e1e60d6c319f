//! A network with known truth, and a monitor in it.

use std::{sync::Arc, time::Duration};

use crawl::{Clock, CrawlConfig};
use kad::{Contact, message::AMINO_PROTOCOL};
use kadscope_monitor::running::{
    LibraryCrawler, Monitor, MonitorConfig, MonitorFact, MonitorOutlets, MonitorState, MonitorSummary,
};
use schema::Timestamp;
use testnet::{History, Scenario, SimConfig, SimNetwork, World};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// 2026-01-01.
pub(crate) const START: Timestamp = Timestamp(1_767_225_600_000_000);

/// What was seen.
pub(crate) struct Seen {
    pub(crate) world: Arc<World>,
    pub(crate) history: History,
    pub(crate) facts: Vec<MonitorFact>,
    pub(crate) summary: MonitorSummary,
    pub(crate) state: MonitorState,
}

/// A network with a monitor's place in it.
pub(crate) struct Ground {
    pub(crate) world: Arc<World>,
    pub(crate) network: SimNetwork,
    clock: Clock,
}

/// How long it lasts, and whether those to begin with are known.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    pub(crate) lasts: Duration,
    pub(crate) has_bootstrap: bool,
    /// Facts that may wait.
    pub(crate) queue: usize,
}

impl Ground {
    /// The network of a scenario, which begins to live now.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let world = Arc::new(World::generate(scenario));
        let network = SimNetwork::new(Arc::clone(&world), SimConfig::default());
        Self { world, network, clock: Clock::started_at(START) }
    }

    /// A monitor of it, whose run begins now.
    fn monitor(&self, order: Order) -> Monitor<SimNetwork, LibraryCrawler<SimNetwork>> {
        let now = Instant::now();
        let clock = Clock::said_at(self.clock.at(now), now);
        let protocols: Arc<[String]> = [AMINO_PROTOCOL.to_owned()].into();
        let crawler = LibraryCrawler {
            network: self.network.clone(),
            protocols: Arc::clone(&protocols),
            config: CrawlConfig { seed: Some(1), ..CrawlConfig::default() },
            opt_out: Arc::default(),
            clock,
        };
        let world = &self.world;
        let first = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
        let bootstrap = world.bootstrap().iter().filter(|_| order.has_bootstrap).map(first).collect();
        let config = MonitorConfig { lasts: Some(order.lasts), seed: 1, ..MonitorConfig::default() };
        let (network, opt_out) = (self.network.clone(), Arc::default());
        Monitor { network, protocols, crawler, bootstrap, config, opt_out, clock }
    }

    /// Monitors it, and takes what is told as `take` says; goes on with a state.
    pub(crate) async fn monitored(
        &self,
        order: Order,
        state: MonitorState,
        take: impl AsyncFn(usize),
    ) -> Seen {
        let (facts, mut told) = mpsc::channel(order.queue);
        let outlets = MonitorOutlets {
            facts,
            now: watch::Sender::default(),
            cancel: CancellationToken::new(),
            renew: CancellationToken::new(),
        };
        let collect = async {
            let mut all = Vec::new();
            while let Some(fact) = told.recv().await {
                take(all.len()).await;
                all.push(fact);
            }
            all
        };
        let ((summary, state), facts) = tokio::join!(self.monitor(order).run(state, outlets), collect);
        let history = self.network.history().expect("its peers come and go");
        Seen { world: Arc::clone(&self.world), history, facts, summary, state }
    }
}

/// Monitors the network of a scenario for so long.
pub(crate) async fn monitored(scenario: &Scenario, lasts: Duration) -> Seen {
    let order = Order { lasts, has_bootstrap: true, queue: 256 };
    Ground::of(scenario).monitored(order, MonitorState::default(), async |_| {}).await
}
