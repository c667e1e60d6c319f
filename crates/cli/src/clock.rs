//! The two things that only the outside knows: what time it is, and a number that nobody else has drawn.

mod steps;
mod watch;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use schema::{RunId, Timestamp};
use tokio::time::{Instant, sleep};

pub(crate) use self::{steps::Reading, watch::ClockWatch};

/// By how much the wall clock may be ahead of a run that stays up, before the run is gone on with by another one.
const LEAP: Duration = Duration::from_secs(30);

/// How often that is looked at.
const LOOKED_EVERY: Duration = Duration::from_secs(5);

/// How often all clocks are read anew for a reading that is of one moment; the best is taken.
const ATTEMPTS: usize = 3;

/// Reads the wall clock. A clock before 1970 counts as 1970.
#[expect(clippy::disallowed_methods, reason = "the one place where wall time is read")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(0).after(since)
}

/// Reads all clocks, as near to each other as can be: with a reading begins each run.
pub(crate) fn read() -> Reading {
    let first = read_once();
    (1..ATTEMPTS)
        .map(|_| read_once())
        .fold(first, |best, read| if read.took < best.took { read } else { best })
}

fn read_once() -> Reading {
    let monotonic = Instant::now();
    let (wall, since_boot) = (now(), since_boot());
    Reading { monotonic, since_boot, wall, took: monotonic.elapsed() }
}

/// For how long the machine is up, asleep or not; elsewhere than on Linux while it was awake, so that sleep looks like a clock
/// that was set.
fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    clock_gettime(clock).try_into().unwrap_or_default()
}

/// The wall clock in milliseconds since 1970, with a fraction.
pub(crate) fn unix_ms() -> f64 {
    now().0 as f64 / 1e3
}

/// The same since 1970.
pub(crate) fn since_epoch() -> Duration {
    now().since(Timestamp(0))
}

/// The same as people and machines read it: `2026-11-27T17:00:00.000000Z`.
pub(crate) fn rfc3339() -> String {
    humantime::format_rfc3339_micros(UNIX_EPOCH + since_epoch()).to_string()
}

/// Ready when the wall clock is ahead of a run that said `wall` at the moment `origin` by more than it may be: the machine slept, or the
/// clock was set.
pub(crate) async fn leapt(wall: Timestamp, origin: Instant) {
    while now().since(wall.after(origin.elapsed())) <= LEAP {
        sleep(LOOKED_EVERY).await;
    }
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
