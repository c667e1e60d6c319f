//! The three messages of the pattern XX, each role a type whose methods are called in order.
//!
//! ```text
//! -> e
//! <- e, ee, s, es   + payload
//! -> s, se          + payload
//! ```

use std::fmt;

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};

use super::{Cipher, NoiseError, TAG_BYTES, symmetric::Symmetric};

/// A public key of X25519, in bytes.
const KEY_BYTES: usize = 32;

/// A static public key as it goes over the wire: encrypted, with its tag.
const SEALED_KEY_BYTES: usize = KEY_BYTES + TAG_BYTES;

/// A key pair of X25519 for agreement.
pub(crate) struct StaticKey {
    private: PrivateKey,
    public: [u8; KEY_BYTES],
}

impl fmt::Debug for StaticKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl StaticKey {
    /// A new random pair.
    pub(crate) fn generate() -> Result<Self, NoiseError> {
        Self::from_private(PrivateKey::generate(&X25519).map_err(|_| NoiseError::Exhausted)?)
    }

    fn from_private(private: PrivateKey) -> Result<Self, NoiseError> {
        let public = private.compute_public_key().map_err(|_| NoiseError::Exhausted)?;
        let public = public.as_ref().try_into().map_err(|_| NoiseError::Exhausted)?;
        Ok(Self { private, public })
    }

    #[cfg(test)]
    pub(crate) fn from_bytes(private: &[u8]) -> Self {
        Self::from_private(PrivateKey::from_private_key(&X25519, private).unwrap()).unwrap()
    }

    /// The public half.
    pub(crate) const fn public(&self) -> &[u8; KEY_BYTES] {
        &self.public
    }

    /// The shared secret with a public key. Refuses keys of low order, whose secret is zero whatever ours is.
    fn agree(&self, public: &[u8; KEY_BYTES]) -> Result<[u8; KEY_BYTES], NoiseError> {
        agreement::agree(
            &self.private,
            UnparsedPublicKey::new(&X25519, public),
            NoiseError::BadKey,
            |secret| {
                let secret: [u8; KEY_BYTES] = secret.try_into().map_err(|_| NoiseError::BadKey)?;
                let any = secret.iter().fold(0, |any, byte| any | byte);
                if any == 0 { Err(NoiseError::BadKey) } else { Ok(secret) }
            },
        )
    }
}

/// Both directions of the channel after a handshake.
#[derive(Debug)]
pub(crate) struct Channel {
    /// Encrypts what goes out.
    pub(crate) sending: Cipher,
    /// Decrypts what comes in.
    pub(crate) receiving: Cipher,
}

/// The role of the dialler.
#[derive(Debug)]
pub(crate) struct Initiator {
    symmetric: Symmetric,
    ephemeral: StaticKey,
    remote_ephemeral: [u8; KEY_BYTES],
}

impl Initiator {
    /// Begins with a fresh ephemeral key.
    pub(crate) fn new(prologue: &[u8], ephemeral: StaticKey) -> Self {
        Self { symmetric: Symmetric::new(prologue), ephemeral, remote_ephemeral: [0; KEY_BYTES] }
    }

    /// Writes the first message.
    pub(crate) fn write_first(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        out.extend_from_slice(&self.ephemeral.public);
        self.symmetric.mix_hash(&self.ephemeral.public);
        self.symmetric.encrypt(payload, out)
    }

