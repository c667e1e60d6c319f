//! The accept loop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use kad::network::Transport;
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::sleep,
};

use super::{Head, Interface, ListenLimits, Service, connection::serve_over};

/// How many connections may wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4096;

/// A pause when the process is out of descriptors: accepting again at once would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A listening socket with room for many connections at once. One at the wildcard address of IPv6 serves IPv4 too.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    bind_on(addr, Interface::Any)
}

/// The same, for connections that come by this interface.
pub fn bind_on(addr: SocketAddr, interface: Interface) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if addr.is_ipv6() {
        SockRef::from(&socket).set_only_v6(false)?;
    }
    socket.set_reuseaddr(true)?;
    interface.keep(&SockRef::from(&socket))?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Serves every connection for which `resolve` knows a head at its local address, and resets all others. Runs until it
/// is dropped, and then drops all connections.
pub async fn listen<S, F>(listener: TcpListener, resolve: F, limits: ListenLimits)
where
    S: Service,
    F: Fn(SocketAddr) -> Option<Arc<Head<S>>>,
{
    accept(listener, Transport::Tcp, resolve, limits).await;
}

/// [`listen`] for WebSocket (`/ws`).
pub async fn listen_ws<S, F>(listener: TcpListener, resolve: F, limits: ListenLimits)
where
    S: Service,
    F: Fn(SocketAddr) -> Option<Arc<Head<S>>>,
{
    accept(listener, Transport::Ws, resolve, limits).await;
}

/// [`listen`] for WebSocket over TLS (`/tls/ws`, `/wss`). The certificate is the head's ([`Head::with_certificate`]), else
/// one of libp2p's, which only clients take that do not check it; who the head is proves the session inside.
pub async fn listen_wss<S, F>(listener: TcpListener, resolve: F, limits: ListenLimits)
where
    S: Service,
    F: Fn(SocketAddr) -> Option<Arc<Head<S>>>,
{
    accept(listener, Transport::Wss, resolve, limits).await;
}

async fn accept<S, F>(listener: TcpListener, transport: Transport, resolve: F, limits: ListenLimits)
where
    S: Service,
    F: Fn(SocketAddr) -> Option<Arc<Head<S>>>,
{
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((tcp, _)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let head = local_addr(&tcp).and_then(&resolve);
        match head.filter(|_| connections.len() < limits.connections) {
            Some(head) => drop(connections.spawn(serve_over(transport, tcp, head, limits))),
            // A socket that is dropped with this option is reset.
            None => drop(tcp.set_zero_linger()),
        }
    }
}

/// The address at which a socket was reached; of IPv4 also where the listener is of IPv6.
pub(super) fn local_addr(tcp: &TcpStream) -> Option<SocketAddr> {
    let addr = tcp.local_addr().ok()?;
    Some(SocketAddr::new(addr.ip().to_canonical(), addr.port()))
}
