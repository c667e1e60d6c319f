//! Crawls of simulated networks of growing size in virtual time: what a peer costs, alone and among many.
//!
//! `cargo bench -p kadscope-crawl --bench simulated [-- PEERS...]`

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and may fail")]

use std::{sync::Arc, time::Duration};

use kad::{Contact, PeerId};
use kadscope_crawl::{Clock, Crawl, CrawlConfig, Crawled, FateCounts, Outlets, Progress};
use schema::{RunId, Timestamp};
use testnet::{Scenario, SimConfig, SimNetwork, World};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

fn main() {
    let sizes: Vec<u32> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000, 100_000] } else { sizes };
    println!(
        "{:>8} {:>11} {:>9} {:>9} {:>8} {:>10} {:>12} {:>9}",
        "peers", "generate s", "crawl s", "us/peer", "found", "edges", "virtual s", "peak MB"
    );
    for peers in sizes {
        measure(peers);
    }
}

fn measure(peers: u32) {
    let begun = cpu();
    let scenario = Scenario::named("healthy").expect("built in").with_peers(peers);
    let world = Arc::new(World::generate(&scenario));
    let generated = cpu();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let Crawled { summary, .. } = runtime.block_on(crawl(Arc::clone(&world)));
    let crawl_s = cpu().saturating_sub(generated).as_secs_f64();
    println!(
        "{peers:>8} {:>11.2} {crawl_s:>9.2} {:>9.1} {:>8} {:>10} {:>12.1} {:>9.0}",
        generated.saturating_sub(begun).as_secs_f64(),
        crawl_s * 1e6 / f64::from(peers),
        summary.peers.reachable,
        summary.edges,
        summary.duration_s,
        peak_bytes() / 1e6,
    );
    assert_eq!(summary.peers.reachable, u64::from(peers), "every peer is found");
}

async fn crawl(world: Arc<World>) -> Crawled {
    let network =
        SimNetwork::new(Arc::clone(&world), SimConfig { local: PeerId::random(), ..SimConfig::default() });
    let bootstrap = world
        .bootstrap()
        .iter()
        .map(|&peer| Contact { peer: world.peer_id(peer), addrs: world.addresses(peer) })
        .collect();
    let crawl = Crawl {
        network,
        id: RunId([7; 16]),
        network_name: "bench".to_owned(),
        protocols: vec![kad::message::AMINO_PROTOCOL.to_owned()],
        bootstrap,
        config: CrawlConfig { neighbors: true, all_prefixes: true, seed: Some(1), ..CrawlConfig::default() },
        opt_out: Arc::default(),
        clock: Clock::started_at(Timestamp(0)),
    };
    let (progress, _) = watch::channel(Progress::default());
    crawl
        .run(Outlets { rows: None, progress, fates: FateCounts::default(), cancel: CancellationToken::new() })
        .await
}

/// CPU time of this process so far.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The most memory that this process has had, as the kernel says.
fn peak_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN) * 1024.0
}
