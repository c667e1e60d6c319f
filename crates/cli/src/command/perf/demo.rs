//! `kadscope perf demo`: servers of four fleets in seven regions of a network that is simulated, days of rounds in virtual time, and what came
//! of them beside the truth. Nothing leaves this process.

mod scene;
mod schedule;
mod truth;

use std::sync::Arc;

use ::perf::report::{PerfSection, ReportRows};
use anyhow::Context as _;
use schema::OperationKind;
use serde::Serialize;
use tokio::runtime;
use tokio_util::sync::CancellationToken;

use self::{scene::Scene, truth::TruthKept};
use super::report::MADE_BY;
use crate::{
    args::PerfDemoArgs,
    exit::{Code, Failed},
    output,
    render::{self, text::counted},
    report_directory,
    staying::Staying,
};

/// The network that is measured.
const SCENARIO: &str = "seven-regions";

/// What the report is called.
const TITLE: &str = "DHT performance in a network of seven regions, simulated";

/// Everything that is printed or written.
#[derive(Debug, Serialize)]
struct Shown {
    made_by: &'static str,
    scenario: &'static str,
    seed: u64,
    peers: u32,
    days: u32,
    /// Beside what was true.
    truth: TruthKept,
    #[serde(flatten)]
    section: PerfSection,
}

pub(super) async fn run(args: PerfDemoArgs) -> anyhow::Result<Code> {
    Staying::unwatched()?.around(async |staying| Box::pin(demonstrate(args, staying)).await).await
}

async fn demonstrate(args: PerfDemoArgs, staying: &Staying) -> anyhow::Result<Code> {
    if let Some(out) = &args.out {
        report_directory::admit(out)?;
    }
    output::note(&format!(
        "a network of {} in seven regions, and {} days of measurements in virtual time",
        counted(args.peers.into(), "peer", "peers"),
        args.days
    ));
    let (stop, of_thread) = (staying.stop().clone(), args.clone());
    // A thread of its own: time passes there by itself whenever everybody waits.
    let shown = tokio::task::spawn_blocking(move || measured(&of_thread, &stop)).await??;
    let Some(shown) = shown else { return Ok(staying.code(true)) };
    let mut page = shown.section.page(TITLE);
    page.sections.insert(0, shown.truth.page_section());
    if let Some(out) = &args.out {
        report_directory::write(out, &page, &serde_json::to_value(&shown)?)?;
    }
    if args.json {
        output::print_json(&shown)?;
    } else {
        print(&shown, &args)?;
    }
    Ok(staying.code(true))
}

/// Measures in a runtime whose time is virtual; `None` if it was stopped before the end.
fn measured(args: &PerfDemoArgs, stop: &CancellationToken) -> anyhow::Result<Option<Shown>> {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.context("cannot start the simulation")?;
    runtime.block_on(async {
        let scene = Arc::new(Scene::set(SCENARIO, args).await?);
        let (mut rows, mut truth) = (ReportRows::default(), TruthKept::default());
        let mut bad = None;
        schedule::carry_out(&scene, args, stop, |attempt| {
            truth.note(&scene, attempt);
            if let Err(error) = rows.add_attempt(attempt) {
                bad = Some(error);
            }
        })
        .await?;
        if let Some(error) = bad {
            return Err(Failed::usage(error.to_string()).into());
        }
        let is_whole = !stop.is_cancelled();
        let section = rows.section();
        let PerfDemoArgs { seed, peers, days, .. } = *args;
        truth.finish(&scene, &section);
        Ok(is_whole.then_some(Shown {
            made_by: MADE_BY,
            scenario: SCENARIO,
            seed,
            peers,
            days,
            truth,
            section,
        }))
    })
}

fn print(shown: &Shown, args: &PerfDemoArgs) -> anyhow::Result<()> {
    let style = output::Style::of_stdout();
    let kinds = OperationKind::ALL.iter().filter_map(|kind| shown.section.quantile_table(*kind));
    let mut text: String = kinds.map(|table| render::page_table(&table, style)).collect();
    for table in shown.truth.page_section().tables {
        text += &render::page_table(&table, style);
    }
    text += &args.out.as_ref().map_or_else(
        || "--out DIR writes the page with all figures.\n".to_owned(),
        |out| format!("{} is the page with all figures.\n", out.join("index.html").display()),
    );
    Ok(output::print_text(&text)?)
}
