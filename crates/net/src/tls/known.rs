//! Certificates that were verified before. Who dials thousands of heads behind one socket shows the same one to each, and
//! two signatures are an eighth of what serving such a visit costs.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use libp2p_identity::PeerId;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::certificate::{CertificateRefusal, verify, verify_again};

/// How many certificates are remembered: the last ones.
const MAX_KNOWN: usize = 32;

/// The longest certificate that is remembered, in bytes. Those with an Ed25519 identity take less than 500.
const MAX_CERTIFICATE_BYTES: usize = 2048;

/// The certificates whose signatures are known to hold.
#[derive(Debug, Default)]
pub(super) struct KnownCertificates(Mutex<VecDeque<Box<[u8]>>>);

impl KnownCertificates {
    /// Verifies a certificate, and says whose it is. That its owner holds the key is for the handshake to show.
    pub(super) fn verify(
        &self,
        der: &CertificateDer<'_>,
        now: UnixTime,
    ) -> Result<PeerId, CertificateRefusal> {
        if self.contains(der) {
            return verify_again(der, now);
        }
        let peer = verify(der, now)?;
        self.remember(der);
        Ok(peer)
    }

    fn contains(&self, der: &[u8]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|known| **known == *der)
    }

    fn remember(&self, der: &[u8]) {
        if der.len() > MAX_CERTIFICATE_BYTES {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.pop_back();
        }
        known.push_front(der.into());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use libp2p_identity::Keypair;

    use super::*;

    const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));

    fn certificate() -> (CertificateDer<'static>, PeerId) {
        let keypair = Keypair::generate_ed25519();
        let (der, _) = libp2p_tls::certificate::generate(&keypair).unwrap();
        (der, keypair.public().to_peer_id())
    }

    #[test]
    fn a_certificate_is_known_once_it_was_verified_and_expires_all_the_same() {
        let (known, (der, peer)) = (KnownCertificates::default(), certificate());
        assert_eq!(
            known.verify(&der, UnixTime::since_unix_epoch(Duration::ZERO)),
            Err(CertificateRefusal::Expired)
        );
        assert!(!known.contains(&der));
        for _ in 0..2 {
            assert_eq!(known.verify(&der, NOW), Ok(peer));
            assert!(known.contains(&der));
        }
        assert_eq!(
            known.verify(&der, UnixTime::since_unix_epoch(Duration::ZERO)),
            Err(CertificateRefusal::Expired)
        );
    }

    #[test]
    fn what_does_not_hold_is_not_remembered() {
        let (known, (der, _)) = (KnownCertificates::default(), certificate());
        known.verify(&der, NOW).unwrap();
        let mut forged = der.to_vec();
        *forged.last_mut().unwrap() ^= 1;
        let forged = CertificateDer::from(forged);
        for _ in 0..2 {
            assert!(known.verify(&forged, NOW).is_err());
        }
        assert!(!known.contains(&forged));
    }

    #[test]
    fn only_the_last_ones_are_remembered() {
        let (known, (first, _)) = (KnownCertificates::default(), certificate());
        known.verify(&first, NOW).unwrap();
        for _ in 0..MAX_KNOWN {
            known.verify(&certificate().0, NOW).unwrap();
        }
        assert!(!known.contains(&first));
        assert_eq!(known.0.lock().unwrap().len(), MAX_KNOWN);
    }
}
