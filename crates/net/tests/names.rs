//! Names are resolved by a name server on loopback, and what they lead to is dialled by the rules of any other address.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod name_server;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use kad::{
    Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase, SkipReason},
    network::{AddressOutcome, Connection, Network, Transport},
    opt_out::OptOut,
};
use kadscope_net::{
    Addresses, AnyConnection, Host, HostConfig, Identity, NameResolver, Names,
    serve::{self, Answer, Head, HeadProfile, ListenLimits, Request, Service},
};
use tokio::{task::JoinHandle, time::Instant};

use name_server::{Answers, NameServer};

struct Empty;

impl Service for Empty {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Nothing
    }
}

/// A head on all transports of one port number each.
struct Served {
    peer: PeerId,
    tcp: u16,
    wss: u16,
    quic: u16,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn serve_at(ip: IpAddr) -> Served {
    let identity = Identity::generate().unwrap();
    let head = Arc::new(Head::new(identity, &HeadProfile::new("named/1", &[]), &[], Empty));
    let peer = head.peer_id();
    let (tcp, wss) = (serve::bind((ip, 0).into()).unwrap(), serve::bind((ip, 0).into()).unwrap());
    let quic = serve::bind_quic((ip, 0).into()).unwrap();
    let ports = [tcp.local_addr(), wss.local_addr(), quic.local_addr()].map(|addr| addr.unwrap().port());
    let resolve = move |_: SocketAddr| Some(Arc::clone(&head));
    let limits = ListenLimits::default();
    let over_quic = serve::listen_quic(quic, resolve.clone(), limits);
    let tasks = vec![
        tokio::spawn(serve::listen(tcp, resolve.clone(), limits)),
        tokio::spawn(serve::listen_wss(wss, resolve, limits)),
        tokio::spawn(async move { over_quic.await.unwrap() }),
    ];
    Served { peer, tcp: ports[0], wss: ports[1], quic: ports[2], tasks }
}

fn serve() -> Served {
    serve_at(Ipv4Addr::LOCALHOST.into())
}

fn host(resolver: &NameServer) -> Host {
    host_with(resolver, |_| ())
}

fn host_with(resolver: &NameServer, change: impl FnOnce(&mut HostConfig)) -> Host {
    let mut config = HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback);
    config.dials.names = Names::Servers(vec![resolver.addr]);
    change(&mut config);
    Host::new(config).unwrap()
}

fn addr(text: &str) -> Multiaddr {
    text.parse().unwrap()
}

async fn dial(host: &Host, peer: PeerId, text: &str) -> (AddressOutcome, Option<AnyConnection>) {
    let mut dial = host.connect(peer, vec![addr(text)]).await;
    assert_eq!(dial.attempts.len(), 1);
    (dial.attempts.remove(0).outcome, dial.connection)
}

async fn connected(host: &Host, peer: PeerId, text: &str) -> AnyConnection {
    let (outcome, connection) = dial(host, peer, text).await;
    assert_eq!(outcome, AddressOutcome::Connected, "{text}");
    connection.unwrap()
}

async fn failed(host: &Host, text: &str) -> (Phase, FailureClass) {
    let (outcome, _) = dial(host, PeerId::random(), text).await;
    let AddressOutcome::Failed(failure) = outcome else { panic!("{text}: {outcome:?}") };
    (failure.phase, failure.class)
}

#[tokio::test]
async fn a_name_leads_to_its_sockets_over_every_transport() {
    let served = serve();
    let resolver = NameServer::start(|name, kind| match (name, kind) {
        ("head.test", name_server::A) => Answers::a(&[Ipv4Addr::LOCALHOST]),
        _ => Answers::None,
    });
    let host = host(&resolver);
    let Served { peer, tcp, wss, quic, .. } = &served;
    for (text, transport) in [
        (format!("/dns4/head.test/tcp/{tcp}"), Transport::Tcp),
        (format!("/dns/head.test/tcp/{tcp}/p2p/{peer}"), Transport::Tcp),
        (format!("/dns4/HEAD.test/udp/{quic}/quic-v1"), Transport::Quic),
        (format!("/dns/head.test/tcp/{wss}/wss"), Transport::Wss),
        (format!("/dns4/head.test/tcp/{wss}/tls/sni/other.test/ws"), Transport::Wss),
    ] {
        let connection = connected(&host, *peer, &text).await;
        assert_eq!(
            (connection.endpoint().transport, connection.endpoint().address),
            (transport, 0),
            "{text}"
        );
        connection.close().await;
    }
    // Once for IPv4; that there is no IPv6 says nothing of for how long.
    assert!(resolver.asked() <= 3, "answers are remembered: {}", resolver.asked());
}

