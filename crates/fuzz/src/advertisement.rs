//! Blocks and announcements of publishers: whatever is read is written as what reads as the same, and nobody signs for somebody else.

use perf::indexer::{
    Advertisement, Announcement, BlockCid, EntryChunk, MAX_ANNOUNCEMENT_BYTES, MAX_CONTEXT_BYTES,
    MAX_METADATA_BYTES, SignedHead,
};

/// Reads the bytes as each of them.
pub fn check(bytes: &[u8]) {
    if let Ok(read) = Advertisement::decode(bytes) {
        assert!(read.context_id.len() <= MAX_CONTEXT_BYTES && read.metadata.len() <= MAX_METADATA_BYTES);
        assert_eq!(Advertisement::decode(&read.encode()).as_ref(), Ok(&read));
        if read.signer().is_ok() {
            let other = Advertisement { is_removal: !read.is_removal, ..read };
            assert!(other.signer().is_err(), "a signature is of two advertisements");
        }
    }
    if let Ok(read) = EntryChunk::decode(bytes) {
        assert_eq!(EntryChunk::decode(&read.encode()), Ok(read));
    }
    if let Ok(read) = SignedHead::decode(bytes) {
        assert_eq!(SignedHead::decode(&read.encode()).as_ref(), Ok(&read));
        if read.signer().is_ok() {
            let other = SignedHead { head: BlockCid::of_block(bytes), ..read };
            assert!(other.signer().is_err(), "a signature is of two heads");
        }
    }
    for read in [Announcement::decode(bytes), Announcement::decode_json(bytes)].into_iter().flatten() {
        let written = read.encode();
        // What came as JSON may be longer as CBOR than what is read of that.
        if written.len() <= MAX_ANNOUNCEMENT_BYTES {
            assert_eq!(Announcement::decode(&written), Ok(read));
        }
    }
}
