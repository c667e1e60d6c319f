//! Serving one head over one TCP connection, or over WebSocket on it.

use std::{
    future::poll_fn,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::Transport,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{
    Action, Head, Limits, Service,
    accept::local_addr,
    serving::{End, GARBAGE, Serving},
};
use crate::{failure::from_io, link::Link, session::Session, socket::Socket, ws::WebSocket};

/// Serves one TCP connection until it ends. An error says why it did not end in good order; it is nobody's to handle,
/// but may be counted.
pub async fn serve_connection<S: Service>(
    tcp: TcpStream,
    head: Arc<Head<S>>,
    limits: Limits,
) -> Result<(), Failure> {
    serve_over(Transport::Tcp, tcp, head, limits).await
}

/// The same over TCP, WebSocket or secure WebSocket.
pub(super) async fn serve_over<S: Service>(
    transport: Transport,
    tcp: TcpStream,
    head: Arc<Head<S>>,
    limits: Limits,
) -> Result<(), Failure> {
    let at_connect = |error| from_io(Phase::Connect, &error);
    tcp.set_nodelay(true).map_err(at_connect)?;
    let remote = canonical(tcp.peer_addr().map_err(at_connect)?);
    let local = local_addr(&tcp).ok_or(Failure::new(Phase::Connect, FailureClass::ConnectionReset))?;
    if let Some(disruption) = head.disruption.filter(|d| matches!(d.phase, Phase::Dns | Phase::Connect)) {
        return Box::pin(disrupt(Socket::Tcp(tcp), disruption.action, limits)).await;
    }
    let socket = match transport {
        Transport::Tcp | Transport::Quic => Socket::Tcp(tcp),
        Transport::Ws | Transport::Wss => {
            let upgrade = Box::pin(upgrade(transport, tcp, &head));
            let upgraded = timeout(limits.handshake, upgrade).await;
            upgraded.map_err(|_| Failure::new(Phase::Connect, FailureClass::Timeout))??
        }
    };
    let protocols = Arc::clone(&head.protocols);
    let mut session = Session::listener_offering(&head.identity, protocols, head.securities);
    if head.disruption.is_some_and(|disruption| disruption.phase == Phase::Stream) {
        session.ignore_streams();
    }
    let any_sent = transport != Transport::Tcp;
    let link = Link::new(socket, session, remote);
    let mut serving = Box::new(Serving::new(link, &*head, (local, remote), limits, any_sent));
    match poll_fn(|cx| serving.poll(cx)).await {
        End::Failed(failure) if failure.class == FailureClass::ConnectionClosed => Ok(()),
        End::Failed(failure) => Err(failure),
        End::Disrupted(action) => {
            Box::pin(disrupt(serving.into_carrier().into_socket(), action, limits)).await
        }
    }
}

/// An address of IPv4 as such, also where the socket is of IPv6.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(IpAddr::to_canonical(&addr.ip()), addr.port())
}

async fn upgrade<S: Service>(
    transport: Transport,
    tcp: TcpStream,
    head: &Head<S>,
) -> Result<Socket, Failure> {
    let delay = head.pace.accept + head.pace.flight;
    if !delay.is_zero() {
        sleep(delay).await;
    }
    let own = match transport {
        Transport::Wss => {
            let none = Failure::new(Phase::Connect, FailureClass::LocalResources);
            Some((head.identity.tls().ok_or(none)?, head.certificate.as_ref()))
        }
        _ => None,
    };
    Ok(Socket::Ws(Box::new(WebSocket::accept(tcp, own).await?)))
}

/// Ends a connection in the way of a disrupted head.
async fn disrupt(mut socket: Socket, action: Action, limits: Limits) -> Result<(), Failure> {
    let at_connect = |error| from_io(Phase::Connect, &error);
    match action {
        Action::Reset => return socket.tcp().set_zero_linger().map_err(at_connect),
        Action::Close => return socket.shutdown().await.map_err(at_connect),
        Action::Garbage => {
            socket.write_all(&GARBAGE).await.map_err(at_connect)?;
            socket.flush().await.map_err(at_connect)?;
        }
        Action::Silence => {}
    }
    let mut dropped = [0; 512];
    let hold = async { while socket.read(&mut dropped).await.is_ok_and(|bytes| bytes > 0) {} };
    timeout(limits.idle_connection, hold).await.ok();
    Ok(())
}
