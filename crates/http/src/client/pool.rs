//! The connections that are kept, within a bound a host.
//!
//! Whoever asks holds a place at the host while it does. A new connection is made only where none is kept, so there are never more
//! connections than places.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::{Request, Response};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http1::SendRequest,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{
    HttpClientConfig,
    failure::{HttpFailure, HttpFailureClass},
    request::HttpRequest,
    url::HttpUrl,
};

/// Sends requests on one connection.
pub(super) type Sender = SendRequest<Full<Bytes>>;

/// Whom connections lead to: whether encrypted, the host and the port.
type Origin = (bool, String, u16);

/// All connections that are kept.
pub(super) struct Pool {
    connections_per_host: usize,
    max_hosts: usize,
    hosts: Mutex<HashMap<Origin, Arc<KeptHost>>>,
}

/// What is kept to one host.
struct KeptHost {
    places: Arc<Semaphore>,
    /// The latest last.
    idle: Mutex<Vec<(Sender, Instant)>>,
}

/// A place at a host, without a connection.
pub(super) struct Place {
    host: Arc<KeptHost>,
    permit: OwnedSemaphorePermit,
}

/// A connection that somebody asks on. Dropped, it is closed.
pub(super) struct Lent {
    sender: Sender,
    was_kept: bool,
    place: Place,
}

/// A request without an answer.
pub(super) struct Lost {
    pub(super) failure: HttpFailure,
    /// Nothing of the request was sent.
    is_unsent: bool,
}

impl Lost {
    /// Whether the connection ended, and the request on a new one does no harm.
    pub(super) fn may_be_asked_again(&self, request: &HttpRequest) -> bool {
        let has_ended = self.failure.class() == HttpFailureClass::BrokenOff;
        has_ended && (self.is_unsent || request.is_idempotent())
    }
}

impl Pool {
    pub(super) fn new(config: &HttpClientConfig) -> Self {
        Self {
            connections_per_host: config.connections_per_host.max(1),
            max_hosts: config.hosts.max(1),
            hosts: Mutex::default(),
        }
    }

    /// Waits for a place at a host.
    pub(super) async fn place(&self, url: &HttpUrl) -> Result<Place, HttpFailure> {
        let host = self.host((url.is_https(), url.host().to_owned(), url.port()));
        let busy = || HttpFailure::new(HttpFailureClass::Busy, "too many hosts are asked at once");
        let host = host.ok_or_else(busy)?;
        let permit = Arc::clone(&host.places).acquire_owned().await;
        Ok(Place { permit: permit.map_err(|_| busy())?, host })
    }

    fn host(&self, origin: Origin) -> Option<Arc<KeptHost>> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(&origin) {
            return Some(Arc::clone(host));
        }
        if hosts.len() >= self.max_hosts {
            // Held by the map alone: nobody asks there.
            hosts.retain(|_, host| Arc::strong_count(host) > 1);
        }
        if hosts.len() >= self.max_hosts {
            return None;
        }
        let places = Arc::new(Semaphore::new(self.connections_per_host));
        let host = Arc::new(KeptHost { places, idle: Mutex::default() });
        drop(hosts.insert(origin, Arc::clone(&host)));
        Some(host)
    }
}

impl KeptHost {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Sender, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// With the connection that was used last, if it still stands; gives the place back if there is none.
    pub(super) async fn kept(self, idle_time: Duration) -> Result<Lent, Self> {
        loop {
            let Some((mut sender, since)) = self.host.idle().pop() else { return Err(self) };
            if since.elapsed() > idle_time {
                // The others are older.
                self.forget();
            } else if sender.ready().await.is_ok() {
                return Ok(Lent { sender, was_kept: true, place: self });
            }
        }
    }

    /// With a new connection.
    pub(super) fn with(self, sender: Sender) -> Lent {
        Lent { sender, was_kept: false, place: self }
    }

    /// Closes what else is kept to the host.
    pub(super) fn forget(&self) {
        self.host.idle().clear();
    }
}

impl Lent {
    /// Whether somebody asked on it before.
    pub(super) fn was_kept(&self) -> bool {
        self.was_kept
    }

    /// Sends a request and waits for the head of the answer.
    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Lost> {
        self.sender.try_send_request(request).await.map_err(|mut error| Lost {
            is_unsent: error.take_message().is_some(),
            failure: HttpFailure::of_exchange(error.error()),
        })
    }

    /// Keeps it for the next who asks; its answer has been read to the end.
    pub(super) fn give_back(self) {
        let Self { sender, place: Place { host, permit }, .. } = self;
        if !sender.is_closed() {
            host.idle().push((sender, Instant::now()));
        }
        // Only now: whoever waits for the place finds the connection.
        drop(permit);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_struct("Pool").field("hosts", &hosts).finish_non_exhaustive()
    }
}

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent").field("was_kept", &self.was_kept).finish_non_exhaustive()
    }
}
