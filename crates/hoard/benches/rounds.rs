//! What a round of a key costs: CPU time of this process for each key and round with 20 holders, beside 20 bare dials in the same run, over
//! TCP and QUIC; and what it comes to at the rate of 10,000 keys in half an hour: rounds kept, lag, memory, requests.
//!
//! `cargo bench -p kadscope-hoard --bench rounds [-- tcp|quic [MINUTES]]`. The network of loopback peers is a process of its own, and what it takes
//! of the processor is not counted.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

#[path = "rounds/apart.rs"]
mod apart;
#[path = "../../perf/benches/beside_go/cost.rs"]
#[expect(dead_code, reason = "figures of many processes are put together there")]
mod cost;
#[path = "rounds/ground.rs"]
mod ground;
#[path = "../../perf/benches/beside_go/network.rs"]
#[expect(dead_code, reason = "other programs are told of the network by a file")]
mod network;

use std::time::Duration;

use cost::Meter;
use ground::Carried;
use tokio::runtime::{Builder, Runtime};

/// How many keys are looked at for what one costs.
const KEYS: u32 = 300;

/// How often each row is measured; the rows take turns.
const TURNS: usize = 3;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let Some((mode, rest)) = args.split_first().filter(|(mode, _)| *mode == "--network") {
        assert_eq!(mode, "--network");
        return runtime().block_on(network::be_it(&rest[0], &rest[1]));
    }
    let only = args.first().and_then(|name| Carried::from_name(name));
    for carried in Carried::ALL.into_iter().filter(|carried| only.is_none_or(|only| only == *carried)) {
        runtime().block_on(costs(carried));
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// CPU time of each key, by what is done for it.
async fn costs(carried: Carried) {
    let ground = ground::Living::start(carried);
    let apart = apart::Asking::join(&ground).await;
    let mut rows: Vec<(&str, Vec<Duration>)> = Vec::new();
    for _ in 0..TURNS {
        for (what, asks) in [("20 dials", false), ("20 dials, each asked", true)] {
            let mut meter = Meter::new(0);
            for number in 0..KEYS {
                apart.ask(&ground::key(number), asks).await;
            }
            let took = meter.lap(KEYS, 0);
            let us =
                took["user_us"].as_f64().expect("a number") + took["system_us"].as_f64().expect("a number");
            let took = Duration::from_secs_f64(us / 1e6);
            match rows.iter_mut().find(|(name, _)| *name == what) {
                Some((_, all)) => all.push(took),
                None => rows.push((what, vec![took])),
            }
        }
    }
    println!("| {carried} | CPU of a key, the median (least to most) |");
    println!("|---|---|");
    for (what, mut all) in rows {
        all.sort_unstable();
        let ms = |at: usize| all[at].as_secs_f64() * 1e3;
        println!("| {what} | {:.2} ms ({:.2} to {:.2}) |", ms(TURNS / 2), ms(0), ms(TURNS - 1));
    }
    ground.stop();
}
