//! CPU time of a benchmark and of the server that it asks.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::server::Server;

/// CPU time of this process.
pub(crate) fn cpu() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}

/// CPU time of the server, with all that served its connections and has ended.
pub(crate) fn server_cpu(server: &Server) -> Duration {
    let pid = std::fs::read_to_string(server.socket().0.join("data/postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap();
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let ticks: u64 = std::iter::once(pid).chain(children.split_whitespace()).map(ticks).sum();
    // Linux counts in hundredths of a second for whoever asks, whatever it counts in itself.
    Duration::from_millis(10 * ticks)
}

/// What a process used, and its children that have ended; nothing of one that has.
fn ticks(pid: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let Some((_, fields)) = stat.rsplit_once(')') else { return 0 };
    fields.split_whitespace().skip(11).take(4).map(|field| field.parse::<u64>().unwrap()).sum()
}
