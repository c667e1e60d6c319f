//! Where events go.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::Write as _,
    path::PathBuf,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HttpClient, HttpClientConfig, HttpRequest, HttpUrl};
use tokio::task::spawn_blocking;

use super::EventDrop;

/// How long a service may take to answer to a batch.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// The longest answer that is read; nothing in it matters.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Where events go: `file:PATH`, to which lines are appended, or a URL to which batches of lines are posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventsPlace {
    /// A file of lines of JSON.
    File(PathBuf),
    /// A service that takes lines of JSON (`application/x-ndjson`).
    Http(HttpUrl),
}

/// What is no place for events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("events go to file:PATH or to a URL of http or https: {0}")]
pub struct BadEventsPlace(String);

impl FromStr for EventsPlace {
    type Err = BadEventsPlace;

    fn from_str(text: &str) -> Result<Self, BadEventsPlace> {
        if let Some(path) = text.strip_prefix("file:") {
            let no_path = || BadEventsPlace("there is no path behind `file:`".to_owned());
            return if path.is_empty() { Err(no_path()) } else { Ok(Self::File(path.into())) };
        }
        text.parse().map(Self::Http).map_err(|error: http::HttpError| BadEventsPlace(error.to_string()))
    }
}

impl fmt::Display for EventsPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Http(url) => write!(f, "{}", url.authority()),
        }
    }
}

/// A place that is open.
#[derive(Debug, Clone)]
pub(super) enum OpenPlace {
    File(Arc<Mutex<File>>),
    Http(HttpClient, HttpUrl),
    /// Nobody ever takes anything.
    #[cfg(test)]
    Stalled,
}

/// Why a batch was not taken, and whether it is worth another try.
pub(super) struct NotTaken {
    pub(super) why: EventDrop,
    pub(super) is_final: bool,
}

impl OpenPlace {
    pub(super) fn open(place: &EventsPlace) -> Result<Self, String> {
        match place {
            EventsPlace::File(path) => {
                let file = OpenOptions::new().append(true).create(true).open(path);
                let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
                Ok(Self::File(Arc::new(Mutex::new(file))))
            }
            EventsPlace::Http(url) => {
                let config = HttpClientConfig {
                    request_time: ANSWER_TIME,
                    max_body_bytes: MAX_ANSWER_BYTES,
                    connections_per_host: 1,
                    hosts: 1,
                    ..HttpClientConfig::default()
                };
                let client = HttpClient::new(config).map_err(|error| error.to_string())?;
                Ok(Self::Http(client, url.clone()))
            }
        }
    }

    /// Takes whole lines there.
    pub(super) async fn take(&self, lines: Vec<u8>) -> Result<(), NotTaken> {
        let lost = NotTaken { why: EventDrop::Unreachable, is_final: false };
        match self {
            Self::File(file) => {
                let file = Arc::clone(file);
                let write = move || file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&lines);
                // Part of a batch may be there: it is not written again.
                let lost = NotTaken { is_final: true, ..lost };
                spawn_blocking(write).await.ok().and_then(Result::ok).ok_or(lost)
            }
            Self::Http(client, url) => {
                let request = HttpRequest::post(url.clone(), lines);
                let Ok(request) = request.header("content-type", "application/x-ndjson") else {
                    return Err(lost);
                };
                let answer = client.send(request).await.map_err(|_| lost)?;
                match answer.status {
                    200..=299 => Ok(()),
                    // It is the service's trouble, or too much at a time.
                    408 | 429 | 500.. => Err(NotTaken { why: EventDrop::Refused, is_final: false }),
                    _ => Err(NotTaken { why: EventDrop::Refused, is_final: true }),
                }
            }
            #[cfg(test)]
            Self::Stalled => std::future::pending().await,
        }
    }
}
