//! Verifying who is at the other end of a handshake, as each side does it.

use std::sync::{Arc, OnceLock};

use kad::failure::{Failure, FailureClass, Phase};
use libp2p_identity::PeerId;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};

use super::{
    certificate::{CertificateRefusal, verify, verify_handshake},
    known::KnownCertificates,
};

/// What peers may sign with. Elliptic curves first: RSA is for those who have nothing else.
const SCHEMES: [SignatureScheme; 9] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA256,
];

/// What both kinds of verifiers have in common: how a handshake is signed.
macro_rules! signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(only_tls13())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_signature(message, certificate, signed)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            SCHEMES.to_vec()
        }
    };
}

/// Verifies that the peer that answers is the one that was dialled, and remembers what came of it.
#[derive(Debug)]
pub(crate) struct ServerProof {
    expected: Option<PeerId>,
    verdict: OnceLock<Result<PeerId, CertificateRefusal>>,
}

impl ServerProof {
    /// Expects that peer.
    pub(crate) fn of(peer: PeerId) -> Arc<Self> {
        Arc::new(Self { expected: Some(peer), verdict: OnceLock::new() })
    }

    /// Expects nobody: what a configuration holds that was not made for a dial yet.
    pub(crate) fn of_nobody() -> Self {
        Self { expected: None, verdict: OnceLock::new() }
    }

    /// The phase that the handshake is in: nothing is known of the peer before its certificate comes.
    pub(crate) fn phase(&self) -> Phase {
        if self.verdict.get().is_some() { Phase::Secure } else { Phase::Connect }
    }

    /// Why the peer was refused; `None` if it was not.
    pub(crate) fn failure(&self) -> Option<Failure> {
        match *self.verdict.get()? {
            Ok(peer) if Some(peer) == self.expected => None,
            Ok(peer) => {
                Some(Failure::with_detail(Phase::Secure, FailureClass::PeerIdMismatch, &peer.to_base58()))
            }
            Err(refusal) => Some(Failure::with_detail(Phase::Secure, refusal.class(), &refusal.to_string())),
        }
    }
}

impl ServerCertVerifier for ServerProof {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = || alone(intermediates).and_then(|()| verify(end_entity, now));
        let verdict = *self.verdict.get_or_init(verify);
        match verdict {
            Ok(peer) if Some(peer) == self.expected => Ok(ServerCertVerified::assertion()),
            Ok(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
            Err(refusal) => Err(refused(refusal)),
        }
    }

    signatures!();
}

/// Lets every peer in that proves any identity; who it should be, if that matters, is compared once the handshake is over.
#[derive(Debug, Default)]
pub(crate) struct AnyPeer(KnownCertificates);

impl AnyPeer {
    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        alone(intermediates).and_then(|()| self.0.verify(end_entity, now)).map(drop).map_err(refused)
    }
}

impl ServerCertVerifier for AnyPeer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify(end_entity, intermediates, now).map(|()| ServerCertVerified::assertion())
    }

    signatures!();
}

impl ClientCertVerifier for AnyPeer {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.verify(end_entity, intermediates, now).map(|()| ClientCertVerified::assertion())
    }

    signatures!();
}

/// A peer presents one certificate, no more.
const fn alone(intermediates: &[CertificateDer<'_>]) -> Result<(), CertificateRefusal> {
    if intermediates.is_empty() { Ok(()) } else { Err(CertificateRefusal::Malformed) }
}

fn verify_signature(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    verify_handshake(certificate, signed.scheme, message, signed.signature())
        .map(|()| HandshakeSignatureValid::assertion())
        .map_err(refused)
}

fn refused(refusal: CertificateRefusal) -> Error {
    Error::InvalidCertificate(match refusal {
        CertificateRefusal::Malformed => CertificateError::BadEncoding,
        CertificateRefusal::Expired => CertificateError::Expired,
        CertificateRefusal::BadSignature => CertificateError::BadSignature,
        CertificateRefusal::KeyNotSupported(_) => CertificateError::Other(OtherError(Arc::new(refusal))),
    })
}

fn only_tls13() -> Error {
    Error::General("only TLS 1.3 is spoken".to_owned())
}
