//! What this process may take of the machine, and what it has taken.

use std::time::Duration;

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};

/// Descriptors that are kept free for the store, the terminal, the runtime and UDP sockets.
const RESERVED_FILES: u64 = 64;

/// What macOS lets a limit be raised to, whatever the highest one is said to be (`OPEN_MAX`; Source: its getrlimit(2)).
const OPEN_MAX: u64 = 10_240;

/// The fewest dials at once that make sense.
const FEWEST_DIALS: u64 = 16;

/// CPU time that this process has used so far, in all threads.
pub(crate) fn cpu_time() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(used.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(used.tv_nsec).unwrap_or(0))
}

/// The most memory that this process has had, in bytes; `None` where the system has no `/proc`.
pub(crate) fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    peak_in(&status)
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Raises the limit of open files as far as the system lets us, and says what it is then.
pub(crate) fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raise = |current| setrlimit(Resource::Nofile, Rlimit { current, ..limit });
    let of_macos = limit.maximum.map_or(OPEN_MAX, |maximum| maximum.min(OPEN_MAX));
    if let Err(error) = raise(limit.maximum).or_else(|_| raise(Some(of_macos))) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// The dials and conversations at once that a limit of open files leaves room for, at most those asked for.
pub(crate) fn fit_to_files(limit: u64, max_dials: u32, parallelism: u32) -> (u32, u32) {
    let room = limit.saturating_sub(RESERVED_FILES).max(2 * FEWEST_DIALS);
    let parallelism = u64::from(parallelism).min(room - FEWEST_DIALS);
    let dials = u64::from(max_dials).min(room - parallelism);
    let narrow = |count| u32::try_from(count).unwrap_or(u32::MAX);
    (narrow(dials), narrow(parallelism))
}

/// The name of this machine.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_fits_or_is_lowered() {
        assert_eq!(fit_to_files(20_000, 8192, 500), (8192, 500));
        assert_eq!(fit_to_files(1024, 8192, 500), (460, 500));
        assert_eq!(fit_to_files(256, 8192, 500), (16, 176));
        assert_eq!(fit_to_files(10, 8192, 500), (16, 16));
    }

    #[test]
    fn peak_memory_is_read_from_the_status() {
        assert_eq!(peak_in("VmPeak:\t 9 kB\nVmHWM:\t    1234 kB\n"), Some(1234 * 1024));
        assert_eq!(peak_in("VmPeak:\t 9 kB\n"), None);
    }

    #[test]
    fn this_process_has_used_something() {
        assert!(cpu_time() > Duration::ZERO);
        #[cfg(target_os = "linux")]
        assert!(peak_rss_bytes().is_some_and(|bytes| bytes > 100_000));
    }
}
