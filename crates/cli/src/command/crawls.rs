//! `kadscope crawls`: what is in a store, one crawl again, or one less.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::Context as _;
use crawl::Summary;
use schema::{RunId, RunState, Timestamp, Tool};
use serde::Serialize;
use store::{RunFilter, RunInfo, Store};

use super::crawl::place;
use crate::{
    args::{CrawlName, CrawlsArgs},
    clock,
    exit::{Code, Failed},
    output,
    render::{
        self,
        text::{counted, escaped},
    },
};

/// What is in a store.
#[derive(Debug, Serialize)]
struct Listing {
    /// The store.
    store: String,
    /// Its crawls, in the order of their start.
    crawls: Vec<Listed>,
}

/// What was deleted.
#[derive(Debug, Serialize)]
struct Deleted {
    /// Its name.
    deleted: RunId,
}

/// What is said of a crawl.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    /// Its name.
    pub(crate) crawl_id: RunId,
    /// The network's name.
    pub(crate) network: String,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// When it ended; `None` if it did not.
    pub(crate) finished_at: Option<Timestamp>,
    /// How long it took, in seconds, until now if it is running; `None` if it was interrupted.
    pub(crate) duration_s: Option<f64>,
    /// How it stands.
    pub(crate) state: RunState,
    /// Peers heard of.
    pub(crate) peers: u64,
    /// Peers reached; `None` before the crawl has ended.
    pub(crate) reachable: Option<u64>,
    /// Visits made.
    pub(crate) visits: u64,
    /// Edges found; before the crawl has ended, those that are kept.
    pub(crate) edges: u64,
    /// Edges that are kept: none without `--neighbors`.
    pub(crate) edges_kept: u64,
    /// From where it was made.
    pub(crate) vantage: String,
    /// The version of kadscope.
    pub(crate) version: String,
}

pub(crate) fn run(args: &CrawlsArgs) -> anyhow::Result<Code> {
    let store = Store::open_existing(&args.store)?;
    match args.crawl {
        None => list(args, &store),
        Some(name) if args.delete => {
            let crawl = find(&store, name)?;
            delete_run(store, crawl, (args.yes, args.json))
        }
        Some(name) => show(args, find(&store, name)?),
    }
}

/// The crawl of this name.
pub(super) fn find(store: &Store, name: CrawlName) -> anyhow::Result<RunInfo> {
    named(store, name, &RunFilter::of(Tool::Crawl))
}

/// The run of this name: the last of those that a filter admits, or one of them by its id.
pub(super) fn named(store: &Store, name: CrawlName, filter: &RunFilter) -> anyhow::Result<RunInfo> {
    let run = match name {
        CrawlName::Id(id) => Some(store.run(id)?).filter(|run| filter.admits(run)),
        CrawlName::Latest => store.runs(filter)?.pop(),
    };
    let what = filter.tool.map_or("run", Tool::name);
    Ok(run.ok_or_else(|| Failed::usage(format!("{}: there is no such {what} in this store", store.name())))?)
}

fn list(args: &CrawlsArgs, store: &Store) -> anyhow::Result<Code> {
    let now = clock::now();
    let crawls: Vec<Listed> =
        store.runs(&RunFilter::of(Tool::Crawl))?.into_iter().map(|crawl| listed(crawl, now)).collect();
    if args.json {
        output::print_json(&Listing { store: args.store.to_string(), crawls })?;
    } else {
        output::print_text(&render::crawls(&crawls, output::Style::of_stdout()))?;
    }
    Ok(Code::Done)
}

/// What was printed at the end of the crawl; of one without an end, what the list says of it.
fn show(args: &CrawlsArgs, crawl: RunInfo) -> anyhow::Result<Code> {
    let style = output::Style::of_stdout();
    let Some(end) = &crawl.end else {
        let state = crawl.state;
        let crawl = listed(crawl, clock::now());
        output::note(&format!("the crawl is {state}: it has no summary"));
        if args.json {
            output::print_json(&crawl)?;
        } else {
            output::print_text(&render::crawls(&[crawl], style))?;
        }
        return Ok(Code::Done);
    };
    let summary: Summary = serde_json::from_value(end.summary.clone())
        .with_context(|| format!("the summary of {} is not one of this version", crawl.start.id))?;
    if args.json {
        output::print_json(&summary)?;
    } else {
        output::print_text(&render::summary(&summary, &place(&args.store), style))?;
    }
    Ok(Code::Done)
}

/// Deletes a run, after asking unless that was answered.
pub(super) fn delete_run(
    mut store: Store,
    run: RunInfo,
    (is_agreed, json): (bool, bool),
) -> anyhow::Result<Code> {
    let RunInfo { start, totals, .. } = run;
    let visits = counted(totals.visits, "visit", "visits");
    let run = format!("{} {} of {} with {visits}", start.tool, start.id, escaped(&start.network));
    if !is_agreed && !is_confirmed(&run)? {
        output::note("nothing was deleted");
        return Ok(Code::Cancelled);
    }
    store.delete_run(start.id)?;
    if json {
        output::print_json(&Deleted { deleted: start.id })?;
    } else {
        output::print_text(&format!("deleted {run}\n"))?;
    }
    Ok(Code::Done)
}

/// Asks on the terminal; where there is none, `--yes` has to say it.
fn is_confirmed(run: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        return Err(Failed::usage(format!(
            "--yes says that {run} is to be deleted, where nobody can be asked"
        ))
        .into());
    }
    output::note_raw(&format!("Delete {run}? [y/N] "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

fn listed(crawl: RunInfo, now: Timestamp) -> Listed {
    let RunInfo { start, end, state, totals } = crawl;
    let finished_at = end.as_ref().map(|end| end.finished_at);
    let number = |path: &str| end.as_ref().and_then(|end| end.summary.pointer(path)?.as_u64());
    let until = finished_at.or_else(|| (state == RunState::Running).then_some(now));
    Listed {
        crawl_id: start.id,
        network: start.network,
        started_at: start.started_at,
        finished_at,
        duration_s: until.map(|until| until.since(start.started_at).as_secs_f64()),
        state,
        peers: totals.peers,
        reachable: number("/peers/reachable"),
        visits: totals.visits,
        edges: number("/edges").unwrap_or(totals.edges),
        edges_kept: totals.edges,
        vantage: start.vantage,
        version: start.version,
    }
}
