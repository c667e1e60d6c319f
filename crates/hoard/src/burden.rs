//! What a study is a burden to others, before it begins: records on strangers' disks, dials, requests, bytes.
//!
//! It is counted from the plan, with what a lookup took in measured networks: an estimate, said as one.

use std::time::Duration;

use serde::Serialize;

use crate::{HoardPlan, RoundParts};

/// For how long a server keeps a record (go-libp2p-kad-dht, `amino.DefaultProvideValidity`).
const KEPT: Duration = Duration::from_secs(48 * 3600);

/// Requests of a walk that goes to its end on a network of some 10,000 servers: as many as CID Hoarder contacted (median 11.5 to 14 of 150
/// servers), and those that Go asks in the follow-up, to the 20 closest.
const REQUESTS_OF_A_WALK: u64 = 35;

/// Requests until the first provider is found.
const REQUESTS_TO_THE_FIRST: u64 = 10;

/// Bytes of one request and its answer, with framing: 20 peers with two addresses each.
const BYTES_OF_A_REQUEST: u64 = 2_500;

/// Bytes of a dial: Noise or QUIC's handshake, with the question on it.
const BYTES_OF_A_DIAL: u64 = 6_000;

/// What a study is a burden to others, or will have been by its end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Burden {
    /// Records that others are given; `None` where it goes on until it is stopped.
    pub records: Option<u64>,
    /// The most that they keep at a time: a record lives 48 h.
    pub records_at_once: u64,
    /// For how long a record is kept after it was given, in seconds.
    pub kept_s: u64,
    /// Dials an hour at the most busy time; where providers are dialled, those of as many of each key as may be.
    pub dials_per_hour: f64,
    /// Requests an hour, those on dialled connections included, likewise.
    pub requests_per_hour: f64,
    /// Bytes an hour, sent and received, likewise.
    pub bytes_per_hour: f64,
    /// How long it takes, in seconds; `None` where it goes on until it is stopped.
    pub takes_s: Option<f64>,
    /// How many servers the network has; `None` if nobody said.
    pub servers: Option<u64>,
    /// Records that each of them keeps at a time, on average.
    pub records_per_server: Option<f64>,
    /// Requests and dials that each of them sees in an hour, on average.
    pub asked_per_server_and_hour: Option<f64>,
}

impl Burden {
    /// Of a plan, on a network of so many servers.
    pub fn of(plan: &HoardPlan, servers: Option<u64>) -> Self {
        let holders: u64 = plan.arms.iter().map(|arm| u64::from(arm.k)).sum();
        let given = if plan.keys.is_foreign() { 0 } else { holders };
        let records = plan.keys_per_arm().map(|keys| u64::from(keys) * given);
        let watched = watched_at_once(plan);
        let rounds = watched / rounds_apart(plan).as_secs_f64() * 3600.0;
        let per_round = requests_of_a_round(plan) as f64;
        let arms = plan.arms.len().max(1) as f64;
        let published = plan.arms.len() as f64 * 3600.0 / plan.pace.gap.as_secs_f64().max(1e-3);
        let published = published.min(plan.publications().map_or(f64::INFINITY, |all| all as f64));
        // Where holders are not asked, nobody looks for them either.
        let (found, asked) = match plan.parts {
            RoundParts::Lookups => (0.0, 0.0),
            RoundParts::All | RoundParts::Holders => (published, holders as f64 / arms),
        };
        let walks = rounds * per_round + found * REQUESTS_OF_A_WALK as f64;
        let providers = rounds * plan.observing.providers as f64;
        let dials = rounds * asked * f64::from(plan.observing.attempts) + providers;
        let requests = walks + dials + published * (1.0 + plan.readings.len() as f64) * given as f64 / arms;
        let at_once = kept_at_once(plan, given).min(records.unwrap_or(u64::MAX));
        let per_server = |number: f64| servers.filter(|&all| all > 0).map(|all| number / all as f64);
        Self {
            records,
            records_at_once: at_once,
            kept_s: KEPT.as_secs(),
            dials_per_hour: dials,
            requests_per_hour: requests,
            bytes_per_hour: requests * BYTES_OF_A_REQUEST as f64 + dials * BYTES_OF_A_DIAL as f64,
            takes_s: plan.takes().map(|time| time.as_secs_f64()),
            servers,
            records_per_server: per_server(at_once as f64),
            asked_per_server_and_hour: per_server(requests),
        }
    }
}

