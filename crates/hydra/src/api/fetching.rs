//! Looks up who provides something, for whoever asks, and keeps what was found.

use std::{collections::BTreeMap, time::Duration};

use http::axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::Response,
};
use kad::{
    Contact, Multiaddr, PeerId,
    answer::entry,
    fabric::Member,
    lookup::Enough,
    message::{ConnectionType, entry_addrs},
    written::WrittenKey,
};
use store::NewProvider;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{HydraApi, Refusal, lines::AddrInfo, parameter};
use crate::HydraView;

/// The most providers that are looked up at once. Who wants all of them asks for 0.
const MAX_PROVIDERS: usize = 1000;

/// How many are looked up if nothing is said (hydra-booster).
const DEFAULT_PROVIDERS: usize = 1;

/// How long a lookup goes on for somebody who waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long what was found is kept: it may be gone sooner than a record that its provider announced, and whoever keeps it must not
/// keep it alive.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// `/records/fetch/{CID}?nProviders=N`: 400 for what is no CID or no number, 404 if nobody provides it.
pub(super) async fn fetch<M: Member>(
    State(api): State<HydraApi<M>>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let view = api.view()?;
    let key = provided(&key)?;
    let count = count(parameter(query.as_deref(), "nProviders"))?;
    let gone = |_| Refusal(StatusCode::SERVICE_UNAVAILABLE, "");
    let _place = api.0.fetches.acquire().await.map_err(gone)?;
    let providers = providers(&view, &key, count).await;
    if providers.is_empty() {
        return Err(Refusal(StatusCode::NOT_FOUND, ""));
    }
    Ok(http::lines(|mut writer| async move {
        for (id, addrs) in providers {
            if writer.line(&AddrInfo { id, addrs }).await.is_err() {
                return;
            }
        }
        writer.end().await;
    }))
}

/// The key of a CID.
fn provided(text: &str) -> Result<Vec<u8>, Refusal> {
    let wrong = Refusal(StatusCode::BAD_REQUEST, "");
    match text.parse() {
        Ok(key @ WrittenKey::Multihash { .. }) => key.provided().map_err(|_| wrong),
        _ => Err(wrong),
    }
}

/// How many are wanted.
fn count(said: Option<&str>) -> Result<usize, Refusal> {
    let Some(said) = said else { return Ok(DEFAULT_PROVIDERS) };
    match said.parse() {
        Ok(0) => Ok(MAX_PROVIDERS),
        Ok(count @ 1..=MAX_PROVIDERS) => Ok(count),
        _ => Err(Refusal(StatusCode::BAD_REQUEST, "")),
    }
}

/// Who provides a key, up to so many: those that the belly has, and if these are too few, those that the network names.
async fn providers<M: Member>(
    view: &HydraView<M>,
    key: &[u8],
    count: usize,
) -> BTreeMap<PeerId, Vec<Multiaddr>> {
    let mut providers = kept(view, key, count).await;
    let missing = count.saturating_sub(providers.len());
    if missing > 0 {
        let found = looked_up(view, key, count).await;
        keep(view, key, &found);
        for contact in found {
            let addrs = contact.addrs;
            if providers.len() < count || providers.contains_key(&contact.peer) {
                let known = providers.entry(contact.peer).or_default();
                let news: Vec<Multiaddr> = addrs.into_iter().filter(|addr| !known.contains(addr)).collect();
                known.extend(news);
            }
        }
    }
    providers
}

/// Those that the belly has. One that does not answer has none.
async fn kept<M: Member>(view: &HydraView<M>, key: &[u8], count: usize) -> BTreeMap<PeerId, Vec<Multiaddr>> {
    let now = view.time();
    let Ok(held) = view.belly().providers(key, 0, now).wait().await else { return BTreeMap::new() };
    let known = held.known(now).take(count).filter_map(|known| {
        let addrs = entry_addrs(known.entry).filter_map(|addr| Multiaddr::try_from(addr.to_vec()).ok());
        Some((PeerId::from_bytes(known.id).ok()?, addrs.collect()))
    });
    known.collect()
}

/// Those that the network names within the time for it.
async fn looked_up<M: Member>(view: &HydraView<M>, key: &[u8], count: usize) -> Vec<Contact> {
    let enough = if count == MAX_PROVIDERS { Enough::All } else { Enough::Count(count) };
    let over = CancellationToken::new();
    let looking = view.find_providers(key.to_vec(), enough, &over);
    let expiring = async {
        sleep(PATIENCE).await;
        over.cancel();
        std::future::pending().await
    };
    let found = tokio::select! {
        found = looking => found,
        never = expiring => never,
    };
    found.iter().map(|provider| Contact { peer: provider.peer, addrs: provider.addrs() }).collect()
}

/// Keeps what was found, for a while.
fn keep<M: Member>(view: &HydraView<M>, key: &[u8], found: &[Contact]) {
    let entries: Vec<(Vec<u8>, Vec<u8>)> = found
        .iter()
        .map(|contact| {
            let id = contact.peer.to_bytes();
            let entry = entry(&id, contact.addrs.iter().map(AsRef::as_ref), ConnectionType::NotConnected);
            (id, entry)
        })
        .collect();
    let providers: Vec<_> = entries.iter().filter_map(|(id, entry)| NewProvider::new(id, entry)).collect();
    view.belly().add_fetched(key, &providers, LIFETIME, view.time());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hostile_is_refused() {
        for wrong in
            ["-1", "+-1", "100000000", "1000000000", "99999999999999999999999", "1.5", "one", "0x10", "1001"]
        {
            assert_eq!(count(Some(wrong)), Err(Refusal(StatusCode::BAD_REQUEST, "")), "{wrong}");
        }
        assert_eq!((count(None), count(Some("0")), count(Some("7"))), (Ok(1), Ok(MAX_PROVIDERS), Ok(7)));
        let long = "Q".repeat(100_000);
        for wrong in
            ["", "x", "bad", "-1", "../heads", "12345678901234567890123456789012345678901234567890", &long]
        {
            assert_eq!(provided(wrong), Err(Refusal(StatusCode::BAD_REQUEST, "")), "{wrong}");
        }
        let cid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
        assert_eq!(provided(cid).unwrap().get(..2), Some(&[0x12, 0x20][..]));
    }
}
