//! Lengths before messages, as all of libp2p writes them.

use kad::protobuf::write_varint;

/// Appends a length as an unsigned varint.
pub(crate) fn put_varint(out: &mut Vec<u8>, length: usize) {
    write_varint(out, length as u64);
}
