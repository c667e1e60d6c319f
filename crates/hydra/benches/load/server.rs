//! The server: a hydra of many heads that know nobody but each other, of which one is asked.

use std::{sync::Arc, time::Duration};

use kad::{Keypair, Multiaddr, message::AMINO_PROTOCOL};
use kadscope_hydra::{HeadConfig, Hydra, HydraConfig, Ladder, LoadConfig};
use net::{Addresses, Bounds, FabricConfig, SocketFabric};
use store::{Belly, BellyConfig, BellyUrl};

use crate::process::{SERVER_CORE, pin, runtime, tell_what_is_spent};

/// How many heads there are.
const HEADS: u64 = 100;

/// When it is, since the Unix epoch: records are dated by it, and by nothing else.
const NOW: Duration = Duration::from_secs(1_767_225_600);

/// Serves until the input ends.
pub(crate) fn serve(args: &[String]) {
    let [transport, threads, belly] = args else { panic!("a transport, a number of threads and a belly") };
    let threads = threads.parse().expect("a number");
    if threads == 1 {
        pin(SERVER_CORE);
    }
    let address = if transport == "quic" { "/ip4/127.0.0.1/udp/0/quic-v1" } else { "/ip4/127.0.0.1/tcp/0" };
    let listen: Multiaddr = address.parse().expect("an address");
    let url: BellyUrl = belly.parse().expect("a belly");
    let runtime = runtime(threads);
    let belly = runtime.block_on(Belly::open(&url, BellyConfig::default())).expect("a belly");
    let heads = (0..HEADS).map(|index| HeadConfig {
        index,
        keypair: Keypair::generate_ed25519(),
        listen: vec![listen.clone()],
        announce: Vec::new(),
    });
    let protocols = Arc::from([AMINO_PROTOCOL.to_owned()]);
    let config = HydraConfig {
        agent: "kadscope-bench/1".to_owned(),
        // A machine that is busy with others must not make it do less.
        load: LoadConfig { ladder: Ladder::NONE, ..LoadConfig::default() },
        ..HydraConfig::new(heads.collect(), protocols, belly, NOW)
    };
    let bounds = Bounds {
        connections: 1 << 16,
        high_water: 1 << 16,
        per_source: 1 << 16,
        half_open_per_source: 1 << 10,
        ..Bounds::default()
    };
    let fabric = SocketFabric::new(FabricConfig { bounds, ..FabricConfig::new(Addresses::Loopback) });
    let hydra = runtime.block_on(Hydra::join(&fabric, config)).expect("a place");
    let places = hydra.heads().into_iter().map(|head| format!("{} {}", head.peer(), head.listens()[0]));
    println!("{}", places.collect::<Vec<_>>().join(" "));
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let telling = std::thread::spawn(move || {
        tell_what_is_spent();
        drop(end);
    });
    runtime.block_on(ended).ok();
    telling.join().expect("no panic");
    let load = hydra.load().counts().all();
    assert_eq!(load.asked, load.accounted(), "every request has a fate");
}
