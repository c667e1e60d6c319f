//! Looks at the certificate below a secure WebSocket, and refuses none.

use std::sync::{Arc, OnceLock};

use kad::{PeerId, network::WssCertificate};
use rustls::{
    DigitallySignedStruct, Error, SignatureScheme,
    crypto::{aws_lc_rs, verify_tls13_signature},
    pki_types::CertificateDer,
};

use crate::tls::{Roots, Scrutiny, Shown, is_certificate_of, is_signed_by_certificate};

/// Who looks on at one handshake.
#[derive(Debug)]
pub(super) struct Witness {
    roots: Roots,
    /// Who was dialled.
    peer: PeerId,
    /// What the certificate is, if it is the server's.
    shown: OnceLock<WssCertificate>,
    /// Whether the server has proved that it is.
    proved: OnceLock<bool>,
}

impl Witness {
    pub(super) fn new(roots: Roots, peer: PeerId) -> Arc<Self> {
        Arc::new(Self { roots, peer, shown: OnceLock::new(), proved: OnceLock::new() })
    }

    /// What it has seen.
    pub(super) fn says(&self) -> WssCertificate {
        let shown = self.shown.get().filter(|_| self.proved.get() == Some(&true));
        shown.copied().unwrap_or(WssCertificate::Unverified)
    }
}

impl Scrutiny for Witness {
    fn certificate(&self, shown: &Shown<'_>) -> Result<(), Error> {
        let Shown { certificate, others, name, now } = *shown;
        self.shown.get_or_init(|| {
            if name.is_some_and(|name| self.roots.verify(certificate, others, name, now).is_ok()) {
                WssCertificate::Root
            } else if is_certificate_of(certificate, &self.peer, now) {
                WssCertificate::Libp2p
            } else {
                WssCertificate::Unverified
            }
        });
        Ok(())
    }

    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<(), Error> {
        self.proved.get_or_init(|| match self.shown.get() {
            Some(WssCertificate::Root) => {
                let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
                verify_tls13_signature(message, certificate, signed, &algorithms).is_ok()
            }
            Some(WssCertificate::Libp2p) => is_signed_by_certificate(certificate, message, signed),
            Some(WssCertificate::Unverified) | None => false,
        });
        Ok(())
    }

    fn speaks_tls12(&self) -> bool {
        true
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
