//! The JSON of CID Hoarder: one entry for each holder of a key. Source: `cortze/ipfs-cid-hoarder`, its discoverer's `ProviderRecord`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kad::{
    Multiaddr, PeerId,
    date::{parse_rfc3339, rfc3339},
};
use schema::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BadExchange, ForeignKeys, MAX_ADDRESSES, MAX_AGENT_BYTES, MAX_ENTRIES, MAX_HOLDERS, multihash};
use crate::{KnownHolder, Study, StudyKey, StudyKeyBytes, WatchedKey};

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    #[serde(rename = "ProviderRecords")]
    records: Vec<Entry>,
}

/// One holder of one key.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Entry {
    #[serde(rename = "PeerID")]
    peer: String,
    #[serde(rename = "ContentID")]
    content: String,
    creator: String,
    provide_time: String,
    publication_time: String,
    user_agent: String,
    peer_multiaddresses: Option<Vec<String>>,
}

/// What a file says of one key.
struct Gathered {
    provider: PeerId,
    published_at: Timestamp,
    holders: Vec<KnownHolder>,
}

pub(super) fn read(text: &str) -> Result<ForeignKeys, BadExchange> {
    let file: File = serde_json::from_str(text).map_err(|error| BadExchange::Json(error.to_string()))?;
    if file.records.len() > MAX_ENTRIES {
        return Err(BadExchange::TooMany("ten million entries"));
    }
    let (mut order, mut gathered): (Vec<Vec<u8>>, HashMap<Vec<u8>, Gathered>) = Default::default();
    for (entry, record) in (1..).zip(&file.records) {
        let read = Read::of(record).map_err(|wrong| BadExchange::Entry { entry, wrong })?;
        let known = gathered.entry(read.key.clone()).or_insert_with(|| {
            order.push(read.key.clone());
            Gathered { provider: read.provider, published_at: read.published_at, holders: Vec::new() }
        });
        if known.provider != read.provider {
            let wrong = "it names another creator than an entry before it with the same ContentID".to_owned();
            return Err(BadExchange::Entry { entry, wrong });
        }
        if known.holders.len() >= MAX_HOLDERS {
            return Err(BadExchange::TooMany("1,024 holders of one key"));
        }
        if known.holders.iter().all(|holder| holder.peer != read.holder.peer) {
            known.holders.push(read.holder);
        }
        known.published_at = known.published_at.min(read.published_at);
    }
    let known = order.iter().filter_map(|key| {
        let Gathered { provider, published_at, holders } = gathered.remove(key)?;
        Some(WatchedKey {
            key: key.as_slice().into(),
            arm: 0,
            provider,
            published_at,
            holders: holders.into(),
        })
    });
    let known = known.collect();
    Ok(ForeignKeys { keys: order.into_iter().map(StudyKeyBytes).collect(), known })
}

/// An entry that was understood.
struct Read {
    key: Vec<u8>,
    provider: PeerId,
    published_at: Timestamp,
    holder: KnownHolder,
}

impl Read {
    fn of(entry: &Entry) -> Result<Self, String> {
        let named = |what: &str, text: &str| {
            kad::parse::peer_id(text).map_err(|error| format!("{what} {text:?} is no peer id: {error}"))
        };
        let content = entry.content.as_str();
        let key = multihash(content).map_err(|wrong| format!("ContentID {content:?}: {wrong}"))?;
        let published_at = parse_rfc3339(&entry.publication_time).ok_or_else(|| {
            format!(
                "PublicationTime {:?} is no time such as 2026-01-31T12:00:00Z, with its zone",
                entry.publication_time
            )
        })?;
        let addresses = entry.peer_multiaddresses.iter().flatten().take(MAX_ADDRESSES);
        let addresses: Vec<Multiaddr> = addresses
            .map(|text| {
                kad::parse::multiaddr(text).map_err(|error| format!("{text:?} is no multiaddress: {error}"))
            })
            .collect::<Result<_, _>>()?;
        let agent = entry.user_agent.as_str();
        let is_said = !agent.is_empty() && agent.len() <= MAX_AGENT_BYTES;
        Ok(Self {
            key,
            provider: named("Creator", &entry.creator)?,
            published_at: Timestamp(0).after(published_at),
            holder: KnownHolder {
                peer: named("PeerID", &entry.peer)?,
                addresses: addresses.into(),
                agent: is_said.then(|| Arc::from(agent)),
            },
        })
    }
}

/// The keys of a study with their holders, in this form: what one hoarder has published another one can watch.
pub fn exchange_json(study: &Study) -> String {
    let records = study.keys.iter().flat_map(|key| entries(study, key)).collect();
    // Strings and lists of them can always be written.
    serde_json::to_string_pretty(&File { records }).unwrap_or_default()
}

/// An entry for each holder of a key.
fn entries<'a>(study: &'a Study, key: &'a StudyKey) -> impl Iterator<Item = Entry> + 'a {
    let content = multibase::Base::Base58Btc.encode(&key.key);
    let since_epoch = Duration::from_micros(u64::try_from(key.published_at.0).unwrap_or(0));
    let (publication_time, provide_time) = (rfc3339(since_epoch), format!("{}s", key.took.as_secs_f64()));
    key.holders.iter().filter_map(move |holder| {
        Some(Entry {
            peer: study.peer(holder.peer)?.to_base58(),
            content: content.clone(),
            creator: key.provider.to_base58(),
            provide_time: provide_time.clone(),
            publication_time: publication_time.clone(),
            user_agent: holder.agent.as_deref().unwrap_or_default().to_owned(),
            peer_multiaddresses: Some(holder.first_addresses.iter().map(ToString::to_string).collect()),
        })
    })
}
