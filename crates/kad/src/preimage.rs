//! Targets for FIND_NODE that fall into a chosen bucket of any peer.
//!
//! A server answers with the peers closest to the SHA-256 of the key it is sent, so reading bucket after bucket of
//! its routing table takes keys whose hashes share 0, 1, 2, ... bits with the server's own. Hashes cannot be inverted,
//! but 65,536 prefixes of 16 bits are few enough to find a preimage for each by trying (about 65,536 x H(65,536) =
//! 760,000 hashes). The keys sent are well-formed SHA-256 multihashes (0x12 0x20 and 32 bytes), since servers may
//! check that.

use std::sync::LazyLock;

use crate::key::Key;

/// The length of a target in bytes: a SHA-256 multihash.
pub const TARGET_BYTES: usize = 34;

/// The longest common prefix that a target can be made for, in bits. go-libp2p-kbucket refreshes no deeper bucket
/// either (`maxCplForRefresh`).
pub const MAX_PREFIX_BITS: u32 = 15;

const PREFIXES: usize = 1 << 16;

/// For each 16-bit prefix a number whose target hashes to it. Made on first use, in some tens of milliseconds.
static COUNTERS: LazyLock<Box<[u32]>> = LazyLock::new(|| {
    let mut counters = vec![u32::MAX; PREFIXES].into_boxed_slice();
    let mut missing = PREFIXES;
    let mut counter = 0_u32;
    while missing > 0 {
        let slot = &mut counters[usize::from(Key::of(&target(counter)).prefix16())];
        if *slot == u32::MAX {
            *slot = counter;
            missing -= 1;
        }
        counter += 1;
    }
    counters
});

/// Makes the table of targets now, which takes some tens of milliseconds, rather than within the first use.
pub fn prepare() {
    LazyLock::force(&COUNTERS);
}

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
    let prefix = (key.prefix16() ^ differing) & !free | choice & free;
    Some(target(COUNTERS[usize::from(prefix)]))
}

fn target(counter: u32) -> [u8; TARGET_BYTES] {
    let mut bytes = [0; TARGET_BYTES];
    bytes[0] = 0x12;
    bytes[1] = 0x20;
    bytes[2..6].copy_from_slice(&counter.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_falls_into_its_bucket() {
        for n in 0..2_000_u32 {
            let key = Key::of(&n.to_be_bytes());
            for length in 0..=MAX_PREFIX_BITS {
                let target = target_at(&key, length).expect("in range");
                assert_eq!(Key::of(&target).common_prefix_len(&key), length);
            }
            assert_eq!(target_at(&key, 16), None);
            let target = target_among(&key, n % 16, 0xa5a5).expect("in range");
            let found = Key::of(&target);
            assert_eq!(found.common_prefix_len(&key), n % 16);
            let free = (1 << (15 - n % 16)) - 1;
            assert_eq!(found.prefix16() & free, 0xa5a5 & free);
        }
    }
}
