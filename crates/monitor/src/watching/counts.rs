//! What there is to say of a network at a moment, in numbers.

use std::{collections::BTreeMap, sync::Arc};

use kad::failure::FailureClass;
use schema::Timestamp;
use serde::Serialize;

use super::{KnownNode, NetworkView, NodeStanding, node::micros};

/// The numbers of a network at a moment. As JSON it is what programs are given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkCounts {
    /// When.
    pub at: Timestamp,
    /// Peers that are up, as far as this run has seen itself.
    pub active: u64,
    /// Peers that were up when others looked, before this run began, and at which it has not looked yet.
    pub unconfirmed: u64,
    /// Peers that are not reached from here and are behind address translation or a firewall.
    pub behind_nat: u64,
    /// Peers that are remembered, however they stand.
    pub known: u64,
    /// How often a peer came, since the run began: it was not there before, or had not been when everybody was looked at.
    pub arrived_in_run: u64,
    /// How often a peer left, since the run began. One that left twice is counted twice.
    pub left_in_run: u64,
    /// Distinct peers that were seen up today, by UTC.
    pub seen_today: u64,
    /// How often a peer came today.
    pub arrived_today: u64,
    /// How often a peer left today.
    pub gone_today: u64,
    /// Departures today for each distinct peer that was seen today; `None` if none was.
    pub daily_churn: Option<f64>,
    /// How long a peer stays on average, in seconds: the time for which peers were seen up, all together, for each departure. `None`
    /// before the first.
    pub mean_stay_s: Option<f64>,
    /// The share of those behind address translation or a firewall among them and those that are up; `None` if there is nobody.
    pub nat_rate: Option<f64>,
    /// Round trips to peers that are up; `None` if none was measured.
    pub rtt: Option<RttSummary>,
    /// Peers that are up, by the transport of the last connection to them.
    pub transports: BTreeMap<&'static str, u64>,
    /// Looks since the run began.
    pub looks: u64,
    /// Of these, those that saw their peer up.
    pub answered_looks: u64,
    /// Those that found it behind address translation or a firewall.
    pub nat_looks: u64,
    /// All others, which failed, by class.
    pub failures: BTreeMap<&'static str, u64>,
    /// Looks since the run began at peers for which there is no room: where there are any, all counts are too low.
    pub uncounted_looks: u64,
}

/// How long round trips are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RttSummary {
    /// Peers to which one was measured.
    pub peers: u64,
    /// A tenth of them are not farther than that, in microseconds.
    pub p10_us: u32,
    /// Half of them.
    pub median_us: u32,
    /// Nine in ten.
    pub p90_us: u32,
}

impl RttSummary {
    /// By the nearest rank.
    fn of(mut rtts_us: Vec<u32>) -> Option<Self> {
        rtts_us.sort_unstable();
        let last = rtts_us.len().checked_sub(1)?;
        let at = |tenths: usize| rtts_us[(rtts_us.len() * tenths).div_ceil(10).saturating_sub(1).min(last)];
        Some(Self { peers: rtts_us.len() as u64, p10_us: at(1), median_us: at(5), p90_us: at(9) })
    }
}

/// A share of a whole; `None` if there is no whole.
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl NetworkView {
    /// The numbers at a moment, counted anew from who is known.
    pub fn counts(&self, at: Timestamp) -> NetworkCounts {
        let nodes = || self.nodes.values();
        let up = || nodes().filter(|node| node.standing() == NodeStanding::Up);
        let active = || nodes().filter(|node| node.is_active(self.began));
        let behind_nat = nodes().filter(|node| node.standing() == NodeStanding::BehindNat).count() as u64;
        let seen_today = nodes().filter(|node| node.is_seen_on(self.today.day)).count() as u64;
        let active_count = active().count() as u64;
        let mut transports = BTreeMap::new();
        for transport in active().filter_map(KnownNode::transport) {
            *transports.entry(transport.name()).or_default() += 1;
        }
        let failures = FailureClass::ALL.iter().map(|class| (class.name(), self.failures[*class as usize]));
        NetworkCounts {
            at,
            active: active_count,
            unconfirmed: up().count() as u64 - active_count,
            behind_nat,
            known: self.nodes.len() as u64,
            arrived_in_run: self.run.arrivals,
            left_in_run: self.run.departures,
            seen_today,
            arrived_today: self.today.arrivals,
            gone_today: self.today.departures,
            daily_churn: share(self.today.departures, seen_today),
            mean_stay_s: self.mean_stay_s(up()),
            nat_rate: share(behind_nat, behind_nat + active_count),
            rtt: RttSummary::of(active().filter_map(rtt_us).collect()),
            transports,
            looks: self.run.looks,
            answered_looks: self.run.answered_looks,
            nat_looks: self.run.nat_looks,
            failures: failures.filter(|(_, count)| *count > 0).collect(),
            uncounted_looks: self.run.uncounted_looks,
        }
    }

    /// By Little's law: in a network that neither grows nor shrinks peers are up, all together, for the mean stay with each departure,
    /// whatever the law of stays. So stays that go on, and those whose beginning nobody saw, are no bias.
    fn mean_stay_s<'a>(&self, up: impl Iterator<Item = &'a KnownNode>) -> Option<f64> {
        let open_us: u64 = up.map(|node| micros(node.watched())).sum();
        let watched_us = self.stays.closed_us + open_us;
        (self.stays.departures > 0).then(|| watched_us as f64 / 1e6 / self.stays.departures as f64)
    }

    /// What peers that are up call their programs, as they said it, the most frequent first, so many at most. Not to be shown as it is.
    pub fn agents(&self, most: usize) -> Vec<(Arc<str>, u64)> {
        let mut counts = vec![0_u64; self.agents.names().len()];
        for node in self.nodes.values().filter(|node| node.is_active(self.began)) {
            if let Some(count) = node.agent().and_then(|agent| counts.get_mut(usize::from(agent))) {
                *count += 1;
            }
        }
        let mut agents: Vec<_> = self.agents.names().iter().cloned().zip(counts).collect();
        agents.retain(|(_, count)| *count > 0);
        agents.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        agents.truncate(most);
        agents
    }
}

fn rtt_us(node: &KnownNode) -> Option<u32> {
    node.rtt().map(|rtt| u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX))
}
