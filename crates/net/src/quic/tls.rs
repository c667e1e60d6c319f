//! TLS 1.3 as libp2p uses it inside QUIC: both sides prove who they are, nobody is asked for a name.

use std::sync::Arc;

use libp2p_identity::Keypair;
use quinn::crypto::rustls::QuicClientConfig;
use rustls::{
    ClientConfig, ServerConfig,
    client::Resumption,
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
    version::TLS13,
};

use super::accepting::Acceptor;
use crate::tls::{ALPN, AnyPeer, OwnCertificate, ServerProof, TlsError, Verifier, provider};

/// The side that dials.
#[derive(Debug)]
pub(crate) struct ClientTls(ClientConfig);

impl ClientTls {
    pub(crate) fn new(keypair: &Keypair) -> Result<Self, TlsError> {
        let certificate = OwnCertificate::generate(keypair)?;
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Verifier::by(Arc::new(ServerProof::of_nobody())))
            .with_client_cert_resolver(Arc::new(certificate));
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.enable_sni = false;
        config.resumption = Resumption::disabled();
        Ok(Self(config))
    }

    /// The configuration for one dial, which `proof` observes.
    pub(super) fn config(&self, proof: &Arc<ServerProof>) -> Result<QuicClientConfig, TlsError> {
        let mut config = self.0.clone();
        config.dangerous().set_certificate_verifier(Verifier::by(Arc::clone(proof)));
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
            .with_client_cert_verifier(Verifier::by(Arc::new(AnyPeer::default())))
            .with_cert_resolver(Arc::new(Nobody));
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self(config))
    }

    /// The configuration of no head: with it a connection can be looked at, but not accepted.
    pub(super) fn config_of_nobody(&self) -> Result<Acceptor, TlsError> {
        Acceptor::new(self.0.clone())
    }

    /// The configuration of one head.
    pub(super) fn config(&self, certificate: OwnCertificate) -> Result<Acceptor, TlsError> {
        let mut config = self.0.clone();
        config.cert_resolver = Arc::new(certificate);
        Acceptor::new(config)
    }
}

/// Stands where each head puts its own certificate.
#[derive(Debug)]
struct Nobody;

impl ResolvesServerCert for Nobody {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