#[tokio::test]
async fn ipv6_is_resolved_and_dialled_beside_ipv4() {
    let served = serve_at(Ipv6Addr::LOCALHOST.into());
    let resolver = NameServer::start(|name, kind| match (name, kind) {
        ("six.test" | "both.test", name_server::AAAA) => Answers::aaaa(&[Ipv6Addr::LOCALHOST]),
        // Nobody listens there.
        ("both.test", name_server::A) => Answers::a(&[Ipv4Addr::new(127, 9, 9, 9)]),
        _ => Answers::None,
    });
    let host = host(&resolver);
    for name in ["/dns6/six.test", "/dns/six.test", "/dns/both.test"] {
        let connection = connected(&host, served.peer, &format!("{name}/tcp/{}", served.tcp)).await;
        assert_eq!(connection.endpoint().ip_version, 6);
    }
    let none = failed(&host, &format!("/dns4/six.test/tcp/{}", served.tcp)).await;
    assert_eq!(none, (Phase::Dns, FailureClass::NameNotFound));
}

#[tokio::test]
async fn a_list_of_addresses_leads_to_those_of_the_peer() {
    let (served, other) = (serve(), PeerId::random());
    let (peer, tcp) = (served.peer, served.tcp);
    let resolver = NameServer::start(move |name, kind| match (name, kind) {
        ("_dnsaddr.boot.test", name_server::TXT) => Answers::txt(&[
            format!("dnsaddr=/ip4/127.9.9.9/tcp/{tcp}/p2p/{other}"),
            format!("dnsaddr=/dnsaddr/one.boot.test/p2p/{peer}"),
            "v=spf1 -all".to_owned(),
        ]),
        ("_dnsaddr.one.boot.test", name_server::TXT) => Answers::txt(&[
            format!("dnsaddr=/dns4/head.test/tcp/{tcp}/p2p/{peer}"),
            format!("dnsaddr=/ip4/127.0.0.1/udp/1/quic-v1/webtransport/p2p/{peer}"),
        ]),
        ("head.test", name_server::A) => Answers::a(&[Ipv4Addr::LOCALHOST]),
        _ => Answers::None,
    });
    let host = host(&resolver);
    connected(&host, peer, "/dnsaddr/boot.test").await.close().await;
    connected(&host, peer, &format!("/dnsaddr/boot.test/p2p/{peer}")).await.close().await;
    let stranger = failed(&host, "/dnsaddr/boot.test").await;
    assert_eq!(stranger, (Phase::Dns, FailureClass::NameNotFound));
    let (outcome, _) = dial(&host, PeerId::random(), &format!("/dnsaddr/boot.test/p2p/{peer}")).await;
    assert_eq!(outcome, AddressOutcome::Skipped(SkipReason::OtherPeer));
}

#[tokio::test]
async fn a_list_names_its_peers_to_who_knows_none() {
    let peers: [PeerId; 3] = std::array::from_fn(|_| PeerId::random());
    let [first, second, third] = peers;
    let resolver = NameServer::start(move |name, kind| match (name, kind) {
        ("_dnsaddr.boot.test", name_server::TXT) => Answers::txt(&[
            format!("dnsaddr=/ip4/1.1.1.1/tcp/1/p2p/{first}"),
            format!("dnsaddr=/dnsaddr/two.boot.test/p2p/{second}"),
            "dnsaddr=/ip4/1.1.1.1/tcp/1".to_owned(),
            "dnsaddr=/dnsaddr/more.boot.test".to_owned(),
        ]),
        ("_dnsaddr.more.boot.test", name_server::TXT) => Answers::txt(&[
            format!("dnsaddr=/ip6/::1/tcp/3/p2p/{third}"),
            "dnsaddr=/dnsaddr/boot.test".to_owned(),
        ]),
        ("_dnsaddr.empty.test", name_server::TXT) => Answers::None,
        _ => Answers::NxDomain,
    });
    let host = host(&resolver);
    let list = async |name: &str| host.list(&name.parse().unwrap()).await;
    let mut listed = list("/dnsaddr/boot.test").await.unwrap();
    assert!(listed.len() <= 100, "a list that leads back to itself has an end: {}", listed.len());
    listed.truncate(3);
    let at = |address: &str| address.parse::<Multiaddr>().unwrap();
    let two = (second, at("/dnsaddr/two.boot.test"));
    assert_eq!(listed, [(first, at("/ip4/1.1.1.1/tcp/1")), two, (third, at("/ip6/::1/tcp/3"))]);
    for nobody in ["/dnsaddr/empty.test", "/dnsaddr/nowhere.test"] {
        assert_eq!(list(nobody).await.unwrap_err().class, FailureClass::NameNotFound, "{nobody}");
    }
}

