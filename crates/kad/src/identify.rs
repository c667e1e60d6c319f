//! The message of `/ipfs/id/1.0.0`: who a peer says it is, what it speaks, where it listens and where it sees us.
//!
//! Source: libp2p specification, `identify/README.md`. A long answer may come in several messages whose fields add
//! up ([`Identify::merge`]). Everything taken from a peer has a bound; what exceeds it is left out and counted, not
//! refused.

use multiaddr::Multiaddr;

use crate::{
    address::{Address, MAX_ADDRESS_BYTES},
    protobuf::{DecodeError, Fields, Value, write_bytes},
};

/// The protocol that asks a peer who it is.
pub const IDENTIFY_PROTOCOL: &str = "/ipfs/id/1.0.0";

/// The protocol by which a peer says unasked that its answer has changed.
pub const IDENTIFY_PUSH_PROTOCOL: &str = "/ipfs/id/push/1.0.0";

/// The longest identify message that is accepted, in bytes (go-libp2p limits one answer to 8 KiB with, and 2 KiB
/// without a signed record, but others are less terse).
pub const MAX_IDENTIFY_BYTES: usize = 64 * 1024;

/// The most listen addresses that are kept of one peer, those that are no multiaddress among them.
pub const MAX_LISTEN_ADDRS: usize = 256;

/// The most protocols that are kept of one peer, but for those that the reader asks for.
pub const MAX_PROTOCOLS: usize = 512;

/// The longest agent version, protocol version or protocol name that is kept, in bytes; longer ones are cut.
pub const MAX_TEXT_BYTES: usize = 256;

/// The longest signed record that is kept, in bytes.
const MAX_RECORD_BYTES: usize = 16 * 1024;

/// What a peer says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identify {
    /// The public key in libp2p's protobuf encoding, unchecked; empty if none came.
    pub public_key: Vec<u8>,
    /// Where the peer says that it listens.
    pub listen_addrs: Vec<Multiaddr>,
    /// Listen addresses that are no multiaddress.
    pub malformed_addrs: Vec<Box<[u8]>>,
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
    /// What came beyond the bounds.
    pub excess: Excess,
}

/// What was left out of an identify message because of a bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Excess {
    /// Protocols beyond [`MAX_PROTOCOLS`].
    pub protocols: u32,
    /// Listen addresses beyond [`MAX_LISTEN_ADDRS`].
    pub listen_addrs: u32,
    /// Listen addresses longer than [`MAX_ADDRESS_BYTES`].
    pub long_addrs: u32,
    /// Texts that were cut to [`MAX_TEXT_BYTES`].
    pub texts: u32,
}

