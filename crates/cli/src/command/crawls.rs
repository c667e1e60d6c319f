//! `kadscope crawls`: what is in a store.

use schema::{CrawlId, RunState, Timestamp};
use serde::Serialize;
use store::{CrawlInfo, Store};

use crate::{args::CrawlsArgs, clock, exit::Code, output, render};

/// What is in a store.
#[derive(Debug, Serialize)]
struct Listing {
    /// The store.
    store: String,
    /// Its crawls, in the order of their start.
    crawls: Vec<Listed>,
}

/// What is said of a crawl.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    /// Its name.
    pub(crate) crawl_id: CrawlId,
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
    let now = clock::now();
    let crawls: Vec<Listed> =
        Store::open_existing(&args.store)?.crawls()?.into_iter().map(|crawl| listed(crawl, now)).collect();
    if args.json {
        output::print_json(&Listing { store: args.store.to_string(), crawls })?;
    } else {
        output::print(&render::crawls(&crawls, output::Style::of_stdout()))?;
    }
    Ok(Code::Done)
}

fn listed(crawl: CrawlInfo, now: Timestamp) -> Listed {
    let CrawlInfo { start, end, state, totals } = crawl;
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
