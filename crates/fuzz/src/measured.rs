//! Measurements that wait in a file while a database is away: read as they were written, or not at all.

use store::decoders::measured_again;

/// Reads the bytes as a record of such a file.
pub fn check(bytes: &[u8]) {
    let Some(written) = measured_again(bytes) else { return };
    let again = measured_again(&written);
    assert!(again.is_some_and(|again| again == written), "what is written is read as something else");
}
