//! Answers as Go's `net/http` writes them: a text has its type, what is refused is not to be sniffed, and what is empty says so.

use http::axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use schema::{OperationKind, OperationOutcome};

use super::cid::Cid;
use crate::{Operation, OperationAnswer, StepMeasurement};

/// What Go takes text for that has no type of its own (`http.DetectContentType`), and what it says of errors.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// What an operation came to, with all that is known of it.
pub(super) fn answer(cid: &Cid, operation: Operation, table_size: usize) -> OperationAnswer {
    OperationAnswer {
        cid: cid.to_string(),
        measurements: measurements(&operation),
        routing_table_size: usize::try_from(operation.table_size).unwrap_or(table_size),
        operation: Some(Box::new(operation)),
    }
}

/// An answer as it is sent.
pub(super) fn written(answer: &OperationAnswer) -> Response {
    match serde_json::to_vec(answer) {
        Ok(json) => text(StatusCode::OK, json),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// The steps of an operation; one where it has no parts.
fn measurements(operation: &Operation) -> Vec<StepMeasurement> {
    let of = |step: &str, took: std::time::Duration, error: Option<&str>| StepMeasurement {
        step: step.to_owned(),
        duration_ns: u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
        error: error.unwrap_or_default().to_owned(),
    };
    if !operation.steps.is_empty() {
        let steps = operation.steps.iter();
        return steps.map(|step| of(&step.step, step.took, step.error.as_deref())).collect();
    }
    let step = if operation.kind == OperationKind::Provide { "provide" } else { "" };
    vec![of(step, operation.took, error(operation).as_deref())]
}

/// What went wrong, in Parsec's words where it has any; `None` if nothing did.
fn error(operation: &Operation) -> Option<String> {
    let words = match operation.outcome {
        OperationOutcome::Done => return None,
        OperationOutcome::NotFound => "not found",
        OperationOutcome::TimedOut => "context deadline exceeded",
        OperationOutcome::Cancelled => "context canceled",
        other => operation.failure.as_deref().unwrap_or(other.name()),
    };
    Some(words.to_owned())
}

/// A refusal, with what is said to people behind it (Go, `http.Error`).
pub(super) fn refusal(status: StatusCode, why: &str) -> Response {
    let mut response = text(status, format!("{why}\n").into_bytes());
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Nothing but a status. A body would cost Parsec's scheduler a connection each time.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn text(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, TEXT);
    response
}
