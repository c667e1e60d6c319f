//! What the JSON of a report has.

use estimate::{LogRank, Mean, Proportion, Quantile, SurvivalStep};
use schema::{RunId, RunState, Timestamp};
use serde::Serialize;

use crate::{
    period::{Period, Watched},
    presence::{AvailabilityClass, PresenceClass},
};

/// Everything that is said of a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkSection {
    /// Of which network.
    pub network: String,
    /// Over which period.
    pub period: Period,
    /// The part of it in which anybody looked; `None` if nobody did.
    pub watched: Option<Watched>,
    /// What readers look for first.
    pub headline: HeadlineNumbers,
    /// Each crawl, from the first on.
    pub crawls: Vec<CrawlPoint>,
    /// Who was there; `None` if nobody looked.
    pub classes: Option<ClassNumbers>,
    /// How long peers stay; `None` without a stay that began within the period.
    pub churn: Option<ChurnNumbers>,
    /// How soon they come back; `None` without a stay that ended within it.
    pub arrivals: Option<ArrivalNumbers>,
    /// Programs of peers that said theirs, the most frequent first.
    pub agents: Vec<AgentShare>,
    /// What peers speak that said so, likewise.
    pub protocols: Vec<AgentShare>,
    /// How peers were connected to that were.
    pub transports: Vec<AgentShare>,
    /// By which version of IP.
    pub ip_versions: Vec<AgentShare>,
    /// The shortest round trip to each peer, in milliseconds: a tenth, a quarter, half, three quarters, nine tenths are not longer.
    pub rtt_ms: Vec<Quantile>,
    /// IP addresses with several ids, those with most first.
    pub rotating: Vec<RotatingIp>,
    /// Peers that changed their program.
    pub updating: UpdatingNumbers,
}

/// Headline numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct HeadlineNumbers {
    /// Crawls that began in the period.
    pub crawls: u64,
    /// Visits of crawls, and of monitors.
    pub visits: [u64; 2],
    /// Runs of monitors that were under way.
    pub monitors: u64,
    /// Peers that were visited.
    pub peers: u64,
    /// Those of them that crawls found in the network.
    pub found: u64,
    /// Those of them that were ever seen up.
    pub seen_up: u64,
    /// Distinct IP addresses that were connected to.
    pub ips: u64,
    /// Peers that one crawl visits, over whole crawls; `None` without one.
    pub visited_by_crawl: Option<Mean>,
    /// Peers that one crawl reaches, likewise.
    pub reached_by_crawl: Option<Mean>,
    /// For which share of the time a peer was up that ever was; `None` if none was.
    pub up_share: Option<Mean>,
    /// How many hours a stay lasts that began in the period: half of them last longer; `None` without one.
    pub median_stay_h: Option<Quantile>,
    /// The mean of these hours, up to the longest time that any was watched; `None` without one.
    pub mean_stay_h: Option<f64>,
}

/// One crawl.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CrawlPoint {
    /// Its run.
    pub run: RunId,
    /// When it began.
    pub started_at: Timestamp,
    /// How it ended.
    pub state: RunState,
    /// Peers that it visited.
    pub visited: u64,
    /// Peers that it reached, of these.
    pub reached: Option<Proportion>,
    /// Peers that it reached and that did not answer what they were asked.
    pub unresponsive: u64,
    /// Why peers were not reached, by the names of failures, the most frequent first.
    pub failures: Vec<(&'static str, u64)>,
}

/// Who was there over the period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassNumbers {
    /// RFM 2's partition of all peers that were visited.
    pub partition: Vec<ClassShare<PresenceClass>>,
    /// How many peers the SQL of the weekly report puts into each class; they need not add up.
    pub weekly_sql: Vec<(PresenceClass, u64)>,
    /// How many peers it puts into none.
    pub weekly_sql_none: u64,
    /// `ProbeLab`'s classes by the share of time.
    pub availability: Vec<ClassShare<AvailabilityClass>>,
    /// Peers of which looks leave open in which of these they are.
    pub availability_unclear: u64,
    /// The partition of each program.
    pub by_agent: Vec<GroupClasses>,
}

/// The share of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassShare<C> {
    /// Which.
    pub class: C,
    /// Of all peers.
    pub share: Proportion,
}

/// The partition of one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupClasses {
    /// Which.
    pub group: String,
    /// Its classes.
    pub partition: Vec<ClassShare<PresenceClass>>,
}

/// How long peers stay.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChurnNumbers {
    /// Of all peers, then by program.
    pub overall: Vec<ChurnCurve>,
    /// By version of the program that most run: the newest last.
    pub versions: Vec<ChurnCurve>,
    /// Each version against the one before it.
    pub compared: Vec<VersionAlert>,
}

/// How long the stays of one group last, in hours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChurnCurve {
    /// Whose.
    pub group: String,
    /// As RFM 2 drew it: of stays that were first seen in the first half of the period the share that was seen for no longer than so
    /// many hours, whether they were over or not.
    pub drawn: Vec<DrawnPoint>,
    /// How many stays that stands on.
    pub drawn_n: u64,
    /// The share that lasts longer, of all stays that began in the period; those that go on count as watched until they were last seen.
    pub survival: Vec<SurvivalStep>,
    /// How long half of them last, and a fifth, in hours.
    pub quantiles: [Quantile; 2],
}

/// A point of a curve as it was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DrawnPoint {
    /// Hours.
    pub at: f64,
    /// The share that is no longer.
    pub share: f64,
}

/// A version beside the one before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VersionAlert {
    /// The version, and the one before it.
    pub versions: [String; 2],
    /// Whether they differ.
    pub test: LogRank,
    /// How likely it is that any of all that were compared differs as much by chance (S. Holm, 1979).
    pub adjusted_p: f64,
    /// How many hours half of the stays last: of the version, and of the one before it.
    pub medians_h: [Option<f64>; 2],
    /// Whether stays are shorter than before, beyond chance.
    pub is_worse: bool,
}

/// How soon peers come back, in hours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArrivalNumbers {
    /// As the weekly report drew it: from the beginning of a stay to the beginning of the next.
    pub start_to_start: Vec<DrawnPoint>,
    /// How many pairs that stands on.
    pub start_to_start_n: u64,
    /// From the end of a stay to the beginning of the next: the share that is away for longer. Who did not come back counts as away until the last
    /// look of all.
    pub away: Vec<SurvivalStep>,
    /// Half of absences are over after so many hours.
    pub away_median_h: Quantile,
}

/// A share of peers by a name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentShare {
    /// The name.
    pub name: String,
    /// Of all peers that say such a thing.
    pub share: Proportion,
}

/// An IP address with several ids.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RotatingIp {
    /// The address, as far as it is shown.
    pub ip: String,
    /// How many ids were met there.
    pub peers: u64,
    /// Their programs, the most frequent first, at most three.
    pub agents: Vec<String>,
}

/// Peers that changed their program.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct UpdatingNumbers {
    /// Peers whose program had another name than before at least once; `None` if none said its program.
    pub peers: Option<Proportion>,
    /// How often that was, all together.
    pub changes: u64,
    /// The most changes of one peer.
    pub most: u32,
}
