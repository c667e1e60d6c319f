//! One direction of an encrypted channel: a key and the number of its next message.

use std::fmt;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use super::{NoiseError, TAG_BYTES};

/// ChaCha20-Poly1305 with a counter as its nonce (Noise, section 12.3).
pub(crate) struct Cipher {
    key: LessSafeKey,
    counter: u64,
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cipher").field("counter", &self.counter).finish_non_exhaustive()
    }
}

impl Cipher {
    /// A cipher at message 0.
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, NoiseError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| NoiseError::Exhausted)?;
        Ok(Self { key: LessSafeKey::new(key), counter: 0 })
    }

    /// The nonce of the next message. The last counter value is reserved (Noise, section 5.1).
    fn next_nonce(&mut self) -> Result<Nonce, NoiseError> {
        let counter = self.counter;
        self.counter = counter.checked_add(1).ok_or(NoiseError::Exhausted)?;
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&counter.to_le_bytes());
        Ok(Nonce::assume_unique_for_key(nonce))
    }

    /// Encrypts what `out` holds from `start` on, in place, and appends the tag.
    pub(crate) fn seal(&mut self, aad: &[u8], out: &mut Vec<u8>, start: usize) -> Result<(), NoiseError> {
        let nonce = self.next_nonce()?;
        let plaintext = out.get_mut(start..).ok_or(NoiseError::Exhausted)?;
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(aad), plaintext)
            .map_err(|_| NoiseError::Exhausted)?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Decrypts a ciphertext with its tag in place; the plaintext is its beginning.
    pub(crate) fn open<'a>(&mut self, aad: &[u8], message: &'a mut [u8]) -> Result<&'a mut [u8], NoiseError> {
        if message.len() < TAG_BYTES {
            return Err(NoiseError::Malformed);
        }
        let nonce = self.next_nonce()?;
        self.key.open_in_place(nonce, Aad::from(aad), message).map_err(|_| NoiseError::Decrypt)
    }

    #[cfg(test)]
    pub(crate) fn skip_to(&mut self, counter: u64) {
        self.counter = counter;
    }
}
