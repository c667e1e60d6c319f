//! One request and its answer, with the times at which its parts came.

use std::time::Duration;

use http::{HttpClient, HttpIncoming, HttpRequest};
use kad::delegated::{
    ACCEPTED_FORMS, LINES_ALONE, RoutingAnswer, RoutingAnswerForm, RoutingAnswerReader, providers_path,
    providers_path_v0,
};
use tokio::time::Instant;

use crate::{
    failure::{RoutingFailure, RoutingFailureClass},
    marks::CacheMarks,
    service::RoutingServiceConfig,
};

/// The longest answer that is read, in bytes: some thousands of providers with their addresses.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// An answer, and when its parts came: times since it was asked for, a connection made for it included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingReply {
    /// Who was named.
    pub answer: RoutingAnswer,
    /// The status: 200, or 404 of who has nobody.
    pub status: u16,
    /// What it is written in; `None` of a 404, which says nothing more.
    pub form: Option<RoutingAnswerForm>,
    /// When the head came.
    pub head: Duration,
    /// When the first record came that names a peer; `None` if none did. Of an object all come with its end.
    pub first_record: Option<Duration>,
    /// When the last record came, whatever it is.
    pub last_record: Option<Duration>,
    /// When the answer had ended.
    pub took: Duration,
    /// Why it did not come to its end; `None` if it is whole. What came before is in the answer.
    pub broken_off: Option<RoutingFailureClass>,
    /// What caches say.
    pub marks: CacheMarks,
    /// Which records were asked for, as it stood in the URL; `None` if nothing was said.
    pub filters: Option<String>,
}

/// Where a key is asked for.
pub(crate) fn path(config: &RoutingServiceConfig, key: &[u8]) -> Option<String> {
    let path = if config.by_v0 { providers_path_v0(key) } else { providers_path(key) }?;
    Some(match config.filters.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    })
}

/// Asks below the service.
pub(crate) async fn asked(
    client: &HttpClient,
    config: &RoutingServiceConfig,
    path: &str,
    time: Duration,
) -> Result<RoutingReply, RoutingFailure> {
    let url = config.base.below(path).map_err(|_| RoutingFailureClass::Key)?;
    let forms = if config.lines_alone { LINES_ALONE } else { ACCEPTED_FORMS };
    let request =
        HttpRequest::get(url).header("accept", forms).map_err(|_| RoutingFailureClass::Malformed)?;
    let request = request.within(time).at_most(MAX_ANSWER_BYTES);
    let began = Instant::now();
    let incoming = client.open(request).await.map_err(|failure| RoutingFailureClass::from(&failure))?;
    let reply = RoutingReply {
        answer: RoutingAnswer::default(),
        status: incoming.status(),
        form: None,
        head: began.elapsed(),
        first_record: None,
        last_record: None,
        took: began.elapsed(),
        broken_off: None,
        marks: CacheMarks::of(&incoming),
        filters: config.filters.query(),
    };
    match incoming.status() {
        200 => read(incoming, config, reply, began).await,
        404 => {
            drain(incoming).await;
            Ok(RoutingReply { took: began.elapsed(), ..reply })
        }
        status => {
            let failure = RoutingFailure::of_status(status, incoming.header("retry-after"));
            drain(incoming).await;
            Err(failure)
        }
    }
}

/// Reads what says nothing to its end, so that the connection is kept.
async fn drain(mut incoming: HttpIncoming) {
    while let Ok(Some(_)) = incoming.piece().await {}
}

/// Reads the records as they come.
async fn read(
    mut incoming: HttpIncoming,
    config: &RoutingServiceConfig,
    mut reply: RoutingReply,
    began: Instant,
) -> Result<RoutingReply, RoutingFailure> {
    let form = incoming.header("content-type").and_then(RoutingAnswerForm::of_type);
    let form = form.ok_or(RoutingFailureClass::Malformed)?;
    let mut reader = RoutingAnswerReader::new(form, config.addresses).filtered(config.filters.clone());
    reply.form = Some(form);
    let mut seen = 0;
    let (answer, broken_off) = loop {
        match incoming.piece().await {
            Ok(Some(piece)) => reader.push(&piece).map_err(RoutingFailureClass::from)?,
            Ok(None) => break (reader.finish().map_err(RoutingFailureClass::from)?, None),
            Err(failure) => break (reader.broken_off(), Some(RoutingFailureClass::from(&failure))),
        }
        reply.note(reader.so_far(), &mut seen, began);
    };
    reply.note(&answer, &mut seen, began);
    Ok(RoutingReply { answer, broken_off, took: began.elapsed(), ..reply })
}

impl RoutingReply {
    /// Notes when records came, of which `seen` were there before.
    fn note(&mut self, answer: &RoutingAnswer, seen: &mut u64, began: Instant) {
        let now = began.elapsed();
        if answer.tally.records > *seen {
            *seen = answer.tally.records;
            self.last_record = Some(now);
        }
        if answer.tally.peers > 0 && self.first_record.is_none() {
            self.first_record = Some(now);
        }
    }
}
