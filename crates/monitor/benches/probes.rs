//! What a look at a peer costs: CPU time of this process, beside that of a bare dial in the same run; and how punctual looks are at 500 a
//! second.
//!
//! `cargo bench -p kadscope-monitor --bench probes [-- tcp|quic [SECONDS]]`. The network of loopback peers is a process of its own, and what
//! it takes of the processor is not counted. Ratios between the lines mean more than the microseconds.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

#[path = "../../perf/benches/beside_go/cost.rs"]
#[expect(dead_code, reason = "figures of many processes are put together there")]
mod cost;
#[path = "probes/looking.rs"]
mod looking;
#[path = "../../perf/benches/beside_go/network.rs"]
#[expect(dead_code, reason = "other programs are told of the network by a file")]
mod network;
#[path = "probes/pace.rs"]
mod pace;

use std::time::Duration;

use looking::{CARRIED, Looking, Work};
use tokio::runtime::{Builder, Runtime};

/// How long looks are paced, unless it is said: as long as the aim is for.
const PACED: Duration = Duration::from_secs(60);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [mode, first, second] = &args[..]
        && mode == "--network"
    {
        return runtime().block_on(network::be_it(first, second));
    }
    let only = args.first().filter(|name| CARRIED.contains(&name.as_str()));
    let paced = args.get(1).and_then(|text| text.parse().ok()).map_or(PACED, Duration::from_secs);
    for carried in CARRIED.into_iter().filter(|carried| only.is_none_or(|only| only == carried)) {
        let looking = Looking::start(carried);
        runtime().block_on(costs(carried, &looking));
        runtime().block_on(pace::run(carried, &looking, paced));
        looking.stop();
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// CPU time by what is done with each peer. The rows take turns.
async fn costs(carried: &str, looking: &Looking) {
    let mut took = Work::ALL.map(|_| Vec::new());
    for _ in 0..looking::TURNS {
        for (took, work) in took.iter_mut().zip(Work::ALL) {
            took.push(looking.turn(work).await);
        }
    }
    println!("| {carried} | CPU of one: the median (least to most) | beside a bare dial |");
    println!("|---|---|---|");
    let mut bare = None;
    for (mut all, work) in took.into_iter().zip(Work::ALL) {
        all.sort_unstable_by(f64::total_cmp);
        let median = all[looking::TURNS / 2];
        let ratio = median / *bare.get_or_insert(median);
        println!(
            "| {work} | {median:.0} us ({:.0} to {:.0}) | {ratio:.2} |",
            all[0],
            all[looking::TURNS - 1]
        );
    }
}