#[tokio::test]
async fn what_a_name_server_does_wrong_has_its_class() {
    let resolver = NameServer::start(|name, _| match name {
        "none.test" => Answers::NxDomain,
        "empty.test" => Answers::None,
        "broken.test" => Answers::ServFail,
        "silent.test" => Answers::Silence,
        "garbage.test" => Answers::Garbage,
        name => panic!("nobody asked for {name}"),
    });
    let host = host_with(&resolver, |config| config.dials.dial_timeout = Duration::from_millis(600));
    for (name, class) in [
        ("none.test", FailureClass::NameNotFound),
        ("empty.test", FailureClass::NameNotFound),
        ("broken.test", FailureClass::NameServerFailed),
        ("silent.test", FailureClass::Timeout),
        ("garbage.test", FailureClass::NameServerFailed),
    ] {
        for form in ["/dns4/NAME/tcp/1", "/dns/NAME/tcp/1/ws"] {
            let text = form.replace("NAME", name);
            assert_eq!(failed(&host, &text).await, (Phase::Dns, class), "{text}");
        }
    }
    // No name at all.
    let long = format!("/dns4/{}/tcp/1", "x".repeat(300));
    assert_eq!(failed(&host, &long).await, (Phase::Dns, FailureClass::NameNotFound));
}

#[tokio::test]
async fn a_name_server_that_is_not_there_has_failed() {
    let free = std::net::UdpSocket::bind((Ipv4Addr::new(127, 9, 9, 9), 0)).unwrap().local_addr().unwrap();
    let mut config = HostConfig::new(Identity::generate().unwrap(), Addresses::Loopback);
    config.dials.names = Names::Servers(vec![free]);
    config.dials.dial_timeout = Duration::from_secs(1);
    let (phase, class) = failed(&Host::new(config).unwrap(), "/dns4/head.test/tcp/1").await;
    assert_eq!(phase, Phase::Dns);
    assert!(matches!(class, FailureClass::NameServerFailed | FailureClass::Timeout), "{class}");
}

