//! Looks at providers: over what each can be reached, and whether it has the block. Many side by side, each within bounds.

use std::{sync::Arc, time::Duration};

use kad::{
    Contact, Multiaddr, PeerId,
    bitswap::BlockPresence,
    failure::{Failure, FailureClass, SkipReason},
    gateway::{Gateway, GatewayReply},
    network::{AddressOutcome, Network},
    retrieval::{BlockProtocol, ProviderVerdict, Sightings},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::desk::BlockDesk;
use crate::probe::{Probe, Probing, probe_all_within};

/// How many providers are looked at side by side.
const MAX_AT_ONCE: usize = 16;

/// How many addresses of a provider are dialled.
const MAX_DIALLED: usize = 16;

/// How many gateways of a provider are asked, side by side.
const MAX_GATEWAYS: usize = 4;

/// How long all addresses of a provider together may take.
const PROBED_WITHIN: Duration = Duration::from_secs(45);

/// How providers are looked at. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Retrieval<N> {
    /// Who dials and asks: a peer of ours whose service is `desk`.
    pub network: N,
    /// Hears what providers say by bitswap.
    pub desk: Arc<BlockDesk>,
    /// How they are asked.
    pub probing: Probing,
    /// The CID of the block, by its bytes; `None` where the key is of no content, so that nobody is asked.
    pub cid: Option<Arc<[u8]>>,
}

/// What was seen of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderSight {
    /// Each address of libp2p, and what came of it.
    pub probes: Vec<Probe>,
    /// Each address of HTTP, and what came of it.
    pub gateways: Vec<GatewayReply>,
    /// What it answered by bitswap; `None` if it was not asked. An error is why it did not answer.
    pub bitswap: Option<Result<BlockPresence, Failure>>,
}

impl ProviderSight {
    /// What was seen, for whoever judges.
    pub fn sightings(&self) -> Sightings<'_> {
        let probed = self.probes.iter().map(|probe| &probe.attempt.outcome);
        let asked = self.gateways.iter().map(|gateway| &gateway.outcome);
        let answers = self.gateways.iter().filter_map(|gateway| gateway.answer.as_ref());
        Sightings {
            addresses: probed.chain(asked).collect(),
            answers: self.bitswap.iter().chain(answers).collect(),
        }
    }

    /// The answer that says the most of the block, and by which protocol it came; `None` if nobody was asked.
    pub fn answer(&self) -> Option<(BlockProtocol, &Result<BlockPresence, Failure>)> {
        let gateways = self.gateways.iter().filter_map(|gateway| gateway.answer.as_ref());
        let by = |protocol| move |answer| (protocol, answer);
        let answers = self.bitswap.iter().map(by(BlockProtocol::Bitswap));
        let answers = answers.chain(gateways.map(by(BlockProtocol::Http)));
        let says = |answer: &Result<BlockPresence, Failure>| match answer {
            Ok(BlockPresence::Have | BlockPresence::Block) => 0,
            Ok(BlockPresence::DontHave) => 1,
            Err(failure) if failure.class != FailureClass::ProtocolNotSupported => 2,
            Err(_) => 3,
        };
        answers.min_by_key(|(_, answer)| says(answer))
    }

    /// Whether the content can be retrieved from it, or why not.
    pub fn verdict(&self) -> ProviderVerdict {
        self.sightings().verdict()
    }

    /// Whether it was reached over one of its addresses.
    pub fn is_reachable(&self) -> bool {
        self.sightings().addresses.contains(&&AddressOutcome::Connected)
    }
}

