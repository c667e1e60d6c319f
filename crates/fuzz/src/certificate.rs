//! Certificates of libp2p: what is accepted names who vouches for it, as the general crate reads it too.
//!
//! After a first byte of 0 comes a certificate. After any other comes the part of one that is signed, and it is signed
//! here by a fixed key, so that what a fuzzer changes there is not refused for its signature alone.

use std::{sync::LazyLock, time::Duration};

use kad::PeerId;
use libp2p_identity::Keypair;
use libp2p_tls::certificate::parse;
use net::{CertificateRefusal, peer_of_certificate};
use rustls::pki_types::CertificateDer;

/// A moment within the validity of all seeds, as the time since 1970.
const NOW: Duration = Duration::from_secs(1_800_000_000);

/// The algorithm of Ed25519 as a certificate names it.
const ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];

/// The key of the certificates that are signed here, and the identity that has vouched for it: no other has.
static FIXED: LazyLock<Option<(Keypair, PeerId)>> = LazyLock::new(|| {
    let key = |byte| Keypair::ed25519_from_bytes([byte; 32]).ok();
    Some((key(1)?, key(2)?.public().to_peer_id()))
});

/// Reads the bytes as a certificate, or as the signed part of one.
pub fn check(bytes: &[u8]) {
    owner(bytes);
}

/// Whose the certificate is, if it is accepted.
pub fn owner(bytes: &[u8]) -> Option<PeerId> {
    let (kind, bytes) = bytes.split_first()?;
    if *kind == 0 {
        return accepted(bytes);
    }
    let (key, identity) = FIXED.as_ref()?;
    let signature = key.sign(bytes).ok()?;
    let signature = element(0x03, &[&[0], &*signature].concat());
    let peer = accepted(&element(0x30, &[bytes, ED25519, &signature].concat()))?;
    assert_eq!(peer, *identity, "an identity that has not vouched");
    Some(peer)
}

fn accepted(der: &[u8]) -> Option<PeerId> {
    let ours = peer_of_certificate(der, NOW);
    let general = parse(&CertificateDer::from(der)).map(|parsed| parsed.peer_id());
    match (ours, general) {
        (Ok(ours), Ok(general)) => assert_eq!(ours, general),
        // The general crate asks the clock what time it is, and reads more of what says nothing of the owner.
        (Err(CertificateRefusal::Expired), _) | (_, Err(_)) => {}
        (Err(refusal), Ok(general)) => unreachable!("{general} is refused: {refusal:?}"),
    }
    // Valid at one moment or another, it is nobody else's.
    let then = peer_of_certificate(der, Duration::ZERO);
    assert!(then.is_err() || ours.is_err() || then == ours);
    ours.ok()
}

/// An element of DER.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    let mut out = vec![tag];
    match (high, low) {
        (0, ..=0x7f) => out.push(low),
        (0, _) => out.extend([0x81, low]),
        _ => out.extend([0x82, high, low]),
    }
    out.extend_from_slice(content);
    out
}
