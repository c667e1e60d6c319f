//! One look at one key: everybody who provides it, and what comes of dialling each.

use std::{collections::BTreeSet, time::Duration};

use dht::{Finder, Found, ProviderSight, Quest, Retrieval};
use kad::{
    Contact, Multiaddr, PeerId,
    gateway::GatewayReply,
    lookup::{LookupKind, RpcFate, Rules, Termination},
    network::{AddressOutcome, Network},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{ContentLook, ProviderLook};

/// The most providers of a key that are dialled in a look; of the others nobody knows.
const MAX_PROVIDERS: usize = 64;

/// How long a lookup of a provider may take of which no record has an address.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(30);

/// Looks at keys. Lookups and dials are of one peer of ours, and share no connection.
#[derive(Debug, Clone)]
pub struct ContentLooker<N> {
    /// Makes the lookups.
    pub finder: Finder<N>,
    /// Dials providers, and asks them for the block where it has the CID of one. It asks by bitswap alone.
    pub retrieval: Retrieval<N>,
    /// The peers that lookups begin with.
    pub from: Vec<Contact>,
}

impl<N: Network> ContentLooker<N> {
    /// Looks at a key. `round` and `after` say which look it is, and when. Ends soon once it is cancelled, with what it has.
    pub async fn look(
        &self,
        key: &[u8],
        (round, after): (u32, Duration),
        cancel: &CancellationToken,
    ) -> ContentLook {
        let found = self.find(LookupKind::Providers, key.to_vec(), cancel).await;
        let dialled = found.providers.iter().take(MAX_PROVIDERS);
        let mut contacts: Vec<Contact> = dialled
            .map(|provider| match provider.addrs() {
                addrs if addrs.is_empty() => found.contact(provider.peer),
                addrs => Contact { peer: provider.peer, addrs },
            })
            .collect();
        for contact in contacts.iter_mut().filter(|contact| contact.addrs.is_empty()) {
            let lookup = self.find(LookupKind::Peer, contact.peer.to_bytes(), cancel);
            if let Ok(found) = timeout(LOOKUP_PATIENCE, lookup).await {
                contact.addrs = found.contact(contact.peer).addrs;
            }
        }
        let sights = self.retrieval.look_at_all(&contacts, no_gateway, cancel).await;
        ContentLook { round, after, ..seen(&found, &sights) }
    }

    async fn find(&self, kind: LookupKind, key: Vec<u8>, cancel: &CancellationToken) -> Found {
        let quest = Quest { kind, key, from: self.from.clone(), rules: Rules::go() };
        self.finder.find(quest, |_| true, |_, _| {}, cancel).await
    }
}

/// Nobody is asked by HTTP.
async fn no_gateway(_: PeerId, address: Multiaddr) -> GatewayReply {
    GatewayReply { address, outcome: AddressOutcome::NotTried, took: None, answer: None }
}

/// What a lookup and the dials of its providers come to.
fn seen(found: &Found, sights: &[Option<ProviderSight>]) -> ContentLook {
    let trace = &found.trace;
    let sights = sights.iter().map(Option::as_ref).chain(std::iter::repeat(None));
    let providers = found.providers.iter().zip(sights).map(|(provider, sight)| ProviderLook {
        provider: provider.peer,
        holders: provider.holders.iter().filter_map(|(holder, _)| trace.peer(holder.number())).collect(),
        with_addresses: provider.holders.iter().map(|(_, with)| u32::from(*with)).sum(),
        verdict: sight.map(|sight| sight.verdict().verdict),
    });
    let closest: BTreeSet<&PeerId> = found.outcome.closest.iter().map(|closest| &closest.peer).collect();
    let silent = trace.rpcs.iter().filter(|rpc| rpc.fate == RpcFate::Answered && rpc.providers.is_empty());
    let without = silent.filter_map(|rpc| trace.peer(rpc.peer)).filter(|peer| closest.contains(peer));
    ContentLook {
        round: 0,
        after: Duration::ZERO,
        is_whole: matches!(found.outcome.termination, Termination::Completed | Termination::Starvation),
        providers: providers.collect(),
        without: without.collect(),
    }
}
