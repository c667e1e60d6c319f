//! A socket that listens for QUIC and costs next to nothing while nobody comes: its endpoint is made with the first
//! datagram, and goes when it has been without a connection for a while.

use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::{Duration, Instant},
};

use quinn::{AsyncTimer, AsyncUdpSocket, Incoming, Runtime, ServerConfig, TokioRuntime, VarInt};
use tokio::{
    task::yield_now,
    time::{sleep, timeout},
};
use tokio_util::task::TaskTracker;

use super::{listener::config_of_nobody, socket::SharedSocket, transport::endpoint};

/// How long an endpoint is kept that has no connection.
const IDLE: Duration = Duration::from_secs(30);

/// A pause when an endpoint could not be made.
const PAUSE: Duration = Duration::from_millis(50);

/// How long peers may take to hear that an endpoint goes.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Dormant {
    socket: Arc<SharedSocket>,
    at: SocketAddr,
    config: ServerConfig,
    tasks: TaskTracker,
}

impl Dormant {
    /// Listens on a bound socket. What its endpoint spawns is among the `tasks`. Needs the reactor that is to drive it.
    pub(crate) fn new(socket: std::net::UdpSocket, at: SocketAddr, tasks: TaskTracker) -> io::Result<Self> {
        let socket = SharedSocket::for_one_peer(socket)?;
        Ok(Self { socket, at, config: config_of_nobody()?, tasks })
    }

    /// Hands over who connects, and the address that was dialled, until our peer is `leaving`.
    pub(crate) async fn listen(
        self,
        leaving: impl Future<Output = ()>,
        arrived: impl Fn(Incoming, SocketAddr),
    ) {
        let mut leaving = pin!(leaving);
        loop {
            tokio::select! {
                () = leaving.as_mut() => return,
                readable = self.socket.readable() => match readable.and_then(|()| self.wake()) {
                    Ok(endpoint) => {
                        if self.serve(&endpoint, leaving.as_mut(), &arrived).await {
                            endpoint.close(VarInt::from_u32(0), b"");
                            timeout(CLOSE_TIMEOUT, endpoint.wait_idle()).await.ok();
                            return;
                        }
                    }
                    Err(error) => {
                        tracing::debug!(%error, at = %self.at, "an endpoint for QUIC could not be made");
                        sleep(PAUSE).await;
                    }
                },
            }
            // The endpoint's driver ends before its socket is listened to again.
            yield_now().await;
        }
    }

    fn wake(&self) -> io::Result<quinn::Endpoint> {
        let socket = Arc::clone(&self.socket) as Arc<dyn AsyncUdpSocket>;
        let runtime = Arc::new(Tracked(self.tasks.clone()));
        quinn::Endpoint::new_with_abstract_socket(endpoint(), Some(self.config.clone()), socket, runtime)
    }

    /// Whether our peer has left; else the endpoint has had no connection for a while.
    async fn serve(
        &self,
        endpoint: &quinn::Endpoint,
        mut leaving: Pin<&mut impl Future<Output = ()>>,
        arrived: &impl Fn(Incoming, SocketAddr),
    ) -> bool {
        let mut idle = pin!(sleep(IDLE));
        loop {
            tokio::select! {
                () = leaving.as_mut() => return true,
                incoming = endpoint.accept() => {
                    let Some(incoming) = incoming else { return false };
                    let ip = incoming.local_ip().unwrap_or(self.at.ip()).to_canonical();
                    arrived(incoming, SocketAddr::new(ip, self.at.port()));
                }
                () = idle.as_mut() => {
                    if endpoint.open_connections() == 0 {
                        return false;
                    }
                    idle.set(sleep(IDLE));
                }
            }
        }
    }
}

/// Tokio's runtime, with a count of what is spawned: who waits for an end waits for the drivers too.
struct Tracked(TaskTracker);

impl fmt::Debug for Tracked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracked").finish_non_exhaustive()
    }
}

impl Runtime for Tracked {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn AsyncTimer>> {
        TokioRuntime.new_timer(at)
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.0.spawn(future);
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn now(&self) -> Instant {
        TokioRuntime.now()
    }
}
