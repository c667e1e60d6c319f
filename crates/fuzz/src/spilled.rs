//! What waits in a file while a database is away: read as it was written, or not at all.

use store::decoders::spilled_again;

/// Reads the bytes as a record of such a file.
pub fn check(bytes: &[u8]) {
    let Some(written) = spilled_again(bytes) else { return };
    let again = spilled_again(&written);
    assert!(again.is_some_and(|again| again == written), "what is written is read as something else");
}
