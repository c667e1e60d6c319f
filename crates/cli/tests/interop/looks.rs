//! Looks of a monitor at servers of go-libp2p-kad-dht, which say how many places are held with them.

use std::{thread, time::Duration};

use ::crawl::Clock;
use kad::{Contact, message::AMINO_PROTOCOL};
use monitor::{LookTerms, Prober};
use net::{Addresses, Host, HostConfig, Identity};
use schema::{OnlineCriterion, PeerNumber, Timestamp};
use tokio::time::Instant;

use crate::{program::Network, servers::servers, truth::Truth};

/// So many servers.
const SERVERS: u64 = 4;

/// How often each is looked at by each criterion.
const LOOKS: usize = 50;

/// No place is held for longer than this once all looks are over.
const PATIENCE: Duration = Duration::from_secs(60);

/// Room for more than all looks: none is refused, and all are counted.
const ROOM: usize = 1000;

fn contacts(truth: &Truth) -> Vec<Contact> {
    let contact = |peer: &crate::truth::Peer| Contact {
        peer: peer.id.parse().expect("a peer id"),
        addrs: peer.addrs.iter().map(|address| address.parse().expect("an address")).collect(),
    };
    truth.peers.iter().map(contact).collect()
}

fn host() -> Host {
    let identity = Identity::generate().expect("randomness");
    Host::new(HostConfig::new(identity, Addresses::Loopback)).expect("a host")
}

/// Waits until the servers have let every connection go. A place that is leaked is never given back.
fn await_no_place_held(network: &mut Network) {
    let deadline = Instant::now() + PATIENCE;
    while network.truth().held_conns() > 0 {
        assert!(Instant::now() < deadline, "{} places are held", network.truth().held_conns());
        thread::yield_now();
    }
}

/// Looks at all of them, again and again.
async fn look(prober: &Prober<Host>, contacts: &[Contact]) {
    for _ in 0..LOOKS {
        let looks = contacts.iter().map(|contact| prober.probe(PeerNumber(1), contact));
        let visits = futures_util::future::join_all(looks).await;
        assert!(visits.iter().all(|visit| visit.is_reachable() && visit.crawl_error.is_none()), "{visits:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn looks_leave_no_place_behind_at_servers_in_go() {
    for transport in ["tcp", "quic"] {
        let options = format!("-transport {transport} -security noise -max-conns {ROOM}");
        let mut network = servers(SERVERS, &options);
        let contacts = contacts(&network.truth());
        for criterion in OnlineCriterion::ALL {
            let terms = LookTerms::new([AMINO_PROTOCOL.to_owned()].into(), *criterion);
            let prober = Prober::new(host(), terms, Clock::started_at(Timestamp(0)));
            look(&prober, &contacts).await;
        }
        await_no_place_held(&mut network);
        assert_eq!(network.truth().refused_conns(), 0, "{transport}");
    }
}
