//! What came of looking addresses up.

use std::collections::BTreeMap;

use places::{PlaceSources, SourceList};
use schema::{AddressKind, RunId, RunState};
use serde::Serialize;

/// What is printed, and kept as the summary of the run. An address whose name led to several IPs has a row for each; rows are counted
/// unless it is said.
#[derive(Debug, Serialize)]
pub(crate) struct Enriched {
    /// The run; `None` if there was nothing to look up.
    pub(crate) run_id: Option<RunId>,
    /// How it ended.
    pub(crate) state: RunState,
    /// A name for exactly these files.
    pub(crate) version: String,
    /// The files.
    #[serde(flatten)]
    pub(crate) sources: SourceList,
    /// Whether names were asked for.
    pub(crate) names: bool,
    /// Addresses that runs before have looked up by the same files.
    pub(crate) known_before: u64,
    /// Addresses that this one looked up.
    pub(crate) addresses: u64,
    /// Rows that were made.
    pub(crate) rows: u64,
    /// Rows by kind, all kinds.
    pub(crate) kinds: BTreeMap<&'static str, u64>,
    /// Those with a country, of the public ones.
    pub(crate) with_country: u64,
    /// Those with a network.
    pub(crate) with_network: u64,
    /// Those at a cloud.
    pub(crate) with_cloud: u64,
    /// Names that led nowhere.
    pub(crate) names_led_nowhere: u64,
    /// The ten countries with most.
    pub(crate) countries: Vec<PlaceShare>,
    /// The ten clouds with most.
    pub(crate) clouds: Vec<PlaceShare>,
}

/// How many are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PlaceShare {
    /// A country by its two letters, or a cloud.
    pub(crate) name: String,
    /// Rows.
    pub(crate) addresses: u64,
}

impl Enriched {
    /// Nothing yet, by these files, beside so many addresses that were known before.
    pub(super) fn new(sources: &PlaceSources, names: bool, known_before: u64) -> Self {
        Self {
            run_id: None,
            state: RunState::Succeeded,
            version: sources.version(),
            sources: sources.list(),
            names,
            known_before,
            addresses: 0,
            rows: 0,
            kinds: AddressKind::ALL.iter().map(|kind| (kind.name(), 0)).collect(),
            with_country: 0,
            with_network: 0,
            with_cloud: 0,
            names_led_nowhere: 0,
            countries: Vec::new(),
            clouds: Vec::new(),
        }
    }

    /// How many rows are of public addresses: the only ones that are looked up.
    pub(crate) fn public(&self) -> u64 {
        self.kinds.get(AddressKind::Public.name()).copied().unwrap_or_default()
    }
}
