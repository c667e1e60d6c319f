//! Who we are to other peers: a libp2p key pair, and a Noise static key that it has vouched for.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use libp2p_identity::{Keypair, PeerId};

use crate::{
    error::NetError,
    noise::{StaticKey, encode_payload, signed_text},
    tls::OwnTls,
};

/// A peer's own identity. Cheap to clone. The Noise static key is made and signed once: a listener with thousands of
/// identities signs once for each of them, not once for each connection.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    keypair: Keypair,
    peer_id: PeerId,
    public_key: Box<[u8]>,
    noise_key: StaticKey,
    noise_payload: Box<[u8]>,
    /// Made when it is first needed; `None` if the key cannot sign a certificate.
    tls: OnceLock<Option<OwnTls>>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.0.peer_id).finish()
    }
}

impl Identity {
    /// The identity of a key pair of any type. An error says that the key cannot sign, or that the system has no randomness.
    pub fn new(keypair: Keypair) -> Result<Self, NetError> {
        let noise_key = StaticKey::generate().map_err(|_| NetError::Identity)?;
        let signature = keypair.sign(&signed_text(noise_key.public())).map_err(|_| NetError::Identity)?;
        let public = keypair.public();
        let public_key = public.encode_protobuf().into_boxed_slice();
        let noise_payload = encode_payload(&public_key, &signature).into_boxed_slice();
        Ok(Self(Arc::new(Inner {
            peer_id: public.to_peer_id(),
            keypair,
            public_key,
            noise_key,
            noise_payload,
            tls: OnceLock::new(),
        })))
    }

    /// A new random identity with an Ed25519 key.
    pub fn generate() -> Result<Self, NetError> {
        Self::new(Keypair::generate_ed25519())
    }

    /// The peer id.
    pub fn peer_id(&self) -> PeerId {
        self.0.peer_id
    }

    /// The public key in libp2p's protobuf encoding.
    pub fn public_key(&self) -> &[u8] {
        &self.0.public_key
    }

    /// The key pair itself.
    pub fn keypair(&self) -> &Keypair {
        &self.0.keypair
    }

    pub(crate) fn noise_key(&self) -> &StaticKey {
        &self.0.noise_key
    }

    pub(crate) fn noise_payload(&self) -> &[u8] {
        &self.0.noise_payload
    }

    /// The identity's certificate and what presents it; `None` if none can be made.
    pub(crate) fn tls(&self) -> Option<&OwnTls> {
        self.0.tls.get_or_init(|| OwnTls::new(&self.0.keypair).ok()).as_ref()
    }
}
