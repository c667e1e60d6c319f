//! What besiegers and honest peers write: negotiations, messages and the frames of yamux.

use std::net::{IpAddr, SocketAddr};

use kad::{
    message::{AMINO_PROTOCOL, Message, MessageType},
    protobuf::write_varint,
};

/// The first line of every negotiation, with its length.
pub(crate) const MULTISTREAM: &[u8] = b"\x13/multistream/1.0.0\n";

/// The address of this machine from which this one comes, at any port.
pub(crate) fn source(number: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::from([127, 0, 9, number]), 0)
}

/// A message behind its length.
pub(crate) fn prefixed(message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_varint(&mut bytes, message.len() as u64);
    bytes.extend_from_slice(message);
    bytes
}

/// The proposal of one protocol at the beginning of a stream.
pub(crate) fn proposal(protocol: &str) -> Vec<u8> {
    [MULTISTREAM, &prefixed(format!("{protocol}\n").as_bytes())].concat()
}

/// The beginning of a stream on which the network's protocol is spoken.
pub(crate) fn kad() -> Vec<u8> {
    proposal(AMINO_PROTOCOL)
}

/// A question for a key, behind its length.
pub(crate) fn question(kind: MessageType, key: &[u8]) -> Vec<u8> {
    prefixed(&Message::new(kind, key.to_vec()).encode())
}

/// A frame of yamux: its kind (0 data, 1 window update), flags (1 opens, 2 acknowledges, 4 closes, 8 resets), stream and
/// length.
pub(crate) fn frame(kind: u8, flags: u16, stream: u32, length: u32) -> [u8; 12] {
    let mut frame = [0; 12];
    frame[1] = kind;
    frame[2..4].copy_from_slice(&flags.to_be_bytes());
    frame[4..8].copy_from_slice(&stream.to_be_bytes());
    frame[8..].copy_from_slice(&length.to_be_bytes());
    frame
}

/// A frame of data.
pub(crate) fn data(flags: u16, stream: u32, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&frame(0, flags, stream, length)[..], bytes].concat()
}

/// Bytes that are alike in every run, and like nothing.
pub(crate) fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(&mut next).take(count).collect()
}
