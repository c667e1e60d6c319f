//! `kadscope hoard savings`: what changes would save whoever retrieves, by the walks of a study that is kept.

use std::fmt::Write as _;

use ::hoard::{
    Study, StudyDetail,
    savings::{SavingsSection, StudySavings},
};
use schema::RunId;
use serde::Serialize;
use store::Store;

use super::report::refused;
use crate::{
    args::HoardSavingsArgs,
    exit::{Code, Failed},
    output,
    outputs::InUse,
    render,
    report_directory::{self, MADE_BY},
};

/// What its page is called.
const TITLE: &str = "Provider records: what changes of lookups and servers would save";

/// What is printed, and stands in `report.json`.
#[derive(Debug, Serialize)]
struct Numbers<'a> {
    /// Which program made it.
    made_by: &'static str,
    /// The runs of the study.
    runs: Vec<RunId>,
    /// The arm whose keys are meant; `None`: those of all arms.
    arm: Option<&'a str>,
    /// Everything that is drawn and tabled.
    #[serde(flatten)]
    section: &'a SavingsSection,
}

pub(super) fn run(args: &HoardSavingsArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    if let Some(out) = &args.out {
        report_directory::admit(out)?;
    }
    let store = Store::open_existing(&args.store)?;
    in_use.store(&args.store);
    let study =
        Study::read(&store, args.run, StudyDetail::Lookups).map_err(|error| refused(&store, error))?;
    let arm = args.arm.as_deref().map(|name| arm(&study, name)).transpose()?;
    let terms = args.changes.terms(arm).map_err(Failed::usage)?;
    let rows = StudySavings::read(&study, &store, terms).map_err(|error| refused(&store, error))?;
    let section = rows.section();
    if section.retrievals == 0 {
        return Err(Failed::usage(format!("{}: {}", store.name(), nothing(args.run, &section))).into());
    }
    show(args, &study, &section)
}

fn show(args: &HoardSavingsArgs, study: &Study, section: &SavingsSection) -> anyhow::Result<Code> {
    let runs = study.runs.iter().map(|run| run.start.id).collect();
    let numbers = Numbers { made_by: MADE_BY, runs, arm: args.arm.as_deref(), section };
    if let Some(out) = &args.out {
        report_directory::write(out, &section.page(TITLE), &serde_json::to_value(&numbers)?)?;
    }
    if args.json {
        output::print_json(&numbers)?;
    } else {
        let style = output::Style::of_stdout();
        let mut text: String =
            section.tables().iter().map(|table| render::page_table(table, style)).collect();
        if let Some(out) = &args.out {
            writeln!(text, "{} is the page with the figures.", out.join("index.html").display())?;
        }
        output::print_text(&text)?;
    }
    Ok(Code::Done)
}

/// The number of an arm by its name.
fn arm(study: &Study, name: &str) -> Result<u16, Failed> {
    let found = study.arms.iter().find(|arm| &*arm.name == name);
    found.map(|arm| arm.number).ok_or_else(|| {
        let names: Vec<&str> = study.arms.iter().map(|arm| &*arm.name).collect();
        Failed::usage(format!("the study has no arm {name:?}: there are {}", names.join(", ")))
    })
}

/// Why there is nothing to be said of a study.
fn nothing(run: RunId, section: &SavingsSection) -> String {
    match section {
        SavingsSection { without_requests: 1.., .. } => format!(
            "of the lookups of the run {run} no request is kept: what came of them cannot be decided anew"
        ),
        SavingsSection { cut_short: 1.., .. } => {
            format!(
                "every lookup for providers of the run {run} was over early: nobody knows what would have come"
            )
        }
        _ => format!(
            "the run {run} has no lookup that wants all providers: `kadscope hoard run --lookups closest,exhaustive` makes them"
        ),
    }
}
