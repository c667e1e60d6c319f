//! What a lookup came to, as it is printed: for people from this, for programs as this.

use std::{collections::BTreeMap, time::Duration};

use dht::{Found, Identified, identify};
use kad::{
    Multiaddr, PeerId,
    lookup::{LookupKind, PeerState},
    network::Network,
    retrieval::RetrievalVerdict,
    values::{CheckedValue, IpnsRecord},
    written::WrittenKey,
};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::providers::{Dialler, ProviderRow, RetrievalRow, providers};
use crate::{args::TypedKey, reach::Reach};

/// What a lookup came to.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    /// What was looked for.
    pub(crate) kind: &'static str,
    /// The key, as it was typed.
    pub(crate) key: String,
    /// What was found of what was looked for.
    pub(crate) found: Vec<FoundRow>,
    /// Whether the content can be retrieved, and if not, why; only where providers were dialled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retrieval: Option<RetrievalRow>,
    /// The peers closest to the key, the closest first.
    pub(crate) closest: Vec<Closest>,
    /// Why the search ended.
    pub(crate) termination: &'static str,
    /// How many answers led to the closest peers; `None` if nobody answered.
    pub(crate) hops: Option<u8>,
    /// What became of the requests.
    pub(crate) rpcs: Rpcs,
    /// Those that failed, by class.
    pub(crate) errors: BTreeMap<&'static str, usize>,
    /// When the first of what was looked for was found, in milliseconds from the start.
    pub(crate) first_ms: Option<f64>,
    /// When the last was.
    pub(crate) last_ms: Option<f64>,
    /// How long the lookup took.
    pub(crate) duration_s: f64,
    /// What went over the connections.
    pub(crate) bytes: crawl::ByteCounts,
}

/// One thing that was found.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum FoundRow {
    /// A peer that is one of the closest, or that was looked for.
    Peer {
        /// Its id.
        peer: String,
        /// Where it is.
        addresses: Vec<String>,
    },
    /// A provider.
    Provider(ProviderRow),
    /// A value.
    Value(ValueRow),
}

/// A value that holds.
#[derive(Debug, Serialize)]
pub(crate) struct ValueRow {
    /// The path that an IPNS record leads to, or the public key in hexadecimal.
    pub(crate) value: String,
    /// How many peers have it.
    pub(crate) holders: usize,
    /// The number of the version, of an IPNS record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sequence: Option<u64>,
    /// Until when it holds, in seconds since 1970, of an IPNS record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid_until: Option<u64>,
    /// Whether no other value beats it.
    pub(crate) best: bool,
}

/// One of the closest peers.
#[derive(Debug, Serialize)]
pub(crate) struct Closest {
    /// Its id.
    pub(crate) peer: String,
    /// Where it is.
    pub(crate) addresses: Vec<String>,
    /// Its agent string; `None` if it did not say.
    pub(crate) agent: Option<String>,
    /// Whether it answered.
    pub(crate) answered: bool,
}

/// What became of the requests.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Rpcs {
    /// Sent: the sum of the next four.
    pub(crate) sent: usize,
    /// Answered.
    pub(crate) answered: usize,
    /// Without an answer to come.
    pub(crate) unconfirmed: usize,
    /// Given up by us.
    pub(crate) cancelled: usize,
    /// Failed after they were sent.
    pub(crate) failed: usize,
    /// Never sent: nobody could be connected to.
    pub(crate) unsent: usize,
}

impl Answer {
    /// What a lookup found. Asks those of the closest peers who answered who they are, and has providers dialled where that is
    /// wanted.
    pub(crate) async fn of(
        (reach, stop): (&Reach, &CancellationToken),
        key: &TypedKey,
        found: Found,
        dialler: Option<&Dialler>,
    ) -> Self {
        let kind = found.outcome.kind;
        let pool = reach.finder.pool();
        let bytes = crawl::ByteCounts::from(pool.traffic()).with_lost(pool.network().totals().lost);
        let counts = found.trace.counts();
        let closest = closest(reach, &found).await;
        let times = times(&found);
        let mut retrieval = None;
        let rows = match kind {
            LookupKind::Closest => {
                closest.iter().map(|closest| peer_row(&closest.peer, &closest.addresses)).collect()
            }
            LookupKind::Peer => the_peer(&key.key, &found),
            LookupKind::Providers => {
                let rows = providers((reach, stop), &found, dialler).await;
                retrieval = dialler.map(|_| RetrievalRow::of(&rows));
                rows.into_iter().map(FoundRow::Provider).collect()
            }
            LookupKind::Value => values(&key.key, &found),
        };
        Self {
            kind: kind.name(),
            key: key.text.clone(),
            found: rows,
            retrieval,
            closest,
            termination: found.outcome.termination.name(),
            hops: found.outcome.hops,
            rpcs: Rpcs {
                sent: counts.sent,
                answered: counts.answered,
                unconfirmed: counts.unconfirmed,
                cancelled: counts.cancelled,
                failed: counts.failed,
                unsent: counts.unsent,
            },
            errors: counts.classes.iter().map(|(class, &count)| (class.name(), count)).collect(),
            first_ms: times.0,
            last_ms: times.1,
            duration_s: round(found.took.as_secs_f64(), 1e6),
            bytes,
        }
    }

