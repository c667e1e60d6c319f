//! What the store says of the network beside what is true of it. The truth is made from the scenario once more, here,
//! so neither the crawl nor the process that answered it has a part in it.

use std::{collections::BTreeMap, sync::Arc};

use kad::{PeerId, network::AddressOutcome};
use schema::{PeerNumber, Visit};
use store::{Store, StoreUrl};
use testnet::{Observed, ObservedPeer, Scenario, Truth, Verdict, World, truth::Said};

use crate::{command::testnet::Announcement, crawling::Made};

/// Reads the crawl back from its store, and compares.
pub(crate) fn judge(store: &StoreUrl, made: &Made, network: &Announcement) -> anyhow::Result<Verdict> {
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
    Ok(truth.judge(&Observed { peers }))
}

fn observed(id: PeerId, visit: Option<&Visit>) -> ObservedPeer {
    let Some(visit) = visit else {
        return ObservedPeer::heard_of(id);
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
    let said = Said {
        agent: visit.agent_version.clone(),
        protocols: visit.protocols.clone(),
        addresses: visit.addresses.iter().map(|visited| visited.address.clone()).collect(),
    };
    ObservedPeer {
        id,
        reachable: visit.is_reachable(),
        class: class.map(Into::into),
        neighbors,
        said: Some(Box::new(said)),
    }
}
