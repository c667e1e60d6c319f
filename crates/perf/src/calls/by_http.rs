//! Servers called by HTTP, as Parsec's scheduler calls them: ours, those of Go, and any that have learnt the same API.
//!
//! Our terms stand behind the `?`, of which Go's servers know nothing. The status of an answer counts, whatever stands in its body, and
//! nothing that a server says can do more than fail its own call.

use std::{sync::Arc, time::Duration};

use http::{
    HttpAnswer, HttpClient, HttpClientConfig, HttpError, HttpFailure, HttpFailureClass, HttpRequest, HttpUrl,
};
use schema::Timestamp;
use store::RegisteredServer;

use super::{CALL_MARGIN, CallFailure, CallFailureClass, CallTerms, Called, ServerCalls};
use crate::{OperationAnswer, ProvideOrder, RetrieveOrder};

/// The longest answer that is read, in bytes: an operation with all of its requests.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// Connections to one server at once: rounds that overlap, each with one call.
const CONNECTIONS_PER_SERVER: usize = 16;

/// Servers to which connections are kept at once.
const MAX_SERVERS: usize = 4096;

/// How much of what a server says instead of an answer is kept, in characters.
const MAX_SAID: usize = 200;

/// What the calls of one scheduler have in common. Cheap to clone; all clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpCalls {
    client: HttpClient,
    scheduler: Arc<str>,
    /// Whether nothing is asked that Go's scheduler would not.
    is_plain: bool,
}

impl HttpCalls {
    /// Those of a scheduler of these fleets, whose names go into a header. With `is_plain`, servers are told no terms of ours.
    pub fn new(fleets: &[String], is_plain: bool) -> Result<Self, HttpError> {
        let scheduler: Arc<str> = fleets.join(",").into();
        // Said now, not by every call: what cannot stand in a header.
        let anywhere: HttpUrl = "http://localhost/".parse()?;
        HttpRequest::get(anywhere).header(SCHEDULER_ID, &scheduler)?;
        let config = HttpClientConfig {
            // Whoever calls bounds each call by itself.
            request_time: Duration::from_secs(3600),
            max_body_bytes: MAX_ANSWER_BYTES,
            connections_per_host: CONNECTIONS_PER_SERVER,
            hosts: MAX_SERVERS,
            ..HttpClientConfig::default()
        };
        Ok(Self { client: HttpClient::new(config)?, scheduler, is_plain })
    }

    async fn ask(&self, url: HttpUrl, body: Vec<u8>, terms: &CallTerms) -> CalledOperation {
        let request = HttpRequest::post(url, body)
            .within(terms.patience().saturating_add(CALL_MARGIN))
            .header("content-type", "application/json")
            .and_then(|request| request.header(SCHEDULER_ID, &self.scheduler));
        let request = request.map_err(|error| unaskable(&error))?;
        let answer = self.client.send(request).await.map_err(|failure| failed(&failure))?;
        if answer.status != 200 {
            let said: String = answer.text().chars().take(MAX_SAID).collect();
            let why = format!("status {}: {}", answer.status, said.trim());
            return Err(CallFailure::new(CallFailureClass::Status, why));
        }
        let at = date(answer.header("date"));
        Ok(Called { said: read(&answer.body)?, at })
    }

    fn url(&self, server: &RegisteredServer, path: &str, terms: &CallTerms) -> Result<HttpUrl, CallFailure> {
        let query = if self.is_plain { String::new() } else { query(terms) };
        url(server, &format!("{path}{query}"))
    }
}

/// The header that says who tells a server: the fleets of the scheduler (Parsec, `client.go`).
const SCHEDULER_ID: &str = "x-scheduler-id";

type CalledOperation = Result<Called<OperationAnswer>, CallFailure>;

impl ServerCalls for HttpCalls {
    async fn ready(&self, server: &RegisteredServer) -> Result<Called<()>, CallFailure> {
        let request = HttpRequest::get(url(server, "/readiness")?);
        let incoming = self.client.open(request).await.map_err(|failure| failed(&failure))?;
        let (status, at) = (incoming.status(), date(incoming.header("date")));
        // Read to its end, its connection is used again; what stands in it says nothing.
        drop(incoming.whole().await.map(|answer: HttpAnswer| answer.body));
        if status == 200 {
            Ok(Called { said: (), at })
        } else {
            Err(CallFailure::new(CallFailureClass::Unready, format!("status {status}")))
        }
    }

