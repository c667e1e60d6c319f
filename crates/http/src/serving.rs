//! Connections: accepted up to a bound, served within bounds of size and time, and ended in good order.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{bounds::HttpBounds, error::HttpError};

/// How long nothing is accepted when the system has no descriptors left: it would say so again at once.
const BREATH: Duration = Duration::from_millis(100);

/// An address that was taken: who connects waits until somebody answers there.
#[derive(Debug)]
pub struct TakenAddress {
    listener: std::net::TcpListener,
    /// With the port that the system chose if none was named.
    address: SocketAddr,
}

impl TakenAddress {
    /// Takes an address, in the network namespace of the thread. It needs no runtime.
    pub fn bind(address: SocketAddr) -> Result<Self, HttpError> {
        let failed = |source| HttpError::Listen { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { address: listener.local_addr().map_err(failed)?, listener })
    }

    /// The same within a runtime.
    pub(crate) fn listener(self) -> Result<(TcpListener, SocketAddr), HttpError> {
        let Self { listener, address } = self;
        let listener =
            TcpListener::from_std(listener).map_err(|source| HttpError::Listen { address, source })?;
        Ok((listener, address))
    }
}

/// Serves until it is stopped, and what is under way then for the grace of the bounds.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: HttpBounds,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            next = accept(&listener, &places) => {
                if let Some((stream, place)) = next {
                    connections.spawn(converse(stream, router.clone(), (bounds, stop.clone()), place));
                }
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection to the HTTP listener could not be accepted");
            sleep(BREATH).await;
            None
        }
    }
}

/// One connection, to its end: it holds its place as long.
async fn converse(
    stream: TcpStream,
    router: Router,
    (bounds, stop): (HttpBounds, CancellationToken),
    _place: OwnedSemaphorePermit,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_time)
        .max_headers(bounds.headers)
        .max_buf_size(bounds.head_bytes)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        // What went wrong is the other side's.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => {}
        () = sleep(bounds.connection_time) => {}
    }
    connection.as_mut().graceful_shutdown();
    drop(timeout(bounds.grace, connection).await);
}
