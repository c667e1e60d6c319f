//! Connections over QUIC from any address of this machine, as far as a besieger takes them.

use std::{net::SocketAddr, sync::Arc};

use kad::Keypair;
use quinn::{
    ClientConfig, Connection, Endpoint, RecvStream, SendStream, TransportConfig, VarInt,
    crypto::rustls::QuicClientConfig,
};

use super::wire::source;

/// A connection, and the endpoint that it is of.
pub(crate) struct Dialled {
    pub(crate) connection: Connection,
    pub(crate) endpoint: Endpoint,
}

/// An endpoint there.
pub(crate) fn endpoint(from: u8) -> Endpoint {
    Endpoint::client(source(from)).unwrap()
}

/// How it is dialled, by a new key. `window` is how much the other side may send before something was read, in bytes.
pub(crate) fn config(window: u32) -> ClientConfig {
    let tls = libp2p_tls::make_client_config(&Keypair::generate_ed25519(), None).unwrap();
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let mut transport = TransportConfig::default();
    transport.stream_receive_window(VarInt::from_u32(window)).receive_window(VarInt::from_u32(window));
    config.transport_config(Arc::new(transport));
    config
}

/// A connection whose ends have proved who they are; `None` if it was ended before.
pub(crate) async fn dial(from: u8, to: SocketAddr) -> Option<Dialled> {
    dial_with(config(1 << 20), from, to).await
}

/// The same, dialled in this way.
pub(crate) async fn dial_with(config: ClientConfig, from: u8, to: SocketAddr) -> Option<Dialled> {
    let endpoint = endpoint(from);
    let connection = endpoint.connect_with(config, to, "l").unwrap().await.ok()?;
    Some(Dialled { connection, endpoint })
}

impl Dialled {
    /// Opens a stream, and says something on it.
    pub(crate) async fn open(&self, bytes: &[u8]) -> Option<(SendStream, RecvStream)> {
        let (mut send, receive) = self.connection.open_bi().await.ok()?;
        send.write_all(bytes).await.ok()?;
        Some((send, receive))
    }
}
