//! `kadscope hoard run`: publishes records, and looks at their holders round after round.

mod keeping;
mod keys;

use std::sync::Arc;

use anyhow::Context as _;
use dht::{NodeConfig, NodeProfile};
use hoard::{Burden, Hoard, HoardEnd, HoardNow, HoardOutlets, HoardPlan, HoardSummary, Resumed};
use kad::Keypair;
use net::{FabricConfig, SocketFabric};
use schema::{RunState, Tool};
use serde::Serialize;
use serde_json::json;
use store::StoreUrl;
use tokio::sync::{mpsc, watch};

use self::{
    keeping::keep_facts,
    keys::{Studied, studied},
};
use crate::{
    agreement,
    args::HoardRunArgs,
    clock,
    exit::{Code, Failed},
    keeping::{RunOrder, ToolRun},
    metrics::{facts_waiting, hoard_metrics},
    network::Network,
    output,
    outputs::InUse,
    place::{Place, PlaceOptions},
    progress::HoardProgress,
    render,
    staying::Staying,
};

/// Facts that wait to be kept; with more, nothing new is begun.
const QUEUED_FACTS: usize = 256;

/// What a dry run prints.
#[derive(Debug, Serialize)]
struct PlannedStudy<'a> {
    plan: &'a HoardPlan,
    burden: &'a Burden,
}

/// What is printed and kept at the end.
#[derive(Debug, Serialize)]
struct StudyEnded {
    /// The run.
    run: String,
    #[serde(flatten)]
    summary: HoardSummary,
}

pub(super) async fn run(args: HoardRunArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    args.reach.note_inputs(in_use);
    if let Some(keys) = args.keys_file() {
        in_use.read("the keys", keys);
    }
    let network = args.reach.network()?;
    let study = studied(&args)?;
    study.plan.check().map_err(|error| Failed::usage(error.to_string()))?;
    let burden = Burden::of(&study.plan, args.servers);
    if args.dry_run {
        return planned(&args, &study.plan, &burden);
    }
    in_use.store(&args.store);
    if args.store == StoreUrl::None {
        return Err(Failed::usage("--store none: a study is what is kept of it; name where").into());
    }
    check_bounds(&args, &burden)?;
    let what = render::study_publication(&burden, &network.name);
    if burden.records != Some(0) && !args.yes && !agreement::is_agreed(&network, &what)? {
        output::note("nothing was published");
        return Ok(Code::Cancelled);
    }
    let staying = Staying::begin(&args.watch, "publishers and observers do not stand yet")?;
    staying.around(async |staying| Box::pin(made(&args, (network, study), staying)).await).await
}

/// What would be.
fn planned(args: &HoardRunArgs, plan: &HoardPlan, burden: &Burden) -> anyhow::Result<Code> {
    if args.json {
        output::print_json(&PlannedStudy { plan, burden })?;
    } else {
        output::print_text(&(render::planned(plan, burden) + "\n"))?;
    }
    Ok(Code::Done)
}

/// Nobody gives strangers more than was meant.
fn check_bounds(args: &HoardRunArgs, burden: &Burden) -> Result<(), Failed> {
    if burden.records_at_once <= args.max_records {
        return Ok(());
    }
    Err(Failed::usage(format!(
        "strangers would keep {} records at a time, and --max-records allows {}",
        burden.records_at_once, args.max_records
    )))
}

/// The study itself.
async fn made(
    args: &HoardRunArgs,
    (network, study): (Network, Studied),
    staying: &Staying,
) -> anyhow::Result<Code> {
    let node = Box::pin(staying.unless_stopped(node(args, &network))).await??;
    let fabric = SocketFabric::new(FabricConfig::from(args.reach.dials(&network)?));
    let mut run = ToolRun::begin(staying, &args.store, order(args, &network, &study)?).await?;
    let (wall, instant) = run.began();
    let clock = crawl::Clock::said_at(wall, instant);
    let mut hoard = Hoard::new(fabric, study.plan, node, clock);
    hoard.filters = args.filters();
    hoard.known = study.known;
    let ended = watched(hoard, study.resumed, &mut run, staying).await;
    staying.ending();
    let (state, summary) = match &ended {
        Ok(summary) if summary.end == HoardEnd::Done => (RunState::Succeeded, Some(summary.clone())),
        Ok(summary) => (staying.state(), Some(summary.clone())),
        Err(_) => (RunState::Failed, None),
    };
    let summary = summary.map(|summary| StudyEnded { run: run.id().to_string(), summary });
    run.end(state, &summary).await?;
    ended.context("the study cannot go on")?;
    if let Some(ended) = &summary {
        if args.json {
            output::print_json(ended)?;
        } else {
            output::print_text(&render::studied(&ended.summary, &ended.run))?;
        }
    }
    Ok(staying.code(true))
}

/// Makes the study and keeps what it tells, while whoever wants to see how it stands does.
async fn watched(
    hoard: Hoard<SocketFabric>,
    resumed: Option<Resumed>,
    run: &mut ToolRun,
    staying: &Staying,
) -> anyhow::Result<HoardSummary> {
    let (facts, told) = mpsc::channel(QUEUED_FACTS);
    let (now, shown) = watch::channel(HoardNow::default());
    staying.hold(facts_waiting(&facts));
    staying.show(hoard_metrics(&shown));
    let mut standing = shown.clone();
    staying.ready_when(async move { standing.wait_for(|now| now.is_ready).await.is_ok() });
    let display = staying.tell(HoardProgress::new(shown));
    let outlets = HoardOutlets { facts, now, cancel: staying.stop().clone() };
    let (ended, ()) = tokio::join!(Box::pin(hoard.run(resumed, outlets)), keep_facts(run, told));
    display.end().await;
    Ok(ended?)
}

/// How all peers of the study live.
async fn node(args: &HoardRunArgs, network: &Network) -> anyhow::Result<NodeConfig> {
    let place = (args.place(), PlaceOptions::PLAIN);
    let place = Place::find(place, &args.reach, network).await?;
    let agent = args.reach.manners.agent(network);
    let protocols: Arc<[String]> = network.protocols.clone().into();
    let profile = NodeProfile { agent, protocols, announce: place.announce };
    let mut node = NodeConfig::new(Keypair::generate_ed25519(), profile, clock::since_epoch());
    node.listen = place.listen;
    node.bootstrap = args.reach.first_peers(network).await?;
    Ok(node)
}

/// The run, with all that whoever goes on with it must know.
fn order(args: &HoardRunArgs, network: &Network, study: &Studied) -> anyhow::Result<RunOrder> {
    let own = json!({ "plan": study.plan, "continues": study.continues });
    let order = args.reach.order(Tool::Hoard, own, network)?;
    Ok(RunOrder { seed: study.plan.seed, vantage: args.vantage.clone(), ..order })
}
