//! What a demonstration takes place in: a simulated world, and a server of each fleet in each of its regions, in the register.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ::perf::{LocalCalls, PerfServer, ServerConfig, Strategy};
use anyhow::Context as _;
use crawl::{Clock, Crawl, CrawlConfig, FateCounts, Outlets, Progress};
use dht::{FullTable, NodeProfile};
use kad::{Contact, Key, Keypair, PeerId, message::AMINO_PROTOCOL};
use schema::{Row, RunId, Timestamp};
use store::{Register, ServerEntry, ServerId};
use testnet::{Scenario, SimConfig, SimFabric, SimLimits, SimNetwork, State, World};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::args::PerfDemoArgs;

/// When it begins, by the calendar of that world: 2026-11-23T00:00:00Z, a Monday.
pub(super) const START: Timestamp = Timestamp(1_795_392_000_000_000);

/// The fleets: what each is called, and how its servers publish and look up.
const FLEETS: [Strategy; 4] = [Strategy::Default, Strategy::OptProv, Strategy::FullRt, Strategy::Sweep];

/// How often tables are refreshed: rarer than on the wire, since weeks are to pass in seconds.
const REFRESH: Duration = Duration::from_secs(6 * 3600);

/// How many peers are the closest to a key. Source: libp2p kad-dht specification, `k`.
pub(super) const CLOSEST: usize = 20;

/// A world with the servers in it.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) fabric: SimFabric,
    pub(super) calls: LocalCalls<SimFabric>,
    pub(super) register: Register,
    pub(super) servers: Vec<ServerId>,
    pub(super) clock: Clock,
    /// Whom a crawl of ours reached.
    pub(super) crawled: usize,
    /// The peers of the world by their ids.
    numbers: BTreeMap<PeerId, u32>,
}

impl Scene {
    /// Makes the world, crawls it, and has the servers join it.
    pub(super) async fn set(scenario: &str, args: &PerfDemoArgs) -> anyhow::Result<Self> {
        let scenario = Scenario::named(scenario)?.with_peers(args.peers).with_seed(args.seed);
        let world = Arc::new(World::generate(&scenario));
        let fabric = SimFabric::new(Arc::clone(&world), SimLimits::default());
        let clock = Clock::started_at(START);
        let everybody = crawled(&world, clock, args.seed).await?;
        let crawled = everybody.len();
        let everybody = FullTable::of(everybody);
        let register = Register::memory();
        let (mut servers, mut ids) = (Vec::new(), Vec::new());
        for fleet in FLEETS {
            for region in &scenario.regions {
                let number = u64::try_from(servers.len())?;
                let place = fabric.in_region(&region.name).context("a region of the scenario")?;
                let config = config(&world, fleet, args.seed.wrapping_mul(1000).wrapping_add(number))?;
                let server = PerfServer::join(&place, config).await.context("a server cannot join")?;
                server.set_everybody(everybody.clone());
                server.node().refreshed(1).await;
                let entry = entry(&server, (fleet, &region.name), u16::try_from(number)?);
                let id = register.enter_server(&entry).await?;
                servers.push((id, server));
                ids.push(id);
            }
        }
        let numbers = world.peers().map(|peer| (world.peer_id(peer), peer)).collect();
        Ok(Self { fabric, calls: LocalCalls::new(servers), register, servers: ids, clock, crawled, numbers })
    }

    pub(super) fn world(&self) -> &World {
        self.fabric.world()
    }

    /// The peers that answer and are closest to a key, in truth.
    pub(super) fn closest(&self, key: &[u8]) -> Vec<u32> {
        let (world, key) = (self.world(), Key::of(key));
        let living = world.peers().filter(|peer| answers(world.state(*peer)));
        let mut living: Vec<_> = living.map(|peer| (world.key(peer).distance(&key), peer)).collect();
        living.sort_unstable();
        living.into_iter().take(CLOSEST).map(|(_, peer)| peer).collect()
    }

    /// How many peers answer, in truth.
    pub(super) fn size(&self) -> u64 {
        let world = self.world();
        world.peers().filter(|peer| answers(world.state(*peer))).count() as u64
    }

