//! Serving one head over one TCP connection.

use std::{future::poll_fn, sync::Arc};

use kad::failure::{Failure, FailureClass, Phase};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    Action, Head, Limits, Service,
    accept::local_addr,
    serving::{End, GARBAGE, Serving},
};
use crate::{failure::from_io, link::Link, session::Session};

/// Serves one connection until it ends. An error says why it did not end in good order; it is nobody's to handle,
/// but may be counted.
pub async fn serve_connection<S: Service>(
    tcp: TcpStream,
    head: Arc<Head<S>>,
    limits: Limits,
) -> Result<(), Failure> {
    let at_connect = |error| from_io(Phase::Connect, &error);
    tcp.set_nodelay(true).map_err(at_connect)?;
    let remote = tcp.peer_addr().map_err(at_connect)?;
    let local = local_addr(&tcp).ok_or(Failure::new(Phase::Connect, FailureClass::ConnectionReset))?;
    if let Some(disruption) = head.disruption.filter(|d| matches!(d.phase, Phase::Dns | Phase::Connect)) {
        return Box::pin(disrupt(tcp, disruption.action, limits)).await;
    }
    let protocols = Arc::clone(&head.protocols);
    let mut session = Session::listener_offering(&head.identity, protocols, head.securities);
    if head.disruption.is_some_and(|disruption| disruption.phase == Phase::Stream) {
        session.ignore_streams();
    }
    let link = Link::new(tcp, session, remote);
    let mut serving = Box::new(Serving::new(link, &*head, (local, remote), limits, false));
    match poll_fn(|cx| serving.poll(cx)).await {
        End::Failed(failure) if failure.class == FailureClass::ConnectionClosed => Ok(()),
        End::Failed(failure) => Err(failure),
        End::Disrupted(action) => Box::pin(disrupt(serving.into_carrier().into_tcp(), action, limits)).await,
    }
}

/// Ends a connection in the way of a disrupted head.
async fn disrupt(mut tcp: TcpStream, action: Action, limits: Limits) -> Result<(), Failure> {
    let at_connect = |error| from_io(Phase::Connect, &error);
    match action {
        Action::Reset => return tcp.set_zero_linger().map_err(at_connect),
        Action::Close => return tcp.shutdown().await.map_err(at_connect),
        Action::Garbage => tcp.write_all(&GARBAGE).await.map_err(at_connect)?,
        Action::Silence => {}
    }
    let mut dropped = [0; 512];
    let hold = async { while tcp.read(&mut dropped).await.is_ok_and(|bytes| bytes > 0) {} };
    timeout(limits.idle_connection, hold).await.ok();
    Ok(())
}
