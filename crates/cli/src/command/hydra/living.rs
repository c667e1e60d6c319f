//! The life of a hydra: its heads join, are tended, and leave.

use std::{sync::Arc, time::Duration};

use ::hydra::{
    Delegated, DelegatedConfig, HeadConfig, Hydra, HydraApi, HydraConfig, KeptHead, MetricsTerms,
    StateDirectory, hydra_metrics,
};
use anyhow::Context as _;
use http::{HttpClient, HttpClientConfig};
use kad::Contact;
use net::{Host, HostConfig, Identity, SocketFabric};
use schema::{RunState, Tool};
use serde::Serialize;
use store::{Belly, BellyConfig};
use tokio::time::{MissedTickBehavior, interval};

use super::{
    api::{self, ApiDoor},
    borrowed::{Borrowed, RENEWAL},
    bounds, of_state,
    plan::Plan,
    say,
};
use crate::{
    args::HydraArgs, bootstrap, clock, exit::Code, keeping::ToolRun, network::Network, output,
    progress::HydraDisplay, roots, staying::Staying,
};

/// How often it is written down whom the heads know: whoever crashes begins with those of that time.
const PEERS_INTERVAL: Duration = Duration::from_secs(300);

/// What is kept as the summary of a run.
#[derive(Debug, Serialize)]
struct Lived {
    /// How many heads there were.
    heads: usize,
    /// How many servers they knew at the end.
    known_peers: usize,
}

/// Lives until it is told to end, and gives back what was lent.
pub(super) async fn live(args: &HydraArgs, network: &Network, staying: &Staying) -> anyhow::Result<Code> {
    let (plan, borrowed) = Box::pin(staying.unless_stopped(Plan::made(args, network))).await??;
    let lived = lived(args, network, (plan, &borrowed), staying).await;
    borrowed.give_back().await;
    lived
}

async fn lived(
    args: &HydraArgs,
    network: &Network,
    (plan, borrowed): (Plan, &Borrowed),
    staying: &Staying,
) -> anyhow::Result<Code> {
    let door = api::door(args)?;
    let belly_config = BellyConfig { makes_tables: !args.records.no_tables, ..BellyConfig::default() };
    let belly = staying.unless_stopped(Belly::open(&args.records.belly, belly_config)).await??;
    let order = args.reach.order(Tool::Hydra, args.parameters(), network)?;
    let run = ToolRun::begin(staying, args.keep.store(), order).await?;
    let lived = with_belly(args, network, (plan, borrowed, door, belly.clone()), staying).await;
    staying.ending();
    // Nothing that was answered for is lost, however the heads ended.
    let closed = belly.close().await;
    let summary = lived.as_ref().map_or(Lived { heads: 0, known_peers: 0 }, |lived| Lived { ..*lived });
    // It has no other end than to be told to.
    let is_well = lived.is_ok() && closed.is_ok();
    run.end(if is_well { RunState::Succeeded } else { RunState::Failed }, &summary).await?;
    lived?;
    closed?;
    Ok(Code::Done)
}

type Held<'a> = (Plan, &'a Borrowed, Option<ApiDoor>, Belly);

async fn with_belly(
    args: &HydraArgs,
    network: &Network,
    (mut plan, borrowed, door, belly): Held<'_>,
    staying: &Staying,
) -> anyhow::Result<Lived> {
    let state = plan.state.clone();
    let known = state.as_ref().map_or_else(|| Ok(Vec::new()), |state| state.peers());
    let known = known.map_err(|error| of_state(&error))?;
    let first = staying.unless_stopped(first_peers(args, network, &known)).await??;
    let mut config = config(args, network, (&plan, belly), first);
    config.delegated = delegated(args, network)?;
    let fabric = SocketFabric::new(bounds::fabric(args, network, plan.heads.len())?);
    let api = HydraApi::default();
    let listening = door.map(|door| door.open(args, &plan, &api, staying)).transpose()?;
    let hydra =
        staying.unless_stopped(Hydra::join(&fabric, config)).await?.context("the hydra cannot join")?;
    let lived = async {
        keep_heads(&mut plan, &hydra)?;
        api.open(hydra.view());
        say(args, &plan.row(args, network))?;
        let display = shown(args, &hydra, staying);
        let tended = tend(&hydra, (state.as_deref(), borrowed, network), staying).await;
        display.end().await;
        tended
    }
    .await;
    staying.ending();
    let known = hydra.known_peers();
    let summary = Lived { heads: hydra.heads().len(), known_peers: known.len() };
    hydra.leave().await;
    if let Some(listening) = listening {
        listening.close().await;
    }
    lived?;
    if let Some(state) = state.filter(|_| !known.is_empty()) {
        state.keep_peers(&known).map_err(|error| of_state(&error))?;
    }
    Ok(summary)
}

