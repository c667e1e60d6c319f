//! What a process has taken of the processor, and how that varies from round to round.

use nix::sys::{
    resource::{Usage, UsageWho, getrusage},
    time::TimeValLike,
};
use serde_json::{Value, json};

/// Measures one kind of call after the other.
pub(crate) struct Meter {
    before: Usage,
    connections: usize,
}

fn spent() -> Usage {
    getrusage(UsageWho::RUSAGE_SELF).expect("a usage")
}

impl Meter {
    /// Begins, with so many connections.
    pub(crate) fn new(connections: usize) -> Self {
        Self { before: spent(), connections }
    }

    /// What each of `count` calls took since the last lap, as Go's side says it. There are so many connections now.
    pub(crate) fn lap(&mut self, count: u32, connections: usize) -> Value {
        let before = std::mem::replace(&mut self.before, spent());
        let dials = connections.saturating_sub(std::mem::replace(&mut self.connections, connections));
        let each = |time: fn(&Usage) -> nix::sys::time::TimeVal| {
            (time(&self.before) - time(&before)).num_microseconds() as f64 / f64::from(count)
        };
        json!({ "user_us": each(Usage::user_time), "system_us": each(Usage::system_time), "dials": dials })
    }
}

/// One figure over all rounds, in microseconds.
pub(crate) struct Spread {
    pub(crate) median: f64,
    least: f64,
    most: f64,
    /// What of it is the kernel's: a median of its own.
    system: f64,
}

impl Spread {
    pub(crate) fn of(side: &[Value], name: &str) -> Self {
        let sorted = |figure: &dyn Fn(&Value) -> Option<f64>| {
            let mut all: Vec<f64> = side.iter().filter_map(|answer| figure(&answer[name])).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let one = |figure: &'static str| sorted(&|cost| cost[figure].as_f64());
        let all = sorted(&|cost| Some(cost["user_us"].as_f64()? + cost["system_us"].as_f64()?));
        let median = |all: &[f64]| all.get(all.len() / 2).copied().expect("a round");
        Self {
            median: median(&all),
            least: all.first().copied().expect("a round"),
            most: all.last().copied().expect("a round"),
            system: median(&one("system_us")),
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |us: f64| us / 1e3;
        let Self { median, least, most, system, .. } = self;
        write!(f, "{:.2} ms ({:.2} to {:.2}; [{:.2}])", ms(*median), ms(*least), ms(*most), ms(*system))
    }
}
