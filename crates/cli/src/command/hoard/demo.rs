//! `kadscope hoard demo`: the study of RFM17.1 in a network that is simulated, in virtual time, and what it says of holders beside what these
//! do in truth. Nothing leaves this process but a store for rows, which goes with it.

mod kept;
mod scene;
mod truth;

use std::fmt::Write as _;

use ::hoard::{
    HoardFact, HoardPlan, KeySource, Preset, PublishPace,
    report::{HoardSection, ReportOrder},
};
use anyhow::Context as _;
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use self::{kept::kept, scene::Scene, truth::HoldersBesideTruth};
use crate::{
    args::HoardDemoArgs,
    exit::Code,
    output, render,
    render::text::counted,
    report_directory::{self, MADE_BY},
    staying::Staying,
};

/// The network whose holders are watched.
const SCENARIO: &str = "forgetful";

/// The network whose peers are as far from each other as those of that one: without any way between them nothing takes time.
const DISTANCES: &str = "seven-regions";

/// What is done there.
const PRESET: Preset = Preset::Rfm17_1;

/// What the report is called.
const TITLE: &str = "Who keeps provider records in a network whose truth is known, simulated";

/// Everything that is printed or written.
#[derive(Debug, Serialize)]
struct Shown {
    made_by: &'static str,
    scenario: &'static str,
    plan: HoardPlan,
    peers: u32,
    /// Beside what was estimated.
    truth: HoldersBesideTruth,
    #[serde(flatten)]
    section: HoardSection,
}

pub(super) async fn run(args: HoardDemoArgs) -> anyhow::Result<Code> {
    Staying::unwatched()?.around(async |staying| Box::pin(demonstrate(args, staying)).await).await
}

async fn demonstrate(args: HoardDemoArgs, staying: &Staying) -> anyhow::Result<Code> {
    if let Some(out) = &args.out {
        report_directory::admit(out)?;
    }
    output::note(&format!(
        "a network of {} that forget addresses and drop records, {} in it, and {PRESET} in virtual time",
        counted(args.peers.into(), "peer", "peers"),
        counted(args.cids.into(), "key", "keys")
    ));
    let (stop, of_thread) = (staying.stop().clone(), args.clone());
    // A thread of its own: time passes there by itself whenever everybody waits.
    let shown = tokio::task::spawn_blocking(move || watched(&of_thread, &stop)).await??;
    let Some(shown) = shown else { return Ok(staying.code(true)) };
    if let Some(out) = &args.out {
        let mut page = shown.section.page(TITLE);
        page.sections.insert(0, shown.truth.page_section());
        report_directory::write(out, &page, &serde_json::to_value(&shown)?)?;
    }
    if args.json {
        output::print_json(&shown)?;
    } else {
        print(&shown, &args)?;
    }
    Ok(staying.code(true))
}

/// Makes the study in a runtime whose time is virtual; `None` if it was stopped before the end.
fn watched(args: &HoardDemoArgs, stop: &CancellationToken) -> anyhow::Result<Option<Shown>> {
    let runtime = runtime()?;
    let plan = plan(args);
    let (scene, facts) = runtime.block_on(async {
        let scene = Scene::set((SCENARIO, DISTANCES), args)?;
        let facts: Vec<HoardFact> = scene.study(&plan, stop).await?;
        anyhow::Ok((scene, facts))
    })?;
    if stop.is_cancelled() {
        return Ok(None);
    }
    let study = kept(&facts, &plan, args.keep.as_deref(), &runtime)?;
    let truth = HoldersBesideTruth::of(&study, scene.world());
    let section = HoardSection::of(&study, &ReportOrder::default());
    let shown = Shown { made_by: MADE_BY, scenario: SCENARIO, plan, peers: args.peers, truth, section };
    Ok(Some(shown))
}

fn runtime() -> anyhow::Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.context("cannot start the simulation")
}

/// The plan of the preset, for so many keys, which are spread over the time between two rounds as its own are.
fn plan(args: &HoardDemoArgs) -> HoardPlan {
    let plan = PRESET.plan();
    let spread = plan.pace.gap.saturating_mul(plan.keys_per_arm().unwrap_or(args.cids));
    let pace = PublishPace { gap: spread / args.cids, ..plan.pace };
    HoardPlan { seed: args.seed, keys: KeySource::Random { count: Some(args.cids) }, pace, ..plan }
}

fn print(shown: &Shown, args: &HoardDemoArgs) -> anyhow::Result<()> {
    let style = output::Style::of_stdout();
    let tables = shown.truth.page_section().tables;
    let mut text: String = tables.iter().map(|table| render::page_table(table, style)).collect();
    text += &args.out.as_ref().map_or_else(
        || "--out DIR writes the page with all figures.\n".to_owned(),
        |out| format!("{} is the page with all figures.\n", out.join("index.html").display()),
    );
    if let (Some(file), [run, ..]) = (&args.keep, &*shown.section.runs) {
        writeln!(text, "{} keeps its rows, as the run {run}.", file.display())?;
    }
    Ok(output::print_text(&text)?)
}
