//! The listening side of QUIC: one socket for any number of identities, each with its own certificate.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::SocketAddr,
    sync::Arc,
};

use kad::{
    PeerId,
    failure::{Failure, FailureClass, Phase},
};
use quinn::{Connection, Incoming, ServerConfig, TokioRuntime, TransportConfig};

use super::{
    accepting::Acceptor,
    fault::lost,
    link::QuicLink,
    receiver::{Receiver, Receivers},
    socket::{SharedSocket, bind, enlarge},
    tls::ServerTls,
    transport::{accepted, endpoint},
};
use crate::{
    identity::Identity,
    interface::Interface,
    session::Protocol,
    tls::{OwnCertificate, TlsError},
};

/// How many configurations are kept; each has a key and a certificate and takes a few KiB. An identity that is dialled
/// again after so many others gets a new certificate, which is as good.
const MAX_CONFIGS: usize = 4096;

/// How many connections may wait for the accepting task.
const MAX_INCOMING: usize = 4096;

/// What connections may have sent before they are accepted, in bytes, one and all.
const INCOMING_BYTES: u64 = 64 * 1024;
const ALL_INCOMING_BYTES: u64 = 16 * 1024 * 1024;

/// A UDP socket for [`listen_quic`](crate::serve::listen_quic), with large buffers.
pub fn bind_quic(addr: SocketAddr) -> io::Result<std::net::UdpSocket> {
    bind_quic_on(addr, Interface::Any)
}

/// The same, for datagrams that come by this interface.
pub fn bind_quic_on(addr: SocketAddr, interface: Interface) -> io::Result<std::net::UdpSocket> {
    bind(addr, interface)
}

/// A listening endpoint.
#[derive(Debug)]
pub(crate) struct QuicListener {
    endpoint: quinn::Endpoint,
    local: SocketAddr,
    receiver: Arc<Receiver>,
}

impl QuicListener {
    /// Listens on a bound socket, and gives it large buffers. One of the threads drives it.
    pub(crate) fn new(socket: std::net::UdpSocket, receivers: &Receivers) -> io::Result<Self> {
        enlarge(&socket)?;
        let local = socket.local_addr()?;
        let config = config_of_nobody()?;
        let receiver = receivers.next()?;
        let endpoint = receiver.enter(|| {
            let (socket, runtime) = (SharedSocket::new(socket)?, Arc::new(TokioRuntime));
            quinn::Endpoint::new_with_abstract_socket(endpoint(), Some(config), socket, runtime)
        })?;
        Ok(Self { endpoint, local, receiver })
    }

    /// The next connection, and the address at which it was dialled; `None` when the endpoint is gone.
    pub(crate) async fn accept(&self) -> Option<(Incoming, SocketAddr)> {
        let incoming = self.endpoint.accept().await?;
        let ip = incoming.local_ip().unwrap_or(self.local.ip());
        Some((incoming, SocketAddr::new(ip.to_canonical(), self.local.port())))
    }
}

impl Drop for QuicListener {
    fn drop(&mut self) {
        self.receiver.close(self.endpoint.clone());
    }
}

/// Makes the configurations of identities when they are needed, and keeps the last ones.
#[derive(Debug)]
pub(crate) struct Configs {
    tls: ServerTls,
    transport: Arc<TransportConfig>,
    made: HashMap<PeerId, Arc<ServerConfig>, foldhash::fast::RandomState>,
    order: VecDeque<PeerId>,
}

impl Configs {
    pub(crate) fn new() -> Result<Self, TlsError> {
        let (made, order) = (HashMap::default(), VecDeque::new());
        Ok(Self { tls: ServerTls::new()?, transport: accepted(), made, order })
    }

    /// The configuration with a certificate of that identity.
    pub(crate) fn get(&mut self, identity: &Identity) -> Result<Arc<ServerConfig>, TlsError> {
        let peer = identity.peer_id();
        if let Some(config) = self.made.get(&peer) {
            return Ok(Arc::clone(config));
        }
        if self.made.len() >= MAX_CONFIGS
            && let Some(oldest) = self.order.pop_front()
        {
            self.made.remove(&oldest);
        }
        let tls = self.tls.config(OwnCertificate::generate(identity.keypair())?)?;
        let config = Arc::new(server_config(tls, &self.transport));
        self.made.insert(peer, Arc::clone(&config));
        self.order.push_back(peer);
        Ok(config)
    }
}

/// Shakes hands with a peer that dialled.
pub(crate) async fn shake_hands(
    incoming: Incoming,
    config: Arc<ServerConfig>,
    protocols: Arc<[Protocol]>,
    local: SocketAddr,
) -> Result<QuicLink, Failure> {
    let at_secure = |error| lost(Phase::Secure, &error);
    let connection = incoming.accept_with(config).map_err(at_secure)?.await.map_err(at_secure)?;
    let peer =
        dialling_peer(&connection).ok_or(Failure::new(Phase::Secure, FailureClass::HandshakeFailed))?;
    Ok(QuicLink::new(connection, peer, protocols).accepted_at(local))
}

/// Who has dialled: its certificate was verified in the handshake.
fn dialling_peer(connection: &Connection) -> Option<PeerId> {
    connection.peer_identity()?.downcast().ok().map(|peer| *peer)
}

/// The configuration of an endpoint: with it a connection can be looked at, but not accepted.
pub(super) fn config_of_nobody() -> io::Result<ServerConfig> {
    let tls = ServerTls::new().and_then(|tls| tls.config_of_nobody()).map_err(io::Error::other)?;
    Ok(server_config(tls, &accepted()))
}

fn server_config(tls: Acceptor, transport: &Arc<TransportConfig>) -> ServerConfig {
    let mut config = ServerConfig::with_crypto(Arc::new(tls));
    config
        .transport_config(Arc::clone(transport))
        .migration(false)
        .max_incoming(MAX_INCOMING)
        .incoming_buffer_size(INCOMING_BYTES)
        .incoming_buffer_size_total(ALL_INCOMING_BYTES);
    config
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};

    use socket2::SockRef;

    use super::*;

    #[tokio::test]
    async fn a_listener_gives_large_buffers_to_whichever_socket_it_gets() {
        let size = |socket: &UdpSocket| SockRef::from(socket).recv_buffer_size().unwrap();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let same = socket.try_clone().unwrap();
        let usual = size(&same);
        let listener = QuicListener::new(socket, &Receivers::new()).unwrap();
        assert!(size(&same) > usual, "{usual} bytes as before");
        assert_eq!(size(&same), size(&bind_quic((Ipv4Addr::LOCALHOST, 0).into()).unwrap()));
        drop(listener);
    }
}