impl Identify {
    /// Reads one message. An error says that the bytes are not protobuf.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut identify = Self::default();
        identify.merge(bytes)?;
        Ok(identify)
    }

    /// Adds what a further message says: single fields are replaced, lists grow.
    /// An error says that the bytes are not protobuf; then nothing of them is added.
    pub fn merge(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        self.merge_keeping(bytes, &[])
    }

    /// Likewise, and the protocols of these names are kept however many stand before them.
    pub fn merge_keeping(&mut self, bytes: &[u8], names: &[String]) -> Result<(), DecodeError> {
        Fields::new(bytes).try_for_each(|field| field.map(drop))?;
        for (number, value) in Fields::new(bytes).flatten() {
            if let Value::Bytes(value) = value {
                self.take(number, value, names);
            }
        }
        Ok(())
    }

    fn take(&mut self, field: u64, value: &[u8], names: &[String]) {
        match field {
            1 => self.public_key = value.to_vec(),
            2 => self.take_listen_addr(value),
            3 => self.take_protocol(value, names),
            4 => self.observed_addr = Address::from_bytes(value).multiaddr().cloned(),
            5 => self.protocol_version = Some(self.text(value)),
            6 => self.agent_version = Some(self.text(value)),
            8 if value.len() <= MAX_RECORD_BYTES => self.signed_peer_record = Some(value.to_vec()),
            _ => {}
        }
    }

    fn take_listen_addr(&mut self, value: &[u8]) {
        if value.len() > MAX_ADDRESS_BYTES {
            self.excess.long_addrs = self.excess.long_addrs.saturating_add(1);
        } else if self.listen_addrs.len() + self.malformed_addrs.len() >= MAX_LISTEN_ADDRS {
            self.excess.listen_addrs = self.excess.listen_addrs.saturating_add(1);
        } else {
            match Address::from_bytes(value) {
                Address::Multiaddr(address) => self.listen_addrs.push(address),
                Address::Malformed(bytes) => self.malformed_addrs.push(bytes),
            }
        }
    }

    fn take_protocol(&mut self, value: &[u8], names: &[String]) {
        let is_asked_for = names.iter().any(|name| name.as_bytes() == value);
        if self.protocols.len() < MAX_PROTOCOLS {
            let name = self.text(value);
            self.protocols.push(name);
        } else if !is_asked_for {
            self.excess.protocols = self.excess.protocols.saturating_add(1);
        } else if !self.protocols.iter().any(|known| known.as_bytes() == value) {
            // There are no more of them than there are names.
            let name = self.text(value);
            self.protocols.push(name);
        }
    }

    fn text(&mut self, value: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(value).into_owned();
        if text.len() > MAX_TEXT_BYTES {
            let end = (0..=MAX_TEXT_BYTES).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
            text.truncate(end);
            self.excess.texts = self.excess.texts.saturating_add(1);
        }
        text
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
        for bytes in &self.malformed_addrs {
            write_bytes(&mut out, 2, bytes);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Identify {
        Identify {
            public_key: vec![8, 1, 18, 2, 7, 7],
            listen_addrs: vec!["/ip4/127.0.0.1/tcp/4001".parse().unwrap()],
            malformed_addrs: vec![Box::from([0xff, 0xff, 1])],
            protocols: vec!["/ipfs/kad/1.0.0".into(), "/ipfs/id/1.0.0".into()],
            observed_addr: Some("/ip4/127.0.0.2/tcp/9".parse().unwrap()),
            protocol_version: Some("ipfs/0.1.0".into()),
            agent_version: Some("x".repeat(200)),
            signed_peer_record: Some(vec![1, 2, 3]),
            excess: Excess::default(),
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
    fn what_does_not_decode_adds_nothing() {
        let mut first = sample();
        let mut second = Identify { agent_version: Some("b".into()), ..Identify::default() }.encode();
        second.extend([0x12, 9, 4]);
        assert!(first.merge(&second).is_err());
        assert_eq!(first, sample());
    }

    #[test]
    fn unknown_fields_of_any_wire_type_are_passed_over() {
        let mut bytes = sample().encode();
        // Field 100 as a number, of 64 bits, as bytes, as a group with a number in it, and of 32 bits.
        for (wire_type, value) in
            [(0, &[7][..]), (1, &[0; 8]), (2, &[1, 7]), (3, &[0x08, 1, 0xa4, 6]), (5, &[0; 4])]
        {
            bytes.extend([0xa0 | wire_type, 6]);
            bytes.extend(value);
        }
        // Field 6, the agent version, of a type that it does not have.
        bytes.extend([0x30, 1]);
        assert_eq!(Identify::decode(&bytes), Ok(sample()));
    }

    #[test]
    fn lists_and_texts_are_bounded_and_what_is_cut_is_counted() {
        let mut bytes = Vec::new();
        for _ in 0..MAX_PROTOCOLS + 88 {
            write_bytes(&mut bytes, 3, "é".repeat(MAX_TEXT_BYTES).as_bytes());
        }
        for _ in 0..MAX_LISTEN_ADDRS / 2 + 22 {
            write_bytes(&mut bytes, 2, &[0xff, 0xff, 1]);
            write_bytes(&mut bytes, 2, &[0x04, 127, 0, 0, 1]);
        }
        write_bytes(&mut bytes, 2, &[0; MAX_ADDRESS_BYTES + 1]);
        let read = Identify::decode(&bytes).unwrap();
        assert_eq!(read.protocols.len(), MAX_PROTOCOLS);
        assert_eq!(read.protocols[0].len(), MAX_TEXT_BYTES);
        assert_eq!((read.listen_addrs.len(), read.malformed_addrs.len()), (128, 128));
        let texts = u32::try_from(MAX_PROTOCOLS).unwrap();
        assert_eq!(read.excess, Excess { protocols: 88, listen_addrs: 44, long_addrs: 1, texts });
    }

    #[test]
    fn a_protocol_that_is_asked_for_is_kept_however_late_it_comes() {
        let names = ["/ipfs/kad/1.0.0".to_owned()];
        let protocols = (0..599).map(|n| format!("/x/{n}")).chain(names.clone()).collect();
        let message = Identify { protocols, ..Identify::default() };
        let mut read = Identify::default();
        assert_eq!(read.merge_keeping(&message.encode(), &names), Ok(()));
        assert_eq!(read.protocols.len(), MAX_PROTOCOLS + 1);
        assert_eq!(read.protocols.last(), names.last());
        assert_eq!(read.excess.protocols, 87);
        assert_eq!(read.merge_keeping(&message.encode(), &names), Ok(()));
        assert_eq!(read.protocols.len(), MAX_PROTOCOLS + 1, "once");
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
