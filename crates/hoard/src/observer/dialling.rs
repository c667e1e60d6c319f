//! Dials those who provide a key, and asks them whether they have its content.
//!
//! It is done by a peer of ours that does nothing else: no lookup shares its connections, and it alone hears what providers say of blocks.

use std::sync::Arc;

use dht::{BlockDesk, Found, Probing, ProviderSight, Retrieval, TalkLimits};
use kad::{
    Contact, Keypair, Multiaddr, PeerId,
    fabric::{Fabric, Inward, Member, Says, Terms},
    gateway::GatewayReply,
    network::AddressOutcome,
    retrieval::AddressOrigin,
};
use schema::HoardLookup;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Observer, ObserverConfig};
use crate::{ProviderDial, RoundLookup};

/// What a CID of version 1 begins with whose content is a raw block. Servers find blocks by the multihash behind it.
const CID_V1_RAW: [u8; 2] = [0x01, 0x55];

/// How those who provide a key are dialled in a round.
#[derive(Debug, Clone)]
pub struct ProviderDialTerms {
    /// Who dials.
    pub keypair: Keypair,
    /// How many of a key are dialled in a round at the most; of the others nobody knows whether they can be.
    pub most: usize,
    /// Whether those that are reached are asked for the block.
    pub asks_for_blocks: bool,
}

/// The peer that dials.
#[derive(Debug)]
pub(super) struct Dialling<M> {
    retrieval: Retrieval<M>,
    most: usize,
    asks_for_blocks: bool,
}

impl<M: Member> Dialling<M> {
    /// Has it join; it says what the observer says.
    pub(super) async fn join<F: Fabric<Member = M>>(
        fabric: &F,
        config: &ObserverConfig,
    ) -> Result<Option<Self>, F::Error> {
        let Some(ProviderDialTerms { keypair, most, asks_for_blocks }) = config.providers.clone() else {
            return Ok(None);
        };
        let desk = Arc::new(BlockDesk::default());
        let profile = &config.node.profile;
        let says = Says { agent: profile.agent.clone(), ..Says::default() };
        let terms = Terms { keypair, says, listen: Vec::new(), inward: Inward::Served };
        let network = fabric.join(terms, Arc::clone(&desk)).await?;
        let probing = Probing {
            protocols: Arc::clone(&profile.protocols),
            patience: config.sights.answer,
            limits: TalkLimits::default(),
        };
        let retrieval = Retrieval { network, desk, probing, cid: None };
        Ok(Some(Self { retrieval, most, asks_for_blocks }))
    }

    /// Dials providers of a key side by side. In their order; `None` of those that were given up.
    async fn dial(
        &self,
        key: &[u8],
        contacts: &[Contact],
        over: &CancellationToken,
    ) -> Vec<Option<ProviderSight>> {
        let cid = self.asks_for_blocks.then(|| Arc::from([&CID_V1_RAW[..], key].concat()));
        let retrieval = Retrieval { cid, ..self.retrieval.clone() };
        retrieval.look_at_all(contacts, no_gateway, over).await
    }
}

/// Nobody is asked by HTTP.
async fn no_gateway(_: PeerId, address: Multiaddr) -> GatewayReply {
    GatewayReply { address, outcome: AddressOutcome::NotTried, took: None, answer: None }
}

impl<M: Member> Observer<M> {
    /// Dials those whom a round's lookups named as providers, if that is wanted. Of those that were given up nothing is said.
    pub(super) async fn dial_providers(
        &self,
        (key, since): (&[u8], schema::Timestamp),
        lookups: &[RoundLookup],
        over: &CancellationToken,
    ) -> Vec<ProviderDial> {
        let Some(dialling) = &self.0.dialling else { return Vec::new() };
        let lookups = lookups.iter().filter(|lookup| lookup.lookup != HoardLookup::Closest);
        let Some(lookup) = lookups.max_by_key(|lookup| lookup.found.providers.len()) else {
            return Vec::new();
        };
        let located = self.located(&lookup.found, dialling.most, over).await;
        let after = self.config().clock.at(Instant::now()).since(since);
        let _under_way = self.config().in_flight.request();
        let contacts: Vec<Contact> = located.iter().map(|(contact, _)| contact.clone()).collect();
        if !self.has_turns(contacts.len(), over).await {
            return Vec::new();
        }
        let sights = dialling.dial(key, &contacts, over).await;
        let dials = located.into_iter().zip(sights).filter_map(|((contact, origin), sight)| {
            let found = sight?.verdict();
            Some(ProviderDial {
                provider: contact.peer,
                after,
                origin,
                addresses: contact.addrs,
                verdict: found.verdict,
                error: found.error,
            })
        });
        dials.collect()
    }

    /// Waits for as many turns as requests are to be made, where they are bounded. `false` if it was given up.
    async fn has_turns(&self, requests: usize, over: &CancellationToken) -> bool {
        let Some(pace) = &self.config().node.pace else { return true };
        for _ in 0..requests {
            if over.run_until_cancelled(pace.turn()).await.is_none() {
                return false;
            }
        }
        true
    }

    /// Where the first providers of a lookup are, and from where that is known: of those of whom no record has an address whoever named them
    /// on the way is believed, and the others are looked for.
    async fn located(
        &self,
        found: &Found,
        most: usize,
        over: &CancellationToken,
    ) -> Vec<(Contact, Option<AddressOrigin>)> {
        let mut located = Vec::new();
        for provider in found.providers.iter().take(most) {
            let peer = provider.peer;
            let places = [
                (provider.addrs(), AddressOrigin::Record),
                (found.contact(peer).addrs, AddressOrigin::Answer),
            ];
            let known = places.into_iter().find(|(addrs, _)| !addrs.is_empty());
            let known = match known {
                None if !over.is_cancelled() => self.sought(peer, over).await,
                known => known,
            };
            let (addrs, origin) =
                known.map_or_else(Default::default, |(addrs, origin)| (addrs, Some(origin)));
            located.push((Contact { peer, addrs }, origin));
        }
        located
    }

    async fn sought(
        &self,
        peer: PeerId,
        over: &CancellationToken,
    ) -> Option<(Vec<Multiaddr>, AddressOrigin)> {
        let said = self.seek(peer, over).await?;
        (!said.addresses.is_empty()).then_some((said.addresses, AddressOrigin::PeerLookup))
    }
}
