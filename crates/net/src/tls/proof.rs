//! Verifying who is at the other end of a handshake, as each side does it.

use std::sync::{Arc, OnceLock};

use kad::failure::{Failure, FailureClass, Phase};
use libp2p_identity::PeerId;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme, pki_types::CertificateDer,
};

use super::{
    certificate::{CertificateRefusal, verify, verify_handshake},
    known::KnownCertificates,
    verifier::{Scrutiny, Shown},
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

impl Scrutiny for ServerProof {
    fn certificate(&self, shown: &Shown<'_>) -> Result<(), Error> {
        let verify = || alone(shown.others).and_then(|()| verify(shown.certificate, shown.now));
        let verdict = *self.verdict.get_or_init(verify);
        match verdict {
            Ok(peer) if Some(peer) == self.expected => Ok(()),
            Ok(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
            Err(refusal) => Err(refused(refusal)),
        }
    }

    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<(), Error> {
        verify_signature(message, certificate, signed)
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        SCHEMES.to_vec()
    }
}

/// Lets every peer in that proves any identity; who it should be, if that matters, is compared once the handshake is over.
#[derive(Debug, Default)]
pub(crate) struct AnyPeer(KnownCertificates);

impl Scrutiny for AnyPeer {
    fn certificate(&self, shown: &Shown<'_>) -> Result<(), Error> {
        let verified = alone(shown.others).and_then(|()| self.0.verify(shown.certificate, shown.now));
        verified.map(drop).map_err(refused)
    }

    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<(), Error> {
        verify_signature(message, certificate, signed)
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        SCHEMES.to_vec()
    }
}

/// A peer presents one certificate, no more.
const fn alone(intermediates: &[CertificateDer<'_>]) -> Result<(), CertificateRefusal> {
    if intermediates.is_empty() { Ok(()) } else { Err(CertificateRefusal::Malformed) }
}

fn verify_signature(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<(), Error> {
    verify_handshake(certificate, signed.scheme, message, signed.signature()).map_err(refused)
}

fn refused(refusal: CertificateRefusal) -> Error {
    Error::InvalidCertificate(match refusal {
        CertificateRefusal::Malformed => CertificateError::BadEncoding,
        CertificateRefusal::Expired => CertificateError::Expired,
        CertificateRefusal::BadSignature => CertificateError::BadSignature,
        CertificateRefusal::KeyNotSupported(_) => CertificateError::Other(OtherError(Arc::new(refusal))),
    })
}
