//! Networks of which a crawl truly misses a part, crawled in virtual time, beside what the crawl says of that part.

use std::{collections::BTreeMap, sync::Arc};

use estimate::Completeness;
use kad::{Contact, PeerId};
use kadscope_crawl::{Clock, Crawl, CrawlConfig, Crawled, FateCounts, Outlets, Progress};
use schema::{RunId, Timestamp};
use testnet::{Scenario, SimConfig, SimNetwork, World, truth::expected};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// One kind of network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// What is special about it.
    pub(crate) what: &'static str,
    /// The scenario, without its seed.
    pub(crate) scenario: &'static str,
}

/// What came of one network.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Peers that can be reached in truth, those left out that the crawl began with.
    pub(crate) peers: u64,
    /// How many of them the crawl did not hear of.
    pub(crate) missed: u64,
    /// What it says.
    pub(crate) said: Completeness,
}

/// What came of many.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    /// Of those with an estimate.
    pub(crate) recalls: Vec<f64>,
    /// The share of the refused networks' peers that were found.
    pub(crate) refused_recalls: Vec<f64>,
    /// Estimate less truth, in shares of all peers.
    pub(crate) errors: Vec<f64>,
    /// Upper less lower end of the interval, in shares of all peers.
    pub(crate) widths: Vec<f64>,
    /// How often the truth was in the interval.
    pub(crate) covered: u32,
    /// How often it was below.
    pub(crate) above_truth: u32,
    /// How often each reason to refuse was given.
    pub(crate) refusals: BTreeMap<&'static str, u32>,
}

impl Sweep {
    /// Crawls networks with the seeds from 1 to `count`.
    pub(crate) fn of(setting: &Setting, count: u64) -> Self {
        let mut sweep = Self::default();
        let scenario = Scenario::parse(setting.scenario, "a setting").expect("a scenario");
        for seed in 1..=count {
            sweep.add(&crawl(&scenario.clone().with_seed(seed), CrawlConfig::default()));
        }
        sweep
    }

    fn add(&mut self, outcome: &Outcome) {
        let Outcome { peers, missed, ref said } = *outcome;
        let (all, recall) = (peers as f64, 1.0 - missed as f64 / peers as f64);
        let Some(estimate) = said.estimate else {
            let reason = said.no_estimate_because.expect("a reason");
            *self.refusals.entry(reason.name()).or_default() += 1;
            self.refused_recalls.push(recall);
            return;
        };
        self.recalls.push(recall);
        self.errors.push((estimate.missed - missed as f64) / all);
        self.widths.push((estimate.high - estimate.low) as f64 / all);
        self.covered += u32::from((estimate.low..=estimate.high).contains(&missed));
        self.above_truth += u32::from(estimate.low > missed);
    }

    /// How many networks got an estimate.
    pub(crate) fn answered(&self) -> usize {
        self.recalls.len()
    }
}

/// Crawls one network from its bootstrap peers.
pub(crate) fn crawl(scenario: &Scenario, config: CrawlConfig) -> Outcome {
    let world = Arc::new(World::generate(scenario));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let Crawled { summary, .. } = runtime.block_on(run(Arc::clone(&world), config));
    let is_there = |peer: u32| expected(world.state(peer), world.carrier(peer)).reachable;
    let online = world.peers().filter(|&peer| is_there(peer)).count() as u64;
    let peers = online - world.bootstrap().len() as u64;
    Outcome { peers, missed: online - summary.peers.reachable, said: summary.completeness }
}

async fn run(world: Arc<World>, config: CrawlConfig) -> Crawled {
    let network =
        SimNetwork::new(Arc::clone(&world), SimConfig { local: PeerId::random(), ..SimConfig::default() });
    let bootstrap = world
        .bootstrap()
        .iter()
        .map(|&peer| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) })
        .collect();
    let crawl = Crawl {
        network,
        id: RunId([7; 16]),
        network_name: "sweep".to_owned(),
        protocols: vec![kad::message::AMINO_PROTOCOL.to_owned()],
        bootstrap,
        config: CrawlConfig { seed: Some(1), ..config },
        opt_out: Arc::default(),
        clock: Clock::started_at(Timestamp(0)),
    };
    let (progress, _) = watch::channel(Progress::default());
    crawl
        .run(Outlets { rows: None, progress, fates: FateCounts::default(), cancel: CancellationToken::new() })
        .await
}
