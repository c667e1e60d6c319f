//! TLS 1.3 as libp2p uses it inside QUIC: both sides prove who they are, nobody is asked for a name.

use std::sync::Arc;

use libp2p_identity::Keypair;
use quinn::crypto::rustls::{NoInitialCipherSuite, QuicClientConfig, QuicServerConfig};
use rustls::{
    ClientConfig, Error, ServerConfig, SignatureScheme,
    client::{ResolvesClientCert, Resumption, danger::ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
    version::TLS13,
};

use super::proof::{ClientProof, ServerProof};

/// The name that both sides must agree on.
pub(crate) const ALPN: &[u8] = b"libp2p";

/// A configuration could not be made: the identity cannot sign, or the library lacks what QUIC needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no TLS configuration could be made for the identity")]
pub(crate) struct TlsError;

impl From<Error> for TlsError {
    fn from(_: Error) -> Self {
        Self
    }
}

impl From<NoInitialCipherSuite> for TlsError {
    fn from(_: NoInitialCipherSuite) -> Self {
        Self
    }
}

/// The certificate of one identity. Made once for each identity, never for each connection.
#[derive(Debug, Clone)]
pub(crate) struct OwnCertificate(Arc<CertifiedKey>);

impl OwnCertificate {
    pub(crate) fn generate(keypair: &Keypair) -> Result<Self, TlsError> {
        let (certificate, key) = libp2p_tls::certificate::generate(keypair).map_err(|_| TlsError)?;
        let key = aws_lc_rs::sign::any_ecdsa_type(&key)?;
        Ok(Self(Arc::new(CertifiedKey::new(vec![certificate], key))))
    }
}

impl ResolvesClientCert for OwnCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for OwnCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// The side that dials.
#[derive(Debug)]
pub(super) struct ClientTls(ClientConfig);

impl ClientTls {
    pub(super) fn new(keypair: &Keypair) -> Result<Self, TlsError> {
        let certificate = OwnCertificate::generate(keypair)?;
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(ServerProof::of_nobody()))
            .with_client_cert_resolver(Arc::new(certificate));
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.enable_sni = false;
        config.resumption = Resumption::disabled();
        Ok(Self(config))
    }

    /// The configuration for one dial, which `proof` observes.
    pub(super) fn config(&self, proof: &Arc<ServerProof>) -> Result<QuicClientConfig, TlsError> {
        let mut config = self.0.clone();
        config.dangerous().set_certificate_verifier(Arc::clone(proof) as Arc<dyn ServerCertVerifier>);
        Ok(QuicClientConfig::try_from(config)?)
    }
}

/// The side that is dialled.
#[derive(Debug)]
pub(super) struct ServerTls(ServerConfig);

impl ServerTls {
    /// What the configurations of all heads have in common.
    pub(super) fn new() -> Result<Self, TlsError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(Arc::new(ClientProof::default()))
            .with_cert_resolver(Arc::new(Nobody));
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self(config))
    }

    /// The configuration of no head: with it a connection can be looked at, but not accepted.
    pub(super) fn config_of_nobody(&self) -> Result<QuicServerConfig, TlsError> {
        Ok(QuicServerConfig::try_from(self.0.clone())?)
    }

    /// The configuration of one head.
    pub(super) fn config(&self, certificate: OwnCertificate) -> Result<QuicServerConfig, TlsError> {
        let mut config = self.0.clone();
        config.cert_resolver = Arc::new(certificate);
        Ok(QuicServerConfig::try_from(config)?)
    }
}

/// The usual primitives, without what only TLS 1.2 needs. X25519 is offered first: with a post-quantum share the first
/// message takes two datagrams, of which a full server counts each, and what we ask is no secret. Who insists on the
/// hybrid gets it.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = vec![
        aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256,
        aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384,
        aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ];
    provider.kx_groups = vec![
        aws_lc_rs::kx_group::X25519,
        aws_lc_rs::kx_group::X25519MLKEM768,
        aws_lc_rs::kx_group::SECP256R1,
    ];
    Arc::new(provider)
}

/// Stands where each head puts its own certificate.
#[derive(Debug)]
struct Nobody;

impl ResolvesServerCert for Nobody {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
