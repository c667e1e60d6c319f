//! The messages of bitswap, as far as asking whether a peer has a block takes them. Blocks themselves are left to others.
//!
//! Source: the specification of bitswap 1.2.0, <https://specs.ipfs.tech/bitswap-protocol/>.

use crate::{
    named,
    protobuf::{DecodeError, Fields, write_bytes, write_number},
};

/// The names of bitswap, the newest first. Before 1.2.0 there is no WANT-HAVE: a peer that has the block sends it.
pub const BITSWAP_PROTOCOLS: [&str; 3] =
    ["/ipfs/bitswap/1.2.0", "/ipfs/bitswap/1.1.0", "/ipfs/bitswap/1.0.0"];

/// The number of WANT-HAVE among the types of a want.
const WANT_HAVE: u64 = 1;

/// The number of DONT-HAVE among the types of a presence.
const DONT_HAVE: u64 = 1;

named! {
    /// What a peer says of a block.
    pub enum BlockPresence {
        /// It has the block.
        Have = "have",
        /// It does not.
        DontHave = "dont_have",
        /// It sent a block, which may be another one: a small block comes instead of a message that it is there.
        Block = "block",
    }
}

named! {
    /// Whether a peer has a block.
    pub enum HasBlock {
        /// It says so, or has sent it.
        Yes = "yes",
        /// It says that it does not.
        No = "no",
        /// It was not asked, could not be, or did not say.
        Unknown = "unknown",
    }
}

impl From<BlockPresence> for HasBlock {
    fn from(presence: BlockPresence) -> Self {
        match presence {
            BlockPresence::Have | BlockPresence::Block => Self::Yes,
            BlockPresence::DontHave => Self::No,
        }
    }
}

/// The question whether a peer has the block of a CID, given by its bytes; a peer that does not have it says so.
pub fn want_have(cid: &[u8]) -> Vec<u8> {
    let mut entry = Vec::with_capacity(cid.len() + 12);
    write_bytes(&mut entry, 1, cid);
    write_number(&mut entry, 2, 1);
    write_number(&mut entry, 4, WANT_HAVE);
    write_number(&mut entry, 5, 1);
    let mut list = Vec::with_capacity(entry.len() + 4);
    write_bytes(&mut list, 1, &entry);
    let mut out = Vec::with_capacity(list.len() + 4);
    write_bytes(&mut out, 1, &list);
    out
}

/// What a message says of the block of a CID; `None` if it does not speak of it.
pub fn presence(message: &[u8], cid: &[u8]) -> Result<Option<BlockPresence>, DecodeError> {
    let mut found = None;
    for field in Fields::new(message) {
        match field? {
            // A block: without its CID before 1.1.0, with the CID's prefix since.
            (2 | 3, _) => found = found.or(Some(BlockPresence::Block)),
            (4, value) => {
                if let Some(said) = of_presence(value.bytes()?, cid)? {
                    return Ok(Some(said));
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

fn of_presence(presence: &[u8], cid: &[u8]) -> Result<Option<BlockPresence>, DecodeError> {
    let (mut is_meant, mut kind) = (false, 0);
    for field in Fields::new(presence) {
        match field? {
            (1, value) => is_meant = value.bytes()? == cid,
            (2, value) => kind = value.varint()?,
            _ => {}
        }
    }
    let said = if kind == DONT_HAVE { BlockPresence::DontHave } else { BlockPresence::Have };
    Ok(is_meant.then_some(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_want_is_written_as_the_specification_says() {
        // Wantlist { entries: [Entry { block: [1, 2], priority: 1, wantType: Have, sendDontHave: true }] }
        let expected = [0x0a, 0x0c, 0x0a, 0x0a, 0x0a, 2, 1, 2, 0x10, 1, 0x20, 1, 0x28, 1];
        assert_eq!(want_have(&[1, 2]), expected);
    }

    #[test]
    fn what_is_said_of_another_block_says_nothing_of_this_one() {
        let said = |cid: &[u8], kind| {
            let (mut inner, mut out) = (Vec::new(), Vec::new());
            write_bytes(&mut inner, 1, cid);
            write_number(&mut inner, 2, kind);
            write_bytes(&mut out, 4, &inner);
            out
        };
        let both = [said(&[9], 0), said(&[1], 1)].concat();
        assert_eq!(presence(&both, &[1]), Ok(Some(BlockPresence::DontHave)));
        assert_eq!(presence(&both, &[9]), Ok(Some(BlockPresence::Have)));
        assert_eq!(presence(&both, &[2]), Ok(None));
        assert_eq!(presence(&[0x1a, 1, 7], &[1]), Ok(Some(BlockPresence::Block)));
        assert_eq!(presence(&[0x1a, 9, 7], &[1]), Err(DecodeError::Truncated));
    }
}
