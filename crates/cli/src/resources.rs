//! What this process may take of the machine, and what it has taken.

use std::time::Duration;

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};

/// Descriptors that are kept free for the store, the runtime and files that are read.
const RESERVED_FILES: u64 = 32;

/// What macOS lets a limit be raised to, whatever the highest one is said to be (`OPEN_MAX`; Source: its getrlimit(2)).
const OPEN_MAX: u64 = 10_240;

/// The fewest dials, and the fewest conversations, at once that make sense.
const FEWEST: u32 = 16;

/// How many things are to be had at once, each of which takes a descriptor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AtOnce {
    pub(crate) count: u32,
    /// Whether somebody has asked for just so many: then it is not lowered.
    pub(crate) is_asked: bool,
}

impl AtOnce {
    /// What it can be lowered to.
    fn fewest(self) -> u32 {
        if self.is_asked { self.count } else { self.count.min(FEWEST) }
    }
}

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

/// The dials and conversations at once that a limit of open files leaves room for beside `others`: at most those asked
/// for, dials lowered first. `None` if there is not even room for the fewest.
pub(crate) fn fit_to_files(
    limit: u64,
    others: u64,
    (dials, conversations): (AtOnce, AtOnce),
) -> Option<(u32, u32)> {
    let room = limit.checked_sub(RESERVED_FILES.saturating_add(others))?;
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    let talking = conversations.count.min(room.checked_sub(dials.fewest())?);
    let dialling = dials.count.min(room - talking);
    (talking >= conversations.fewest()).then_some((dialling, talking))
}

/// How many descriptors this process has; 3 where the system does not list them.
pub(crate) fn open_files() -> u64 {
    let listed = std::fs::read_dir("/dev/fd").map(|files| files.count() as u64);
    // One of them was for the list.
    listed.map_or(3, |count| count.saturating_sub(1))
}

/// The name of this machine.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(limit: u64, dials: (u32, bool), conversations: (u32, bool)) -> Option<(u32, u32)> {
        let at_once = |(count, is_asked)| AtOnce { count, is_asked };
        fit_to_files(limit, 10, (at_once(dials), at_once(conversations)))
    }

    #[test]
    fn what_is_wanted_fits_or_is_lowered() {
        let (dials, conversations) = ((8192, false), (500, false));
        assert_eq!(fit(20_000, dials, conversations), Some((8192, 500)));
        assert_eq!(fit(1024, dials, conversations), Some((482, 500)));
        assert_eq!(fit(256, dials, conversations), Some((16, 198)));
        assert_eq!(fit(74, dials, conversations), Some((16, 16)));
        assert_eq!(fit(10_000, (4, false), (9, false)), Some((4, 9)));
        for limit in [0, 10, 73] {
            assert_eq!(fit(limit, dials, conversations), None, "{limit}");
        }
    }

    #[test]
    fn what_was_asked_for_is_not_lowered() {
        assert_eq!(fit(1024, (8192, false), (900, true)), Some((82, 900)));
        assert_eq!(fit(1024, (900, true), (500, false)), Some((900, 82)));
        assert_eq!(fit(1024, (8192, false), (5000, true)), None);
        assert_eq!(fit(1024, (8192, true), (500, false)), None);
        assert_eq!(fit(1024, (900, true), (900, true)), None);
        assert_eq!(fit(42 + 1800, (900, true), (900, true)), Some((900, 900)));
    }

    #[test]
    fn an_open_file_is_counted() {
        let before = open_files();
        let file = std::fs::File::open("/dev/null").unwrap();
        // Other tests open and close files meanwhile.
        assert!(before >= 3 && open_files() >= 3);
        drop(file);
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
