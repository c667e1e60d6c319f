//! A siege from its beginning until the node is as it was before.

use std::{fmt, net::SocketAddr, process::Stdio, time::Duration};

use kad::{Multiaddr, PeerId};
use multiaddr::Protocol;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::{Instant, sleep, timeout},
};

use super::{
    attacks::Attack,
    besieged::{self, BOUNDS},
    counts::Counts,
    honest::{self, Asked},
};

/// No attack takes longer.
const ATTACK: Duration = Duration::from_secs(120);

/// How long besiegers stay when they are all there.
const STAY: Duration = Duration::from_secs(1);

/// How long it takes until nothing of them is left: QUIC knows of who vanished after 30 s.
const RELIEF: Duration = Duration::from_secs(45);

/// How many more tasks there are for each connection, those of QUIC included.
const TASKS_A_CONNECTION: u64 = 3;

/// How many there are for the node's own work, and for handshakes of QUIC that failed: it is for some seconds that who
/// began one is told.
const OTHER_TASKS: u64 = 3 * BOUNDS.half_open as u64;

/// Where the node is.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) peer: PeerId,
    pub(crate) tcp: SocketAddr,
    pub(crate) quic: SocketAddr,
}

/// A node in its process.
pub(crate) struct Siege {
    pub(crate) target: Target,
    _node: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

/// How a siege went.
pub(crate) struct Report {
    asked: Asked,
    most: Counts,
    grown_kib: u64,
}

impl Siege {
    /// Lets besiegers come, stay and go.
    pub(crate) async fn lay(attack: &Attack) -> Report {
        let mut siege = Self::begin().await;
        let target = siege.target.clone();
        let mut asked = Asked::default();
        // What all that is asked for the first time makes is there already.
        asking(&target, &mut asked, sleep(STAY)).await;
        let (before, _) = siege.counts().await;
        asked = Asked::default();
        let attacking = timeout(ATTACK, (attack.begin)(target.clone()));
        let held = asking(&target, &mut asked, attacking).await.expect("an attack ends");
        asking(&target, &mut asked, sleep(STAY)).await;
        let (_, most) = siege.counts().await;
        drop(held);
        assert_bounded(attack, before, most);
        siege.relief(attack, before).await;
        asking(&target, &mut asked, sleep(STAY)).await;
        Report { asked, most, grown_kib: most.resident_kib.saturating_sub(before.resident_kib) }
    }

    async fn begin() -> Self {
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new(program);
        command.arg(besieged::NAME).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut node = command.spawn().unwrap();
        let (stdin, stdout) = (node.stdin.take().unwrap(), BufReader::new(node.stdout.take().unwrap()));
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let target = Target { peer: PeerId::random(), tcp: nowhere, quic: nowhere };
        let mut siege = Self { target, _node: node, stdin, stdout };
        let line = siege.line().await;
        let [peer, tcp, quic] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        siege.target = Target { peer: peer.parse().unwrap(), tcp: socket(tcp), quic: socket(quic) };
        siege
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).await.unwrap();
        line
    }

    /// What the node takes, and the most that it took since this was asked last.
    async fn counts(&mut self) -> (Counts, Counts) {
        self.stdin.write_all(b"\n").await.unwrap();
        let line = self.line().await;
        let mut numbers = line.split_whitespace();
        let now = numbers.by_ref().take(5).collect::<Vec<_>>().join(" ");
        let most = numbers.collect::<Vec<_>>().join(" ");
        (Counts::parse(&now).expect("counts"), Counts::parse(&most).expect("counts"))
    }

    /// Waits until the node is as it was before.
    async fn relief(&mut self, attack: &Attack, before: Counts) {
        let begun = Instant::now();
        loop {
            let (now, _) = self.counts().await;
            let is_over = now.open == 0
                && now.half_open == 0
                && now.tasks <= before.tasks
                && now.descriptors <= before.descriptors;
            if is_over {
                return;
            }
            assert!(begun.elapsed() < RELIEF, "{}: {now:?} is left, and was {before:?}", attack.name);
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Goes on asking while something is done.
async fn asking<T>(target: &Target, asked: &mut Asked, meanwhile: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        done = meanwhile => done,
        () = honest::go_on(target, asked) => unreachable!("it goes on"),
    }
}

fn assert_bounded(attack: &Attack, before: Counts, most: Counts) {
    let name = attack.name;
    assert!(most.open <= attack.connections, "{name}: {most:?}");
    assert!(most.half_open <= BOUNDS.half_open as u64, "{name}: {most:?}");
    let connections = most.open + most.half_open;
    let tasks = before.tasks + TASKS_A_CONNECTION * connections + OTHER_TASKS;
    assert!(most.tasks <= tasks, "{name}: {most:?}, before {before:?}");
    assert!(most.descriptors <= before.descriptors + connections + 16, "{name}: {most:?}, before {before:?}");
    let grown_kib = most.resident_kib.saturating_sub(before.resident_kib);
    assert!(
        grown_kib <= attack.memory_kib,
        "{name}: it grew by {grown_kib} KiB: {most:?}, before {before:?}"
    );
}

fn socket(address: &str) -> SocketAddr {
    let address: Multiaddr = address.parse().unwrap();
    let mut parts = address.iter();
    match (parts.next(), parts.next()) {
        (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port) | Protocol::Udp(port))) => (ip, port).into(),
        _ => panic!("{address}"),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, most, grown_kib } = self;
        let Asked { times, longest } = asked;
        let Counts { open, half_open, tasks, descriptors, .. } = most;
        write!(
            f,
            "{times} answers within {} ms; at most {open} connections, {half_open} half open, {tasks} tasks, {descriptors} \
             descriptors, {} MiB more",
            longest.as_millis(),
            grown_kib / 1024
        )
    }
}
