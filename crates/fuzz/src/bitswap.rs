//! What a message of bitswap says of a block: something of the one that is asked for, and of no other.

use kad::{
    bitswap::{BlockPresence, presence, want_have},
    protobuf::{write_bytes, write_number},
};

/// Checks the bytes: the length of a CID, the CID, and a message.
pub fn check(bytes: &[u8]) {
    let Some((&length, rest)) = bytes.split_first() else { return };
    let Some((cid, message)) = rest.split_at_checked(usize::from(length)) else { return };
    assert_eq!(presence(&want_have(cid), cid), Ok(None), "a question says nothing");
    let Ok(said) = presence(message, cid) else { return };
    let with = |cid: &[u8], kind| {
        let (mut inner, mut out) = (Vec::new(), message.to_vec());
        write_bytes(&mut inner, 1, cid);
        write_number(&mut inner, 2, kind);
        write_bytes(&mut out, 4, &inner);
        out
    };
    // What is said of this block comes before a block that came without a name, and the first of it counts.
    let first = |later| match said {
        None | Some(BlockPresence::Block) => later,
        Some(first) => first,
    };
    assert_eq!(presence(&with(cid, 0), cid), Ok(Some(first(BlockPresence::Have))));
    assert_eq!(presence(&with(cid, 1), cid), Ok(Some(first(BlockPresence::DontHave))));
    assert_eq!(presence(&with(&[cid, b"x"].concat(), 1), cid), Ok(said), "it is another block");
}
