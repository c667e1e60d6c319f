//! Takes announcements, and fetches what they announce: the head, the chain back to what is known, and its chunks, all verified.

use std::sync::Arc;

use http::{
    HttpRequest, HttpUrl,
    axum::{
        Router,
        body::Bytes,
        extract::State,
        http::{HeaderMap, StatusCode},
        routing::put,
    },
};
use kad::{Multiaddr, PeerId};
use kadscope_perf::indexer::{Advertisement, Announcement, BlockCid, EntryChunk, SignedHead};
use multiaddr::Protocol;
use tokio::time::sleep;

use super::{Shared, Whims, status};

/// Advertisements and chunks that are walked at most.
const MAX_DEPTH: usize = 10_000;

pub(super) fn routes(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/announce", put(announced))
        .route("/ingest/announce", put(announced))
        .with_state(Arc::clone(shared))
}

async fn announced(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let whims = shared.now();
    if let Some(number) = whims.announced {
        return status(number);
    }
    let is_json = headers.get("content-type").is_some_and(|value| value == "application/json");
    let read = if is_json { Announcement::decode_json(&body) } else { Announcement::decode(&body) };
    let Ok(announcement) = read else { return StatusCode::BAD_REQUEST };
    let Some((base, publisher)) = announcement.addrs.first().and_then(place) else {
        return StatusCode::BAD_REQUEST;
    };
    if !whims.is_idle {
        let ingesting = Arc::clone(&shared);
        shared.ingesting.lock().unwrap().spawn(async move {
            let _turn = ingesting.turn.lock().await;
            if let Err(complaint) = ingest(&ingesting, &base, publisher).await {
                ingesting.index().complaints.push(complaint);
            }
            ingesting.done.send_modify(|count| *count += 1);
        });
    }
    StatusCode::NO_CONTENT
}

/// Where a publisher is asked, and who it is.
fn place(addr: &Multiaddr) -> Option<(HttpUrl, PeerId)> {
    let parts: Vec<_> = addr.iter().collect();
    let [Protocol::Ip4(ip), Protocol::Tcp(port), Protocol::Http, Protocol::P2p(peer)] = parts.as_slice()
    else {
        return None;
    };
    Some((format!("http://{ip}:{port}").parse().ok()?, *peer))
}

/// Fetches a block, below the path that the indexer knows.
async fn fetched(shared: &Shared, base: &HttpUrl, name: &str) -> Result<Bytes, String> {
    let paths = if shared.now().is_old { ["", "ipni/v1/ad/"] } else { ["ipni/v1/ad/", ""] };
    let mut answered = 0;
    for path in paths {
        let url = base.below(&format!("{path}{name}")).map_err(|error| error.to_string())?;
        let request = HttpRequest::get(url).at_most(kadscope_perf::indexer::MAX_BLOCK_BYTES);
        let answer = shared.client.send(request).await.map_err(|failure| failure.to_string())?;
        answered = answer.status;
        match answer.status {
            200 => return Ok(answer.body),
            403 | 404 => {}
            _ => break,
        }
    }
    Err(format!("{name}: status {answered}"))
}

async fn ingest(shared: &Arc<Shared>, base: &HttpUrl, publisher: PeerId) -> Result<(), String> {
    let head = fetched(shared, base, "head").await?;
    let head = SignedHead::decode(&head).map_err(|bad| format!("head: {bad}"))?;
    if head.signer() != Ok(publisher) {
        return Err("head: it is signed by somebody else".to_owned());
    }
    let mut chain = Vec::new();
    let mut at = Some(head.head);
    while let Some(cid) = at.take().filter(|cid| !shared.index().processed.contains(cid)) {
        if chain.len() >= MAX_DEPTH {
            return Err("the chain is too long".to_owned());
        }
        sleep(shared.now().ad_delay).await;
        let ad = verified(&cid, &fetched(shared, base, &cid.to_string()).await?)?;
        at.clone_from(&ad.previous);
        chain.push((cid, ad));
    }
    // The oldest first: what is taken back later is not fetched at all.
    for place in (0..chain.len()).rev() {
        let (cid, ad) = &chain[place];
        let is_gone =
            chain[..place].iter().any(|(_, later)| later.is_removal && later.context_id == ad.context_id);
        let whims = shared.now();
        let hashes = if is_gone { Ok(Vec::new()) } else { entries(shared, base, ad, &whims).await };
        sleep(whims.index_delay).await;
        let mut index = shared.index();
        match hashes {
            Ok(hashes) => index.take(ad, hashes),
            Err(complaint) => index.complaints.push(complaint),
        }
        index.processed.insert(cid.clone());
        drop(index);
        shared.done.send_modify(|count| *count += 1);
    }
    Ok(())
}

/// An advertisement, if its bytes are those of its CID and its provider has signed it.
fn verified(cid: &BlockCid, bytes: &[u8]) -> Result<Advertisement, String> {
    if !cid.is_of(bytes) {
        return Err(format!("{cid}: the bytes are others"));
    }
    let ad = Advertisement::decode(bytes).map_err(|bad| format!("{cid}: {bad}"))?;
    match ad.signer() {
        Ok(signer) if signer.to_string() == ad.provider => Ok(ad),
        Ok(_) => Err(format!("{cid}: it is signed by somebody else")),
        Err(bad) => Err(format!("{cid}: {bad}")),
    }
}

/// All multihashes of an advertisement.
async fn entries(
    shared: &Shared,
    base: &HttpUrl,
    ad: &Advertisement,
    whims: &Whims,
) -> Result<Vec<Vec<u8>>, String> {
    let (mut at, mut hashes, mut chunks) = (Some(ad.entries.clone()), Vec::new(), 0);
    while let Some(cid) = at.filter(|cid| *cid != BlockCid::no_entries() && !whims.skips_entries) {
        chunks += 1;
        if chunks > MAX_DEPTH {
            return Err("there are too many chunks".to_owned());
        }
        sleep(whims.entries_delay).await;
        let bytes = fetched(shared, base, &cid.to_string()).await?;
        if !cid.is_of(&bytes) {
            return Err(format!("{cid}: the bytes are others"));
        }
        let chunk = EntryChunk::decode(&bytes).map_err(|bad| format!("{cid}: {bad}"))?;
        hashes.extend(chunk.entries);
        at = chunk.next;
    }
    Ok(hashes)
}
