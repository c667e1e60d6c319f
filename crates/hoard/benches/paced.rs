//! Whether a study keeps its rounds: so many keys with 20 holders each, all of them looked at every so often, over sockets of loopback, kept in
//! a file as the program keeps it. What is told: how late rounds began, how many were missed, what a round of a key takes of the processor,
//! and how much memory there was at the most.
//!
//! `cargo bench -p kadscope-hoard --bench paced [-- tcp|quic [KEYS [EVERY [ROUNDS [PEERS]]]]]`: EVERY is in seconds. Without, 10,000 keys over
//! TCP every 3 min, twice, in a network of 1,000 peers: ten times the rate of 10,000 keys in half an hour, which is `-- tcp 10000 1800`. Keys
//! are published within the first EVERY, evenly; it takes EVERY times one more than ROUNDS. The network of loopback peers is a process of its
//! own, and what it takes of the processor is not counted.
//!
//! It fails where a round was missed or cut short, or a holder was not found as it is.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

#[path = "rounds/ground.rs"]
#[expect(dead_code, reason = "who is closest in truth is asked by what is not paced")]
mod ground;
#[path = "paced/kept.rs"]
mod kept;
#[path = "../../perf/benches/beside_go/network.rs"]
#[expect(dead_code, reason = "other programs are told of the network by a file")]
mod network;
#[path = "paced/spent.rs"]
mod spent;

use std::{process::ExitCode, time::Duration};

use dht::{NodeConfig, NodeProfile};
use ground::{Carried, Living};
use kad::{Keypair, message::AMINO_PROTOCOL};
use kadscope_hoard::{Hoard, HoardNow, HoardOutlets, HoardPlan, HoardSummary, PublishPace, RoundTimes};
use kept::Kept;
use net::{Addresses, FabricConfig, SocketFabric};
use schema::Timestamp;
use spent::Spent;
use tokio::{
    runtime::{Builder, Runtime},
    sync::{mpsc, watch},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// Facts that wait to be kept, as in the program.
const QUEUED_FACTS: usize = 256;

/// How long after the last publication nothing of it goes on any more: its holders are asked at once and 10 s later.
const SETTLED: Duration = Duration::from_secs(15);

/// What is made.
struct Order {
    carried: Carried,
    keys: u32,
    every: Duration,
    rounds: u32,
    peers: u32,
}

/// What it came to.
struct Outcome {
    summary: HoardSummary,
    kept: Kept,
    /// What was spent when all keys were published, and how many rounds were over; and the same at the end.
    paced: [(Spent, u64); 2],
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [mode, scenario, peers] = &args[..]
        && mode == "--network"
    {
        runtime("network").block_on(network::be_it(scenario, peers));
        return ExitCode::SUCCESS;
    }
    let order = Order::read(&args);
    let outcome = runtime("study").block_on(order.made());
    if order.told(&outcome) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn runtime(name: &str) -> Runtime {
    Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build().expect("a runtime")
}

impl Order {
    fn read(args: &[String]) -> Self {
        let number = |place: usize, usual: u32| {
            args.get(place)
                .map_or(usual, |text| text.parse().expect("a number of keys, seconds, rounds or peers"))
        };
        let carried =
            args.first().map_or(Carried::Tcp, |name| Carried::from_name(name).expect("tcp or quic"));
        let every = Duration::from_secs(number(2, 180).into());
        Self { carried, keys: number(1, 10_000), every, rounds: number(3, 2), peers: number(4, 1000) }
    }

    fn plan(&self) -> HoardPlan {
        let rounds = RoundTimes::every(self.every, self.every * self.rounds);
        let pace = PublishPace { gap: self.every / self.keys, ..PublishPace::default() };
        HoardPlan { seed: 18, pace, ..HoardPlan::of(self.keys, rounds) }
    }

    fn node(&self, living: &Living) -> NodeConfig {
        let protocols = [AMINO_PROTOCOL.to_owned()].into();
        let profile = NodeProfile { agent: "kadscope-bench/1".to_owned(), protocols, announce: Vec::new() };
        let mut node = NodeConfig::new(Keypair::generate_ed25519(), profile, Duration::ZERO);
        (node.listen, node.bootstrap) = (vec![self.carried.listen()], living.bootstrap());
        node
    }

    /// Makes the study.
    async fn made(&self) -> Outcome {
        let living = Living::start(self.carried, self.peers);
        let clock = crawl::Clock::started_at(Timestamp(1_795_000_000_000_000));
        let fabric = SocketFabric::new(FabricConfig::new(Addresses::Loopback));
        let hoard = Hoard::new(fabric, self.plan(), self.node(&living), clock);
        let (facts, told) = mpsc::channel(QUEUED_FACTS);
        let (now, shown) = watch::channel(HoardNow::default());
        let (done, at_the_end) = (shown.clone(), CancellationToken::new());
        let outlets = HoardOutlets { facts, now, cancel: at_the_end.clone() };
        let all_published = async {
            let mut shown = shown;
            shown.wait_for(|now| now.keys == u64::from(self.keys)).await.expect("it goes on");
            sleep(SETTLED).await;
            (Spent::now(), shown.borrow().rounds_over())
        };
        let made = async {
            let began = Instant::now();
            let summary = hoard.run(None, outlets).await.expect("a study");
            println!("It took {:.1} min.", began.elapsed().as_secs_f64() / 60.0);
            (summary, (Spent::now(), done.borrow().rounds_over()))
        };
        let ((summary, last), kept, first) = tokio::join!(made, kept::keep(told), all_published);
        living.stop();
        Outcome { summary, kept, paced: [first, last] }
    }

    /// Says what it came to, and whether that is as it should be.
    fn told(&self, outcome: &Outcome) -> bool {
        let Outcome { summary, kept, paced: [(before, earlier), (after, later)] } = outcome;
        let rounds = later.saturating_sub(*earlier).max(1);
        let each = |name: Option<&str>| {
            after.cpu(name).saturating_sub(before.cpu(name)).as_secs_f64() * 1e3 / rounds as f64
        };
        let Self { carried, keys, every, .. } = self;
        let every = every.as_secs_f64();
        println!(
            "{keys} keys over {carried} every {every} s, {:.1} rounds a second.",
            f64::from(*keys) / every
        );
        println!("| | |\n|---|--:|");
        println!(
            "| rounds whole, partial, missed | {}, {}, {} |",
            summary.whole_rounds, summary.partial_rounds, summary.missed_rounds
        );
        let [p50, p99, max] = [50, 99, 100].map(|percent| kept.lag(percent).as_secs_f64());
        println!("| lag, p50, p99 and the latest | {p50:.3}, {p99:.3}, {max:.3} s |");
        let [p50, p99, max] = [50, 99, 100].map(|percent| kept.took(percent).as_secs_f64());
        println!("| a round takes, p50, p99 and the longest | {p50:.3}, {p99:.3}, {max:.3} s |");
        println!("| rounds under way at the most | {} |", kept.most_at_once);
        let rest: Vec<String> = after.names().map(|name| format!("{name} {:.2}", each(Some(name)))).collect();
        println!("| CPU of a key and round | {:.2} ms ({}) |", each(None), rest.join(", "));
        println!("| memory at the most | {} MiB |", after.peak_bytes >> 20);
        println!("| sights, and those that are right | {}, {} |", kept.sights, kept.right);
        println!("| keys that nobody was given | {} |", summary.failed_keys);
        let all = u64::from(*keys) * u64::from(self.rounds);
        summary.whole_rounds == all && kept.right == kept.sights
    }
}
