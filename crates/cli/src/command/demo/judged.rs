//! What the store says of the network beside what is true of it. The truth is made from the scenario once more, here,
//! so neither the crawl nor the process that answered it has a part in it.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use schema::{Timestamp, Visit};
use serde::Serialize;
use store::{Store, StoreUrl};
use testnet::{DuringVerdict, Scenario, Truth, Verdict, World, event_log, truth::VisitedPeers};

use super::churn::{Churn, Course};
use crate::{command::testnet::Announcement, crawling::Made};

/// How far times may be off before something counts as wrong: what a busy machine is late by.
const SLACK: Duration = Duration::from_millis(250);

/// What the demo leaves behind.
#[derive(Debug)]
pub(crate) struct Files {
    /// The crawl.
    pub(crate) store: PathBuf,
    /// What is true of every peer when the network begins.
    pub(crate) truth: PathBuf,
    /// Who came and went; `None` where nobody does.
    pub(crate) events: Option<PathBuf>,
}

/// How right the crawl was.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Judged {
    /// Of peers that stay as they are.
    Still(Box<Verdict>),
    /// Of peers that come and go, and who did.
    During(Box<During>),
}

/// How right the crawl was of peers that come and go.
#[derive(Debug, Serialize)]
pub(crate) struct During {
    /// What it said, beside what held at some moment of each visit.
    #[serde(flatten)]
    pub(crate) verdict: DuringVerdict,
    /// Who came and went.
    pub(crate) churn: Churn,
}

impl Files {
    /// The files in a directory; with a log where peers come and go.
    pub(crate) fn in_directory(dir: &Path, lives: bool) -> Self {
        Self {
            store: dir.join("kadscope-demo.sqlite"),
            truth: dir.join("truth.json"),
            events: lives.then(|| dir.join("events.ndjson")),
        }
    }
}

/// The world of a network that runs, made once more.
pub(super) fn world(network: &Announcement) -> anyhow::Result<Arc<World>> {
    let scenario =
        Scenario::named_or_load(&network.scenario)?.with_peers(network.peers).with_seed(network.seed);
    Ok(Arc::new(match network.world {
        Some(_) => World::generate_public(&scenario),
        None => World::generate_at(&scenario, network.ports()),
    }))
}

/// Reads the crawl back from its store, and compares.
pub(super) fn judge(
    files: &Files,
    made: &Made,
    network: &Announcement,
    course: Option<&Course>,
) -> anyhow::Result<Judged> {
    let store = Store::open_existing(&StoreUrl::Sqlite(files.store.clone()))?;
    let id = made.crawled.summary.crawl_id;
    let visits = store.visits(id)?.collect::<Result<Vec<Visit>, _>>()?;
    let kept = VisitedPeers::new(store.peers(id)?.iter(), &visits);
    let (Some(events), Some(course)) = (&files.events, course) else {
        return Ok(Judged::Still(Box::new(Truth::of(world(network)?).judge(&kept.observed()))));
    };
    let (world, clock) = (Arc::clone(&course.world), course.clock());
    let truth = Truth::of(Arc::clone(&world));
    let log = || format!("cannot read the events in {}", events.display());
    let log_file = BufReader::new(File::open(events).with_context(log)?);
    let history = event_log::read(&world, log_file).with_context(log)?;
    let mut history = history.context("nobody comes or goes in this network")?;
    let moment = |time: Timestamp| clock.at_unix_ms(time.0 as f64 / 1e3);
    // The network outlived the crawl, and wrote down all that happened until then.
    let summary = &made.crawled.summary;
    let (from, to) = (moment(summary.started_at), moment(summary.finished_at));
    history.extend_to(to);
    let observed = kept.observed_during(|visit| (moment(visit.met.started_at), moment(visit.met.ended_at)));
    let verdict = truth.judge_during(&history, &observed, clock.stretch(SLACK));
    Ok(Judged::During(Box::new(During { verdict, churn: course.seen(from, to) })))
}
