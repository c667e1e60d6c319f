//! The message of `/ipfs/id/1.0.0`: who a peer says it is, what it speaks, where it listens and where it sees us.
//!
//! Source: libp2p specification, `identify/README.md`. A long answer may come in several messages whose fields add
//! up ([`Identify::merge`]). Everything taken from a peer has a bound; what exceeds it is left out, not refused.

use multiaddr::Multiaddr;

use crate::protobuf::{DecodeError, Fields, Value, write_bytes};

/// The protocol that asks a peer who it is.
pub const IDENTIFY_PROTOCOL: &str = "/ipfs/id/1.0.0";

/// The protocol by which a peer says unasked that its answer has changed.
pub const IDENTIFY_PUSH_PROTOCOL: &str = "/ipfs/id/push/1.0.0";

/// The longest identify message that is accepted, in bytes (go-libp2p limits one answer to 8 KiB with, and 2 KiB
/// without a signed record, but others are less terse).
pub const MAX_IDENTIFY_BYTES: usize = 64 * 1024;

/// The most listen addresses that are kept of one peer.
pub const MAX_LISTEN_ADDRS: usize = 256;

/// The most protocols that are kept of one peer.
pub const MAX_PROTOCOLS: usize = 512;

/// The longest agent version, protocol version or protocol name that is kept, in bytes; longer ones are cut.
pub const MAX_TEXT_BYTES: usize = 256;

/// The longest address, key or record that is kept, in bytes.
const MAX_BLOB_BYTES: usize = 16 * 1024;

/// What a peer says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identify {
    /// The public key in libp2p's protobuf encoding; empty if none came.
    pub public_key: Vec<u8>,
    /// Where the peer says that it listens.
    pub listen_addrs: Vec<Multiaddr>,
    /// How many listen addresses were no multiaddress.
    pub malformed_addrs: u32,
    /// The protocols that the peer speaks.
    pub protocols: Vec<String>,
    /// Where the peer sees us; `None` if it did not say or said nonsense.
    pub observed_addr: Option<Multiaddr>,
    /// The family of protocols, for example `ipfs/0.1.0`.
    pub protocol_version: Option<String>,
    /// The program, for example `kubo/0.43.0`.
    pub agent_version: Option<String>,
    /// A signed envelope with a peer record; not verified here.
    pub signed_peer_record: Option<Vec<u8>>,
}

impl Identify {
    /// Reads one message. An error says that the bytes are not protobuf.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut identify = Self::default();
        identify.merge(bytes)?;
        Ok(identify)
    }

    /// Adds what a further message says: single fields are replaced, lists grow.
    /// An error says that the bytes are not protobuf; what was read before the fault is kept.
    pub fn merge(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        for field in Fields::new(bytes) {
            if let (number, Value::Bytes(value)) = field? {
                self.take(number, value);
            }
        }
        Ok(())
    }

    fn take(&mut self, field: u64, value: &[u8]) {
        match field {
            1 if value.len() <= MAX_BLOB_BYTES => self.public_key = value.to_vec(),
            2 if self.listen_addrs.len() < MAX_LISTEN_ADDRS => match address(value) {
                Some(addr) => self.listen_addrs.push(addr),
                None => self.malformed_addrs = self.malformed_addrs.saturating_add(1),
            },
            3 if self.protocols.len() < MAX_PROTOCOLS => self.protocols.push(text(value)),
            4 => self.observed_addr = address(value),
            5 => self.protocol_version = Some(text(value)),
            6 => self.agent_version = Some(text(value)),
            8 if value.len() <= MAX_BLOB_BYTES => self.signed_peer_record = Some(value.to_vec()),
            _ => {}
        }
    }

    /// Writes the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        if !self.public_key.is_empty() {
            write_bytes(&mut out, 1, &self.public_key);
        }
        for addr in &self.listen_addrs {
            write_bytes(&mut out, 2, addr.as_ref());
        }
        for protocol in &self.protocols {
            write_bytes(&mut out, 3, protocol.as_bytes());
        }
        let last = [
            (4, self.observed_addr.as_ref().map(AsRef::as_ref)),
            (5, self.protocol_version.as_deref().map(str::as_bytes)),
            (6, self.agent_version.as_deref().map(str::as_bytes)),
            (8, self.signed_peer_record.as_deref()),
        ];
        for (field, value) in last {
            if let Some(value) = value {
                write_bytes(&mut out, field, value);
            }
        }
        out
    }
}

/// Appends the observed address to an encoded message: fields of protobuf may come in any order, so that a message
/// that says the same to everyone is encoded once.
pub fn append_observed_addr(message: &mut Vec<u8>, observed: &Multiaddr) {
    write_bytes(message, 4, observed.as_ref());
}

fn address(value: &[u8]) -> Option<Multiaddr> {
    (!value.is_empty() && value.len() <= MAX_BLOB_BYTES).then(|| Multiaddr::try_from(value.to_vec()).ok())?
}

fn text(value: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(value).into_owned();
    if text.len() > MAX_TEXT_BYTES {
        let end = (0..=MAX_TEXT_BYTES).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Identify {
        Identify {
            public_key: vec![8, 1, 18, 2, 7, 7],
            listen_addrs: vec!["/ip4/127.0.0.1/tcp/4001".parse().unwrap()],
            malformed_addrs: 0,
            protocols: vec!["/ipfs/kad/1.0.0".into(), "/ipfs/id/1.0.0".into()],
            observed_addr: Some("/ip4/127.0.0.2/tcp/9".parse().unwrap()),
            protocol_version: Some("ipfs/0.1.0".into()),
            agent_version: Some("x".repeat(200)),
            signed_peer_record: Some(vec![1, 2, 3]),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Identify::decode(&sample().encode()), Ok(sample()));
        assert_eq!(Identify::decode(&[]), Ok(Identify::default()));
    }

    #[test]
    fn several_messages_add_up() {
        let mut first = Identify { agent_version: None, observed_addr: None, ..sample() };
        let second = Identify { agent_version: Some("b".into()), ..Identify::default() };
        first.merge(&second.encode()).unwrap();
        assert_eq!(first.agent_version.as_deref(), Some("b"));
        assert_eq!(first.protocols.len(), 2);
    }

    #[test]
    fn an_observed_address_can_be_appended() {
        let mut bytes = Identify { observed_addr: None, ..sample() }.encode();
        append_observed_addr(&mut bytes, sample().observed_addr.as_ref().unwrap());
        assert_eq!(Identify::decode(&bytes), Ok(sample()));
    }

    #[test]
    fn lists_and_texts_are_bounded_and_malformed_addresses_counted() {
        let mut bytes = Vec::new();
        for _ in 0..2 * MAX_PROTOCOLS {
            write_bytes(&mut bytes, 3, "é".repeat(MAX_TEXT_BYTES).as_bytes());
            write_bytes(&mut bytes, 2, &[0xff, 0xff, 1]);
        }
        let read = Identify::decode(&bytes).unwrap();
        assert_eq!(read.protocols.len(), MAX_PROTOCOLS);
        assert_eq!(read.protocols[0].len(), MAX_TEXT_BYTES);
        assert_eq!(read.malformed_addrs as usize, 2 * MAX_PROTOCOLS);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(Identify::decode(&bytes));
        }

        #[test]
        fn a_cut_message_is_refused_or_read(cut in 0usize..300) {
            let bytes = sample().encode();
            drop(Identify::decode(&bytes[..cut.min(bytes.len())]));
        }
    }
}
