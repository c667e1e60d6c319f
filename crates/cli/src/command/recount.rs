//! `kadscope runs ID --recount`: what the summary of a crawl says, beside what its rows come to.

use crawl::{Difference, Recount, Recounted};
use schema::{CrawlWalk, PeerInDegree, RunId, Tool};
use serde::Serialize;
use store::{RunInfo, Store};

use crate::{
    exit::{Code, Failed},
    output, render,
};

/// A summary beside the rows.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    /// The run.
    pub(crate) run_id: RunId,
    /// Whether there is a summary to compare with.
    pub(crate) has_summary: bool,
    /// How many fields of the summary are what the rows come to.
    pub(crate) same: u64,
    /// What the summary says otherwise.
    pub(crate) differences: Vec<Difference>,
    /// The fields that cannot be recounted, since rows are not there: visits were pruned, or the crawl did not come to its end.
    pub(crate) missing: Vec<&'static str>,
    /// What the rows come to, as fields of a summary.
    pub(crate) recounted: serde_json::Map<String, serde_json::Value>,
}

pub(super) fn run(store: &Store, run: RunInfo, json: bool) -> anyhow::Result<Code> {
    if run.start.tool != Tool::Crawl {
        let tool = run.start.tool;
        return Err(Failed::usage(format!(
            "only crawls have a summary that can be recounted; this is a {tool}"
        ))
        .into());
    }
    let recounted = recount(store, &run)?;
    let summary = run.end.map(|end| end.summary);
    let differences = summary.as_ref().map(|summary| recounted.differences(summary)).unwrap_or_default();
    let Recounted { numbers, missing } = recounted;
    let same = summary
        .iter()
        .flat_map(|summary| numbers.iter().filter(|(name, rows)| summary.get(name) == Some(rows)));
    let compared = Compared {
        run_id: run.start.id,
        has_summary: summary.is_some(),
        same: same.count() as u64,
        differences,
        missing,
        recounted: numbers,
    };
    if json {
        output::print_json(&compared)?;
    } else {
        output::print(&render::compared(&compared))?;
    }
    Ok(if compared.differences.is_empty() { Code::Done } else { Code::Store })
}

/// Reads the rows of a crawl one after the other.
fn recount(store: &Store, run: &RunInfo) -> anyhow::Result<Recounted> {
    let id = run.start.id;
    let mut recount = Recount::default();
    for (_, peer) in store.peers(id)?.iter() {
        recount.peer(peer);
    }
    for visit in store.visits(id)? {
        recount.visit(&visit?);
    }
    for walk in store.rows::<CrawlWalk>(id)? {
        recount.walk(&walk?);
    }
    for heard in store.rows::<PeerInDegree>(id)? {
        recount.in_degree(heard?);
    }
    Ok(recount.finish((&run.start, run.state), run.totals.pruned)?)
}
