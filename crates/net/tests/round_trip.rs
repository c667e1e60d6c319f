//! Round trips over TCP are those of the network: what this process is busy with is not in them.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use kad::{
    PeerId,
    network::{Connection, Event, Network, RttSource},
};
use kadscope_net::{
    Addresses, Host, HostConfig, Identity,
    serve::{self, Answer, Head, HeadProfile, ListenLimits, Request, Service},
    tcp_multiaddr,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{sync::Barrier, task::JoinSet};

const KAD: &str = "/ipfs/kad/1.0.0";
const REQUESTS: usize = 16;
const AT_ONCE: usize = 500;

/// Loopback's own round trip is a few microseconds, so that a fifth of it is less than what a processor that was busy takes
/// to come round: so much may lie between two medians.
const NOISE: Duration = Duration::from_micros(50);

struct Echo;

impl Service for Echo {
    async fn answer(&self, request: Request) -> Answer {
        Answer::Message(request.message.repeat(50))
    }
}

/// One conversation with sixteen requests; it hangs up once all others have come as far.
async fn conversation(host: Host, peer: PeerId, at: SocketAddr, others: Arc<Barrier>) -> Duration {
    let mut connection = host.connect(peer, vec![tcp_multiaddr(at)]).await.connection.unwrap();
    let stream = connection.open(KAD, 4096);
    for _ in 0..REQUESTS {
        connection.send(stream, &[7; 40]);
    }
    let mut answers = 0;
    while answers < REQUESTS {
        answers += usize::from(matches!(connection.next().await.unwrap(), Event::Message(..)));
    }
    others.wait().await;
    let rtt = connection.round_trip().unwrap();
    assert_eq!(rtt.source, RttSource::TcpInfo);
    connection.close().await;
    rtt.time
}

/// The median over so many conversations, of which so many are under way at once.
async fn median(peer: PeerId, at: SocketAddr, rounds: usize, at_once: usize) -> Duration {
    let mut config = HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback);
    config.dials.dial_timeout = Duration::from_secs(60);
    config.dials.total_timeout = config.dials.dial_timeout;
    let host = Host::new(config).unwrap();
    let mut rtts = Vec::new();
    for _ in 0..rounds {
        let others = Arc::new(Barrier::new(at_once));
        let conversations = (0..at_once).map(|_| conversation(host.clone(), peer, at, Arc::clone(&others)));
        rtts.extend(conversations.collect::<JoinSet<_>>().join_all().await);
    }
    rtts.sort_unstable();
    rtts[rtts.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_conversations_at_once_see_what_one_sees() {
    // Both ends of each are in this process.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let listener = serve::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let at = listener.local_addr().unwrap();
    let head = Head::new(Identity::generate().unwrap(), &HeadProfile::new("echo/1", &[KAD]), &[], Echo);
    let head = Arc::new(head);
    let peer = head.peer_id();
    let limits = ListenLimits { handshake: Duration::from_secs(60), ..ListenLimits::default() };
    let server = tokio::spawn(serve::listen(listener, move |_| Some(Arc::clone(&head)), limits));
    let alone = median(peer, at, 50, 1).await;
    let busy = median(peer, at, 1, AT_ONCE).await;
    server.abort();
    assert!(!alone.is_zero() && !busy.is_zero());
    let apart = busy.abs_diff(alone);
    assert!(apart <= NOISE.max(alone / 5), "alone {alone:?}, {AT_ONCE} at once {busy:?}");
}
