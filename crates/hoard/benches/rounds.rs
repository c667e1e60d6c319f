//! What a round of a key costs: CPU time of this process for each key and round with 20 holders, beside 20 bare dials in the same run, over
//! TCP and QUIC. Whether rounds are kept at a pace is another benchmark's, `paced`.
//!
//! `cargo bench -p kadscope-hoard --bench rounds [-- tcp|quic]`. The network of loopback peers is a process of its own, and what it takes
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
#[path = "rounds/observed.rs"]
mod observed;

use cost::Meter;
use ground::Carried;
use kadscope_hoard::RoundParts;
use tokio::runtime::{Builder, Runtime};

/// How many keys are looked at for what one costs.
const KEYS: u32 = 300;

/// How many peers there are.
const PEERS: u32 = 300;

/// How often each row is measured; the rows take turns.
const TURNS: usize = 3;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [mode, first, second] = &args[..]
        && mode == "--network"
    {
        return runtime().block_on(network::be_it(first, second));
    }
    let only = args.first().and_then(|name| Carried::from_name(name));
    for carried in Carried::ALL.into_iter().filter(|carried| only.is_none_or(|only| only == *carried)) {
        runtime().block_on(costs(carried));
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// What is done for a key.
#[derive(Debug, Clone, Copy)]
enum Work {
    Dials,
    Asks,
    Round(RoundParts),
}

/// What is measured, in turns.
const WORKS: [(&str, Work); 5] = [
    ("20 bare dials", Work::Dials),
    ("20 dials, each asked", Work::Asks),
    ("a round of holders alone", Work::Round(RoundParts::Holders)),
    ("a round of lookups alone", Work::Round(RoundParts::Lookups)),
    ("a whole round", Work::Round(RoundParts::All)),
];

/// CPU time of each key, by what is done for it.
async fn costs(carried: Carried) {
    let ground = ground::Living::start(carried, PEERS);
    let apart = apart::Asking::join(&ground).await;
    let observing = observed::Observing::join(&ground, carried).await;
    let mut took = WORKS.map(|_| Vec::new());
    for _ in 0..TURNS {
        for (took, (_, work)) in took.iter_mut().zip(WORKS) {
            let mut meter = Meter::new(0);
            for number in 0..KEYS {
                match work {
                    Work::Dials => apart.ask(&ground::key(number), false).await,
                    Work::Asks => apart.ask(&ground::key(number), true).await,
                    Work::Round(parts) => observing.round(number, parts).await,
                }
            }
            let cost = meter.lap(KEYS, 0);
            let ms = |what: &str| cost[what].as_f64().expect("a number") / 1e3;
            took.push((ms("user_us") + ms("system_us"), ms("system_us")));
        }
    }
    println!("| {carried} | CPU of a key: the median (least to most; [the kernel's]) |");
    println!("|---|---|");
    for (mut all, (what, _)) in took.into_iter().zip(WORKS) {
        all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (median, kernel) = all[TURNS / 2];
        println!("| {what} | {median:.2} ms ({:.2} to {:.2}; [{kernel:.2}]) |", all[0].0, all[TURNS - 1].0);
    }
    observing.leave().await;
    ground.stop();
}
