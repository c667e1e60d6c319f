//! Serving heads behind one UDP socket over QUIC.

use std::{net::SocketAddr, sync::Arc};

use kad::failure::{Failure, FailureClass, Phase};
use quinn::{Incoming, ServerConfig};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Action, Head, ListenLimits, Service};
use crate::{
    duplex::Duplex,
    error::NetError,
    faults::{Faulty, disrupt_link},
    quic::{Configs, QuicListener, Receivers, shake_hands},
};

/// Serves every connection for which `resolve` knows a head at its local address, and refuses all others. Runs until
/// it is dropped, and then drops all connections. An error says that the socket cannot be used, or that no certificate
/// can be made.
///
/// [`Disruption`](super::Disruption)s happen as over TCP, as far as QUIC has what it takes:
///
/// | phase | reset, close | silence, garbage |
/// |---|---|---|
/// | `Dns`, `Connect`, `Secure` | the connection is closed in its handshake | no datagram is answered |
/// | `Multiplex`, `Stream`, `Request` | the connection is closed | as over TCP; there is no multiplexer to agree on |
///
/// QUIC has no reset of a connection: a dialler sees `connection_closed` for both.
pub async fn listen_quic<S, F>(
    socket: std::net::UdpSocket,
    resolve: F,
    limits: ListenLimits,
) -> Result<(), NetError>
where
    S: Service,
    F: Fn(SocketAddr) -> Option<Arc<Head<S>>>,
{
    listen_quic_on(&Receivers::new(), socket, resolve, limits).await
}

/// [`listen_quic`] on threads that many sockets share.
pub async fn listen_quic_on<S, F>(
    receivers: &Receivers,
    socket: std::net::UdpSocket,
    resolve: F,
    limits: ListenLimits,
) -> Result<(), NetError>
where
    S: Service,
    F: Fn(SocketAddr) -> Option<Arc<Head<S>>>,
{
    let listener = QuicListener::new(socket, receivers).map_err(NetError::Receive)?;
    let mut configs = Configs::new().map_err(|_| NetError::Certificate)?;
    let mut connections = JoinSet::new();
    while let Some((incoming, local)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let head = resolve(local).filter(|_| connections.len() < limits.connections);
        let Some(head) = head else {
            incoming.refuse();
            continue;
        };
        let config = configs.get(head.persona.identity()).map_err(|_| NetError::Certificate)?;
        connections.spawn(serve(incoming, config, head, (local, limits)));
    }
    Ok(())
}

/// Serves one connection until it ends.
async fn serve<S: Service>(
    incoming: Incoming,
    config: Arc<ServerConfig>,
    head: Arc<Head<S>>,
    (local, limits): (SocketAddr, ListenLimits),
) -> Result<(), Failure> {
    let (persona, faults) =
        (&head.persona, head.faults_toward(incoming.remote_address().ip().to_canonical()));
    let delay = faults.pace.accept + faults.pace.flight;
    if !delay.is_zero() {
        sleep(delay).await;
    }
    if let Some(action) = faults.action_in(&[Phase::Dns, Phase::Connect, Phase::Secure]) {
        match action {
            Action::Silence | Action::Garbage => incoming.ignore(),
            // What is dropped in its handshake is closed.
            Action::Reset | Action::Close => drop(incoming.accept_with(config)),
        }
        return Ok(());
    }
    let protocols = Arc::clone(&persona.voice().protocols);
    let shaken = timeout(limits.handshake, shake_hands(incoming, config, protocols, local)).await;
    let mut link = shaken.map_err(|_| Failure::new(Phase::Secure, FailureClass::Timeout))??;
    if faults.action_in(&[Phase::Multiplex, Phase::Stream]).is_some() {
        link.ignore_streams();
    }
    let carrier = Faulty::new(link, faults, true);
    let mut duplex = Box::new(Duplex::accepted(carrier, Arc::clone(persona), limits));
    let end = duplex.serve().await;
    let (link, action) = duplex.into_carrier().into_parts();
    match action {
        Some(action) => {
            disrupt_link(link, action, limits).await;
            Ok(())
        }
        None if matches!(end.class, FailureClass::ConnectionClosed | FailureClass::Cancelled) => Ok(()),
        None => Err(end),
    }
}
