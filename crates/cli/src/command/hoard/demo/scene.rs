//! What a demonstration takes place in: a simulated world, and a study in it.

use std::{sync::Arc, time::Duration};

use ::hoard::{Hoard, HoardFact, HoardNow, HoardOutlets, HoardPlan};
use anyhow::Context as _;
use crawl::Clock;
use dht::{NodeConfig, NodeProfile};
use kad::{Contact, Keypair, message::AMINO_PROTOCOL};
use schema::Timestamp;
use testnet::{Scenario, SimFabric, SimLimits, World};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::args::HoardDemoArgs;

/// When it begins, by the calendar of that world: 2026-11-23T00:00:00Z, a Monday.
pub(super) const START: Timestamp = Timestamp(1_795_392_000_000_000);

/// Facts that wait to be taken.
const QUEUED_FACTS: usize = 64;

/// A world.
#[derive(Debug)]
pub(super) struct Scene {
    fabric: SimFabric,
}

impl Scene {
    /// Makes the world of a scenario, with the distances of another one.
    pub(super) fn set((scenario, distances): (&str, &str), args: &HoardDemoArgs) -> anyhow::Result<Self> {
        let regions = Scenario::named(distances)?.regions;
        let scenario = Scenario { regions, ..Scenario::named(scenario)? };
        let scenario = scenario.with_peers(args.peers).with_seed(args.seed);
        let world = Arc::new(World::generate(&scenario));
        Ok(Self { fabric: SimFabric::new(world, SimLimits::default()) })
    }

    pub(super) fn world(&self) -> &World {
        self.fabric.world()
    }

    /// Makes a study in it, and takes all that it tells.
    pub(super) async fn study(
        &self,
        plan: &HoardPlan,
        stop: &CancellationToken,
    ) -> anyhow::Result<Vec<HoardFact>> {
        let hoard = Hoard::new(self.fabric.clone(), plan.clone(), self.node()?, Clock::started_at(START));
        let ((facts, mut told), (now, _)) =
            (mpsc::channel(QUEUED_FACTS), watch::channel(HoardNow::default()));
        let outlets = HoardOutlets { facts, now, cancel: stop.clone() };
        let taken = async {
            let mut all = Vec::new();
            while let Some(fact) = told.recv().await {
                all.push(fact);
            }
            all
        };
        let (ended, all) = tokio::join!(Box::pin(hoard.run(None, outlets)), taken);
        ended.context("the study ended early")?;
        Ok(all)
    }

    /// How peers of the study live there. Who they are, the plan says.
    fn node(&self) -> anyhow::Result<NodeConfig> {
        let keypair = Keypair::ed25519_from_bytes([0x5e; 32]).context("a key")?;
        let profile = NodeProfile {
            agent: "kadscope/demo".to_owned(),
            protocols: [AMINO_PROTOCOL.to_owned()].into(),
            announce: Vec::new(),
        };
        let now = Duration::from_micros(u64::try_from(START.0)?);
        let world = self.world();
        let contact = |&peer: &u32| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) };
        let mut node = NodeConfig::new(keypair, profile, now);
        node.bootstrap = world.bootstrap().iter().map(contact).collect();
        node.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().context("an address")?];
        node.checks_addresses = false;
        Ok(node)
    }
}
