//! Heads that ask who asks them: over every transport, once a connection, and only those who sent a request.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{net::Ipv4Addr, sync::Arc};

use kad::{
    Multiaddr, PeerId,
    identify::{IDENTIFY_PROTOCOL, IDENTIFY_PUSH_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    network::{Connection, Event, Network, Transport},
};
use kadscope_net::{
    Addresses, AnyConnection, Host, HostConfig, Identity, quic_multiaddr,
    serve::{self, Answer, Head, HeadProfile, Introduced, ListenLimits, Notice, Request, Service},
    session::Securities,
    tcp_multiaddr, ws_multiaddr, wss_multiaddr,
};
use tokio::{sync::mpsc, task::JoinHandle};

const KAD: &str = "/ipfs/kad/1.0.0";

/// Echoes, and tells whom it met.
struct Curious {
    asks: bool,
    met: mpsc::Sender<Introduced>,
}

impl Service for Curious {
    async fn answer(&self, request: Request) -> Answer {
        Answer::Message(request.message)
    }

    fn asks(&self, _: PeerId) -> bool {
        self.asks
    }

    fn notice(&self, notice: Notice) {
        if let Notice::Introduced(introduced) = notice {
            self.met.try_send(introduced).unwrap();
        }
    }
}

/// A head that serves until it is dropped.
struct Served {
    peer: PeerId,
    at: Multiaddr,
    task: JoinHandle<()>,
    met: mpsc::Receiver<Introduced>,
}

impl Served {
    fn new(transport: Transport, securities: Securities, asks: bool) -> Self {
        let (sender, met) = mpsc::channel(8);
        let service = Curious { asks, met: sender };
        let head =
            Head::new(Identity::generate().unwrap(), &HeadProfile::new("head/1", &[KAD]), &[], service);
        let head = Arc::new(head.with_securities(securities));
        let peer = head.peer_id();
        let resolve = move |_| Some(Arc::clone(&head));
        let here = (Ipv4Addr::LOCALHOST, 0).into();
        if transport == Transport::Quic {
            let socket = serve::bind_quic(here).unwrap();
            let addr = socket.local_addr().unwrap();
            let listening = serve::listen_quic(socket, resolve, ListenLimits::default());
            let task = tokio::spawn(async move { listening.await.unwrap() });
            return Self { peer, at: quic_multiaddr(addr), task, met };
        }
        let listener = serve::bind(here).unwrap();
        let addr = listener.local_addr().unwrap();
        let limits = ListenLimits::default();
        let (at, task) = match transport {
            Transport::Wss => {
                (wss_multiaddr(addr), tokio::spawn(serve::listen_wss(listener, resolve, limits)))
            }
            Transport::Ws => (ws_multiaddr(addr), tokio::spawn(serve::listen_ws(listener, resolve, limits))),
            _ => (tcp_multiaddr(addr), tokio::spawn(serve::listen(listener, resolve, limits))),
        };
        Self { peer, at, task, met }
    }

    async fn dialled_by(&self, host: &Host) -> AnyConnection {
        let dial = host.connect(self.peer, vec![self.at.clone()]).await;
        dial.connection.unwrap_or_else(|| panic!("{:?}", dial.attempts))
    }

    /// The next introduction; `None` if none came until the head ended.
    async fn met(&mut self) -> Option<Introduced> {
        self.met.recv().await
    }

    /// The next introduction, which takes that the one to be introduced is there to answer.
    async fn met_by(&mut self, connection: &mut AnyConnection) -> Introduced {
        let hang_on = async { while connection.next().await.is_ok() {} };
        tokio::select! {
            () = hang_on => panic!("the head hung up"),
            introduced = self.met() => introduced.unwrap(),
        }
    }

    /// All further introductions, once no connection is left.
    async fn met_since(mut self) -> Vec<Introduced> {
        self.task.abort();
        let mut rest = Vec::new();
        while let Some(introduced) = self.met().await {
            rest.push(introduced);
        }
        rest
    }
}

/// A host that says it is a server, and where.
fn host() -> (Host, PeerId, Vec<Multiaddr>) {
    let mut config = HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback);
    let peer = config.identity.peer_id();
    config.agent = "guest/1".into();
    config.kad_protocols = vec![KAD.to_owned()];
    config.listen_addrs = vec!["/ip4/127.0.0.1/tcp/9".parse().unwrap()];
    let addrs = config.listen_addrs.clone();
    (Host::new(config).unwrap(), peer, addrs)
}

