//! Everything that is shown of a network at a moment. As JSON it is what programs are given.

use monitor::watching::{NetworkCounts, NetworkPace, NetworkView, Passing};
use schema::Timestamp;
use serde::Serialize;

/// How many programs are named.
const AGENTS: usize = 20;

/// How many of those that came or left last are named.
const NEWEST: usize = 20;

/// A network at a moment.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    #[serde(flatten)]
    pub(super) counts: NetworkCounts,
    /// How fast things go; `None` in the first second.
    pub(super) pace: Option<PaceRow>,
    /// What peers that are up call their programs, the most frequent first.
    pub(super) agents: Vec<AgentRow>,
    /// Who came last, the newest first.
    pub(super) arrivals: Vec<PassingRow>,
    /// Who left last, likewise.
    pub(super) departures: Vec<PassingRow>,
}

/// A program, and how many peers run it.
#[derive(Debug, Serialize)]
pub(super) struct AgentRow {
    pub(super) agent: String,
    pub(super) peers: u64,
}

/// How fast things went over so many seconds.
#[derive(Debug, Serialize)]
pub(super) struct PaceRow {
    pub(super) over_s: f64,
    pub(super) looks_per_s: f64,
    pub(super) arrivals_per_min: f64,
    pub(super) departures_per_min: f64,
}

/// A peer that came or left.
#[derive(Debug, Serialize)]
pub(super) struct PassingRow {
    pub(super) peer: String,
    pub(super) at: Timestamp,
    /// `None` for one that came.
    pub(super) stay_s: Option<f64>,
    pub(super) agent: Option<String>,
}

impl Picture {
    pub(super) fn of(view: &NetworkView, now: Timestamp) -> Self {
        let agents = view.agents(AGENTS).into_iter();
        Self {
            counts: view.counts(now),
            pace: view.pace().map(Into::into),
            agents: agents.map(|(agent, peers)| AgentRow { agent: agent.to_string(), peers }).collect(),
            arrivals: view.arrivals().take(NEWEST).map(Into::into).collect(),
            departures: view.departures().take(NEWEST).map(Into::into).collect(),
        }
    }
}

impl From<NetworkPace> for PaceRow {
    fn from(pace: NetworkPace) -> Self {
        Self {
            over_s: pace.over.as_secs_f64(),
            looks_per_s: pace.looks_per_s,
            arrivals_per_min: pace.arrivals_per_min,
            departures_per_min: pace.departures_per_min,
        }
    }
}

impl From<&Passing> for PassingRow {
    fn from(passing: &Passing) -> Self {
        Self {
            peer: passing.peer.to_base58(),
            at: passing.at,
            stay_s: passing.stay.map(|stay| stay.as_secs_f64()),
            agent: passing.agent.as_ref().map(ToString::to_string),
        }
    }
}
