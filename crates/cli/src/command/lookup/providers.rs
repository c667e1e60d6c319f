//! The providers of content, each with where it is and who says so; and, where they are dialled, whether the content can be
//! retrieved.

use std::{sync::Arc, time::Duration};

use dht::{Found, Probing, Provider, ProviderSight, Quest, Retrieval};
use kad::{
    Contact, Multiaddr, PeerId,
    bitswap::BlockPresence,
    gateway::GatewayQuestion,
    lookup::{LookupKind, Rules},
    retrieval::{AddressOrigin, ProviderVerdict, RetrievalVerdict},
};
use net::{Host, NetError, Roots};
use serde::Serialize;
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use super::answer::milliseconds;
use crate::{command::ping::AddressRow, reach::Reach};

/// How many peers are looked up side by side of which no record has an address.
const MAX_LOOKUPS: usize = 4;

/// How long one of these lookups may take.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(30);

/// A provider, and what is known of it.
#[derive(Debug, Serialize)]
pub(crate) struct ProviderRow {
    /// Its id.
    pub(crate) peer: String,
    /// Where it is said to be, and by whom.
    pub(crate) addresses: Vec<KnownAddress>,
    /// How many have a record of it.
    pub(crate) holders: usize,
    /// How many of these gave addresses with it.
    pub(crate) holders_with_addresses: usize,
    /// When it was first heard of, in milliseconds from the start.
    pub(crate) heard_ms: f64,
    /// What came of dialling it; only where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dialled: Option<DialledRow>,
}

/// An address of a provider.
#[derive(Debug, Serialize)]
pub(crate) struct KnownAddress {
    /// The address.
    pub(crate) address: String,
    /// From where it is known: `record`, `answer` or `peer_lookup`.
    pub(crate) origin: &'static str,
    /// The ids of the peers whose records it came with.
    pub(crate) given_by: Vec<String>,
}

/// What came of dialling a provider.
#[derive(Debug, Serialize)]
pub(crate) struct DialledRow {
    /// Whether the content can be retrieved from it, or why not.
    pub(crate) verdict: &'static str,
    /// What went wrong, where the verdict does not say it all: a class or the reason why it was not dialled.
    pub(crate) error: Option<&'static str>,
    /// Whether it can be reached over one of its addresses.
    pub(crate) reachable: bool,
    /// Its agent string; `None` if it gave none.
    pub(crate) agent: Option<String>,
    /// Each address.
    pub(crate) addresses: Vec<AddressRow>,
    /// Whether it has the block of the CID: `yes`, `no` or `unknown`.
    pub(crate) has_block: &'static str,
    /// What shows that: `have`, `dont_have` or `block` as bitswap says it, or the class of what went wrong; `None` where it was
    /// not asked.
    pub(crate) evidence: Option<&'static str>,
    /// By what it was asked: `bitswap` or `http`.
    pub(crate) asked_by: Option<&'static str>,
}

/// Whether content can be retrieved, from all that was seen of its providers.
#[derive(Debug, Serialize)]
pub(crate) struct RetrievalRow {
    /// The verdict on the provider of which the most can be said.
    pub(crate) verdict: &'static str,
    /// What went wrong there, where the verdict does not say it all.
    pub(crate) error: Option<&'static str>,
    /// From how many it can be retrieved.
    pub(crate) retrievable_from: usize,
    /// How many there are.
    pub(crate) providers: usize,
    /// How many of them were not looked at, because the command was stopped.
    pub(crate) not_looked_at: usize,
}

/// Dials providers.
#[derive(Debug)]
pub(crate) struct Dialler {
    retrieval: Retrieval<Host>,
    question: Arc<GatewayQuestion>,
}

impl Dialler {
    /// For the block of a CID; without one nobody is asked. Certificates of the web are verified by `roots`.
    pub(crate) async fn new(reach: &Reach, cid: Option<Vec<u8>>, roots: Roots) -> Result<Self, NetError> {
        let terms = reach.finder.terms();
        let probing = Probing {
            protocols: terms.protocols.clone(),
            patience: terms.patience,
            limits: dht::TalkLimits::default(),
        };
        let asker = reach.block_asker(roots).await?;
        let question =
            GatewayQuestion { cid: cid.clone().unwrap_or_default(), agent: reach.agent().to_owned() };
        let (network, desk) = (asker.host, asker.desk);
        let retrieval = Retrieval { network, desk, probing, cid: cid.map(Arc::from) };
        Ok(Self { retrieval, question: Arc::new(question) })
    }

    /// Looks at providers; `None` of those who were not looked at before it was stopped.
    async fn look_at(&self, providers: &[Contact], stop: &CancellationToken) -> Vec<Option<ProviderSight>> {
        let (host, question) = (self.retrieval.network.clone(), Arc::clone(&self.question));
        let ask_gateway = move |peer: PeerId, address: Multiaddr| {
            let (host, question) = (host.clone(), Arc::clone(&question));
            async move { host.ask_gateway(peer, address, &question).await }
        };
        self.retrieval.look_at_all(providers, ask_gateway, stop).await
    }
}

