//! Dials that leave from addresses of our own choice: where they are seen to come from, and what they take.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures::future::join_all;
use kad::{
    Multiaddr, PeerId,
    failure::FailureClass,
    identify::{IDENTIFY_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::{AddressOutcome, Connection, Event, Network},
};
use kadscope_net::{
    Addresses, AnyConnection, Host, HostConfig, Identity, Source, quic_multiaddr,
    serve::{self, Answer, Head, HeadProfile, ListenLimits, Request, Service},
    tcp_multiaddr,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// The most sockets that are bound for dials over QUIC at once.
const MAX_BOUND: usize = 64;

#[derive(Debug)]
struct Silent;

impl Service for Silent {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Nothing
    }
}

/// A head over TCP and over QUIC, until it is dropped.
struct Served {
    peer: PeerId,
    addresses: [Multiaddr; 2],
    _tasks: JoinSet<()>,
}

fn serve() -> Served {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (tcp, quic) = (serve::bind(here).unwrap(), serve::bind_quic(here).unwrap());
    let addresses = [tcp_multiaddr(tcp.local_addr().unwrap()), quic_multiaddr(quic.local_addr().unwrap())];
    let head = Head::new(Identity::generate().unwrap(), &HeadProfile::new("x/1", &[]), &addresses, Silent);
    let head = Arc::new(head);
    let peer = head.peer_id();
    let mut tasks = JoinSet::new();
    let resolve = move |_| Some(Arc::clone(&head));
    let (over_tcp, over_quic) = (resolve.clone(), resolve);
    tasks.spawn(serve::listen(tcp, over_tcp, ListenLimits::default()));
    tasks.spawn(async move { serve::listen_quic(quic, over_quic, ListenLimits::default()).await.unwrap() });
    Served { peer, addresses, _tasks: tasks }
}

fn host() -> Host {
    let mut config = HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback);
    config.dials.dial_timeout = Duration::from_secs(3);
    Host::new(config).unwrap()
}

fn from(host: &Host, ip: Ipv4Addr) -> Host {
    host.beside(Identity::generate().unwrap(), "other/1", Source::Own { ip4: Some(ip), ip6: None })
}

/// Where the other end sees us.
async fn seen(connection: &mut AnyConnection) -> Multiaddr {
    let stream = connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES);
    loop {
        if let Event::Message(id, message) = connection.next().await.unwrap()
            && id == stream
        {
            return Identify::decode(&message).unwrap().observed_addr.unwrap();
        }
    }
}

/// How many sockets of UDP are bound to an address.
fn bound(ip: Ipv4Addr) -> usize {
    let address = format!("{:08X}:", u32::from_le_bytes(ip.octets()));
    let is_there = |line: &&str| line.split_whitespace().nth(1).is_some_and(|at| at.starts_with(&address));
    fs::read_to_string("/proc/self/net/udp").unwrap().lines().filter(is_there).count()
}

#[tokio::test]
async fn dials_leave_from_the_address_that_they_are_told_to() {
    let (served, host, own) = (serve(), host(), Ipv4Addr::new(127, 9, 1, 1));
    for address in &served.addresses {
        for (host, expected) in [(host.clone(), Ipv4Addr::LOCALHOST), (from(&host, own), own)] {
            let dial = host.connect(served.peer, vec![address.clone()]).await;
            let mut connection = dial.connection.unwrap_or_else(|| panic!("{:?}", dial.attempts));
            let seen = seen(&mut connection).await;
            assert!(seen.to_string().starts_with(&format!("/ip4/{expected}/")), "{seen}, by {address}");
            connection.close().await;
        }
    }
}

#[tokio::test]
async fn who_dials_beside_another_is_known_by_another_id() {
    let (served, host) = (serve(), host());
    let other = from(&host, Ipv4Addr::new(127, 9, 1, 2));
    assert_ne!(host.local(), other.local());
    let dial = other.connect(served.peer, served.addresses.to_vec()).await;
    assert!(dial.connection.is_some(), "{:?}", dial.attempts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_for_single_dials_are_bounded_and_closed_after_use() {
    let (served, host, own) = (serve(), host(), Ipv4Addr::new(127, 9, 1, 3));
    let hosts: Vec<Host> = (0..MAX_BOUND + 6).map(|_| from(&host, own)).collect();
    let quic = vec![served.addresses[1].clone()];
    let dials = join_all(hosts.iter().map(|host| host.connect(served.peer, quic.clone()))).await;
    let (stand, failed): (Vec<_>, Vec<_>) = dials.into_iter().partition(|dial| dial.connection.is_some());
    assert_eq!((stand.len(), bound(own)), (MAX_BOUND, MAX_BOUND));
    for dial in &failed {
        let AddressOutcome::Failed(failure) = &dial.attempts[0].outcome else { panic!("{dial:?}") };
        assert_eq!(failure.class, FailureClass::LocalResources);
    }
    for dial in stand {
        dial.connection.unwrap().close().await;
    }
    let start = Instant::now();
    while bound(own) > 0 {
        assert!(start.elapsed() < Duration::from_secs(10), "{} are open", bound(own));
        sleep(Duration::from_millis(20)).await;
    }
    let dial = hosts[0].connect(served.peer, quic).await;
    assert!(dial.connection.is_some(), "{:?}", dial.attempts);
}