#[tokio::test]
async fn loops_and_floods_are_bounded() {
    let peer = PeerId::random();
    let resolver = NameServer::start(move |name, _| match name {
        // To itself, and to another that leads back.
        "_dnsaddr.loop.test" => {
            Answers::txt(&["dnsaddr=/dnsaddr/loop.test".to_owned(), "dnsaddr=/dnsaddr/back.test".to_owned()])
        }
        "_dnsaddr.back.test" => Answers::txt(&["dnsaddr=/dnsaddr/loop.test".to_owned()]),
        // More than a datagram holds, and more than is looked at.
        "_dnsaddr.flood.test" => {
            let texts: Vec<_> = (0..1000).map(|i| format!("dnsaddr=/dns4/n{i}.test/tcp/1")).collect();
            Answers::txt(&texts)
        }
        "many.test" => Answers::a(&(0..1000).map(|i| Ipv4Addr::from(0x7f09_0000 + i)).collect::<Vec<_>>()),
        _ => Answers::NxDomain,
    });
    let host = host_with(&resolver, |config| config.dials.max_addresses = 4);
    let started = Instant::now();
    for name in ["/dnsaddr/loop.test", "/dnsaddr/flood.test"] {
        let before = resolver.asked();
        let (outcome, _) = dial(&host, peer, name).await;
        let AddressOutcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
        assert_eq!((failure.phase, failure.class), (Phase::Dns, FailureClass::NameNotFound), "{name}");
        assert!(resolver.asked() - before <= 40, "{name}: {} questions", resolver.asked() - before);
    }
    // Nobody listens at the first of them, and no more are tried.
    let refused = failed(&host, "/dns4/many.test/tcp/1").await;
    assert_eq!(refused, (Phase::Connect, FailureClass::ConnectionRefused));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[tokio::test]
async fn entries_beyond_the_bounds_are_counted() {
    let peers: Vec<PeerId> = (0..150).map(|_| PeerId::random()).collect();
    let texts: Vec<String> =
        peers.iter().map(|peer| format!("dnsaddr=/ip4/127.9.0.1/tcp/1/p2p/{peer}")).collect();
    let resolver = NameServer::start(move |name, kind| match (name, kind) {
        ("_dnsaddr.list.test", name_server::TXT) => Answers::txt(&texts),
        ("many.test", name_server::A) => {
            Answers::a(&(0..120).map(|i| Ipv4Addr::from(0x7f09_0000 + i)).collect::<Vec<_>>())
        }
        _ => Answers::None,
    });
    let host = host_with(&resolver, |config| config.dials.max_addresses = 1);
    let left_out = || host.totals().dns_entries_left_out;
    assert_eq!(host.list(&addr("/dnsaddr/list.test")).await.unwrap().len(), 100);
    assert_eq!(left_out(), 50);
    // Of 120 addresses 100 are looked at, and 16 are followed.
    failed(&host, "/dns4/many.test/tcp/1").await;
    assert_eq!(left_out(), 50 + 20 + 84);
}

#[tokio::test]
async fn what_a_name_resolves_to_obeys_the_same_rules() {
    let resolver = NameServer::start(|name, kind| match (name, kind) {
        ("private.test", name_server::A) => Answers::a(&[Ipv4Addr::new(10, 0, 0, 1)]),
        ("public.test", name_server::A) => Answers::a(&[Ipv4Addr::new(1, 1, 1, 1)]),
        ("special.test", name_server::A) => Answers::a(&[Ipv4Addr::new(203, 0, 113, 1)]),
        ("out.test", name_server::A) => Answers::a(&[Ipv4Addr::new(127, 7, 7, 7)]),
        _ => Answers::None,
    });
    let opt_out = Arc::new(OptOut::parse("127.7.7.0/24").unwrap());
    let host = host_with(&resolver, |config| config.dials.opt_out = opt_out);
    for (name, reason) in [
        ("private.test", SkipReason::Private),
        ("public.test", SkipReason::Public),
        ("special.test", SkipReason::SpecialPurpose),
        ("out.test", SkipReason::OptedOut),
    ] {
        let (outcome, _) = dial(&host, PeerId::random(), &format!("/dns4/{name}/tcp/1")).await;
        assert_eq!(outcome, AddressOutcome::Skipped(reason), "{name}");
    }
}

#[tokio::test]
async fn a_name_waits_for_no_address_and_no_address_for_a_name() {
    let served = serve();
    let resolver = NameServer::start(|_, _| Answers::Silence);
    let host = host(&resolver);
    let addrs = vec![addr("/dns4/silent.test/tcp/1"), addr(&format!("/ip4/127.0.0.1/tcp/{}", served.tcp))];
    let started = Instant::now();
    let dial = host.connect(served.peer, addrs).await;
    assert!(dial.connection.is_some() && started.elapsed() < Duration::from_secs(1));
    assert_eq!(dial.attempts[1].outcome, AddressOutcome::Connected);
}

#[tokio::test]
async fn without_a_name_server_a_name_is_skipped_and_not_admitted() {
    let host = |addresses, names| {
        let mut config = HostConfig::new(Identity::generate().unwrap(), addresses);
        if let Some(names) = names {
            config.dials.names = names;
        }
        Host::new(config).unwrap()
    };
    let named = addr("/dns4/head.test/tcp/1");
    for addresses in [Addresses::Loopback, Addresses::Private] {
        let host = host(addresses, None);
        assert_eq!(host.admits(&named), Err(SkipReason::Name));
        let (outcome, _) = dial(&host, PeerId::random(), "/dnsaddr/head.test").await;
        assert_eq!(outcome, AddressOutcome::Skipped(SkipReason::Name));
    }
    assert_eq!(host(Addresses::Public, Some(Names::Unresolved)).admits(&named), Err(SkipReason::Name));
    let resolving = host(Addresses::Public, None);
    assert_eq!(resolving.admits(&named), Ok(None));
    assert_eq!(resolving.admits(&addr("/dnsaddr/head.test")), Ok(None));
    let relayed = resolving.admits(&addr("/dns4/head.test/tcp/1/p2p-circuit"));
    assert_eq!(relayed, Err(SkipReason::Relayed));
    let web_transport = resolving.admits(&addr("/dns4/head.test/udp/1/quic-v1/webtransport"));
    assert_eq!(web_transport, Err(SkipReason::TransportNotSupported));
}

#[tokio::test]
async fn where_a_name_led_to_and_which_of_it_answered_is_told() {
    let served = serve();
    let tcp = served.tcp;
    let resolver = NameServer::start(|name, kind| match (name, kind) {
        // Nobody listens at the first, and the second is not of this machine.
        ("many.test", name_server::A) => {
            Answers::a(&[Ipv4Addr::new(127, 9, 9, 9), Ipv4Addr::new(1, 1, 1, 1), Ipv4Addr::LOCALHOST])
        }
        ("gone.test", name_server::A) => {
            Answers::a(&[Ipv4Addr::new(127, 9, 9, 9), Ipv4Addr::new(127, 9, 9, 8)])
        }
        _ => Answers::None,
    });
    let host = host(&resolver);
    let refused = || AddressOutcome::Failed(Failure::new(Phase::Connect, FailureClass::ConnectionRefused));
    let at = |ip: &str| addr(&format!("/ip4/{ip}/tcp/{tcp}"));

    let dial = host.connect(served.peer, vec![addr(&format!("/dns4/many.test/tcp/{tcp}"))]).await;
    let connection = dial.connection.unwrap();
    assert_eq!(connection.endpoint().socket, SocketAddr::from((Ipv4Addr::LOCALHOST, tcp)));
    let [attempt] = &dial.attempts[..] else { panic!("{:?}", dial.attempts) };
    assert_eq!(attempt.outcome, AddressOutcome::Connected);
    let mut led_to: Vec<_> =
        attempt.resolved.iter().map(|(to, attempt)| (to.clone(), attempt.outcome.clone())).collect();
    // Name servers answer in any order, and so do their clients.
    led_to.sort_by_key(|(to, _)| to.to_string());
    let [far, here, dead] = &led_to[..] else { panic!("{led_to:?}") };
    assert_eq!(far, &(at("1.1.1.1"), AddressOutcome::Skipped(SkipReason::Public)));
    assert_eq!(here, &(at("127.0.0.1"), AddressOutcome::Connected));
    assert_eq!(dead.0, at("127.9.9.9"));
    assert!(dead.1 == refused() || dead.1 == AddressOutcome::NotTried, "{:?}", dead.1);

    // Every socket that failed is told too, not only the one that came furthest.
    let mut dial = host.connect(served.peer, vec![addr(&format!("/dns4/gone.test/tcp/{tcp}"))]).await;
    let attempt = dial.attempts.remove(0);
    assert_eq!(attempt.outcome, refused());
    assert_eq!(attempt.resolved.len(), 2);
    assert!(
        attempt.resolved.iter().all(|(_, attempt)| attempt.outcome == refused() && attempt.took.is_some())
    );

    // An address with an IP leads nowhere else.
    let dial = host.connect(served.peer, vec![at("127.0.0.1")]).await;
    assert_eq!(dial.connection.unwrap().endpoint().socket, SocketAddr::from((Ipv4Addr::LOCALHOST, tcp)));
    assert!(dial.attempts[0].resolved.is_empty());
}

#[tokio::test]
async fn whoever_dials_nobody_is_told_every_ip_of_a_name() {
    let (one, other) = (PeerId::random(), PeerId::random());
    let resolver = NameServer::start(move |name, kind| match (name, kind) {
        ("both.test", name_server::A) => {
            Answers::a(&["192.0.2.2".parse().unwrap(), "192.0.2.1".parse().unwrap()])
        }
        ("both.test", name_server::AAAA) => Answers::aaaa(&["2001:db8::1".parse().unwrap()]),
        ("_dnsaddr.list.test", name_server::TXT) => Answers::txt(&[
            format!("dnsaddr=/ip4/192.0.2.9/tcp/1/p2p/{one}"),
            format!("dnsaddr=/dns4/both.test/tcp/1/p2p/{other}"),
        ]),
        _ => Answers::None,
    });
    let names = NameResolver::new(Names::Servers(vec![resolver.addr]));
    for (text, ips) in [
        ("/dns/both.test/tcp/1", vec!["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
        ("/dns4/both.test/udp/1/quic-v1", vec!["192.0.2.1", "192.0.2.2"]),
        ("/dns6/both.test/tcp/1", vec!["2001:db8::1"]),
        ("/dnsaddr/list.test", vec!["192.0.2.1", "192.0.2.2", "192.0.2.9"]),
    ] {
        let expected: Vec<IpAddr> = ips.into_iter().map(|ip| ip.parse().unwrap()).collect();
        assert_eq!(names.ips(&addr(text)).await, Ok(expected), "{text}");
    }
    let failure = names.ips(&addr("/dns4/nowhere.test/tcp/1")).await.unwrap_err();
    assert_eq!((failure.phase, failure.class), (Phase::Dns, FailureClass::NameNotFound));
}
