//! The numbers of a report: what its JSON has.

use estimate::{BoxStatistics, LogRank, Proportion, Quantile, QuantileDifference, SurvivalStep};
use schema::{OperationKind, OperationOutcome, Timestamp};
use serde::Serialize;

/// The section of a weekly report on how fast a network takes and finds records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PerfSection {
    /// When the first attempt was to begin; `None` without any.
    pub from: Option<Timestamp>,
    /// When the last attempt was to begin; `None` without any.
    pub to: Option<Timestamp>,
    /// How many attempts there were, whatever became of them.
    pub attempts: u64,
    /// The fleets that were told to do something, in the order of their names.
    pub fleets: Vec<String>,
    /// The regions that these are in, in the order of their names.
    pub regions: Vec<String>,
    /// Of each kind of operation that there was.
    pub kinds: Vec<KindNumbers>,
    /// What one fleet finds of what another published.
    pub matrix: Vec<PairNumbers>,
    /// Each fleet against the first that is named here.
    pub differences: Vec<FleetDifference>,
    /// Where records went, and how large the network was taken to be.
    pub placements: Vec<PlacementNumbers>,
}

/// The numbers of one kind of operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindNumbers {
    /// Which kind.
    pub kind: OperationKind,
    /// By fleet, over all regions.
    pub fleets: Vec<GroupNumbers>,
    /// By region and fleet.
    pub places: Vec<GroupNumbers>,
    /// By day (of UTC) and fleet.
    pub days: Vec<GroupNumbers>,
    /// By which connections there were, and fleet; empty where it was always the same.
    pub policies: Vec<GroupNumbers>,
    /// How often what came of it, by fleet.
    pub outcomes: Vec<OutcomeNumbers>,
}

/// The numbers of a group of operations of one kind and fleet.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GroupNumbers {
    /// Of which fleet.
    pub fleet: String,
    /// In which region; `None` of all.
    pub region: Option<String>,
    /// On which day, as year, month and day; `None` of all.
    pub day: Option<String>,
    /// With which connections; `None` of all.
    pub policy: Option<String>,
    /// How many attempts there were.
    pub attempts: u64,
    /// Those of them that a server never began, or whose record it found without the network: they say nothing of it.
    pub apart: u64,
    /// How many of the others were cut short: nobody knows how long they would have taken.
    pub cut_short: u64,
    /// How many of the others did what they were to do; `None` if there were no others.
    pub succeeded: Option<Proportion>,
    /// The seconds until a half, nine tenths and 99 of 100 had succeeded: those that failed never do, and those at their deadline are
    /// cut short.
    pub quantiles: Vec<Quantile>,
    /// Of operations of which it is only known between which two times they succeeded: the same, at the earlier time. Else empty.
    pub quantiles_at_least: Vec<Quantile>,
    /// The share that had not succeeded yet, by seconds.
    pub curve: Vec<SurvivalStep>,
    /// The longest that anybody was watched, in seconds.
    pub watched_s: f64,
    /// What a box plot of the seconds shows.
    pub boxed: Option<BoxStatistics>,
    /// The mean number of requests of an operation; `None` if no server said.
    pub mean_requests: Option<f64>,
}

/// How often something came of the operations of one fleet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutcomeNumbers {
    /// Of which fleet.
    pub fleet: String,
    /// What came of it.
    pub outcome: OperationOutcome,
    /// Of how many of all attempts.
    pub share: Proportion,
}

/// What one fleet finds of what another published.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairNumbers {
    /// The fleet of who published.
    pub publisher_fleet: String,
    /// The fleet of who looked.
    pub fleet: String,
    /// How many found it; `None` if none began.
    pub succeeded: Option<Proportion>,
    /// The seconds until half had found it.
    pub median: Option<Quantile>,
}

/// A fleet against another one, in one kind of operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FleetDifference {
    /// Of which kind of operation.
    pub kind: OperationKind,
    /// The fleet that is compared.
    pub fleet: String,
    /// The fleet that it is compared with.
    pub against: String,
    /// Whether the two differ at any time; `None` where nothing says so.
    pub log_rank: Option<LogRank>,
    /// By how many seconds the median is later than the other's.
    pub median: Option<QuantileDifference>,
}

/// Where the records of a fleet went, and how large it took the network to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlacementNumbers {
    /// Of which fleet.
    pub fleet: String,
    /// Publications that say to how many peers the record was to go.
    pub publications: u64,
    /// To how many a publication was to go, on average; `None` if none says.
    pub holders: Option<f64>,
    /// The share of these that were sent it; `None` if none says.
    pub sent: Option<Proportion>,
    /// The fewest to which a publication sent it.
    pub fewest_sent: Option<u32>,
    /// Estimates of the network's size.
    pub size_estimates: u64,
    /// Their median, in peers; `None` if there is none.
    pub size_median: Option<f64>,
    /// Their quartiles, in peers.
    pub size_quartiles: Option<[f64; 2]>,
}
