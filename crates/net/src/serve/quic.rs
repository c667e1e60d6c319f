//! Serving heads behind one UDP socket over QUIC.

use std::{future::poll_fn, io, net::SocketAddr, sync::Arc};

use kad::failure::{Failure, FailureClass, Phase};
use quinn::{Incoming, ServerConfig};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    Action, Head, Limits, Service,
    serving::{End, GARBAGE, Serving},
};
use crate::{
    carrier::Carrier,
    quic::{Configs, QuicLink, QuicListener, shake_hands},
};

/// The code with which a disrupted head resets a connection: one that libp2p gives no meaning to.
const DISRUPTED: u32 = 0x4b;

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
pub async fn listen_quic<S, F>(socket: std::net::UdpSocket, resolve: F, limits: Limits) -> io::Result<()>
where
    S: Service,
    F: Fn(SocketAddr) -> Option<Arc<Head<S>>>,
{
    let listener = QuicListener::new(socket)?;
    let mut configs = Configs::new().map_err(io::Error::other)?;
    let mut connections = JoinSet::new();
    while let Some((incoming, local)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let head = resolve(local).filter(|_| connections.len() < limits.connections);
        let Some(head) = head else {
            incoming.refuse();
            continue;
        };
        let config = configs.get(&head.identity).map_err(io::Error::other)?;
        connections.spawn(serve(incoming, config, head, (local, limits)));
    }
    Ok(())
}

/// Serves one connection until it ends.
async fn serve<S: Service>(
    incoming: Incoming,
    config: Arc<ServerConfig>,
    head: Arc<Head<S>>,
    (local, limits): (SocketAddr, Limits),
) -> Result<(), Failure> {
    let remote = incoming.remote_address();
    let delay = head.pace.accept + head.pace.flight;
    if !delay.is_zero() {
        sleep(delay).await;
    }
    let early = |phase| matches!(phase, Phase::Dns | Phase::Connect | Phase::Secure);
    if let Some(disruption) = head.disruption.filter(|disruption| early(disruption.phase)) {
        match disruption.action {
            Action::Silence | Action::Garbage => incoming.ignore(),
            // What is dropped in its handshake is closed.
            Action::Reset | Action::Close => drop(incoming.accept_with(config)),
        }
        return Ok(());
    }
    let shaken = timeout(limits.handshake, shake_hands(incoming, config, Arc::clone(&head.protocols))).await;
    let mut link = shaken.map_err(|_| Failure::new(Phase::Secure, FailureClass::Timeout))??;
    if head.disruption.is_some_and(|d| matches!(d.phase, Phase::Multiplex | Phase::Stream)) {
        link.ignore_streams();
    }
    let mut serving = Box::new(Serving::new(link, &*head, (local, remote), limits, true));
    match poll_fn(|cx| serving.poll(cx)).await {
        End::Failed(failure) if failure.class == FailureClass::ConnectionClosed => Ok(()),
        End::Failed(failure) => Err(failure),
        End::Disrupted(action) => {
            disrupt(serving.into_carrier(), action, limits).await;
            Ok(())
        }
    }
}

/// Ends a connection in the way of a disrupted head.
async fn disrupt(mut link: QuicLink, action: Action, limits: Limits) {
    match action {
        Action::Reset => return link.close_with(DISRUPTED),
        Action::Close => return link.close_with(0),
        Action::Garbage => {
            link.send_raw(&GARBAGE);
            // What the peer does not take of it does not matter.
            timeout(limits.idle_stream, poll_fn(|cx| link.poll_flush(cx))).await.ok();
        }
        Action::Silence => {}
    }
    timeout(limits.idle_connection, link.closed()).await.ok();
}
