//! What an identity presents in TLS, and the primitives that all configurations have in common.

use std::sync::Arc;

use libp2p_identity::Keypair;
use quinn::crypto::rustls::NoInitialCipherSuite;
use rustls::{
    Error, SignatureScheme,
    client::ResolvesClientCert,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

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
