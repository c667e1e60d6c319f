//! An answer: its head, and its body piece by piece or whole.

use axum::http::{HeaderMap, Response, header::CONTENT_LENGTH};
use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use tokio::time::{Instant, timeout_at};

use super::{
    failure::{HttpFailure, HttpFailureClass},
    pool::Lent,
};

/// An answer whose head is there and whose body comes. Dropped before its end, its connection is closed.
#[derive(Debug)]
pub struct HttpIncoming {
    status: u16,
    headers: HeaderMap,
    body: Incoming,
    /// `None` once the body has ended.
    lent: Option<Lent>,
    deadline: Instant,
    /// How many bytes of the body may still come.
    left_bytes: usize,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// The status, 200 for instance.
    pub status: u16,
    headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl HttpIncoming {
    pub(super) fn new(
        response: Response<Incoming>,
        lent: Lent,
        deadline: Instant,
        max_body_bytes: usize,
    ) -> Self {
        let (head, body) = response.into_parts();
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            lent: Some(lent),
            deadline,
            left_bytes: max_body_bytes,
        }
    }

    /// The status, 200 for instance.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first value of a header; `None` if there is none, or it is no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next piece of the body; `None` at its end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, HttpFailure> {
        loop {
            let Ok(frame) = timeout_at(self.deadline, self.body.frame()).await else {
                return Err(HttpFailure::timeout("the answer did not end in time"));
            };
            let Some(frame) = frame else {
                if let Some(lent) = self.lent.take() {
                    lent.give_back();
                }
                return Ok(None);
            };
            let frame = frame.map_err(|error| HttpFailure::of_exchange(&error))?;
            // What is no data is a trailer, which nobody here reads.
            let Ok(piece) = frame.into_data() else { continue };
            self.left_bytes = self.left_bytes.checked_sub(piece.len()).ok_or_else(too_long)?;
            return Ok(Some(piece));
        }
    }

    /// Waits for the rest.
    pub async fn whole(mut self) -> Result<HttpAnswer, HttpFailure> {
        let said = self.header(CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<u64>().ok());
        if said.is_some_and(|said| said > self.left_bytes as u64) {
            return Err(too_long());
        }
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            body.extend_from_slice(&piece);
        }
        Ok(HttpAnswer { status: self.status, headers: self.headers, body: body.into() })
    }
}

impl HttpAnswer {
    /// The first value of a header; `None` if there is none, or it is no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The answer, if its status says that all went well: 200 to 299.
    pub fn well(self) -> Result<Self, HttpFailure> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(HttpFailure::of_status(self.status)) }
    }

    /// The body, as far as it is text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl HttpFailure {
    /// An answer of a status that is not what was asked for.
    pub fn of_status(status: u16) -> Self {
        Self::new(HttpFailureClass::Status, format!("it answered with status {status}"))
    }
}

fn too_long() -> HttpFailure {
    HttpFailure::new(HttpFailureClass::BodyTooLong, "the answer is longer than what is read")
}
