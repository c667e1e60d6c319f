//! The symmetric state of a handshake: chaining key, transcript hash and the key in use (Noise, section 5.2).

use aws_lc_rs::{digest, hmac};

use super::{Cipher, NoiseError};

/// The protocol's name is exactly as long as a hash, so it is the first hash itself.
const PROTOCOL: [u8; 32] = *b"Noise_XX_25519_ChaChaPoly_SHA256";

/// Chaining key, transcript hash, and the cipher once a secret was mixed in.
#[derive(Debug)]
pub(super) struct Symmetric {
    chaining_key: [u8; 32],
    hash: [u8; 32],
    cipher: Option<Cipher>,
}

impl Symmetric {
    pub(super) fn new(prologue: &[u8]) -> Self {
        let mut state = Self { chaining_key: PROTOCOL, hash: PROTOCOL, cipher: None };
        state.mix_hash(prologue);
        state
    }

    #[cfg(test)]
    pub(super) fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// `MixHash`: the transcript goes on with these bytes.
    pub(super) fn mix_hash(&mut self, data: &[u8]) {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.hash);
        context.update(data);
        self.hash.copy_from_slice(context.finish().as_ref());
    }

    /// `MixKey`: a secret goes into all keys that follow.
    pub(super) fn mix_key(&mut self, secret: &[u8]) -> Result<(), NoiseError> {
        let (chaining_key, key) = derive(&self.chaining_key, secret);
        self.chaining_key = chaining_key;
        self.cipher = Some(Cipher::new(&key)?);
        Ok(())
    }

    /// `EncryptAndHash`: appends the text to `out`, encrypted once there is a key.
    pub(super) fn encrypt(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        let start = out.len();
        out.extend_from_slice(text);
        if let Some(cipher) = &mut self.cipher {
            cipher.seal(&self.hash, out, start)?;
        }
        self.mix_hash(out.get(start..).unwrap_or_default());
        Ok(())
    }

    /// `DecryptAndHash`, in place.
    pub(super) fn decrypt<'a>(&mut self, message: &'a mut [u8]) -> Result<&'a mut [u8], NoiseError> {
        let before = self.hash;
        self.mix_hash(message);
        match &mut self.cipher {
            Some(cipher) => cipher.open(&before, message),
            None => Ok(message),
        }
    }

    /// `Split`: the ciphers of the initiator's and of the responder's messages.
    pub(super) fn split(&self) -> Result<(Cipher, Cipher), NoiseError> {
        let (first, second) = derive(&self.chaining_key, &[]);
        Ok((Cipher::new(&first)?, Cipher::new(&second)?))
    }
}

/// HKDF with two outputs (Noise, section 4.3).
fn derive(chaining_key: &[u8; 32], secret: &[u8]) -> ([u8; 32], [u8; 32]) {
    let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, chaining_key), secret);
    let key = hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref());
    let first = array(hmac::sign(&key, &[1]).as_ref());
    let mut input = [2; 33];
    input[..32].copy_from_slice(&first);
    (first, array(hmac::sign(&key, &input).as_ref()))
}

fn array(tag: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(tag);
    bytes
}
