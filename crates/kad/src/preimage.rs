//! Targets for FIND_NODE that fall into a chosen bucket of any peer.
//!
//! A server answers with the peers closest to the SHA-256 of the key it is sent, so reading bucket after bucket of
//! its routing table takes keys whose hashes share 0, 1, 2, ... bits with the server's own. Hashes cannot be inverted,
//! but 65,536 prefixes of 16 bits are few enough to find a preimage for each by trying (about 65,536 x H(65,536) =
//! 760,000 hashes, which is done once and for all: a test says that the file holds what it finds). The keys sent are
//! well-formed SHA-256 multihashes (0x12 0x20 and 32 bytes), since servers may check that.

#[cfg(test)]
mod tests;

use crate::key::Key;

/// The length of a target in bytes: a SHA-256 multihash.
pub const TARGET_BYTES: usize = 34;

/// The longest common prefix that a target can be made for, in bits. go-libp2p-kbucket refreshes no deeper bucket
/// either (`maxCplForRefresh`).
pub const MAX_PREFIX_BITS: u32 = 15;

/// For each 16-bit prefix the least number whose target hashes to it, in three bytes, the least significant first.
///
/// `KADSCOPE_WRITE=1 cargo test -p kadscope-kad --lib preimage` writes them anew.
static COUNTERS: &[u8; 3 << 16] = include_bytes!("preimage/counters.bin");

/// A target whose key shares exactly `common_prefix_len` leading bits with `key`.
///
/// `None` for a length above [`MAX_PREFIX_BITS`].
pub fn target_at(key: &Key, common_prefix_len: u32) -> Option<[u8; TARGET_BYTES]> {
    target_among(key, common_prefix_len, key.prefix16())
}

/// One of the targets whose keys share exactly `common_prefix_len` leading bits with `key`: the one whose further bits, up
/// to the 16th, are those of `choice`. With a random choice a routing table is refreshed all over, as go does it
/// (`GenRandPeerIDWithCPL`).
///
/// `None` for a length above [`MAX_PREFIX_BITS`].
pub fn target_among(key: &Key, common_prefix_len: u32, choice: u16) -> Option<[u8; TARGET_BYTES]> {
    if common_prefix_len > MAX_PREFIX_BITS {
        return None;
    }
    let differing = 1 << (15 - common_prefix_len);
    let free = differing - 1;
    Some(target_of((key.prefix16() ^ differing) & !free | choice & free))
}

/// A target whose key begins with these 16 bits.
pub fn target_of(prefix16: u16) -> [u8; TARGET_BYTES] {
    let at = 3 * usize::from(prefix16);
    target(u32::from_le_bytes([COUNTERS[at], COUNTERS[at + 1], COUNTERS[at + 2], 0]))
}

fn target(counter: u32) -> [u8; TARGET_BYTES] {
    let mut bytes = [0; TARGET_BYTES];
    bytes[0] = 0x12;
    bytes[1] = 0x20;
    bytes[2..6].copy_from_slice(&counter.to_be_bytes());
    bytes
}