/// Sends a request on a stream of its own, and waits for the answer.
async fn ask(connection: &mut AnyConnection) {
    let stream = connection.open(KAD, 99);
    connection.send(stream, b"request");
    while connection.next().await.unwrap() != Event::Message(stream, b"request".to_vec()) {}
}

#[tokio::test]
async fn who_sends_a_request_is_asked_once_over_every_transport() {
    for (transport, securities) in [
        (Transport::Tcp, Securities::Noise),
        (Transport::Tcp, Securities::Tls),
        (Transport::Ws, Securities::Noise),
        (Transport::Wss, Securities::Tls),
        (Transport::Quic, Securities::Any),
    ] {
        let mut served = Served::new(transport, securities, true);
        let (host, peer, addrs) = host();
        let mut connection = served.dialled_by(&host).await;
        ask(&mut connection).await;
        ask(&mut connection).await;
        let Introduced { peer: met, remote, local, identify } = served.met_by(&mut connection).await;
        connection.close().await;
        assert_eq!((met, &local), (peer, &served.at), "{transport} {securities:?}");
        assert!(remote.to_string().starts_with("/ip4/127.0.0.1/") && remote != local, "{remote}");
        assert_eq!(identify.agent_version.as_deref(), Some("guest/1"));
        assert!(identify.protocols.iter().any(|protocol| protocol == KAD));
        assert_eq!(identify.listen_addrs, addrs);
        assert_eq!(served.met_since().await, [], "{transport} {securities:?}");
    }
}

#[tokio::test]
async fn who_sends_no_request_is_not_asked_and_a_head_that_does_not_ask_hears_nothing() {
    for (asks, requests) in [(true, false), (false, true)] {
        let served = Served::new(Transport::Tcp, Securities::Noise, asks);
        let mut connection = served.dialled_by(&host().0).await;
        if requests {
            ask(&mut connection).await;
        }
        let push = connection.open(IDENTIFY_PUSH_PROTOCOL, MAX_IDENTIFY_BYTES);
        connection.send(push, &Identify::default().encode());
        connection.finish(push);
        let identify = connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES);
        let mut open = vec![push, identify];
        while !open.is_empty() {
            if let Event::Ended(stream, _) = connection.next().await.unwrap() {
                open.retain(|&other| other != stream);
            }
        }
        connection.close().await;
        assert_eq!(served.met_since().await, []);
    }
}

#[tokio::test]
async fn what_a_peer_says_later_is_told_too() {
    for transport in [Transport::Tcp, Transport::Quic] {
        let mut served = Served::new(transport, Securities::Any, true);
        let (host, peer, _) = host();
        let mut connection = served.dialled_by(&host).await;
        ask(&mut connection).await;
        let push = connection.open(IDENTIFY_PUSH_PROTOCOL, MAX_IDENTIFY_BYTES);
        let changed = Identify { agent_version: Some("guest/2".to_owned()), ..Identify::default() };
        connection.send(push, &changed.encode());
        connection.finish(push);
        let mut agents = Vec::new();
        for _ in 0..2 {
            let introduced = served.met_by(&mut connection).await;
            assert_eq!(introduced.peer, peer);
            agents.extend(introduced.identify.agent_version);
        }
        agents.sort();
        assert_eq!(agents, ["guest/1", "guest/2"], "{transport}");
    }
}