/// The rows of the providers that a lookup found.
pub(super) async fn providers(
    (reach, stop): (&Reach, &CancellationToken),
    found: &Found,
    dialler: Option<&Dialler>,
) -> Vec<ProviderRow> {
    let mut rows: Vec<ProviderRow> = found.providers.iter().map(|provider| row(found, provider)).collect();
    let Some(dialler) = dialler else { return rows };
    let mut contacts: Vec<Contact> = found.providers.iter().map(|provider| known(found, provider)).collect();
    for (position, addrs) in look_up(reach, &contacts, stop).await {
        rows[position].addresses = addresses(&addrs, AddressOrigin::PeerLookup);
        contacts[position].addrs = addrs;
    }
    let sights = dialler.look_at(&contacts, stop).await;
    for (row, sight) in rows.iter_mut().zip(sights) {
        row.dialled = sight.as_ref().map(DialledRow::of);
    }
    rows
}

/// Where a provider is, by its records or, where these have no address, by whoever named it in the same lookup.
fn known(found: &Found, provider: &Provider) -> Contact {
    match provider.addrs() {
        addrs if addrs.is_empty() => found.contact(provider.peer),
        addrs => Contact { peer: provider.peer, addrs },
    }
}

/// Looks the peers up of which no address is known: as far as there are any, with their positions.
async fn look_up(
    reach: &Reach,
    contacts: &[Contact],
    stop: &CancellationToken,
) -> Vec<(usize, Vec<Multiaddr>)> {
    let mut found = Vec::new();
    let mut under_way = JoinSet::new();
    let lost = contacts.iter().enumerate().filter(|(_, contact)| contact.addrs.is_empty());
    for (position, contact) in lost {
        if under_way.len() >= MAX_LOOKUPS {
            found.extend(under_way.join_next().await.and_then(Result::ok));
        }
        let (finder, peer, stop) = (reach.finder.clone(), contact.peer, stop.clone());
        let (key, from) = (peer.to_bytes(), reach.bootstrap.clone());
        let quest = Quest { kind: LookupKind::Peer, key, from, rules: Rules::go() };
        under_way.spawn(async move {
            let finding = finder.find(quest, |_| false, |_, _| {}, &stop);
            let addrs = timeout(LOOKUP_PATIENCE, finding).await.map(|found| found.contact(peer).addrs);
            (position, addrs.unwrap_or_default())
        });
    }
    while let Some(done) = under_way.join_next().await {
        found.extend(done.ok());
    }
    found.retain(|(_, addrs)| !addrs.is_empty());
    found
}

fn row(found: &Found, provider: &Provider) -> ProviderRow {
    let given = provider.given.iter().map(|given| KnownAddress {
        address: given.addr.to_string(),
        origin: AddressOrigin::Record.name(),
        given_by: given.by.iter().filter_map(|by| Some(found.trace.peer(by.number())?.to_string())).collect(),
    });
    let given: Vec<KnownAddress> = given.collect();
    let otherwise = || addresses(&found.contact(provider.peer).addrs, AddressOrigin::Answer);
    ProviderRow {
        peer: provider.peer.to_string(),
        addresses: if given.is_empty() { otherwise() } else { given },
        holders: provider.holders.len(),
        holders_with_addresses: provider.holders.iter().filter(|(_, with)| *with).count(),
        heard_ms: milliseconds(provider.heard_at),
        dialled: None,
    }
}

fn addresses(addrs: &[Multiaddr], origin: AddressOrigin) -> Vec<KnownAddress> {
    let known = |addr: &Multiaddr| KnownAddress {
        address: addr.to_string(),
        origin: origin.name(),
        given_by: Vec::new(),
    };
    addrs.iter().map(known).collect()
}

impl DialledRow {
    fn of(sight: &ProviderSight) -> Self {
        let ProviderVerdict { verdict, error } = sight.verdict();
        let said = |probe: &dht::Probe| probe.said.as_ref()?.introduced.said.as_ref()?.agent_version.clone();
        let (asked_by, answer) = sight.answer().unzip();
        let probed = sight.probes.iter().map(AddressRow::of);
        Self {
            verdict: verdict.name(),
            error,
            reachable: sight.is_reachable(),
            agent: sight.probes.iter().find_map(said),
            addresses: probed.chain(sight.gateways.iter().map(AddressRow::of_gateway)).collect(),
            has_block: sight.sightings().has_block().name(),
            evidence: answer.map(|answer| match answer {
                Ok(presence) => BlockPresence::name(*presence),
                Err(failure) => failure.class.name(),
            }),
            asked_by: asked_by.map(kad::retrieval::BlockProtocol::name),
        }
    }
}

impl RetrievalRow {
    /// What the rows of all providers come to.
    pub(super) fn of(rows: &[ProviderRow]) -> Self {
        let looked_at = || rows.iter().filter_map(|row| row.dialled.as_ref());
        // The names are those of verdicts.
        let verdict = |row: &&DialledRow| RetrievalVerdict::from_name(row.verdict);
        let best = looked_at().max_by_key(verdict);
        let is_retrievable = |row: &&DialledRow| verdict(row) == Some(RetrievalVerdict::Retrievable);
        let none = if rows.is_empty() { RetrievalVerdict::NoRecord } else { RetrievalVerdict::NotDialled };
        Self {
            verdict: best.map_or(none.name(), |row| row.verdict),
            error: best.and_then(|row| row.error),
            retrievable_from: looked_at().filter(is_retrievable).count(),
            providers: rows.len(),
            not_looked_at: rows.len() - looked_at().count(),
        }
    }
}