impl<N: Network> Retrieval<N> {
    /// Looks at providers side by side. One entry for each, in their order: `None` for those that `cancel` came before.
    /// `ask_gateway` asks a peer at an address of HTTP for the block, within bounds of its own.
    pub async fn look_at_all<F>(
        &self,
        providers: &[Contact],
        ask_gateway: impl Fn(PeerId, Multiaddr) -> F + Clone + Send + Sync + 'static,
        cancel: &CancellationToken,
    ) -> Vec<Option<ProviderSight>>
    where
        F: Future<Output = GatewayReply> + Send + 'static,
    {
        let mut seen = vec![None; providers.len()];
        let mut waiting = providers.iter().cloned().enumerate();
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < MAX_AT_ONCE
                && let Some((position, provider)) = waiting.next()
            {
                let (this, ask_gateway) = (self.clone(), ask_gateway.clone());
                under_way.spawn(async move { (position, this.look_at(&provider, ask_gateway).await) });
            }
            tokio::select! {
                done = under_way.join_next() => match done {
                    None => return seen,
                    Some(Ok((position, sight))) => seen[position] = Some(sight),
                    Some(Err(_)) => {}
                },
                () = cancel.cancelled() => return seen,
            }
        }
    }

    /// Looks at one provider. It ends by itself.
    async fn look_at<F>(
        &self,
        provider: &Contact,
        ask_gateway: impl Fn(PeerId, Multiaddr) -> F,
    ) -> ProviderSight
    where
        F: Future<Output = GatewayReply> + Send + 'static,
    {
        let is_http = |addr: &Multiaddr| Gateway::of(addr).is_some();
        let (gateways, addrs): (Vec<_>, Vec<_>) = provider.addrs.iter().cloned().partition(is_http);
        let asking = self.ask_gateways(provider.peer, gateways, ask_gateway);
        let (probes, gateways) = tokio::join!(self.probe(provider.peer, addrs), asking);
        let reached = probes.iter().filter(|probe| probe.said.is_some());
        let reached =
            Contact { peer: provider.peer, addrs: reached.map(|probe| probe.address.clone()).collect() };
        let bitswap = match &self.cid {
            Some(cid) if !reached.addrs.is_empty() => {
                Some(self.desk.ask(&self.network, &reached, cid, self.probing.patience).await)
            }
            _ => None,
        };
        ProviderSight { probes, gateways, bitswap }
    }

    /// Dials the first addresses that may be dialled.
    async fn probe(&self, peer: PeerId, addrs: Vec<Multiaddr>) -> Vec<Probe> {
        let mut room = MAX_DIALLED;
        let mut has_room = |addr: &Multiaddr| {
            let is_dialled = self.network.admits(addr).is_ok();
            let has_room = !is_dialled || room > 0;
            room = room.saturating_sub(usize::from(is_dialled));
            has_room
        };
        let (addrs, beyond): (Vec<_>, Vec<_>) = addrs.into_iter().partition(|addr| has_room(addr));
        let contact = Contact { peer, addrs };
        let mut probes = probe_all_within(&self.network, &contact, &self.probing, PROBED_WITHIN).await;
        let over_limit = AddressOutcome::Skipped(SkipReason::OverLimit);
        probes.extend(beyond.into_iter().map(|address| Probe::unheard(address, over_limit.clone())));
        probes
    }

    /// Asks the first gateways, if there is a block to ask for.
    async fn ask_gateways<F>(
        &self,
        peer: PeerId,
        mut addrs: Vec<Multiaddr>,
        ask: impl Fn(PeerId, Multiaddr) -> F,
    ) -> Vec<GatewayReply>
    where
        F: Future<Output = GatewayReply> + Send + 'static,
    {
        let most = if self.cid.is_some() { MAX_GATEWAYS } else { 0 };
        let beyond = addrs.split_off(most.min(addrs.len()));
        let asked: JoinSet<GatewayReply> = addrs.into_iter().map(|addr| ask(peer, addr)).collect();
        let mut replies = asked.join_all().await;
        replies.extend(beyond.into_iter().map(|address| GatewayReply {
            address,
            outcome: AddressOutcome::Skipped(SkipReason::OverLimit),
            took: None,
            answer: None,
        }));
        replies
    }
}
