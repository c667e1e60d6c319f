//! A testnet on loopback, as another machine meets it that has a cable to this one.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    process::Command,
    sync::mpsc,
    thread,
};

use nix::sched::{CloneFlags, unshare};
use testnet::{Scenario, WireConfig, WireTestnet};

use crate::{
    Check,
    echo::{connect, socket},
};

pub(crate) const CHECKS: &[Check] =
    &[("packets_from_elsewhere_are_never_answered", packets_from_elsewhere_are_never_answered)];

/// The ends of the cable.
const NEAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// Peers of every transport, and some with sockets of their own.
const SCENARIO: &str = "peers = 20\ntransports = { all = 1 }\n[life]\n[[life.classes]]\nname = 'x'\nshare = 0.5\n\
    up = { law = 'exponential', median_s = 1e6 }\ndown = { law = 'exponential', median_s = 1e6 }\n";

/// A long header of QUIC with a version that nobody has: whoever listens answers with the versions that there are
/// (RFC 9000, 6.1).
fn of_no_version() -> Vec<u8> {
    let mut datagram = vec![0; 1200];
    datagram[..7].copy_from_slice(&[0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1]);
    datagram[14] = 8;
    datagram
}

fn ask(socket: &UdpSocket) -> io::Result<usize> {
    socket.send(&of_no_version())?;
    socket.recv(&mut [0; 1500])
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("iproute2");
    assert!(status.success(), "ip {arguments}");
}

/// Lets an interface of this thread's namespace carry packets to and from 127.0.0.0/8, which are no packets elsewhere.
fn carry_loopback(interface: &str) {
    for name in [interface, "all"] {
        fs::write(format!("/proc/sys/net/ipv4/conf/{name}/route_localnet"), "1").expect("root here");
    }
    fs::write(format!("/proc/sys/net/ipv4/conf/{interface}/rp_filter"), "0").expect("root here");
}

/// In two namespaces of their own, which go with it.
fn packets_from_elsewhere_are_never_answered() {
    let (tell_there, there) = mpsc::channel();
    let (ask_far, asked) = mpsc::channel::<Vec<SocketAddr>>();
    let far = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("root in the user namespace");
        tell_there.send(nix::unistd::gettid()).expect("near waits");
        let sockets = asked.recv().expect("the cable is laid");
        ip(&format!("addr add {FAR}/24 dev far"));
        ip("link set far up");
        carry_loopback("far");
        ip(&format!("route add 127.1.0.0/16 via {NEAR} dev far"));
        sockets.into_iter().for_each(assert_closed);
    });
    let near = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("root in the user namespace");
        ip("link set lo up");
        // The kernel says that a port is closed, however often it is asked.
        fs::write("/proc/sys/net/ipv4/icmp_ratelimit", "0").expect("root here");
        let tid = there.recv().expect("far is there");
        ip(&format!("link add near type veth peer name far netns {tid}"));
        ip(&format!("addr add {NEAR}/24 dev near"));
        ip("link set near up");
        carry_loopback("near");
        let runtime = tokio::runtime::Builder::new_multi_thread();
        // Its threads are made by this one, and so are in its namespace.
        let runtime = { runtime }.worker_threads(1).enable_all().build().expect("a runtime");
        let scenario = Scenario::parse(SCENARIO, "elsewhere").expect("a scenario");
        let start = WireTestnet::start_with(&scenario, WireConfig::default());
        let network = runtime.block_on(start).expect("a testnet");
        let world = network.world();
        // One that is always there.
        let peer = world.location(world.bootstrap()[0]).ip4.expect("an address");
        let ports = world.ports();
        let quic = SocketAddr::from((peer, ports.listen));
        ask(&socket(quic).expect("a socket")).expect("on loopback it is answered");
        connect((peer, ports.ws).into()).expect("on loopback it is there");
        let all = [ports.listen, ports.ws, ports.wss, ports.dead, ports.dropping];
        // By the address of this machine, and by those of peers.
        let peers = (0..4).map(|last| Ipv4Addr::new(127, 1, 0, last)).chain([peer]);
        let sockets = peers.chain([NEAR]).flat_map(|ip| all.map(|port| SocketAddr::from((ip, port))));
        ask_far.send(sockets.collect()).expect("far waits");
        far.join().expect("nothing was answered");
        runtime.block_on(network.stop());
    });
    near.join().expect("no panic");
}

/// The port is closed: the kernel says so, and nobody else says anything.
fn assert_closed(at: SocketAddr) {
    let tcp = connect(at).expect_err("nobody listens").kind();
    assert_eq!(tcp, io::ErrorKind::ConnectionRefused, "TCP to {at}");
    let udp = socket(at).and_then(|socket| ask(&socket)).expect_err("nobody answers").kind();
    assert_eq!(udp, io::ErrorKind::ConnectionRefused, "UDP to {at}");
}
