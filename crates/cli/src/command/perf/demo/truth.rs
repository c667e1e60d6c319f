//! What was measured beside what is true of the world: who has the records, how large the network is, how far it is to its peers.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use ::perf::{CallAttempt, Operation, OperationKind, RequestPurpose, report::PerfSection};
use figure::{PageSection, PageTable};
use kad::{PeerId, lookup::RpcFate};
use schema::Timestamp;
use serde::Serialize;

use super::scene::{CLOSEST, Scene};

/// How long after its end a publication is looked at: what a strategy goes on to give by itself is given by then.
const SETTLED: Duration = Duration::from_secs(180);

/// What was measured beside what is true.
#[derive(Debug, Default, Serialize)]
pub(super) struct TruthKept {
    /// Peers that answer.
    peers: u64,
    /// Peers that a crawl of ours reached: what `fullrt` knows.
    crawled: u64,
    /// By fleet.
    fleets: BTreeMap<String, FleetTruth>,
    /// By region.
    regions: BTreeMap<String, RegionTruth>,
    /// Publications that are to be looked at, from the first on.
    #[serde(skip)]
    unsettled: VecDeque<Unsettled>,
}

/// A publication that is to be looked at.
#[derive(Debug)]
struct Unsettled {
    from: Timestamp,
    fleet: String,
    key: Vec<u8>,
    provider: PeerId,
}

/// Of one fleet.
#[derive(Debug, Default, Serialize)]
struct FleetTruth {
    /// Publications.
    publications: u64,
    /// Peers that were sent a record before its publication returned, in all.
    sent: u64,
    /// Peers that have the record three minutes later and are among the 20 that are closest in truth, in all.
    placed: u64,
    /// The fewest of a publication.
    fewest_placed: Option<u64>,
    /// The median of its estimates of the network's size; `None` if it made none.
    size_estimate: Option<f64>,
    /// By how much that is off, as a share of the truth.
    size_error: Option<f64>,
    /// Lookups of what nobody provides that found somebody.
    false_finds: u64,
}

/// Of one region.
#[derive(Debug, Default, Serialize)]
struct RegionTruth {
    /// Requests over connections that stood, to peers that answer at once.
    requests: u64,
    /// How long these took, in seconds, in all.
    measured_s: f64,
    /// How far it is there and back in truth, in seconds, in all.
    true_s: f64,
}

impl TruthKept {
    /// Counts an attempt.
    pub(super) fn note(&mut self, scene: &Scene, attempt: &CallAttempt) {
        self.settle(scene, Some(attempt.ended_at));
        let Ok(answer) = &attempt.result else { return };
        let Some(operation) = answer.operation.as_deref() else { return };
        let entry = &attempt.server.entry;
        let fleet = self.fleets.entry(entry.fleet.clone()).or_default();
        match attempt.kind {
            OperationKind::Provide => {
                let given =
                    operation.requests.iter().filter(|request| request.purpose == RequestPurpose::Give);
                fleet.sent += given.filter(|request| request.failure.is_none()).count() as u64;
                let (from, fleet) = (attempt.ended_at.after(SETTLED), entry.fleet.clone());
                let (key, provider) = (operation.key.clone(), entry.peer);
                self.unsettled.push_back(Unsettled { from, fleet, key, provider });
            }
            OperationKind::Negative => {
                let found = operation.requests.iter().any(|request| request.providers > 0);
                fleet.false_finds += u64::from(found);
            }
            OperationKind::Retrieve | OperationKind::Findable => {}
        }
        let region = self.regions.entry(entry.region.clone()).or_default();
        region.far(scene, &entry.region, operation);
    }

    /// What is known once all is over.
    pub(super) fn finish(&mut self, scene: &Scene, section: &PerfSection) {
        self.settle(scene, None);
        self.peers = scene.size();
        self.crawled = scene.crawled as u64;
        for placement in &section.placements {
            let fleet = self.fleets.entry(placement.fleet.clone()).or_default();
            fleet.size_estimate = placement.size_median;
            fleet.size_error = placement.size_median.map(|size| size / self.peers as f64 - 1.0);
        }
    }

