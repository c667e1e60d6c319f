//! Notices that the wall clock parted from the clock of a run: it was set, or the machine slept.
//!
//! It compares readings; when the clocks are read is [`watch`](super::watch)'s to say.

use std::time::Duration;

use schema::{ClockStep, StepCause, Timestamp};
use tokio::time::Instant;

/// Up to so much the clocks may part between two readings and nothing has happened. Linux slews the wall clock and the monotonic
/// one alike, and where it does not, the 500 ppm of NTP part them by 5 ms in ten seconds; ntpd steps the wall clock for 128 ms.
pub(crate) const BOUND: Duration = Duration::from_millis(100);

/// What the clocks say at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// The clock of the run, which stands still while the machine sleeps.
    pub(crate) monotonic: Instant,
    /// Since the machine was started, asleep or not; where the system has no such clock, the same as [`monotonic`](Self::monotonic).
    pub(crate) since_boot: Duration,
    /// The wall clock.
    pub(crate) wall: Timestamp,
    /// How far apart the moments may be at which these three were read.
    pub(crate) took: Duration,
}

/// The clocks of one run.
#[derive(Debug)]
pub(crate) struct Clocks {
    first: Reading,
    last: Reading,
}

impl Clocks {
    /// Of a run that begins with a reading: its clock says what the wall clock says there.
    pub(crate) const fn begun(first: Reading) -> Self {
        Self { first, last: first }
    }

    /// The steps between the last reading and this one: none, or the sleep of the machine, or that the clock was set, or both.
    pub(crate) fn compare(&mut self, now: Reading) -> Vec<ClockStep> {
        let last = std::mem::replace(&mut self.last, now);
        let since = |earlier: Instant| now.monotonic.saturating_duration_since(earlier);
        let awake = since(last.monotonic);
        let slept = now.since_boot.saturating_sub(last.since_boot).saturating_sub(awake);
        let bound = BOUND + last.took + now.took;
        let noticed_at = self.first.wall.after(since(self.first.monotonic));
        let mut expected = last.wall.after(awake);
        let mut steps = Vec::new();
        if slept > bound {
            let woken = expected.after(slept);
            steps.push(ClockStep { noticed_at, expected, wall: woken, cause: StepCause::Suspended });
            expected = woken;
        }
        if now.wall.since(expected).max(expected.since(now.wall)) > bound {
            steps.push(ClockStep { noticed_at, expected, wall: now.wall, cause: StepCause::Set });
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_795_000_000_000_000);

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// A reading when the run has been awake and the machine has slept for so many seconds, with the wall clock so far ahead.
    fn reading(origin: Instant, (awake, slept, ahead): (f64, f64, f64)) -> Reading {
        let wall = START.after(secs(awake + slept));
        let by = secs(f64::abs(ahead));
        let ahead = if ahead < 0.0 { Timestamp(wall.0 - Timestamp(0).after(by).0) } else { wall.after(by) };
        let since_boot = secs(5_000.0 + awake + slept);
        Reading { monotonic: origin + secs(awake), since_boot, wall: ahead, took: Duration::ZERO }
    }

    /// The steps that each of these readings shows, as cause and length in milliseconds.
    fn noticed(readings: &[(f64, f64, f64)]) -> Vec<(StepCause, i64)> {
        let origin = Instant::now();
        let mut clocks = Clocks::begun(reading(origin, (0.0, 0.0, 0.0)));
        let steps = readings.iter().flat_map(|&of| clocks.compare(reading(origin, of)));
        steps.map(|step| (step.cause, (step.wall.0 - step.expected.0) / 1000)).collect()
    }

    #[test]
    fn a_clock_that_is_set_steps_once_in_either_direction() {
        let hour = [(10.0, 0.0, 0.0), (20.0, 0.0, 3600.0), (30.0, 0.0, 3600.0), (40.0, 0.0, -1.0)];
        assert_eq!(noticed(&hour), [(StepCause::Set, 3_600_000), (StepCause::Set, -3_601_000)]);
        assert_eq!(noticed(&[(10.0, 0.0, 0.128)]), [(StepCause::Set, 128)], "what ntpd steps by");
    }

    #[test]
    fn what_ntp_slews_is_no_step_however_much_it_comes_to() {
        let day: Vec<_> = (1..8640).map(|n| (f64::from(n) * 10.0, 0.0, f64::from(n) * 0.005)).collect();
        assert_eq!(noticed(&day), []);
    }

    #[test]
    fn sleep_is_told_from_a_clock_that_is_set() {
        assert_eq!(noticed(&[(1.0, 3600.0, 0.0)]), [(StepCause::Suspended, 3_600_000)]);
        let both = [(1.0, 3600.0, 2.5), (2.0, 3600.0, 2.5)];
        assert_eq!(noticed(&both), [(StepCause::Suspended, 3_600_000), (StepCause::Set, 2_500)]);
        // The clock was set back by as much as the machine slept.
        let hidden = [(1.0, 60.0, -60.0)];
        assert_eq!(noticed(&hidden), [(StepCause::Suspended, 60_000), (StepCause::Set, -60_000)]);
    }

    #[test]
    fn a_step_is_dated_by_the_clock_of_the_run() {
        let origin = Instant::now();
        let mut clocks = Clocks::begun(reading(origin, (0.0, 0.0, 0.0)));
        clocks.compare(reading(origin, (10.0, 0.0, 50.0)));
        let [step] = clocks.compare(reading(origin, (20.0, 0.0, -7.0))).try_into().unwrap();
        assert_eq!(step.noticed_at, START.after(secs(20.0)));
        assert_eq!((step.expected, step.wall), (START.after(secs(70.0)), START.after(secs(13.0))));
    }

    #[test]
    fn a_process_that_was_held_up_between_two_clocks_saw_no_step() {
        let origin = Instant::now();
        let mut clocks = Clocks::begun(reading(origin, (0.0, 0.0, 0.0)));
        let held_up = Reading { took: secs(0.4), ..reading(origin, (10.0, 0.0, 0.4)) };
        assert_eq!(clocks.compare(held_up), []);
        assert_eq!(clocks.compare(reading(origin, (20.0, 0.0, 0.0))), []);
    }
}
