//! How a server writes a peer that it names.

use crate::{
    message::{ConnectionType, write_peer},
    protobuf::varint_len,
};

/// The longest entry of a peer, in bytes: the addresses that go beyond it are left out (go-libp2p-kad-dht,
/// `pb.MaxPeerRecordSize`).
pub const MAX_ENTRY_BYTES: usize = 8 << 10;

/// A peer as it stands in a message: its id, as many of its addresses as fit, and what the server knows of its connection
/// to it.
pub fn entry<'a>(id: &[u8], addrs: impl Iterator<Item = &'a [u8]>, connection: ConnectionType) -> Vec<u8> {
    let field = |bytes: &[u8]| 1 + varint_len(bytes.len() as u64) + bytes.len();
    // Tag and number of the connection are counted always, as go does it.
    let mut bytes = field(id) + 2;
    let fitting = addrs.take_while(|addr| {
        bytes += field(addr);
        bytes <= MAX_ENTRY_BYTES
    });
    let mut out = Vec::with_capacity(128);
    write_peer(&mut out, id, fitting, connection);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::entry_addrs;

    #[test]
    fn addresses_that_do_not_fit_are_left_out() {
        let addrs = |length: usize| {
            entry(b"id", [vec![7; length], vec![1]].iter().map(Vec::as_slice), ConnectionType::Connected)
        };
        assert_eq!(addrs(9), [&[0x0a, 2, b'i', b'd', 0x12, 9][..], &[7; 9], &[0x12, 1, 1, 0x18, 1]].concat());
        // The id takes 4 bytes, the connection 2, an address of this length 3 more.
        let whole = addrs(MAX_ENTRY_BYTES - 4 - 2 - 3);
        assert_eq!(whole.len(), MAX_ENTRY_BYTES);
        assert_eq!(entry_addrs(&addrs(MAX_ENTRY_BYTES - 4 - 2 - 2)).count(), 0);
        assert_eq!(addrs(MAX_ENTRY_BYTES).len(), 6);
    }
}