    /// Reads the second message: the responder's static key, and the payload.
    pub(crate) fn read_second<'a>(
        &mut self,
        message: &'a mut [u8],
    ) -> Result<([u8; KEY_BYTES], &'a [u8]), NoiseError> {
        let (ephemeral, rest) = take_key(message)?;
        self.remote_ephemeral = ephemeral;
        self.symmetric.mix_hash(&ephemeral);
        self.symmetric.mix_key(&self.ephemeral.agree(&ephemeral)?)?;
        let (remote_static, payload) = self.symmetric.take_static(rest)?;
        self.symmetric.mix_key(&self.ephemeral.agree(&remote_static)?)?;
        Ok((remote_static, self.symmetric.decrypt(payload)?))
    }

    /// Writes the third message and ends the handshake.
    pub(crate) fn write_third(
        mut self,
        key: &StaticKey,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Channel, NoiseError> {
        self.symmetric.encrypt(&key.public, out)?;
        self.symmetric.mix_key(&key.agree(&self.remote_ephemeral)?)?;
        self.symmetric.encrypt(payload, out)?;
        let (sending, receiving) = self.symmetric.split()?;
        Ok(Channel { sending, receiving })
    }
}

/// The role of the listener.
#[derive(Debug)]
pub(crate) struct Responder {
    symmetric: Symmetric,
    ephemeral: StaticKey,
    remote_ephemeral: [u8; KEY_BYTES],
}

impl Responder {
    /// Begins with a fresh ephemeral key.
    pub(crate) fn new(prologue: &[u8], ephemeral: StaticKey) -> Self {
        Self { symmetric: Symmetric::new(prologue), ephemeral, remote_ephemeral: [0; KEY_BYTES] }
    }

    /// Reads the first message; its payload is nothing that can be trusted.
    pub(crate) fn read_first<'a>(&mut self, message: &'a mut [u8]) -> Result<&'a [u8], NoiseError> {
        let (ephemeral, rest) = take_key(message)?;
        self.remote_ephemeral = ephemeral;
        self.symmetric.mix_hash(&ephemeral);
        Ok(self.symmetric.decrypt(rest)?)
    }

    /// Writes the second message.
    pub(crate) fn write_second(
        &mut self,
        key: &StaticKey,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), NoiseError> {
        out.extend_from_slice(&self.ephemeral.public);
        self.symmetric.mix_hash(&self.ephemeral.public);
        self.symmetric.mix_key(&self.ephemeral.agree(&self.remote_ephemeral)?)?;
        self.symmetric.encrypt(&key.public, out)?;
        self.symmetric.mix_key(&key.agree(&self.remote_ephemeral)?)?;
        self.symmetric.encrypt(payload, out)
    }

    /// Reads the third message and ends the handshake: the initiator's static key, the payload and the channel.
    pub(crate) fn read_third<'a>(
        &mut self,
        message: &'a mut [u8],
    ) -> Result<([u8; KEY_BYTES], &'a [u8], Channel), NoiseError> {
        let (remote_static, payload) = self.symmetric.take_static(message)?;
        self.symmetric.mix_key(&self.ephemeral.agree(&remote_static)?)?;
        let payload = self.symmetric.decrypt(payload)?;
        let (receiving, sending) = self.symmetric.split()?;
        Ok((remote_static, payload, Channel { sending, receiving }))
    }

    #[cfg(test)]
    pub(crate) fn hash(&self) -> [u8; 32] {
        self.symmetric.hash()
    }
}

impl Symmetric {
    /// Decrypts the static key at the front of a message; returns it and the rest.
    fn take_static<'a>(
        &mut self,
        message: &'a mut [u8],
    ) -> Result<([u8; KEY_BYTES], &'a mut [u8]), NoiseError> {
        let (sealed, rest) = message.split_at_mut_checked(SEALED_KEY_BYTES).ok_or(NoiseError::Malformed)?;
        let key = self.decrypt(sealed)?;
        Ok(((&*key).try_into().map_err(|_| NoiseError::Malformed)?, rest))
    }
}

/// Splits the ephemeral key off the front of a message.
fn take_key(message: &mut [u8]) -> Result<([u8; KEY_BYTES], &mut [u8]), NoiseError> {
    let (key, rest) = message.split_first_chunk_mut::<KEY_BYTES>().ok_or(NoiseError::Malformed)?;
    Ok((*key, rest))
}
