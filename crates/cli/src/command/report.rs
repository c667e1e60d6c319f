//! `kadscope report`: numbers, figures and a page of a network over a period, from rows that are kept.

use monitor::{
    recompute::{NetworkHistory, PastSight, Recomputation},
    session::{SessionChange, SessionRules},
};
use report::{
    gathered::{GatherError, GatherOrder, Gathered, MAX_PEERS},
    network::NetworkSection,
    period::{Period, PeriodLength},
    stay::SeenStay,
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
    /// Whether stays were computed from visits, since no monitor kept any.
    stays_from_visits: bool,
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
    let period = period(&store, &network, args)?;
    let order = GatherOrder { network: network.clone(), period };
    let refused = |error: GatherError| match error {
        GatherError::Store(error) => anyhow::Error::from(error),
        error => Failed::usage(format!("{}: {error}", store.name())).into(),
    };
    let mut gathered = Gathered::read(&store, &order, &opt_out, |_| {}).map_err(refused)?;
    let stays_from_visits = !gathered.has_stays();
    if stays_from_visits {
        let stays = recomputed(&store, &network, period.until)?;
        gathered.take_stays(&store, stays).map_err(refused)?;
    }
    let section = NetworkSection::of(&gathered, &veil);
    let title = title(&network, period, args);
    let page = section.page(&title);
    let numbers =
        Numbers { made_by: MADE_BY, asked: args.period.name(), stays_from_visits, section: &section };
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

/// The period that is meant.
fn period(store: &Store, network: &str, args: &ReportArgs) -> anyhow::Result<Period> {
    if let (Some(from), Some(until)) = (args.from, args.to) {
        if from >= until {
            return Err(Failed::usage("--from has to be before --to").into());
        }
        return Ok(Period { from, until });
    }
    let runs = watching(store, &RunFilter { network: Some(network.to_owned()), ..RunFilter::default() })?;
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

/// Stays that follow from visits alone, until a moment.
fn recomputed(
    store: &Store,
    network: &str,
    until: Timestamp,
) -> Result<Vec<(kad::PeerId, SeenStay)>, store::Error> {
    let rules = SessionRules::default();
    let mut past = Recomputation::new(rules, MAX_PEERS);
    let mut stays = Vec::new();
    for sight in NetworkHistory::open(store, network, rules.criterion)? {
        match sight? {
            PastSight::Gap(gap) => past.gap(&gap),
            PastSight::Look { look, .. } if look.started_at >= until => {}
            PastSight::Look { peer, look, places } => {
                if let Some(SessionChange::Ended(seen)) = past.looked(&peer, &look, &places) {
                    stays.push((peer, SeenStay::from(&*seen)));
                }
            }
        }
    }
    stays.extend(past.open().map(|(peer, seen)| (peer, SeenStay::from(&seen))));
    Ok(stays)
}
