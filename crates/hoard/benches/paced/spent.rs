//! What a process has taken of the machine, by the names of its threads.

use std::{collections::BTreeMap, fs, time::Duration};

/// What was taken so far.
pub(crate) struct Spent {
    threads: BTreeMap<String, Duration>,
    /// The most memory that there was.
    pub(crate) peak_bytes: u64,
}

impl Spent {
    pub(crate) fn now() -> Self {
        let mut threads: BTreeMap<String, Duration> = BTreeMap::new();
        for thread in fs::read_dir("/proc/self/task").expect("a system with /proc").flatten() {
            // One that has just ended is none.
            let text = |file: &str| fs::read_to_string(thread.path().join(file)).ok();
            let (Some(name), Some(times)) = (text("comm"), text("schedstat")) else { continue };
            let nanos = times.split(' ').next().and_then(|first| first.parse().ok()).expect("nanoseconds");
            *threads.entry(name.trim().to_owned()).or_default() += Duration::from_nanos(nanos);
        }
        let status = fs::read_to_string("/proc/self/status").expect("a system with /proc");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line of it");
        let peak_kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
        Self { threads, peak_bytes: peak_kib << 10 }
    }

    /// By threads of this name, or by all.
    pub(crate) fn cpu(&self, name: Option<&str>) -> Duration {
        self.threads
            .iter()
            .filter(|(thread, _)| name.is_none_or(|name| name == *thread))
            .map(|(_, cpu)| cpu)
            .sum()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.threads.keys().map(String::as_str)
    }
}
