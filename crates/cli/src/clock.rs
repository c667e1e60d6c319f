//! The two things that only the outside knows: what time it is, and a number that nobody else has drawn.

use std::time::{SystemTime, UNIX_EPOCH};

use schema::{RunId, Timestamp};

/// Reads the wall clock. A clock before 1970 counts as 1970.
#[expect(clippy::disallowed_methods, reason = "the one place where wall time is read, once per run")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(0).after(since)
}

/// The same in milliseconds since 1970, with a fraction.
pub(crate) fn unix_ms() -> f64 {
    now().0 as f64 / 1e3
}

/// The same since 1970.
pub(crate) fn since_epoch() -> std::time::Duration {
    now().since(Timestamp(0))
}

/// The same as people and machines read it: `2026-11-27T17:00:00.000000Z`.
pub(crate) fn rfc3339() -> String {
    humantime::format_rfc3339_micros(UNIX_EPOCH + since_epoch()).to_string()
}

/// A name that no other run has.
pub(crate) fn run_id(now: Timestamp) -> RunId {
    RunId::new(now, rand::random())
}

/// A seed for who did not choose one.
pub(crate) fn seed() -> u64 {
    // Printed, typed again and read by programs that keep numbers as doubles: 32 bits survive all of that.
    rand::random::<u32>().into()
}
