//! What the store says of the network beside what is true of it. The truth is made from the scenario once more, here,
//! so neither the crawl nor the process that answered it has a part in it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use kad::PeerId;
use schema::{PeerNumber, Timestamp, Visit};
use serde::Serialize;
use store::{Store, StoreUrl};
use testnet::{
    DuringVerdict, Observed, ObservedDuring, ObservedPeer, Scenario, Truth, Verdict, VisitDuring, World,
    event_log, life::Moment, truth::Said,
};

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

/// What a crawl left in its store.
struct Kept {
    /// Who was heard of, by number.
    ids: Vec<(PeerNumber, PeerId)>,
    /// Each peer's last visit, which says what it is.
    last: BTreeMap<PeerNumber, Visit>,
    /// The visits before.
    earlier: Vec<Visit>,
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
    let kept = Kept::read(&Store::open_existing(&StoreUrl::Sqlite(files.store.clone()))?, made)?;
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
    let observed = kept.observed_during(|visit| (moment(visit.started_at), moment(visit.ended_at)));
    let verdict = truth.judge_during(&history, &observed, clock.stretch(SLACK));
    Ok(Judged::During(Box::new(During { verdict, churn: course.seen(from, to) })))
}

impl Kept {
    fn read(store: &Store, made: &Made) -> Result<Self, store::Error> {
        let id = made.crawled.summary.crawl_id;
        let ids = store.peers(id)?.iter().collect();
        let mut kept = Self { ids, last: BTreeMap::new(), earlier: Vec::new() };
        for visit in store.visits(id)? {
            let visit = visit?;
            kept.earlier.extend(kept.last.insert(visit.peer, visit));
        }
        Ok(kept)
    }

    /// What it says of every peer.
    fn observed(&self) -> Observed {
        let of = |(number, id): &(PeerNumber, PeerId)| observed(*id, self.last.get(number));
        Observed { peers: self.ids.iter().map(of).collect() }
    }

    /// What it says of every peer at the time of each visit. Positions are the peers' numbers: what was said of a peer
    /// before comes after.
    fn observed_during(&self, during: impl Fn(&Visit) -> (Moment, Moment)) -> ObservedDuring {
        let of = |id: PeerId, visit: &Visit| VisitDuring {
            peer: observed(id, Some(visit)),
            during: Some(during(visit)),
            dialled: visit.multiaddrs().cloned().collect(),
        };
        let last = self.ids.iter().map(|(number, id)| match self.last.get(number) {
            Some(visit) => of(*id, visit),
            None => VisitDuring { peer: observed(*id, None), during: None, dialled: Vec::new() },
        });
        let id_of = |visit: &Visit| self.ids.iter().find(|(number, _)| *number == visit.peer);
        let earlier = self.earlier.iter().filter_map(|visit| Some(of(id_of(visit)?.1, visit)));
        ObservedDuring { visits: last.chain(earlier).collect() }
    }
}

fn observed(id: PeerId, visit: Option<&Visit>) -> ObservedPeer {
    let Some(visit) = visit else {
        return ObservedPeer::heard_of(id);
    };
    let neighbors = visit.neighbors.as_ref().map(|all| all.iter().map(|peer| peer.0).collect());
    let said = Said {
        agent: visit.agent_version.clone(),
        protocols: visit.protocols.clone(),
        addresses: visit.multiaddrs().cloned().collect(),
    };
    ObservedPeer {
        id,
        reachable: visit.is_reachable(),
        class: visit.fault().map(Into::into),
        neighbors,
        said: Some(Box::new(said)),
    }
}