    /// From a region to a peer and back, in truth; `None` of a peer that is not of the world, or that takes its time to answer.
    pub(super) fn round_trip(&self, region: &str, peer: &PeerId) -> Option<Duration> {
        let world = self.world();
        let peer = *self.numbers.get(peer)?;
        let from = world.scenario().regions.iter().position(|known| known.name == region)?;
        (world.state(peer) == State::Online).then(|| world.rtt_from(from, peer))
    }
}

/// Whether a peer answers, at once or late.
const fn answers(state: State) -> bool {
    matches!(state, State::Online | State::Slow(_))
}

/// The fleet of a strategy.
pub(super) fn fleets() -> impl Iterator<Item = String> {
    FLEETS.iter().map(|strategy| strategy.name().to_owned())
}

fn contact(world: &World, peer: u32) -> Contact {
    Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) }
}

/// Whom a crawl of ours reaches.
async fn crawled(world: &Arc<World>, clock: Clock, seed: u64) -> anyhow::Result<Vec<Contact>> {
    let (rows, mut received) = mpsc::channel(64);
    let (progress, _) = watch::channel(Progress::default());
    // Who crawls hangs on the seed as everything else does.
    let local = keypair(seed)?.public().to_peer_id();
    let crawl = Crawl {
        network: SimNetwork::new(Arc::clone(world), SimConfig { local, ..SimConfig::default() }),
        id: RunId([0; 16]),
        network_name: "simulated".to_owned(),
        protocols: vec![AMINO_PROTOCOL.to_owned()],
        bootstrap: world.bootstrap().iter().map(|peer| contact(world, *peer)).collect(),
        config: CrawlConfig { seed: Some(seed), ..CrawlConfig::default() },
        opt_out: Arc::default(),
        clock,
    };
    let (fates, cancel) = (FateCounts::default(), CancellationToken::new());
    let crawl = tokio::spawn(crawl.run(Outlets { rows: Some(rows), progress, fates, cancel }));
    let (mut ids, mut reached) = (BTreeMap::new(), BTreeMap::new());
    while let Some(row) = received.recv().await {
        match row {
            Row::Peer(number, id) => {
                ids.insert(number, id);
            }
            Row::Visit(visit) => {
                reached.insert(visit.peer, visit.is_reachable() && visit.crawl_error.is_none());
            }
            _ => {}
        }
    }
    crawl.await.context("the crawl ended early")?;
    let reached = reached.into_iter().filter(|(_, is_reached)| *is_reached);
    let ids = reached.filter_map(|(number, _)| ids.get(&number).copied());
    let numbers: BTreeMap<PeerId, u32> = world.peers().map(|peer| (world.peer_id(peer), peer)).collect();
    Ok(ids.filter_map(|id| numbers.get(&id)).map(|peer| contact(world, *peer)).collect())
}

/// A key that hangs on a number alone.
fn keypair(seed: u64) -> anyhow::Result<Keypair> {
    let mut secret = [0x5e; 32];
    secret[..8].copy_from_slice(&seed.to_be_bytes());
    Keypair::ed25519_from_bytes(secret).context("a key")
}

fn config(world: &World, strategy: Strategy, seed: u64) -> anyhow::Result<ServerConfig> {
    let keypair = keypair(seed)?;
    let profile = NodeProfile {
        agent: "kadscope/demo".to_owned(),
        protocols: [AMINO_PROTOCOL.to_owned()].into(),
        announce: Vec::new(),
    };
    let bootstrap = world.bootstrap().iter().map(|peer| contact(world, *peer)).collect();
    let now = Duration::from_micros(u64::try_from(START.0)?);
    let mut config = ServerConfig { strategy, ..ServerConfig::new(keypair, profile, bootstrap, now) };
    config.node.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().context("an address")?];
    config.node.checks_addresses = false;
    config.node.refresh = REFRESH;
    config.node.seed = seed;
    Ok(config)
}

fn entry(server: &PerfServer<SimFabric>, (fleet, region): (Strategy, &str), number: u16) -> ServerEntry {
    ServerEntry {
        fleet: fleet.name().to_owned(),
        region: region.to_owned(),
        peer: server.contact().peer,
        // Nobody is asked there.
        http: SocketAddr::from((Ipv4Addr::LOCALHOST, 7070 + number)),
        peer_port: None,
        cpu: 1,
        memory: 1,
        strategy: Some(fleet),
        version: super::MADE_BY.to_owned(),
        command: "kadscope perf demo".to_owned(),
        dependencies: serde_json::json!({}),
        entered_at: START,
    }
}
