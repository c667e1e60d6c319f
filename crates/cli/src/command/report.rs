//! `kadscope report`: numbers, figures and a page of a network over a period, from rows that are kept.

use monitor::recompute::MonitorScope;
use report::{
    gathered::{GatherError, GatherOrder, Gathered},
    network::NetworkSection,
    period::{Period, PeriodLength},
};
use schema::{Timestamp, Tool};
use serde::Serialize;
use store::{RunFilter, RunInfo, Store};

use crate::{
    args::ReportArgs,
    exit::{Code, Failed},
    output,
    outputs::InUse,
    render,
    report_directory::{self, MADE_BY},
    veil::veil,
};

/// What stands in `report.json`.
#[derive(Debug, Serialize)]
struct Numbers<'a> {
    /// Which program made it.
    made_by: &'static str,
    /// What was asked for.
    asked: &'static str,
    /// Everything that is drawn and tabled.
    #[serde(flatten)]
    section: &'a NetworkSection,
}

pub(super) fn run(args: &ReportArgs, in_use: &mut InUse) -> anyhow::Result<Code> {
    report_directory::admit(&args.out)?;
    let opt_out = args.opt_out.load()?;
    let veil = veil(args.privacy, args.key_file.as_deref())?;
    let store = Store::open_existing(&args.store)?;
    in_use.store(&args.store);
    args.opt_out.note(in_use);
    let network = network(&store, args.network.as_deref())?;
    let scope = MonitorScope { network, apart: args.apart.clone() };
    let runs = runs_of(&store, &scope)?;
    let period = period(&runs, args)?;
    let order = GatherOrder {
        network: scope.network.clone(),
        period,
        runs: runs.iter().map(|run| run.start.id).collect(),
    };
    let refused = |error: GatherError| match error {
        GatherError::Store(error) => anyhow::Error::from(error),
        error => Failed::usage(format!("{}: {error}", store.name())).into(),
    };
    let gathered = Gathered::read(&store, &order, &opt_out, |_| {}).map_err(refused)?;
    let section = NetworkSection::of(&gathered, &veil);
    let title = title(&scope.network, period, args);
    let page = section.page(&title);
    let numbers = Numbers { made_by: MADE_BY, asked: args.period.name(), section: &section };
    report_directory::write(&args.out, &page, &serde_json::to_value(&numbers)?)?;
    if args.json {
        output::print_json(&numbers)?;
    } else {
        let style = output::Style::of_stdout();
        let tables = page.sections.iter().take(3).flat_map(|section| &section.tables);
        let text: String = tables.map(|table| render::page_table(table, style)).collect();
        let page = args.out.join("index.html");
        output::print_text(&format!("{text}{} is the page with all figures.\n", page.display()))?;
    }
    Ok(Code::Done)
}

/// The network that is meant.
fn network(store: &Store, asked: Option<&str>) -> anyhow::Result<String> {
    let mut known: Vec<String> =
        watching(store, &RunFilter::default())?.into_iter().map(|run| run.start.network).collect();
    known.sort_unstable();
    known.dedup();
    let refused = |what: String| anyhow::Error::from(Failed::usage(format!("{}: {what}", store.name())));
    match (asked, &*known) {
        (Some(asked), known) if known.iter().any(|one| one == asked) => Ok(asked.to_owned()),
        (_, []) => Err(refused("no crawl and no monitor is kept in this store".to_owned())),
        (Some(asked), known) => {
            Err(refused(format!("nobody looked at the network `{asked}`; there is: {}", known.join(", "))))
        }
        (None, [one]) => Ok(one.clone()),
        (None, known) => {
            Err(refused(format!("say which network with --network; there is: {}", known.join(", "))))
        }
    }
}

/// The runs that look at a network.
fn watching(store: &Store, filter: &RunFilter) -> Result<Vec<RunInfo>, store::Error> {
    let mut runs = store.runs(filter)?;
    runs.retain(|run| matches!(run.start.tool, Tool::Crawl | Tool::Monitor));
    Ok(runs)
}

/// The runs of one view of a network: of all who watch it together, or of one who watches it apart.
fn runs_of(store: &Store, scope: &MonitorScope) -> anyhow::Result<Vec<RunInfo>> {
    let mut runs =
        watching(store, &RunFilter { network: Some(scope.network.clone()), ..RunFilter::default() })?;
    runs.retain(|run| MonitorScope::of(&run.start) == *scope);
    match (&scope.apart, runs.is_empty()) {
        (Some(vantage), true) => Err(Failed::usage(format!(
            "{}: nobody at the vantage point `{vantage}` watches the network `{}` apart",
            store.name(),
            scope.network
        ))
        .into()),
        _ => Ok(runs),
    }
}

/// The period that is meant.
fn period(runs: &[RunInfo], args: &ReportArgs) -> anyhow::Result<Period> {
    if let (Some(from), Some(until)) = (args.from, args.to) {
        if from >= until {
            return Err(Failed::usage("--from has to be before --to").into());
        }
        return Ok(Period { from, until });
    }
    let last =
        runs.iter().map(|run| run.end.as_ref().map_or(run.start.started_at, |end| end.finished_at)).max();
    let first = runs.iter().map(|run| run.start.started_at).min();
    Ok(match (args.period, first.zip(last)) {
        // Of all that there is the ends are those of what is kept, so that they can be written.
        (PeriodLength::All, Some((first, last))) => Period { from: first, until: Timestamp(last.0 + 1) },
        (length, Some((_, last))) => Period::around(length, last),
        (length, None) => Period::around(length, Timestamp(0)),
    })
}

fn title(network: &str, period: Period, args: &ReportArgs) -> String {
    match (args.from, args.period) {
        (None, PeriodLength::All) => format!("The network {network}"),
        (None, length) => format!("The network {network}, {}", period.name(length)),
        (Some(_), _) => format!("The network {network}, {} to {}", period.from, period.until),
    }
}
