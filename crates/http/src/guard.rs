//! What stands before every answer: who may ask, how much they may send, and how long it may take.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_body_util::Limited;
use hyper::body::Body as _;
use tokio::time::timeout;

use crate::{access::Access, bounds::HttpBounds};

/// What is asked of each request.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) access: Access,
    pub(crate) body_bytes: usize,
    pub(crate) request_time: Duration,
}

impl Guard {
    pub(crate) fn new(access: Access, bounds: &HttpBounds) -> Self {
        Self { access, body_bytes: bounds.body_bytes, request_time: bounds.request_time }
    }
}

/// Answers a request, or says why not.
pub(crate) async fn guarded(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if let Err(status) = guard.access.check(request.headers()) {
        return refusal(status);
    }
    if request.body().size_hint().lower() > guard.body_bytes as u64 {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let request = request.map(|body| Body::new(Limited::new(body, guard.body_bytes)));
    match timeout(guard.request_time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => refusal(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// Refuses whoever asks for what is not shown to everybody.
pub(crate) async fn refused(_: Request, _: Next) -> Response {
    refusal(StatusCode::FORBIDDEN)
}

fn refusal(status: StatusCode) -> Response {
    let why = match status {
        StatusCode::UNAUTHORIZED => "this takes a token: Authorization: Bearer TOKEN\n",
        StatusCode::FORBIDDEN => "keys and peers are not shown where everybody may ask: this takes a token\n",
        StatusCode::MISDIRECTED_REQUEST => "ask by an address or by localhost: no other name leads here\n",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is too long\n",
        _ => "it took too long\n",
    };
    let mut response = (status, why).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
