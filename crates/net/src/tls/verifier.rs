//! The one face towards rustls of all who look at the other end of a handshake, whichever side they are on: they are asked
//! about a certificate, and about what was signed by it.

use std::{fmt::Debug, sync::Arc};

use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};

/// What the other end shows.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    /// Its certificate.
    pub(crate) certificate: &'a CertificateDer<'a>,
    /// Those that were shown with it.
    pub(crate) others: &'a [CertificateDer<'a>],
    /// The name by which a server was dialled; `None` for who dialled.
    pub(crate) name: Option<&'a ServerName<'a>>,
    /// The time.
    pub(crate) now: UnixTime,
}

/// Decides about the other end of a handshake.
pub(crate) trait Scrutiny: Debug + Send + Sync {
    /// Whether a certificate is taken.
    fn certificate(&self, shown: &Shown<'_>) -> Result<(), Error>;

    /// Whether what was signed in a handshake of TLS 1.3 is.
    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<(), Error>;

    /// Whether TLS 1.2 is spoken, where nothing that is signed is looked at.
    fn speaks_tls12(&self) -> bool {
        false
    }

    /// What the other end may sign with.
    fn schemes(&self) -> Vec<SignatureScheme>;
}

/// Has what rustls asks for decided by somebody.
#[derive(Debug)]
pub(crate) struct Verifier<T>(Arc<T>);

impl<T> Verifier<T> {
    /// As a configuration takes it.
    pub(crate) fn by(scrutiny: Arc<T>) -> Arc<Self> {
        Arc::new(Self(scrutiny))
    }
}

/// How a handshake is signed, which both sides ask alike.
macro_rules! signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            if !self.0.speaks_tls12() {
                return Err(Error::General("only TLS 1.3 is spoken".to_owned()));
            }
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.0.signature(message, certificate, signed).map(|()| HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.schemes()
        }
    };
}

impl<T: Scrutiny> ServerCertVerifier for Verifier<T> {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Shown { certificate, others, name: Some(name), now };
        self.0.certificate(&shown).map(|()| ServerCertVerified::assertion())
    }

    signatures!();
}

impl<T: Scrutiny> ClientCertVerifier for Verifier<T> {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let shown = Shown { certificate, others, name: None, now };
        self.0.certificate(&shown).map(|()| ClientCertVerified::assertion())
    }

    signatures!();
}