/// Keys that are watched at a time, at the most.
fn watched_at_once(plan: &HoardPlan) -> f64 {
    let last = plan.rounds.last().as_secs_f64();
    let come = last / plan.pace.gap.as_secs_f64().max(1e-3) + 1.0;
    let arms = plan.arms.len() as f64;
    plan.publications().map_or(come * arms, |all| (all as f64).min(come * arms))
}

/// What is between two rounds of a key, on average.
fn rounds_apart(plan: &HoardPlan) -> Duration {
    let rounds = u32::try_from(plan.rounds.len().max(1)).unwrap_or(u32::MAX);
    (plan.rounds.last() / rounds).max(Duration::from_secs(1))
}

/// Records that strangers keep at a time at the most: those of the last 48 h.
fn kept_at_once(plan: &HoardPlan, given: u64) -> u64 {
    let gap = plan.pace.gap.max(Duration::from_millis(1));
    let keys = u64::try_from(KEPT.as_nanos().div_ceil(gap.as_nanos())).unwrap_or(u64::MAX);
    keys.saturating_add(1).saturating_mul(given)
}

/// Requests of the lookups of one round.
fn requests_of_a_round(plan: &HoardPlan) -> u64 {
    let lookups = &plan.lookups;
    let whole =
        u64::from(lookups.closest) + u64::from(lookups.count.is_some()) + u64::from(lookups.exhaustive);
    whole * REQUESTS_OF_A_WALK + u64::from(lookups.first) * REQUESTS_TO_THE_FIRST
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Preset;

    #[test]
    fn what_rfm17_leaves_behind_is_said_before_it_begins() {
        let burden = Burden::of(&Preset::Rfm17.plan(), Some(10_000));
        assert_eq!(burden.records, Some(10_000 * (15 + 20 + 25 + 40)));
        assert_eq!(Some(burden.records_at_once), burden.records, "all live at once: it takes less than 48 h");
        assert_eq!(burden.records_per_server, Some(100.0));
        assert!(burden.asked_per_server_and_hour.is_some_and(|asked| asked > 100.0), "{burden:?}");
    }

    #[test]
    fn what_others_published_leaves_no_record_behind() {
        let keys = crate::KeySource::Foreign { keys: vec![crate::StudyKeyBytes(vec![0x12, 0x20])] };
        let plan = HoardPlan { keys, ..Preset::Rfm17_1.plan() };
        let burden = Burden::of(&plan, None);
        assert_eq!((burden.records, burden.records_at_once, burden.records_per_server), (Some(0), 0, None));
        assert!(burden.requests_per_hour > 0.0);
    }

    #[test]
    fn who_only_looks_up_asks_no_holder_and_dials_no_more_providers_than_are_allowed() {
        let keys = (0..100_u8).map(|key| crate::StudyKeyBytes(vec![0x12, 0x20, key])).collect();
        let hour = Duration::from_secs(3600);
        let frame = crate::content::ContentFrame::unsaid(100);
        let plan = HoardPlan::watching(keys, frame, (hour, 10 * hour));
        let burden = Burden::of(&plan, None);
        // A hundred lookups an hour, and at most 20 providers of each dialled.
        let about = |number: f64, aim: f64| (0.9..1.2).contains(&(number / aim));
        assert!(about(burden.dials_per_hour, 2_000.0), "{burden:?}");
        assert!(about(burden.requests_per_hour, 100.0 * 35.0 + 2_000.0), "{burden:?}");
        assert_eq!(burden.records, Some(0));
    }

    #[test]
    fn a_study_without_an_end_has_a_burden_an_hour() {
        let plan = HoardPlan { keys: crate::KeySource::Random { count: None }, ..Preset::Rfm17_1.plan() };
        let burden = Burden::of(&plan, Some(20_000));
        assert_eq!((burden.records, burden.takes_s), (None, None));
        assert!(burden.dials_per_hour > 0.0 && burden.bytes_per_hour > burden.dials_per_hour);
    }
}
