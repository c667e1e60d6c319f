//! Keys that are made when they are needed.
//!
//! Quinn wants the keys after those in use as soon as a connection stands. They take more than a kilobyte, and most connections
//! end long before a peer updates its keys (quic-go after a hundred packets). Made with the first packet that needs them, they
//! cost a peer's update some microseconds, by which whoever watches may learn that it was one (RFC 9001, section 6.3, allows it).

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::BytesMut;
use quinn::crypto::{CryptoError, KeyPair, PacketKey};
use rustls::quic::{PacketKeySet, Secrets};

/// What the keys of a connection are made of, one update after the other.
pub(super) struct Updates {
    secrets: Arc<Mutex<Secrets>>,
    /// The keys that were handed out last.
    last: Option<Arc<Later>>,
}

/// The keys of one update.
struct Later {
    secrets: Arc<Mutex<Secrets>>,
    keys: OnceLock<PacketKeySet>,
}

impl Updates {
    pub(super) fn new(secrets: Secrets) -> Self {
        Self { secrets: Arc::new(Mutex::new(secrets)), last: None }
    }

    /// The keys of the next update.
    pub(super) fn next(&mut self) -> KeyPair<Box<dyn PacketKey>> {
        if let Some(last) = &self.last {
            // Each update's keys are made of the one's before.
            last.keys();
        }
        let secrets = Arc::clone(&self.secrets);
        let later = Arc::new(Later { secrets, keys: OnceLock::new() });
        self.last = Some(Arc::clone(&later));
        KeyPair { local: Box::new(Local(Arc::clone(&later))), remote: Box::new(Remote(later)) }
    }
}

impl Later {
    fn keys(&self) -> &PacketKeySet {
        let make = || self.secrets.lock().unwrap_or_else(PoisonError::into_inner).next_packet_keys();
        self.keys.get_or_init(make)
    }
}

/// Protects what we send.
struct Local(Arc<Later>);

/// Protects what the peer sends.
struct Remote(Arc<Later>);

macro_rules! made_later {
    ($name:ident, $side:ident) => {
        impl PacketKey for $name {
            fn encrypt(&self, packet: u64, buf: &mut [u8], header_len: usize) {
                PacketKey::encrypt(&self.0.keys().$side, packet, buf, header_len);
            }

            fn decrypt(&self, packet: u64, header: &[u8], payload: &mut BytesMut) -> Result<(), CryptoError> {
                PacketKey::decrypt(&self.0.keys().$side, packet, header, payload)
            }

            fn tag_len(&self) -> usize {
                PacketKey::tag_len(&self.0.keys().$side)
            }

            fn confidentiality_limit(&self) -> u64 {
                PacketKey::confidentiality_limit(&self.0.keys().$side)
            }

            fn integrity_limit(&self) -> u64 {
                PacketKey::integrity_limit(&self.0.keys().$side)
            }
        }
    };
}

made_later!(Local, local);
made_later!(Remote, remote);
