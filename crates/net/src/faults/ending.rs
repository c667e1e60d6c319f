//! Ends a connection in the way of a disrupted peer.

use std::future::poll_fn;

use kad::failure::{Failure, Phase};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{Action, GARBAGE};
use crate::{carrier::Carrier, failure::from_io, limits::ListenLimits, quic::QuicLink, socket::Socket};

/// Over TCP and WebSocket.
pub(crate) async fn disrupt_socket(
    mut socket: Socket,
    action: Action,
    limits: ListenLimits,
) -> Result<(), Failure> {
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

/// Over QUIC.
pub(crate) async fn disrupt_link(mut link: QuicLink, action: Action, limits: ListenLimits) {
    match action {
        Action::Reset => return link.abort(),
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
