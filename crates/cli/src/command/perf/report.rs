//! `kadscope perf report`: the section of a weekly report on how fast a network takes and finds records, from rows that are kept.

use std::collections::HashSet;

use ::perf::report::{PerfSection, ReportRows};
use anyhow::Context as _;
use schema::{Measurement, OperationKind, Tool};
use serde::Serialize;
use store::{RunFilter, RunInfo, Store};

pub(super) use crate::report_directory::MADE_BY;
use crate::{
    args::PerfReportArgs,
    exit::{Code, Failed},
    output,
    outputs::InUse,
    render, report_directory,
};

/// What the report is called.
const TITLE: &str = "DHT performance";

/// What stands in `report.json`.
#[derive(Debug, Serialize)]
pub(super) struct Numbers<'a> {
    /// Which program made it.
    pub(super) made_by: &'static str,
    /// From which runs: of schedulers, and of servers that kept rows of themselves.
    pub(super) runs: Vec<String>,
    /// Everything that is drawn and tabled.
    #[serde(flatten)]
    pub(super) section: &'a PerfSection,
}

pub(super) fn run(args: &PerfReportArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        return Err(Failed::usage(format!("--from {from} is not before --to {to}")).into());
    }
    report_directory::admit(&args.out)?;
    let store = Store::open_existing(&args.store)?;
    in_use.store(&args.store);
    let filter = RunFilter { since: args.from, until: args.to, ..RunFilter::of(Tool::Perf) };
    let runs = store.runs(&filter)?;
    if runs.is_empty() {
        let what = "there is no run of `perf scheduler` in this store, or none in that time";
        return Err(Failed::usage(format!("{}: {what}", store.name())).into());
    }
    let section = gathered(&store, &runs, args)?.section();
    let page = section.page(TITLE);
    let runs = runs.iter().map(|run| run.start.id.to_string()).collect();
    let numbers = Numbers { made_by: MADE_BY, runs, section: &section };
    report_directory::write(&args.out, &page, &serde_json::to_value(&numbers)?)?;
    if args.json {
        output::print_json(&numbers)?;
    } else {
        let style = output::Style::of_stdout();
        let shown = [OperationKind::Provide, OperationKind::Retrieve];
        let tables = shown.iter().filter_map(|kind| section.quantile_table(*kind));
        let text: String = tables.map(|table| render::page_table(&table, style)).collect();
        let page = args.out.join("index.html");
        output::print_text(&format!("{text}{} is the page with all figures.\n", page.display()))?;
    }
    Ok(Code::Done)
}

/// The attempts of these runs that were to begin in that time. What servers kept of themselves counts where no scheduler kept it.
fn gathered(store: &Store, runs: &[RunInfo], args: &PerfReportArgs) -> anyhow::Result<ReportRows> {
    let (of_servers, of_schedulers): (Vec<_>, Vec<_>) = runs.iter().partition(|run| is_of_server(run));
    let mut gathering = Gathering {
        args,
        rows: ReportRows::default(),
        scheduled: (!of_servers.is_empty()).then(HashSet::new),
    };
    for run in of_schedulers {
        gathering.take_run(store, run)?;
    }
    for run in of_servers {
        gathering.take_run(store, run)?;
    }
    Ok(gathering.rows)
}

fn is_of_server(run: &RunInfo) -> bool {
    run.start.parameters["part"] == "server"
}

/// Attempts as they are read.
struct Gathering<'a> {
    args: &'a PerfReportArgs,
    rows: ReportRows,
    /// The keys that schedulers had published or looked up; `None` where nobody asks for them.
    scheduled: Option<HashSet<Vec<u8>>>,
}

impl Gathering<'_> {
    fn take_run(&mut self, store: &Store, run: &RunInfo) -> anyhow::Result<()> {
        let is_of_server = is_of_server(run);
        for row in store.rows::<Measurement>(run.start.id)? {
            let row = row?;
            if !self.is_meant(&row) {
                continue;
            }
            match &mut self.scheduled {
                Some(keys) if is_of_server && keys.contains(&row.key) => continue,
                Some(keys) if !is_of_server && !keys.contains(&row.key) => drop(keys.insert(row.key.clone())),
                _ => {}
            }
            let added = self.rows.add(&row);
            added
                .map_err(|error| Failed::usage(format!("{}: {error}", store.name())))
                .with_context(|| format!("of the run {}", run.start.id))?;
        }
        Ok(())
    }

    fn is_meant(&self, row: &Measurement) -> bool {
        let PerfReportArgs { from, to, .. } = self.args;
        from.is_none_or(|from| row.planned_at >= from) && to.is_none_or(|to| row.planned_at < to)
    }
}
