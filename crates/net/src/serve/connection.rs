//! Serving one head over one TCP connection, or over WebSocket on it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::Transport,
};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{Head, ListenLimits, Pace, Service, accept::local_addr};
use crate::{
    duplex::Duplex,
    failure::from_io,
    faults::{Faulty, disrupt_socket},
    link::Link,
    session::Session,
    socket::Socket,
    ws::WebSocket,
};

/// Serves one TCP connection until it ends. An error says why it did not end in good order; it is nobody's to handle,
/// but may be counted.
pub async fn serve_connection<S: Service>(
    tcp: TcpStream,
    head: Arc<Head<S>>,
    limits: ListenLimits,
) -> Result<(), Failure> {
    serve_over(Transport::Tcp, tcp, head, limits).await
}

/// The same over TCP, WebSocket or secure WebSocket.
pub(super) async fn serve_over<S: Service>(
    transport: Transport,
    tcp: TcpStream,
    head: Arc<Head<S>>,
    limits: ListenLimits,
) -> Result<(), Failure> {
    let at_connect = |error| from_io(Phase::Connect, &error);
    tcp.set_nodelay(true).map_err(at_connect)?;
    let remote = canonical(tcp.peer_addr().map_err(at_connect)?);
    // Of a connection that was reset meanwhile it is not known.
    local_addr(&tcp).ok_or(Failure::new(Phase::Connect, FailureClass::ConnectionReset))?;
    let faults = head.faults_toward(remote.ip());
    if let Some(action) = faults.action_in(&[Phase::Dns, Phase::Connect]) {
        return Box::pin(disrupt_socket(Socket::Tcp(tcp), action, limits)).await;
    }
    let socket = match transport {
        Transport::Tcp | Transport::Quic => Socket::Tcp(tcp),
        Transport::Ws | Transport::Wss => {
            let upgrade = Box::pin(upgrade(transport, tcp, (&head, faults.pace)));
            let upgraded = timeout(limits.handshake, upgrade).await;
            upgraded.map_err(|_| Failure::new(Phase::Connect, FailureClass::Timeout))??
        }
    };
    let persona = &head.persona;
    let protocols = Arc::clone(&persona.voice().protocols);
    let mut session = Session::listener_offering(persona.identity(), protocols, faults.securities);
    if faults.action_in(&[Phase::Stream]).is_some() {
        session.ignore_streams();
    }
    let any_sent = transport != Transport::Tcp;
    let carrier = Faulty::new(Link::new(socket, session, remote), faults, any_sent);
    let mut duplex = Box::new(Duplex::accepted(carrier, Arc::clone(persona), limits));
    let end = duplex.serve().await;
    let (link, action) = duplex.into_carrier().into_parts();
    match action {
        Some(action) => Box::pin(disrupt_socket(link.into_socket(), action, limits)).await,
        None if matches!(end.class, FailureClass::ConnectionClosed | FailureClass::Cancelled) => Ok(()),
        None => Err(end),
    }
}

/// An address of IPv4 as such, also where the socket is of IPv6.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(IpAddr::to_canonical(&addr.ip()), addr.port())
}

async fn upgrade<S: Service>(
    transport: Transport,
    tcp: TcpStream,
    (head, pace): (&Head<S>, Pace),
) -> Result<Socket, Failure> {
    let delay = pace.accept + pace.flight;
    if !delay.is_zero() {
        sleep(delay).await;
    }
    let own = match transport {
        Transport::Wss => {
            let none = Failure::new(Phase::Connect, FailureClass::LocalResources);
            Some((head.persona.identity().tls().ok_or(none)?, head.certificate.as_ref()))
        }
        _ => None,
    };
    Ok(Socket::Ws(Box::new(WebSocket::accept(tcp, own).await?)))
}
