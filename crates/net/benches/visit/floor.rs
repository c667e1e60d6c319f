//! The asymmetric cryptography of one handshake as a dialler, which no visit can do without.

use std::hint::black_box;

use aws_lc_rs::{
    agreement::{self, PrivateKey, PublicKey, X25519},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair, UnparsedPublicKey,
    },
};
use tokio::task::JoinSet;

use crate::{Transport, cpu};

const HANDSHAKES: u32 = 1500;

/// CPU time of one handshake in microseconds, on as many threads at once as a visit uses.
pub(crate) async fn measure(transport: Transport) -> f64 {
    let before = cpu();
    let mut threads = JoinSet::new();
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..count {
        threads.spawn_blocking(match transport {
            Transport::Tcp => noise,
            Transport::Quic => tls,
        });
    }
    threads.join_all().await;
    cpu().saturating_sub(before).as_secs_f64() * 1e6 / (f64::from(HANDSHAKES) * count as f64)
}

/// Noise: a key pair, three agreements and one verification.
fn noise() {
    let other = PrivateKey::generate(&X25519).unwrap().compute_public_key().unwrap();
    let identity = Ed25519KeyPair::generate().unwrap();
    let proof = identity.sign(b"text");
    for _ in 0..HANDSHAKES {
        let key = PrivateKey::generate(&X25519).unwrap();
        for _ in 0..3 {
            agree(&key, &other);
        }
        verify(&identity, proof.as_ref());
    }
}

/// TLS: a key pair, one agreement, one signature, and the verification of an identity, of its certificate and of the handshake.
fn tls() {
    let other = PrivateKey::generate(&X25519).unwrap().compute_public_key().unwrap();
    let identity = Ed25519KeyPair::generate().unwrap();
    let proof = identity.sign(b"text");
    let own = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let random = SystemRandom::new();
    let signature = own.sign(&random, b"text").unwrap();
    for _ in 0..HANDSHAKES {
        agree(&PrivateKey::generate(&X25519).unwrap(), &other);
        black_box(own.sign(&random, b"text").unwrap());
        for _ in 0..2 {
            let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, own.public_key().as_ref());
            public.verify(b"text", signature.as_ref()).unwrap();
        }
        verify(&identity, proof.as_ref());
    }
}

fn agree(key: &PrivateKey, other: &PublicKey) {
    let other = agreement::UnparsedPublicKey::new(&X25519, other.as_ref());
    agreement::agree(key, other, (), |secret| Ok(black_box(secret.len()))).unwrap();
}

fn verify(identity: &Ed25519KeyPair, proof: &[u8]) {
    let public = UnparsedPublicKey::new(&ED25519, identity.public_key().as_ref());
    public.verify(b"text", proof).unwrap();
}