    /// Looks at who has the records of publications that were over long enough ago; at all of them without a time.
    fn settle(&mut self, scene: &Scene, now: Option<Timestamp>) {
        while self.unsettled.front().is_some_and(|first| now.is_none_or(|now| first.from <= now)) {
            let Some(Unsettled { fleet, key, provider, .. }) = self.unsettled.pop_front() else { return };
            let closest = scene.closest(&key);
            let placed =
                closest.into_iter().filter(|peer| scene.fabric.keeps(*peer, &key, &provider)).count() as u64;
            let fleet = self.fleets.entry(fleet).or_default();
            fleet.publications += 1;
            fleet.placed += placed;
            fleet.fewest_placed = Some(fleet.fewest_placed.map_or(placed, |fewest| fewest.min(placed)));
        }
    }

    /// As a part of the report.
    pub(super) fn page_section(&self) -> PageSection {
        let text = vec![format!(
            "The network is simulated, so what is true of it is known: {} peers answer (a crawl reached {}). A record belongs to the {CLOSEST} \
             of them that are closest to its key.",
            self.peers, self.crawled
        )];
        PageSection {
            text,
            tables: vec![self.of_fleets(), self.of_regions()],
            ..PageSection::new("Beside the truth", 2)
        }
    }

    fn of_fleets(&self) -> PageTable {
        let row = |(name, fleet): (&String, &FleetTruth)| {
            let mean = |sum: u64| format!("{:.1}", sum as f64 / fleet.publications.max(1) as f64);
            let none = || "–".to_owned();
            vec![
                name.clone(),
                fleet.publications.to_string(),
                mean(fleet.sent),
                mean(fleet.placed),
                fleet.fewest_placed.map_or_else(none, |fewest| fewest.to_string()),
                fleet.size_estimate.map_or_else(none, |size| format!("{size:.0}")),
                self.peers.to_string(),
                fleet.size_error.map_or_else(none, |error| format!("{:+.1}%", error * 100.0)),
                fleet.false_finds.to_string(),
            ]
        };
        PageTable {
            caption: format!(
                "How many of the {CLOSEST} truly closest peers have a record 3 min after its publication, and the network's size"
            ),
            head: owned(&[
                "fleet",
                "publications",
                "sent to",
                "have it",
                "fewest",
                "peers, estimated",
                "true",
                "error",
                "false finds",
            ]),
            rows: self.fleets.iter().map(row).collect(),
            numbers_from: 1,
        }
    }

    fn of_regions(&self) -> PageTable {
        let row = |(name, region): (&String, &RegionTruth)| {
            let mean = |sum: f64| format!("{:.1} ms", sum * 1e3 / region.requests.max(1) as f64);
            vec![name.clone(), region.requests.to_string(), mean(region.measured_s), mean(region.true_s)]
        };
        PageTable {
            caption: "Round trips of requests over connections that stood".to_owned(),
            head: owned(&["region", "requests", "measured", "true"]),
            rows: self.regions.iter().map(row).collect(),
            numbers_from: 1,
        }
    }
}

impl RegionTruth {
    /// Counts the round trips of an operation.
    fn far(&mut self, scene: &Scene, region: &str, operation: &Operation) {
        for request in &operation.requests {
            let stood = request.dial.is_none() && request.fate == RpcFate::Answered;
            let times = request.sent_after.zip(request.ended_after).filter(|_| stood);
            if let Some(((sent, ended), far)) = times.zip(scene.round_trip(region, &request.peer)) {
                self.requests += 1;
                self.measured_s += ended.saturating_sub(sent).as_secs_f64();
                self.true_s += far.as_secs_f64();
            }
        }
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
