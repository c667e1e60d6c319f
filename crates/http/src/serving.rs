//! Connections: accepted up to a bound, served within bounds of size and time, and ended in good order.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{bounds::HttpBounds, error::HttpError, patience::Patient};

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
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    router: Router,
    (bounds, stop): (HttpBounds, CancellationToken),
    _place: OwnedSemaphorePermit,
) {
    let stream = Patient::new(stream, bounds.stall_time);
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
        () = sleep(bounds.connection_time) => {
            connection.as_mut().graceful_shutdown();
            // What is on its way has bounds of its own: it is made within the time for that, and taken within that for a stall.
            tokio::select! {
                _ = connection.as_mut() => return,
                () = stop.cancelled() => {}
            }
        }
    }
    connection.as_mut().graceful_shutdown();
    drop(timeout(bounds.grace, connection).await);
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        time::Instant,
    };

    use super::*;
    use crate::lines::lines;

    /// Lines of an answer that is longer than a pipe by far.
    const LINES: u32 = 2000;

    /// A connection through a pipe of 64 bytes, on which all of them have been asked for.
    async fn asked() -> DuplexStream {
        let all = async || {
            lines(|mut writer| async move {
                for line in 0..LINES {
                    writer.line(&line).await.unwrap();
                }
                writer.end().await;
            })
        };
        let (mut near, far) = duplex(64);
        let place = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
        let router = Router::new().route("/lines", get(all));
        tokio::spawn(converse(far, router, (HttpBounds::default(), CancellationToken::new()), place));
        near.write_all(b"GET /lines HTTP/1.0\r\n\r\n").await.unwrap();
        near
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_one_byte_a_second_is_given_all() {
        let (mut stream, mut heard, began) = (asked().await, Vec::new(), Instant::now());
        while let Ok(byte) = stream.read_u8().await {
            heard.push(byte);
            sleep(Duration::from_secs(1)).await;
        }
        let expected: Vec<String> = (0..LINES).map(|line| line.to_string()).collect();
        let heard = String::from_utf8(heard).unwrap();
        assert!(heard.ends_with(&(expected.join("\n") + "\n")), "{heard}");
        assert!(began.elapsed() > 20 * HttpBounds::default().connection_time);
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_cut_off() {
        let (mut stream, began) = (asked().await, Instant::now());
        let stall_time = HttpBounds::default().stall_time;
        sleep(stall_time.saturating_sub(Duration::from_secs(1))).await;
        stream.read_u8().await.unwrap();
        // One byte has bought as much time again, and no more than that.
        sleep(stall_time + Duration::from_secs(1)).await;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert!(rest.len() <= 64, "{}", rest.len());
        assert!(began.elapsed() < 3 * stall_time);
    }
}
