//! Peers on loopback, and what is done with each: a bare dial, or a look by a criterion.

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use crawl::Clock;
use kad::{
    Contact,
    message::AMINO_PROTOCOL,
    network::{Connection as _, Network as _},
};
use kadscope_monitor::{LookTerms, Prober};
use net::{Addresses, Host, HostConfig, Identity};
use schema::{OnlineCriterion, PeerNumber, Timestamp};
use tokio::task::JoinSet;

use crate::{cost::Meter, network::Ground};

/// By what peers are reached.
pub(crate) const CARRIED: [&str; 2] = ["tcp", "quic"];

/// How often each row is measured.
pub(crate) const TURNS: usize = 7;

/// How many peers there are.
const PEERS: u32 = 300;

/// How many are dialled in one turn, and how many of them at a time.
const DIALS: usize = 2000;
const AT_ONCE: usize = 50;

/// What is done with a peer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    Dial,
    Look(OnlineCriterion),
}

impl Work {
    pub(crate) const ALL: [Self; 4] = [
        Self::Dial,
        Self::Look(OnlineCriterion::Handshake),
        Self::Look(OnlineCriterion::Identify),
        Self::Look(OnlineCriterion::Kad),
    ];
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dial => f.write_str("a bare dial"),
            Self::Look(criterion) => write!(f, "a look by `{criterion}`"),
        }
    }
}

/// Who looks, and at whom.
pub(crate) struct Looking {
    ground: Ground,
    file: PathBuf,
    peers: Arc<[Contact]>,
}

impl Looking {
    pub(crate) fn start(carried: &str) -> Self {
        let file =
            std::env::temp_dir().join(format!("kadscope-probes-{}-{carried}.toml", std::process::id()));
        std::fs::write(&file, format!("[transports]\n{carried} = 1.0\n")).expect("room for a file");
        let ground = Ground::start(file.to_str().expect("a text"), PEERS);
        let peers = ground.living().into();
        Self { ground, file, peers }
    }

    pub(crate) fn peers(&self) -> Arc<[Contact]> {
        Arc::clone(&self.peers)
    }

    /// CPU time of each, in microseconds.
    pub(crate) async fn turn(&self, work: Work) -> f64 {
        let next = Arc::new(AtomicUsize::new(0));
        let (host, clock) = (host(), Clock::started_at(Timestamp(0)));
        let mut meter = Meter::new(0);
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (next, peers, host) = (Arc::clone(&next), self.peers(), host.clone());
            workers.spawn(async move {
                while let Some(turn) = Some(next.fetch_add(1, Relaxed)).filter(|&turn| turn < DIALS) {
                    one(&host, clock, work, &peers[turn % peers.len()]).await;
                }
            });
        }
        workers.join_all().await;
        let cost = meter.lap(u32::try_from(DIALS).expect("a small number"), 0);
        let us = |what: &str| cost[what].as_f64().expect("a number");
        us("user_us") + us("system_us")
    }

    pub(crate) fn stop(self) {
        self.ground.stop();
        std::fs::remove_file(self.file).expect("it was there");
    }
}

pub(crate) fn host() -> Host {
    let identity = Identity::generate().expect("randomness");
    Host::new(HostConfig::new(identity, Addresses::Loopback)).expect("a host")
}

pub(crate) fn prober(host: &Host, clock: Clock, criterion: OnlineCriterion) -> Prober<Host> {
    Prober::new(host.clone(), LookTerms::new([AMINO_PROTOCOL.to_owned()].into(), criterion), clock)
}

async fn one(host: &Host, clock: Clock, work: Work, peer: &Contact) {
    match work {
        Work::Dial => {
            let dial = host.connect(peer.peer, peer.addrs.clone()).await;
            dial.connection.expect("a connection").close().await;
        }
        Work::Look(criterion) => {
            let visit = prober(host, clock, criterion).probe(PeerNumber(1), peer).await;
            assert!(visit.is_reachable() && visit.crawl_error.is_none(), "{visit:?}");
        }
    }
}