    /// Whether anything was found of what was looked for; where providers were dialled, whether the content can be retrieved.
    pub(crate) fn is_found(&self) -> bool {
        match &self.retrieval {
            Some(retrieval) => retrieval.verdict == RetrievalVerdict::Retrievable.name(),
            None => !self.found.is_empty(),
        }
    }
}

fn round(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    round(duration.as_secs_f64() * 1e3, 1e3)
}

pub(super) fn texts(addrs: &[Multiaddr]) -> Vec<String> {
    addrs.iter().map(Multiaddr::to_string).collect()
}

fn peer_row(peer: &str, addresses: &[String]) -> FoundRow {
    FoundRow::Peer { peer: peer.to_owned(), addresses: addresses.to_vec() }
}

/// When the first and the last of what was looked for were found.
fn times(found: &Found) -> (Option<f64>, Option<f64>) {
    let times: Vec<Duration> = match found.outcome.kind {
        LookupKind::Closest | LookupKind::Peer => {
            let closest = found.outcome.closest.iter();
            let ids: Vec<PeerId> = closest.map(|closest| closest.peer).collect();
            let is_one =
                |rpc: &&kad::lookup::Rpc| found.trace.peer(rpc.peer).is_some_and(|peer| ids.contains(&peer));
            found.trace.rpcs.iter().filter(is_one).filter_map(|rpc| rpc.ended).collect()
        }
        LookupKind::Providers => found.providers.iter().map(|provider| provider.heard_at).collect(),
        LookupKind::Value => found.values.iter().map(|value| value.at).collect(),
    };
    let ms = |time: Option<&Duration>| time.copied().map(milliseconds);
    (ms(times.iter().min()), ms(times.iter().max()))
}

/// The closest peers, with what they say of themselves.
async fn closest(reach: &Reach, found: &Found) -> Vec<Closest> {
    let mut asked = JoinSet::new();
    for (position, closest) in found.outcome.closest.iter().enumerate() {
        if closest.state == PeerState::Queried {
            let (pool, to) = (reach.finder.pool().clone(), found.contact(closest.peer));
            let ask = identify(reach.finder.terms().patience);
            asked.spawn(async move {
                let exchange = pool.request(&to, ask, &CancellationToken::new(), || {}).await;
                (position, Identified::of(exchange.outcome, to.peer).said)
            });
        }
    }
    let mut agents = vec![None; found.outcome.closest.len()];
    while let Some(done) = asked.join_next().await {
        if let Ok((position, Some(said))) = done {
            agents[position] = said.agent_version;
        }
    }
    let row = |(closest, agent): (&kad::lookup::ClosestPeer, Option<String>)| Closest {
        peer: closest.peer.to_string(),
        addresses: texts(&found.contact(closest.peer).addrs),
        agent,
        answered: closest.state == PeerState::Queried,
    };
    found.outcome.closest.iter().zip(agents).map(row).collect()
}

/// The peer that was looked for, if somebody is there who proves to be it, or somebody says where it is.
fn the_peer(key: &WrittenKey, found: &Found) -> Vec<FoundRow> {
    let Ok(peer) = key.peer() else { return Vec::new() };
    let addresses = texts(&found.contact(peer).addrs);
    let is_found = found.outcome.is_connected || !addresses.is_empty();
    is_found.then(|| peer_row(&peer.to_string(), &addresses)).into_iter().collect()
}

/// Each distinct value once, the best first.
fn values(key: &WrittenKey, found: &Found) -> Vec<FoundRow> {
    let preimage = key.bytes();
    let mut distinct: Vec<(&[u8], usize)> = Vec::new();
    for value in &found.values {
        match distinct.iter_mut().find(|(known, _)| *known == value.value) {
            Some((_, holders)) => *holders += 1,
            None => distinct.push((&value.value, 1)),
        }
    }
    let checked: Vec<(CheckedValue<'_>, usize)> = distinct
        .into_iter()
        .filter_map(|(value, holders)| Some((CheckedValue::of(&preimage, value).ok()?, holders)))
        .collect();
    let best = checked
        .iter()
        .map(|(value, _)| value)
        .reduce(|best, next| if next.beats(best) { next } else { best });
    let best = best.map(|best| best.value);
    let row = |(value, holders): &(CheckedValue<'_>, usize)| ValueRow {
        value: shown(key, value.value),
        holders: *holders,
        sequence: value.version.and_then(|version| version.sequence),
        valid_until: value.version.map(|version| version.valid_until.as_secs()),
        best: Some(value.value) == best,
    };
    let mut rows: Vec<ValueRow> = checked.iter().map(row).collect();
    rows.sort_by_key(|value| !value.best);
    rows.into_iter().map(FoundRow::Value).collect()
}

fn shown(key: &WrittenKey, value: &[u8]) -> String {
    let record = matches!(key, WrittenKey::Name(_)).then(|| IpnsRecord::decode(value));
    match record {
        Some(Ok(record)) => String::from_utf8_lossy(record.value()).into_owned(),
        _ => hex(value),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        text.extend(
            [byte >> 4, byte & 15].into_iter().filter_map(|nibble| char::from_digit(nibble.into(), 16)),
        );
        text
    })
}
