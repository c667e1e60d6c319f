//! TLS 1.3 over an ordered byte stream as libp2p uses it (`/tls/1.0.0`): a secure channel without IO, in both roles.
//!
//! Certificates and who they belong to are in `certificate`, `proof` and `own`, for QUIC as well. One name is agreed on by
//! ALPN, `libp2p`: a multiplexer is proposed inside the channel together with the first requests, so that agreeing on it
//! early would save nothing.
//! Source: libp2p specification, `tls/tls.md`.

mod alert;
mod certificate;
pub(crate) mod der;
mod known;
mod own;
mod proof;
mod roots;
mod verifier;

use std::{
    fmt,
    io::{Read, Write},
    sync::{Arc, LazyLock},
};

use libp2p_identity::{Keypair, PeerId};
use rustls::{
    ClientConfig, ClientConnection, Connection, DigitallySignedStruct, ServerConfig, ServerConnection,
    client::Resumption,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::{NoServerSessionStorage, ResolvesServerCert},
    sign::SingleCertAndKey,
    version::TLS13,
};

pub(crate) use alert::{ChannelError, class_of};
pub(crate) use certificate::owner_of;
pub use certificate::{CertificateRefusal, peer_of_certificate};
pub(crate) use own::{ALPN, OwnCertificate, TlsError, provider};
pub(crate) use proof::{AnyPeer, ServerProof};
pub use roots::{Authority, NamedCertificate, Roots, RootsError};
pub(crate) use verifier::{Scrutiny, Shown, Verifier};

/// The primitives of all configurations.
static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(provider);

/// What one identity presents in both roles.
#[derive(Debug)]
pub(crate) struct OwnTls {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    certificate: Arc<OwnCertificate>,
}

impl OwnTls {
    /// Makes a certificate, which takes a key and two signatures.
    pub(crate) fn new(keypair: &Keypair) -> Result<Self, TlsError> {
        let certificate = Arc::new(OwnCertificate::generate(keypair)?);
        let mut client = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Verifier::by(Arc::new(AnyPeer::default())))
            .with_client_cert_resolver(Arc::clone(&certificate) as _);
        client.alpn_protocols = vec![ALPN.to_vec()];
        client.enable_sni = false;
        client.resumption = Resumption::disabled();
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER))
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(Verifier::by(Arc::new(AnyPeer::default())))
            .with_cert_resolver(Arc::clone(&certificate) as _);
        server.alpn_protocols = vec![ALPN.to_vec()];
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(Self { client: Arc::new(client), server: Arc::new(server), certificate })
    }

    /// For a listener that asks nobody who it is: what lies below a secure WebSocket. Without a certificate for a name
    /// it shows that of the identity.
    pub(crate) fn anonymous_server(
        &self,
        named: Option<&NamedCertificate>,
    ) -> Result<ServerConfig, TlsError> {
        let certificate: Arc<dyn ResolvesServerCert> = match named {
            Some(named) => Arc::new(SingleCertAndKey::from(Arc::clone(&named.0))),
            None => Arc::clone(&self.certificate) as _,
        };
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER))
            .with_protocol_versions(&[&TLS13])?
            .with_no_client_auth()
            .with_cert_resolver(certificate);
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(server)
    }
}

/// Whether a certificate is one of libp2p's, valid now, of this peer.
pub(crate) fn is_certificate_of(der: &CertificateDer<'_>, peer: &PeerId, now: UnixTime) -> bool {
    certificate::verify(der, now).is_ok_and(|owner| owner == *peer)
}

/// Whether a handshake was signed with the key of a certificate of libp2p's that was verified before.
pub(crate) fn is_signed_by_certificate(
    der: &CertificateDer<'_>,
    message: &[u8],
    signed: &DigitallySignedStruct,
) -> bool {
    certificate::verify_handshake(der, signed.scheme, message, signed.signature()).is_ok()
}

/// One connection's channel.
pub(crate) struct TlsChannel(Box<Connection>);

impl fmt::Debug for TlsChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsChannel").field("handshaking", &self.0.is_handshaking()).finish_non_exhaustive()
    }
}

impl TlsChannel {
    /// The channel of a connection that we opened.
    pub(crate) fn dialer(own: &OwnTls) -> Result<Self, ChannelError> {
        // The name is never sent: there is no name for a peer.
        let name = ServerName::from(std::net::IpAddr::from([0, 0, 0, 0]));
        let connection = ClientConnection::new(Arc::clone(&own.client), name)?;
        Ok(Self::new(connection.into()))
    }

    /// The channel of a connection that a peer opened.
    pub(crate) fn listener(own: &OwnTls) -> Result<Self, ChannelError> {
        Ok(Self::new(ServerConnection::new(Arc::clone(&own.server))?.into()))
    }

    fn new(mut connection: Connection) -> Self {
        // Whoever sends measures what is queued.
        connection.set_buffer_limit(None);
        Self(Box::new(connection))
    }

    /// Whether the two sides have not yet proved who they are.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.0.is_handshaking()
    }

    /// Who the other side has proved to be.
    pub(crate) fn peer(&self) -> Option<PeerId> {
        owner_of(self.0.peer_certificates().filter(|_| !self.is_handshaking())?.first()?)
    }

    /// Takes what came and appends what was said to `plaintext`. What follows the other side's goodbye is dropped.
    pub(crate) fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), ChannelError> {
        let (all, mut bytes) = (bytes, bytes);
        while !bytes.is_empty() {
            let taken = self.0.read_tls(&mut bytes).map_err(|_| ChannelError::Local)?;
            let processed = self.0.process_new_packets();
            let said = processed.map_err(|error| ChannelError::over(error, all))?.plaintext_bytes_to_read();
            let start = plaintext.len();
            plaintext.resize(start + said, 0);
            let free = plaintext.get_mut(start..).unwrap_or_default();
            self.0.reader().read_exact(free).map_err(|_| ChannelError::Local)?;
            if taken == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Queues what is to be said.
    pub(crate) fn send(&mut self, plaintext: &[u8]) -> Result<(), ChannelError> {
        self.0.writer().write_all(plaintext).map_err(|_| ChannelError::Local)
    }

    /// Appends to `out` all that can be sent now.
    pub(crate) fn transmit(&mut self, out: &mut Vec<u8>) -> Result<(), ChannelError> {
        while self.0.wants_write() {
            self.0.write_tls(out).map_err(|_| ChannelError::Local)?;
        }
        Ok(())
    }
}
