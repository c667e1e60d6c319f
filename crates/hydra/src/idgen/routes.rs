//! The routes of a server: the old wire, and leases of indices.

use std::sync::Arc;

use http::axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;

use super::{IdgenServer, LeaseOrder, ReleaseOrder, key_of_wire, key_on_wire, server::Refusal};

/// Where they are: the first two as they always were.
const PATHS: [&str; 4] = ["/idgen/add", "/idgen/remove", "/idgen/lease", "/idgen/release"];

/// Answers whoever the listener lets in. It is for listeners alone that ask for a token: private keys are handed out.
pub fn idgen_routes(server: Arc<IdgenServer>) -> Router {
    let [add, remove, lease, release] = PATHS;
    Router::new()
        .route(add, post(hand_out))
        .route(remove, post(give_back))
        .route(lease, post(let_indices))
        .route(release, post(end_lease))
        .with_state(server)
}

/// The same routes where there is no token: they say what is missing.
pub fn idgen_refused() -> Router {
    let refuse = async || (StatusCode::FORBIDDEN, "ids are handed out where a token is asked for\n");
    PATHS.iter().fold(Router::new(), |router, path| router.route(path, post(refuse)))
}

async fn hand_out(State(server): State<Arc<IdgenServer>>) -> Response {
    match on_disk(move || server.hand_out()).await {
        Ok(keypair) => match key_on_wire(&keypair) {
            Some(text) => json(text),
            None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
        Err(refused) => refused,
    }
}

async fn give_back(State(server): State<Arc<IdgenServer>>, body: Bytes) -> Response {
    let Some(keypair) = key_of_wire(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let peer = keypair.public().to_peer_id();
    done(on_disk(move || server.give_back(&peer)).await)
}

async fn let_indices(State(server): State<Arc<IdgenServer>>, body: Bytes) -> Response {
    let order: LeaseOrder = match read(&body) {
        Ok(order) => order,
        Err(wrong) => return wrong,
    };
    match on_disk(move || server.lease(&order)).await {
        Ok(answer) => match serde_json::to_string(&answer) {
            Ok(text) => json(text + "\n"),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
        Err(refused) => refused,
    }
}

async fn end_lease(State(server): State<Arc<IdgenServer>>, body: Bytes) -> Response {
    let order: ReleaseOrder = match read(&body) {
        Ok(order) => order,
        Err(wrong) => return wrong,
    };
    done(on_disk(move || server.release(&order.holder)).await)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Response> {
    serde_json::from_slice(body)
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response())
}

fn json(text: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

fn done(done: Result<(), Response>) -> Response {
    done.map_or_else(|refused| refused, |()| StatusCode::NO_CONTENT.into_response())
}

/// What waits for the disk, beside those who answer others.
async fn on_disk<T: Send + 'static>(
    change: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Response> {
    let refusal = match spawn_blocking(change).await {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(refusal)) => refusal,
        Err(_) => return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
    };
    let status = match refusal {
        Refusal::NoSeed => StatusCode::CONFLICT,
        Refusal::Allotment(super::AllotmentError::Name | super::AllotmentError::Nothing) => {
            StatusCode::BAD_REQUEST
        }
        Refusal::Allotment(_) | Refusal::State(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(error = %refusal, "no id could be handed out or taken back");
        return Err(status.into_response());
    }
    Err((status, format!("{refusal}\n")).into_response())
}
