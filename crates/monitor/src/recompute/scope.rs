//! Whose visits sessions follow from: those of one network, of all who watch it together or of one who watches it alone.

use std::collections::BTreeMap;

use schema::{RunStart, Tool};
use store::{Error, RunFilter, RunInfo, Store};

/// What a run says of itself that watches alone, among its parameters.
pub const APART: &str = "apart";

/// How many crawls before the first monitor say where peers are.
const CRAWLS_BEFORE: usize = 48;

/// A network and who watches it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MonitorScope {
    /// The network, by its name.
    pub network: String,
    /// The vantage point of a monitor that watches apart from others; `None` for all that do not.
    pub apart: Option<String>,
}

impl MonitorScope {
    /// That of a run.
    pub fn of(run: &RunStart) -> Self {
        let is_apart = run.parameters.get(APART).and_then(serde_json::Value::as_bool).unwrap_or(false);
        Self { network: run.network.clone(), apart: is_apart.then(|| run.vantage.clone()) }
    }

    /// Those that monitors watch, of one network or of all, with the last monitor of each.
    pub fn monitored(store: &Store, network: Option<&str>) -> Result<BTreeMap<Self, RunInfo>, Error> {
        let filter = RunFilter { network: network.map(str::to_owned), ..RunFilter::of(Tool::Monitor) };
        Ok(store.runs(&filter)?.into_iter().map(|run| (Self::of(&run.start), run)).collect())
    }

    /// The crawls and monitors of it, in the order of their start; of crawls before the first monitor only the last few.
    pub fn runs(&self, store: &Store) -> Result<Vec<RunInfo>, Error> {
        let filter = RunFilter { network: Some(self.network.clone()), ..RunFilter::default() };
        let mut runs = store.runs(&filter)?;
        runs.retain(|run| {
            matches!(run.start.tool, Tool::Crawl | Tool::Monitor) && Self::of(&run.start) == *self
        });
        let before = runs.iter().position(|run| run.start.tool == Tool::Monitor).unwrap_or(runs.len());
        runs.drain(..before.saturating_sub(CRAWLS_BEFORE));
        Ok(runs)
    }
}
