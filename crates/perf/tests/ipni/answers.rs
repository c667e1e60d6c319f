//! Answers who has what: of a multihash, of a CID, and as delegated routing does, at once or a record a line.

use std::{sync::Arc, time::Duration};

use futures_util::stream;
use http::axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use kadscope_perf::indexer::{BITSWAP_METADATA, BlockCid};
use multibase::Base;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Shared, index::Result as Found, status};

pub(super) fn routes(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/multihash/{hash}", get(by_multihash))
        .route("/cid/{cid}", get(by_cid))
        .route("/routing/v1/providers/{cid}", get(routed))
        .layer(middleware::from_fn_with_state(Arc::clone(shared), fronted))
        .route("/sync/status/ad/{cid}", get(ad_status))
        .with_state(Arc::clone(shared))
}

/// What stands in front of an indexer: it keeps that there is nobody, and refuses who asks too much.
async fn fronted(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (whims, path) = (shared.now(), request.uri().path().to_owned());
    if let Some((number, retry_after)) = whims.found {
        let mut refused = (status(number), "not now\n").into_response();
        if let Some(seconds) = retry_after {
            refused.headers_mut().insert("retry-after", seconds.into());
        }
        return refused;
    }
    let known = shared.index().known_negative(&path, whims.negative_time);
    if let Some(since) = known {
        let head = [("x-cache", "Error from cloudfront".to_owned()), ("age", since.as_secs().to_string())];
        return (StatusCode::NOT_FOUND, head, "no results for query\n").into_response();
    }
    let mut response = next.run(request).await;
    if response.status() == StatusCode::NOT_FOUND && !whims.negative_time.is_zero() {
        shared.index().note_negative(&path);
    }
    response.headers_mut().insert("x-cache", "Miss from cloudfront".parse().unwrap());
    response
}

/// A multihash in base 58 or hexadecimal.
async fn by_multihash(
    State(shared): State<Arc<Shared>>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Response {
    let bytes = Base::Base58Btc.decode(&hash).or_else(|_| Base::Base16Lower.decode(&hash));
    let Ok(bytes) = bytes else { return StatusCode::BAD_REQUEST.into_response() };
    found(&shared, &bytes, &headers)
}

async fn by_cid(State(shared): State<Arc<Shared>>, Path(cid): Path<String>, headers: HeaderMap) -> Response {
    match multihash(&cid) {
        Some(hash) => found(&shared, &hash, &headers),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// The multihash of a CID of either version; codecs of one byte alone.
fn multihash(cid: &str) -> Option<Vec<u8>> {
    if cid.starts_with("Qm") {
        return Base::Base58Btc.decode(cid).ok();
    }
    let (_, bytes) = multibase::decode(cid).ok()?;
    (bytes.first() == Some(&1)).then(|| bytes[2..].to_vec())
}

fn wants_lines(headers: &HeaderMap) -> bool {
    headers.get("accept").and_then(|value| value.to_str().ok()).is_some_and(|said| said.contains("x-ndjson"))
}

fn found(shared: &Shared, hash: &[u8], headers: &HeaderMap) -> Response {
    let results = shared.index().find(hash);
    if results.is_empty() {
        return (StatusCode::NOT_FOUND, "no results for query\n").into_response();
    }
    let base64 = |bytes: &[u8]| Base::Base64Pad.encode(bytes);
    let result = |found: &Found| {
        json!({
            "ContextID": base64(&found.context_id),
            "Metadata": base64(&found.metadata),
            "Provider": {"ID": found.provider, "Addrs": found.addresses},
        })
    };
    let results: Vec<_> = results.iter().map(result).collect();
    if wants_lines(headers) {
        return written(shared, "application/x-ndjson", lines(&results));
    }
    let all = json!({"MultihashResults": [{"Multihash": base64(hash), "ProviderResults": results}]});
    written(shared, "application/json", all.to_string())
}

async fn routed(
    State(shared): State<Arc<Shared>>,
    Path(cid): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(hash) = multihash(&cid) else { return StatusCode::BAD_REQUEST.into_response() };
    let filter = query.unwrap_or_default();
    let wanted: Vec<_> = filter
        .split('&')
        .filter_map(|pair| pair.strip_prefix("filter-protocols="))
        .flat_map(|values| values.split(','))
        .collect();
    let record = |found: &Found| {
        let is_bitswap = found.metadata == BITSWAP_METADATA;
        let protocols = if is_bitswap { vec!["transport-bitswap"] } else { Vec::new() };
        let name = protocols.first().copied().unwrap_or("unknown");
        (wanted.is_empty() || wanted.contains(&name)).then(|| {
            json!({"Schema": "peer", "ID": found.provider, "Addrs": found.addresses, "Protocols": protocols})
        })
    };
    let records: Vec<_> = shared.index().find(&hash).iter().filter_map(record).collect();
    match (records.is_empty(), wants_lines(&headers)) {
        (true, _) => (StatusCode::NOT_FOUND, "no results for query\n").into_response(),
        (false, true) => written(&shared, "application/x-ndjson", lines(&records)),
        (false, false) => written(&shared, "application/json", json!({"Providers": records}).to_string()),
    }
}

fn lines(values: &[Value]) -> String {
    values.iter().flat_map(|value| [value.to_string(), "\n".to_owned()]).collect()
}

/// An answer whose body comes when the whims say so.
fn written(shared: &Shared, content_type: &str, text: String) -> Response {
    let delay = shared.now().body_delay;
    let late = async move {
        sleep(delay.max(Duration::from_millis(1))).await;
        Ok::<_, std::io::Error>(Bytes::from(text))
    };
    ([("content-type", content_type)], Body::from_stream(stream::once(late))).into_response()
}

async fn ad_status(State(shared): State<Arc<Shared>>, Path(cid): Path<String>) -> Response {
    let Ok(ad) = cid.parse::<BlockCid>() else { return StatusCode::BAD_REQUEST.into_response() };
    let is_indexed = shared.index().processed.contains(&ad);
    json!({"Ad": cid, "Indexed": is_indexed}).to_string().into_response()
}
