//! What every process is measured by, under the names that Prometheus gives it.
//!
//! Where a system has no `/proc`, there are only those that can be had without it. Source for the names:
//! `prometheus.io/docs/instrumenting/writing_clientlibs`, process metrics; for the fields: `proc_pid_stat(5)`.

use std::{fs, sync::Arc};

use rustix::{
    param::{clock_ticks_per_second, page_size},
    process::{Resource, getrlimit},
};

use super::{Metric, MetricKind};

/// What stands in `/proc/self/stat`, as far as it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    /// CPU time of the process, in ticks.
    cpu: u64,
    threads: u64,
    /// When it began, in ticks since the machine did.
    began: u64,
    virtual_bytes: u64,
    /// Resident pages.
    resident: u64,
}

impl Stat {
    fn now() -> Option<Self> {
        Self::of(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// The name of the program stands in brackets and may hold anything: fields are counted behind it, the third of the
    /// manual page being the first.
    fn of(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu: field(14)? + field(15)?,
            threads: field(20)?,
            began: field(22)?,
            virtual_bytes: field(23)?,
            resident: field(24)?,
        })
    }
}

/// The metrics of this process.
pub fn process_metrics() -> Vec<Metric> {
    let mut metrics = vec![open_files(), most_files()];
    if let (Some(stat), Some(booted)) = (Stat::now(), booted()) {
        metrics.extend(of_stat(stat, booted));
    }
    metrics
}

fn of_stat(first: Stat, booted: f64) -> [Metric; 5] {
    let ticks = clock_ticks_per_second() as f64;
    let began = booted + first.began as f64 / ticks;
    // What cannot be read any more is shown as it was last seen to be.
    let now: Arc<dyn Fn() -> Stat + Send + Sync> = Arc::new(move || Stat::now().unwrap_or(first));
    let of = |read: fn(Stat) -> f64| {
        let now = Arc::clone(&now);
        move || read(now())
    };
    let (cpu, resident) = (of(|stat| stat.cpu as f64), of(|stat| stat.resident as f64));
    let page = page_size() as f64;
    [
        Metric::single(
            (MetricKind::Counter, "process_cpu_seconds_total"),
            "CPU time of the process, of the program and of the system for it, in seconds.",
            move || cpu() / ticks,
        ),
        Metric::single(
            (MetricKind::Gauge, "process_resident_memory_bytes"),
            "Memory of the process that is resident, in bytes.",
            move || resident() * page,
        ),
        Metric::single(
            (MetricKind::Gauge, "process_virtual_memory_bytes"),
            "Memory of the process that has addresses, in bytes.",
            of(|stat| stat.virtual_bytes as f64),
        ),
        Metric::single(
            (MetricKind::Gauge, "process_threads"),
            "Threads of the process.",
            of(|stat| stat.threads as f64),
        ),
        Metric::single(
            (MetricKind::Gauge, "process_start_time_seconds"),
            "When the process began, in seconds since 1970.",
            move || began,
        ),
    ]
}

fn open_files() -> Metric {
    let listed = || fs::read_dir("/dev/fd").map_or(f64::NAN, |files| files.count() as f64);
    Metric::single((MetricKind::Gauge, "process_open_fds"), "Open files, sockets among them.", listed)
}

fn most_files() -> Metric {
    let limit = || getrlimit(Resource::Nofile).current.map_or(f64::INFINITY, |limit| limit as f64);
    Metric::single((MetricKind::Gauge, "process_max_fds"), "How many files may be open at once.", limit)
}

/// When this machine began, in seconds since 1970. Source: `proc_stat(5)`.
fn booted() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Read;

    #[test]
    fn fields_are_counted_behind_the_name() {
        let mut fields: Vec<String> = (3..=52).map(|field: u32| (field * 10).to_string()).collect();
        fields[0] = "S".to_owned();
        let text = format!("42 (a) b (c)) {}\n", fields.join(" "));
        let expected = Stat { cpu: 290, threads: 200, began: 220, virtual_bytes: 230, resident: 240 };
        assert_eq!(Stat::of(&text), Some(expected));
        for wrong in ["", "42 (a) S 1", "42 (a"] {
            assert_eq!(Stat::of(wrong), None, "{wrong}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_measured() {
        let metrics = process_metrics();
        let value = |name| {
            let metric = metrics.iter().find(|metric| metric.name == name).expect(name);
            let Read::Numbers(read) = &metric.read else { panic!("{name}") };
            read()[0]
        };
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_open_fds") >= 3.0 && value("process_open_fds") <= value("process_max_fds"));
        assert!(value("process_threads") >= 1.0);
        // Later than this was written, and not in the next century.
        assert!((1.7e9..4.2e9).contains(&value("process_start_time_seconds")));
    }
}
