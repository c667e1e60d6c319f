//! What a study told as a study that is read back: by way of a store, as that of every study is.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ::hoard::{HoardFact, HoardPlan, Study, StudyDetail, hoard_peers, hoard_rows};
use anyhow::Context as _;
use kad::PeerId;
use schema::{PeerNumber, Row, RunEnd, RunId, RunStart, RunState, Tool};
use serde_json::json;
use store::{Store, StoreUrl};
use tokio::{runtime::Runtime, sync::mpsc};

use super::{SCENARIO, scene::START};
use crate::temporary::TemporaryDir;

/// How the name of the store's directory begins.
const PREFIX: &str = "kadscope-hoard-demo-";

/// Keeps what was told, in a file that stays or in one that goes, and reads it.
pub(super) fn kept(
    facts: &[HoardFact],
    plan: &HoardPlan,
    stays: Option<&Path>,
    runtime: &Runtime,
) -> anyhow::Result<Study> {
    if let Some(path) = stays {
        return kept_at(path.to_owned(), (facts, plan), runtime);
    }
    let dir = TemporaryDir::make(PREFIX).context("cannot make a directory for the rows")?;
    kept_at(dir.path().join("study.sqlite"), (facts, plan), runtime)
}

fn kept_at(
    path: PathBuf,
    (facts, plan): (&[HoardFact], &HoardPlan),
    runtime: &Runtime,
) -> anyhow::Result<Study> {
    let store = Store::open(&StoreUrl::Sqlite(path))?.context("a store")?;
    let start = start(plan);
    let writer = store.begin_run(&start)?;
    let rows = writer.sender();
    let mut numbers = Numbers::default();
    for fact in facts {
        numbers.introduce(fact, &rows)?;
        for row in hoard_rows(fact, &|peer| numbers.of.get(peer).copied()) {
            rows.blocking_send(row).context("the store takes no rows")?;
        }
    }
    drop(rows);
    let end = RunEnd { finished_at: START, state: RunState::Succeeded, summary: json!({}) };
    runtime.block_on(writer.finish(end))?;
    Ok(Study::read(&store, start.id, StudyDetail::Responses)?)
}

fn start(plan: &HoardPlan) -> RunStart {
    RunStart {
        id: RunId::new(START, [0; 10]),
        tool: Tool::Hoard,
        network: SCENARIO.to_owned(),
        started_at: START,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: plan.seed,
        vantage: String::new(),
        parameters: json!({ "plan": plan }),
    }
}

/// The peers of a run by their numbers.
#[derive(Debug, Default)]
struct Numbers {
    of: BTreeMap<PeerId, PeerNumber>,
}

impl Numbers {
    fn introduce(&mut self, fact: &HoardFact, rows: &mpsc::Sender<Row>) -> anyhow::Result<()> {
        for peer in hoard_peers(fact) {
            if !self.of.contains_key(&peer) {
                let number = PeerNumber(u32::try_from(self.of.len())?);
                self.of.insert(peer, number);
                rows.blocking_send(Row::Peer(number, peer)).context("the store takes no rows")?;
            }
        }
        Ok(())
    }
}
