//! The load itself: connections of ours that ask without a break, or at times that were set before.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use kad::{
    Keypair,
    answer::Answer,
    fabric::{Fabric as _, Inward, Request, Says, Service, Terms},
    message::AMINO_PROTOCOL,
    network::{Connection, Event, Network as _, StreamId},
};
use net::{Addresses, Bounds, FabricConfig, Host, SocketFabric};
use tokio::{
    task::LocalSet,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    WARM,
    figures::Row,
    latency::Times,
    options::Options,
    process::{Server, Spent},
    requests::{Kind, Requests},
};

/// How many connections one peer of the client's has.
const PER_PEER: usize = 4;

/// The longest answer that is taken, in bytes.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) kind: Kind,
    /// How many batches are in flight on each connection at the most.
    pub(crate) window: usize,
    /// How many a second over all connections, whether or not there are answers; `None` asks as fast as it is answered.
    pub(crate) per_s: Option<u32>,
}

/// What was answered since it was looked at last.
#[derive(Debug, Default)]
struct Answered {
    requests: Cell<u64>,
    times: RefCell<Times>,
}

/// A client serves nothing.
struct NoServer;

impl Service for NoServer {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reset
    }
}

/// Peers that dial.
pub(crate) struct Askers {
    fabric: SocketFabric,
    last: Option<(Host, usize)>,
}

impl Askers {
    pub(crate) fn new() -> Self {
        let bounds = Bounds { high_water: 1 << 16, connections: 1 << 16, ..Bounds::default() };
        let config = FabricConfig { bounds, ..FabricConfig::new(Addresses::Loopback) };
        Self { fabric: SocketFabric::new(config), last: None }
    }

    /// One connection more.
    pub(crate) async fn connect(
        &mut self,
        (peer, address): &(String, String),
    ) -> (Host, <Host as kad::network::Network>::Connection) {
        let (host, connections) = match self.last.take() {
            Some((host, connections)) if connections < PER_PEER => (host, connections),
            _ => {
                let terms = Terms {
                    keypair: Keypair::generate_ed25519(),
                    says: Says { agent: "kadscope-bench/1".to_owned(), ..Says::default() },
                    listen: Vec::new(),
                    inward: Inward::Served,
                };
                (self.fabric.join(terms, Arc::new(NoServer)).await.expect("a place"), 0)
            }
        };
        let (peer, address) = (peer.parse().expect("a peer"), address.parse().expect("an address"));
        let dial = host.connect(peer, vec![address]).await;
        let connection = dial.connection.unwrap_or_else(|| panic!("{:?}", dial.attempts));
        self.last = Some((host.clone(), connections + 1));
        (host, connection)
    }
}

/// One connection's share of a load.
struct Asking {
    connection: <Host as kad::network::Network>::Connection,
    stream: StreamId,
    requests: Requests,
    /// When each batch that has no answer was to be sent, and how many requests it counts for.
    in_flight: VecDeque<(Instant, u32)>,
    answered: Rc<Answered>,
    /// Its peer lives as long as it does.
    _host: Host,
}

impl Asking {
    async fn new(
        askers: &mut Askers,
        server: &Server,
        requests: impl FnOnce(&Host) -> Requests,
        answered: &Rc<Answered>,
    ) -> Self {
        let (host, mut connection) = askers.connect(server.first()).await;
        let stream = connection.open(AMINO_PROTOCOL, MAX_ANSWER_BYTES);
        let (in_flight, answered) = (VecDeque::new(), Rc::clone(answered));
        Self { connection, stream, requests: requests(&host), in_flight, answered, _host: host }
    }

    fn send(&mut self, due: Instant) {
        let batch = self.requests.next();
        for message in &batch.messages {
            self.connection.send(self.stream, message);
        }
        self.in_flight.push_back((due, batch.requests));
    }

    fn heard(&mut self, event: Event) {
        match event {
            Event::Accepted(_) => {}
            Event::Message(..) => {
                let (due, requests) = self.in_flight.pop_front().expect("asked for");
                self.answered.requests.set(self.answered.requests.get() + u64::from(requests));
                self.answered.times.borrow_mut().add(due.elapsed());
            }
            Event::Ended(_, end) => panic!("the stream ended: {end:?}"),
        }
    }

    async fn hear(&mut self) {
        let event = self.connection.next().await.expect("a connection");
        self.heard(event);
    }

    /// Asks all once.
    async fn ask_all(mut self, window: usize) {
        for _ in 0..self.requests.len() {
            while self.in_flight.len() >= window {
                self.hear().await;
            }
            self.send(Instant::now());
        }
        while !self.in_flight.is_empty() {
            self.hear().await;
        }
    }

    /// Asks again whenever there is an answer.
    async fn ask_on(mut self, window: usize) {
        loop {
            while self.in_flight.len() < window {
                self.send(Instant::now());
            }
            self.hear().await;
        }
    }

    /// Asks once in so long a time, beginning at `due`. What is late because the client was is late all the same.
    async fn ask_at(mut self, mut due: Instant, gap: Duration) {
        loop {
            tokio::select! {
                event = self.connection.next() => self.heard(event.expect("a connection")),
                () = sleep_until(due) => {
                    self.send(due);
                    due += gap;
                }
            }
        }
    }
}

/// Runs a load, and measures it.
pub(crate) async fn run(server: &mut Server, load: Load, options: &Options) -> Row {
    LocalSet::new().run_until(measure(server, load, options)).await
}

async fn measure(server: &mut Server, load: Load, options: &Options) -> Row {
    let (mut askers, answered) = (Askers::new(), Rc::new(Answered::default()));
    let keeping = |host: &Host| Requests::to_be_found(host.local());
    Asking::new(&mut askers, server, keeping, &answered).await.ask_all(8).await;
    let connections = u32::try_from(options.connections).expect("a count");
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for number in 0..connections {
        let requests = |host: &Host| Requests::of(load.kind, host.local(), number);
        let asking = Asking::new(&mut askers, server, requests, &answered).await;
        tasks.push(match load.per_s {
            None => tokio::task::spawn_local(asking.ask_on(load.window)),
            Some(per_s) => {
                let gap = (Duration::from_secs(1) * connections / per_s).mul_f64(asking.requests.each());
                tokio::task::spawn_local(asking.ask_at(begin + gap * number / connections + WARM, gap))
            }
        });
    }
    sleep(WARM * 2).await;
    answered.requests.set(0);
    answered.times.borrow_mut().clear();
    let (then, before, spent) = (Instant::now(), Spent::here(), server.spent());
    sleep(options.seconds).await;
    let requests = u32::try_from(answered.requests.get()).expect("not that many");
    let row = Row {
        requests: f64::from(requests),
        lasted: then.elapsed(),
        server: server.spent().since(spent),
        client: Spent::here().since(before),
        times: answered.times.borrow_mut().quantiles(),
    };
    for task in tasks {
        assert!(!task.is_finished(), "a connection ended");
        task.abort();
    }
    row
}
