//! Connections over TCP from any address of this machine, as far as a besieger takes them.

use std::{io, net::SocketAddr, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};
use kad::Keypair;
use libp2p_core::upgrade::OutboundConnectionUpgrade;
use multistream_select::{Negotiated, Version, dialer_select_proto};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use super::wire::source;

/// How long a write may wait before it is left, with what was not written.
const STUCK: Duration = Duration::from_millis(200);

/// A channel of Noise, on which the other side takes frames of yamux.
pub(crate) type Secured = Negotiated<libp2p_noise::Output<Negotiated<Compat<TcpStream>>>>;

/// A connection on which nothing was said.
pub(crate) async fn connect(from: u8, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(source(from))?;
    socket.connect(to).await
}

/// A connection whose ends have proved who they are, this one by a new key; `None` if it was ended before.
pub(crate) async fn secured(from: u8, to: SocketAddr) -> Option<Secured> {
    secured_as(&Keypair::generate_ed25519(), from, to).await
}

/// The same, by this key.
pub(crate) async fn secured_as(keypair: &Keypair, from: u8, to: SocketAddr) -> Option<Secured> {
    let tcp = connect(from, to).await.ok()?;
    let noise = libp2p_noise::Config::new(keypair).unwrap();
    let (name, socket) = dialer_select_proto(tcp.compat(), ["/noise"], Version::V1).await.ok()?;
    let (_, secured) = noise.upgrade_outbound(socket, name).await.ok()?;
    let (_, secured) = dialer_select_proto(secured, ["/yamux/1.0.0"], Version::V1).await.ok()?;
    Some(secured)
}

/// Writes until nobody takes any more of it; whether all was taken.
pub(crate) async fn write(secured: &mut Secured, bytes: &[u8]) -> bool {
    let writing = async {
        for piece in bytes.chunks(16 << 10) {
            secured.write_all(piece).await?;
        }
        secured.flush().await
    };
    timeout(STUCK, writing).await.is_ok_and(|written| written.is_ok())
}

/// Reads to the end. Bounded by whoever awaits it.
pub(crate) async fn drain(secured: &mut Secured) {
    let mut bytes = vec![0; 64 << 10];
    while secured.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
}
