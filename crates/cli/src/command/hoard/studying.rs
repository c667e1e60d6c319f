//! What commands that make a study have in common: the network is entered, the study is made, and what it tells is kept and shown.

use std::sync::Arc;

use anyhow::Context as _;
use dht::{NodeConfig, NodeProfile};
use hoard::{
    Burden, Hoard, HoardEnd, HoardNow, HoardOutlets, HoardPlan, HoardSummary, Resumed, Study, StudyDetail,
    StudyError,
    content::{AvailabilityNumbers, ContentSection},
};
use kad::Keypair;
use net::{FabricConfig, SocketFabric};
use schema::{RunId, RunState, Tool};
use serde::Serialize;
use serde_json::json;
use store::{Store, StoreUrl};
use tokio::sync::{mpsc, watch};

use super::{keeping::keep_facts, keys::Studied};
use crate::{
    args::{KeptArgs, PlaceArgs},
    clock,
    exit::Code,
    keeping::{RunOrder, ToolRun, waiting},
    metrics::hoard_metrics,
    network::Network,
    output,
    place::{Place, PlaceOptions},
    progress::HoardProgress,
    reach::ReachArgs,
    render,
    staying::Staying,
};

/// Facts that wait to be kept; with more, nothing new is begun.
const QUEUED_FACTS: usize = 256;

/// How a study is made.
pub(super) struct Making<'a> {
    pub(super) reach: &'a ReachArgs,
    pub(super) kept: &'a KeptArgs,
    /// Where publishers are; `None` where nobody publishes.
    pub(super) place: Option<PlaceArgs>,
}

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
    /// What of others' keys is available; `None` of keys of our own, and where no look says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<Vec<AvailabilityNumbers>>,
}

/// Says what would be.
pub(super) fn planned(is_json: bool, plan: &HoardPlan, burden: &Burden) -> anyhow::Result<Code> {
    if is_json {
        output::print_json(&PlannedStudy { plan, burden })?;
    } else {
        output::print_text(&(render::planned(plan, burden) + "\n"))?;
    }
    Ok(Code::Done)
}

/// The study itself.
pub(super) async fn made(
    mut making: Making<'_>,
    (network, study): (Network, Studied),
    staying: &Staying,
) -> anyhow::Result<Code> {
    let place = making.place.take();
    // Who has no place publishes nothing: the keys are others'.
    let is_foreign = place.is_none();
    let node = Box::pin(staying.unless_stopped(node(&making, place, &network))).await??;
    let fabric = SocketFabric::new(FabricConfig::from(making.reach.dials(&network)?));
    let mut run = ToolRun::begin(staying, &making.kept.store, order(&making, &network, &study)?).await?;
    let (wall, instant) = run.began();
    let clock = crawl::Clock::said_at(wall, instant);
    let mut hoard = Hoard::new(fabric, study.plan, node, clock);
    hoard.known = study.known;
    let ended = watched(hoard, study.resumed, &mut run, staying).await;
    staying.ending();
    let (state, summary) = match &ended {
        Ok(summary) if summary.end == HoardEnd::Done => (RunState::Succeeded, Some(summary.clone())),
        Ok(summary) => (staying.state(), Some(summary.clone())),
        Err(_) => (RunState::Failed, None),
    };
    let id = run.id();
    let summary = summary.map(|summary| StudyEnded { run: id.to_string(), summary, available: None });
    run.end(state, &summary).await?;
    ended.context("the study cannot go on")?;
    if let Some(ended) = summary {
        let content = if is_foreign { content(&making.kept.store, id)? } else { None };
        show(ended, content.as_ref(), making.kept.json)?;
    }
    Ok(staying.code(true))
}

fn show(ended: StudyEnded, content: Option<&ContentSection>, is_json: bool) -> anyhow::Result<()> {
    if is_json {
        let available = content.map(|content| content.available.clone());
        return output::print_json(&StudyEnded { available, ..ended });
    }
    let available = content.map_or_else(String::new, render::available);
    Ok(output::print_text(&(render::studied(&ended.summary, &ended.run) + &available))?)
}

/// What of others' keys is available, by the rows that were kept; `None` where no look says it, or where there are too many for the memory.
fn content(store: &StoreUrl, run: RunId) -> anyhow::Result<Option<ContentSection>> {
    let store = Store::open_existing(store)?;
    match Study::read(&store, run, StudyDetail::Responses) {
        Err(StudyError::TooLarge { .. }) => {
            output::note("the answers of all walks are too many: what is available is not said here");
            Ok(None)
        }
        read => Ok(ContentSection::of_study(&read?)),
    }
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
    staying.hold(waiting("facts_waiting", &facts));
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
async fn node(
    making: &Making<'_>,
    place: Option<PlaceArgs>,
    network: &Network,
) -> anyhow::Result<NodeConfig> {
    let (listen, announce) = match place {
        Some(place) => {
            let place = Place::find((place, PlaceOptions::PLAIN), making.reach, network).await?;
            (place.listen, place.announce)
        }
        None => Default::default(),
    };
    let agent = making.reach.manners.agent(network);
    let protocols: Arc<[String]> = network.protocols.clone().into();
    let profile = NodeProfile { agent, protocols, announce };
    let mut node = NodeConfig::new(Keypair::generate_ed25519(), profile, clock::since_epoch());
    node.listen = listen;
    node.bootstrap = making.reach.first_peers(network).await?;
    Ok(node)
}

/// The run, with all that whoever goes on with it must know.
fn order(making: &Making<'_>, network: &Network, study: &Studied) -> anyhow::Result<RunOrder> {
    let own = json!({ "plan": study.plan, "continues": study.continues });
    let order = making.reach.order(Tool::Hoard, own, network)?;
    Ok(RunOrder { seed: study.plan.seed, vantage: making.kept.vantage.clone(), ..order })
}
