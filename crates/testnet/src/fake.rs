//! Peers that do not exist: ids that an inventing peer makes up, and that can be told from real ones afterwards.

use kad::Key;

/// Makes ids up. The second half of such a public key is a tag of the first half, so that no list of them is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forger {
    seed: u64,
}

impl Forger {
    /// The forger of the world with this seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// A public key that nobody has the secret of; another one for each `number`.
    pub(crate) fn public_key(self, number: u64) -> [u8; 32] {
        let mut public = [0; 32];
        let noise = self.hash(b"noise", &number.to_be_bytes());
        public[..16].copy_from_slice(&noise);
        public[16..].copy_from_slice(&self.hash(b"tag", &noise));
        public
    }

    /// Whether this forger made this public key.
    pub(crate) fn made(self, public: &[u8]) -> bool {
        public.len() == 32 && self.hash(b"tag", &public[..16]) == public[16..]
    }

    fn hash(self, purpose: &[u8], of: &[u8]) -> [u8; 16] {
        let key = Key::of(&[b"kadscope testnet fake ", purpose, &self.seed.to_be_bytes(), of].concat());
        std::array::from_fn(|i| key.as_bytes()[i])
    }
}
