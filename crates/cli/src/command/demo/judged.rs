//! What the store says of the network beside what is true of it. The truth is made from the scenario once more, here,
//! so neither the crawl nor the process that answered it has a part in it.

use std::{collections::BTreeMap, sync::Arc};

use kad::{PeerId, network::AddressOutcome};
use schema::{PeerNumber, Visit};
use serde::Serialize;
use store::{Store, StoreUrl};
use testnet::{Observed, ObservedPeer, Scenario, Truth, Verdict, World};

use crate::{command::testnet::Announcement, crawling::Made};

/// How right the crawl was.
#[derive(Debug, Serialize)]
pub(crate) struct Judged {
    /// Over all peers and edges.
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
    /// By what peers do, the most frequent first.
    pub(crate) states: Vec<StateCount>,
}

/// Peers in one state.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StateCount {
    /// The state, with the stage at which its fault strikes.
    pub(crate) state: String,
    /// Peers in it that a crawl can hear of.
    pub(crate) peers: u64,
    /// How many of these were heard of.
    pub(crate) found: u64,
    /// And of which the right thing was said: reachable or not, and by the right class.
    pub(crate) right: u64,
    /// Whether such peers are reachable; where it depends on the peer, of the first one.
    pub(crate) reachable: bool,
    /// The classes of which one is right; empty if nothing goes wrong.
    pub(crate) classes: &'static [&'static str],
}

impl Judged {
    /// Reads the crawl back from its store, and compares.
    pub(crate) fn of(store: &StoreUrl, made: &Made, network: &Announcement) -> anyhow::Result<Self> {
        let store = Store::open_existing(store)?;
        let id = made.crawled.summary.crawl_id;
        let ids = store.peers(id)?;
        // The last visit of a peer says what it is.
        let mut visits: BTreeMap<PeerNumber, Visit> = BTreeMap::new();
        for visit in store.visits(id)? {
            let visit = visit?;
            visits.insert(visit.peer, visit);
        }
        let peers = ids.iter().map(|(number, id)| observed(id, visits.get(&number))).collect();
        let scenario =
            Scenario::named_or_load(&network.scenario)?.with_peers(network.peers).with_seed(network.seed);
        let truth = Truth::of(Arc::new(World::generate_at(&scenario, network.ports())));
        let observed = Observed { peers };
        Ok(Self { verdict: truth.judge(&observed), states: by_state(&truth, &observed) })
    }
}

fn observed(id: PeerId, visit: Option<&Visit>) -> ObservedPeer {
    let Some(visit) = visit else {
        return ObservedPeer { id, reachable: false, class: None, neighbors: None };
    };
    let skipped = || {
        visit.addresses.iter().find_map(|address| match address.outcome {
            AddressOutcome::Skipped(reason) => Some(reason.name()),
            _ => None,
        })
    };
    let class = match (visit.connect_error.as_ref().or(visit.crawl_error.as_ref()), visit.is_reachable()) {
        (Some(failure), _) => Some(failure.class.name()),
        (None, false) => skipped(),
        (None, true) => None,
    };
    let neighbors = visit.neighbors.as_ref().map(|all| all.iter().map(|peer| peer.0).collect());
    ObservedPeer { id, reachable: visit.is_reachable(), class: class.map(Into::into), neighbors }
}

fn by_state(truth: &Truth, observed: &Observed) -> Vec<StateCount> {
    let world = truth.world();
    let mut counts: BTreeMap<String, StateCount> = BTreeMap::new();
    for peer in world.peers().filter(|&peer| truth.is_discoverable(peer)) {
        let expected = truth.expected(peer);
        let state = world.state(peer).to_string();
        let count = counts.entry(state.clone()).or_insert(StateCount {
            state,
            peers: 0,
            found: 0,
            right: 0,
            reachable: expected.reachable,
            classes: expected.classes,
        });
        count.peers += 1;
    }
    for seen in &observed.peers {
        let Some(peer) = world.find(&seen.id) else { continue };
        let Some(count) = counts.get_mut(&world.state(peer).to_string()) else { continue };
        let expected = truth.expected(peer);
        let fits = match &seen.class {
            None => expected.classes.is_empty(),
            Some(class) => expected.classes.contains(&class.as_ref()),
        };
        count.found += 1;
        count.right += u64::from(fits && expected.reachable == seen.reachable);
    }
    let mut counts: Vec<StateCount> = counts.into_values().collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.peers));
    counts
}