/// The peers to begin with: those of the network, and those that the heads knew the last time.
async fn first_peers(args: &HydraArgs, network: &Network, known: &[Contact]) -> anyhow::Result<Vec<Contact>> {
    let mut first = Vec::new();
    if !network.bootstrap.is_empty() {
        let mut config = HostConfig::new(Identity::generate()?, network.addresses.into());
        config.dials = args.reach.dials(network)?;
        let host = Host::new(config).context("could not open a socket to dial from")?;
        match bootstrap::gather(&network.bootstrap, &host).await {
            Ok(gathered) => first = gathered,
            // Whoever knows others needs no names.
            Err(error) if !known.is_empty() => output::note(&error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    first.extend(known.iter().cloned());
    Ok(first)
}

fn config(
    args: &HydraArgs,
    network: &Network,
    (plan, belly): (&Plan, Belly),
    bootstrap: Vec<Contact>,
) -> HydraConfig {
    let head = |head: &super::plan::PlannedHead| HeadConfig {
        index: head.index,
        keypair: head.keypair.clone(),
        listen: head.listen.clone(),
        announce: head.announce.clone(),
    };
    let heads = plan.heads.iter().map(head).collect();
    let protocols: Arc<[String]> = network.protocols.clone().into();
    let mut config = HydraConfig::new(heads, protocols, belly, clock::since_epoch());
    config.agent = args.reach.manners.agent(network);
    config.bootstrap = bootstrap;
    config.stagger = args.heads.stagger;
    config.joining.parallel = args.heads.joins_at_once;
    config.load = args.load.config();
    config.prefetch = (!args.records.no_prefetch).then(|| args.load.prefetch());
    config.seed = clock::seed();
    config
}

/// The service that is asked for providers; `None` if none is.
fn delegated(args: &HydraArgs, network: &Network) -> anyhow::Result<Option<Delegated>> {
    let Some(url) = args.records.delegated.clone() else { return Ok(None) };
    let client = HttpClientConfig { roots: roots::of_services()?, ..HttpClientConfig::default() };
    let mut config = DelegatedConfig::new(url);
    config.service.time = args.records.delegated_timeout;
    config.service.addresses = network.addresses.into();
    config.strategy = args.records.delegated_strategy;
    Ok(Some(Delegated::new(HttpClient::new(client)?, config)))
}

/// Shows what can be watched of the heads: by metrics, and on the terminal.
fn shown(args: &HydraArgs, hydra: &Hydra<Host>, staying: &Staying) -> HydraDisplay {
    let terms = MetricsTerms { name: args.heads.name.clone(), per_head: args.api.metrics_per_head };
    let (inherited, own) = hydra_metrics(&hydra.view(), &terms);
    staying.show(inherited.into_iter().chain(own));
    let view = hydra.view();
    HydraDisplay::begin(staying, args.ui, Box::new(move || view.now()))
}

/// Keeps who the heads are and which ports the system chose for them, before anybody hears of them.
fn keep_heads(plan: &mut Plan, hydra: &Hydra<Host>) -> anyhow::Result<()> {
    let is_derived = plan.seed.is_some() || plan.is_lent;
    for (planned, head) in plan.heads.iter_mut().zip(hydra.heads()) {
        planned.listen = head.listens();
        plan.kept.put(KeptHead {
            index: planned.index,
            peer: head.peer(),
            keypair: (!is_derived).then(|| planned.keypair.clone()),
            listens: planned.listen.clone(),
        });
    }
    let own: Vec<_> = hydra.heads().iter().map(|head| head.peer()).collect();
    plan.kept.forget_derived_beside(&own);
    if let Some(state) = &plan.state {
        state.keep_heads(&plan.kept).map_err(|error| of_state(&error))?;
    }
    Ok(())
}

/// Does now and then what has to be done while the heads live.
async fn tend(
    hydra: &Hydra<Host>,
    (state, borrowed, network): (Option<&StateDirectory>, &Borrowed, &Network),
    staying: &Staying,
) -> anyhow::Result<()> {
    let mut is_ready = network.bootstrap.is_empty();
    if is_ready {
        staying.ready();
    }
    let (mut peers, mut lease) = (interval(PEERS_INTERVAL), interval(RENEWAL));
    for timer in [&mut peers, &mut lease] {
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        timer.reset();
    }
    loop {
        tokio::select! {
            () = staying.stop().cancelled() => return Ok(()),
            () = hydra.refreshed(1), if !is_ready => {
                is_ready = true;
                staying.ready();
            }
            _ = peers.tick() => {
                let known = hydra.known_peers();
                if let Some(state) = state.filter(|_| !known.is_empty()) {
                    // It is written again in a while, and at the end.
                    if let Err(error) = state.keep_peers(&known) {
                        tracing::warn!(%error, "the peers that are known could not be kept");
                    }
                }
            }
            _ = lease.tick() => borrowed.renew().await,
        }
    }
}
