//! Asks others over HTTP and HTTPS: connections that are kept within a bound a host, every wait and every body bounded, failures
//! with closed names.
//!
//! Redirects are not followed: whoever asks has named whom it trusts. HTTP 1.1 alone, and TLS 1.3, since no more is built in.
//! What is asked and what an answer means is left to the caller.

mod connect;
mod failure;
mod incoming;
mod pool;
mod request;
mod roots;
mod url;

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};

use self::{
    connect::Connecting,
    pool::{Lent, Pool},
};
pub use self::{
    failure::{HttpFailure, HttpFailureClass},
    incoming::{HttpAnswer, HttpIncoming},
    request::HttpRequest,
    roots::WebRoots,
    url::HttpUrl,
};
use crate::error::HttpError;

/// What a client takes of the machine and of others at most, and whom it trusts.
#[derive(Debug, Clone)]
pub struct HttpClientConfig {
    /// How long making a connection may take, the name and TLS included.
    pub connect_time: Duration,
    /// How long a request may take, from asking to the last byte of the answer; waiting for a connection and making one included.
    pub request_time: Duration,
    /// The longest body that is read of one answer, in bytes.
    pub max_body_bytes: usize,
    /// Connections to one host at once, those that wait for a next request included. Further requests wait for one.
    pub connections_per_host: usize,
    /// Hosts to which connections are kept at once; a request to a further one is refused while all of them are asked.
    pub hosts: usize,
    /// How long a connection without a request is kept: shorter than servers keep it, which often is 60 s or less.
    pub idle_time: Duration,
    /// By whom certificates are to be signed; by default by nobody, and `https` fails.
    pub roots: WebRoots,
    /// What stands in `User-Agent`.
    pub agent: String,
}

impl Default for HttpClientConfig {
    fn default() -> Self {
        Self {
            connect_time: Duration::from_secs(5),
            request_time: Duration::from_secs(10),
            max_body_bytes: 1 << 20,
            connections_per_host: 8,
            hosts: 16,
            idle_time: Duration::from_secs(15),
            roots: WebRoots::default(),
            agent: concat!("kadscope/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Asks others. Cheap to clone; all clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpClient(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: HttpClientConfig,
    connecting: Connecting,
    pool: Pool,
}

impl HttpClient {
    /// One without a connection yet.
    pub fn new(config: HttpClientConfig) -> Result<Self, HttpError> {
        let connecting = Connecting::new(&config.roots).map_err(|why| HttpError::Roots { why })?;
        let pool = Pool::new(&config);
        Ok(Self(Arc::new(Shared { config, connecting, pool })))
    }

    /// Asks, and waits for the whole answer, whatever its status.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpFailure> {
        self.open(request).await?.whole().await
    }

    /// Asks, and waits for the head of the answer alone: its body comes piece by piece, within the same time and bound.
    pub async fn open(&self, request: HttpRequest) -> Result<HttpIncoming, HttpFailure> {
        let config = &self.0.config;
        let deadline = Instant::now() + request.time.unwrap_or(config.request_time);
        match timeout_at(deadline, self.answered(&request, deadline)).await {
            Ok(answered) => answered,
            Err(_) => Err(HttpFailure::timeout("no answer came in time")),
        }
    }

    async fn answered(&self, request: &HttpRequest, deadline: Instant) -> Result<HttpIncoming, HttpFailure> {
        let config = &self.0.config;
        let mut lent = self.lend(request.url()).await?;
        let response = match lent.send(request.encoded(&config.agent)?).await {
            Ok(response) => response,
            // The server hung up while nobody asked: what it cannot have acted on is asked once more.
            Err(lost) if lent.was_kept() && lost.may_be_asked_again(request) => {
                drop(lent);
                lent = self.fresh(request.url()).await?;
                lent.send(request.encoded(&config.agent)?).await.map_err(|lost| lost.failure)?
            }
            Err(lost) => return Err(lost.failure),
        };
        let max_body_bytes = request.max_body_bytes.unwrap_or(config.max_body_bytes);
        Ok(HttpIncoming::new(response, lent, deadline, max_body_bytes))
    }

    /// A connection that was kept, or a new one.
    async fn lend(&self, url: &HttpUrl) -> Result<Lent, HttpFailure> {
        let place = self.0.pool.place(url).await?;
        match place.kept(self.0.config.idle_time).await {
            Ok(lent) => Ok(lent),
            Err(place) => Ok(place.with(self.connected(url).await?)),
        }
    }

    async fn fresh(&self, url: &HttpUrl) -> Result<Lent, HttpFailure> {
        let place = self.0.pool.place(url).await?;
        // What else was kept is as old.
        place.forget();
        Ok(place.with(self.connected(url).await?))
    }

    async fn connected(&self, url: &HttpUrl) -> Result<pool::Sender, HttpFailure> {
        let deadline = Instant::now() + self.0.config.connect_time;
        match timeout_at(deadline, self.0.connecting.connect(url)).await {
            Ok(connected) => connected,
            Err(_) => Err(HttpFailure::timeout("no connection was made in time")),
        }
    }
}