    async fn provide(&self, server: &RegisteredServer, content: &[u8], terms: &CallTerms) -> CalledOperation {
        let body = ProvideOrder { content: content.to_vec() }.body();
        self.ask(self.url(server, "/provide", terms)?, body, terms).await
    }

    async fn retrieve(&self, server: &RegisteredServer, cid: &str, terms: &CallTerms) -> CalledOperation {
        let path = format!("/retrieve/{cid}");
        self.ask(self.url(server, &path, terms)?, RetrieveOrder::BODY.to_vec(), terms).await
    }
}

/// Reads an answer.
fn read(body: &[u8]) -> Result<OperationAnswer, CallFailure> {
    let bad = |why: String| CallFailure::new(CallFailureClass::BadAnswer, why);
    // A list would be read as the values of the fields, in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad("it is no JSON object".to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| bad(error.to_string()))
}

/// Where a server is asked. An IPv6 address has its brackets.
fn url(server: &RegisteredServer, path: &str) -> Result<HttpUrl, CallFailure> {
    format!("http://{}{path}", server.entry.http).parse().map_err(|error| unaskable(&error))
}

/// The terms of a call as they stand in a URL.
fn query(terms: &CallTerms) -> String {
    let read_back: Vec<_> = terms.read_back.iter().map(|&after| seconds(after)).collect();
    let said = [
        Some(format!("?id={}&deadline={}", terms.id, seconds(terms.deadline))),
        terms.connections.map(|connections| format!("connections={connections}")),
        terms.persistence.map(|persistence| format!("persistence={persistence}")),
        (!read_back.is_empty()).then(|| format!("readback={}", read_back.join(","))),
        // What comes of it becomes rows of the scheduler's.
        Some("kept=1".to_owned()),
    ];
    said.into_iter().flatten().collect::<Vec<_>>().join("&")
}

fn seconds(duration: Duration) -> String {
    duration.as_secs_f64().to_string()
}

fn unaskable(error: &HttpError) -> CallFailure {
    CallFailure::new(CallFailureClass::Unreachable, error.to_string())
}

fn failed(failure: &HttpFailure) -> CallFailure {
    let class = match failure.class() {
        HttpFailureClass::Timeout => CallFailureClass::TimedOut,
        HttpFailureClass::Malformed | HttpFailureClass::BodyTooLong => CallFailureClass::BadAnswer,
        HttpFailureClass::Status => CallFailureClass::Status,
        HttpFailureClass::Name
        | HttpFailureClass::Connect
        | HttpFailureClass::Tls
        | HttpFailureClass::BrokenOff
        | HttpFailureClass::Busy => CallFailureClass::Unreachable,
    };
    CallFailure::new(class, failure.to_string())
}

/// What a header says of the time, to the second: the middle of it. `Sat, 21 Nov 2026 03:15:00 GMT` (RFC 9110, 5.6.7); `None` for anything else.
fn date(header: Option<&str>) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = header?.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = 1 + MONTHS.iter().position(|name| *name == month)?;
    let is_gmt = words.next() == Some("GMT") && words.next().is_none();
    is_gmt.then(|| Timestamp::parse(&format!("{year}-{month:02}-{day}T{time}.500Z"))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_and_nothing_else() {
        let at = date(Some("Sat, 21 Nov 2026 03:15:00 GMT")).unwrap();
        assert_eq!(at.to_string(), "2026-11-21T03:15:00.500Z");
        for wrong in [
            "",
            "Sat, 21 Nov 2026 03:15:00",
            "Sat, 32 Nov 2026 03:15:00 GMT",
            "a, b c d e GMT",
            "Saturday, 21-Nov-26 03:15:00 GMT",
        ] {
            assert_eq!(date(Some(wrong)), None, "{wrong}");
        }
        assert_eq!(date(None), None);
    }
}
