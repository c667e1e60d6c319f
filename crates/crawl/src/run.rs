//! The crawl itself: frontier to visits and back, until nobody is left.

mod ending;
mod walking;

use std::sync::Arc;

use kad::{
    Contact, Multiaddr, PeerId,
    failure::{Failure, SkipReason},
    network::Network,
    opt_out::OptOut,
};
use schema::{AddressVisit, PeerNumber, Row, RunId, Visit, VisitKind, visit::PREFIXES};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    config::CrawlConfig,
    fates::FateCounts,
    frontier::{Extended, Frontier, Job},
    manner::Manner,
    pending::Pending,
    summary::{LeftOut, Summary},
    tally::Tally,
    visit::{Visited, malformed, skipped, visit},
};
use walking::Walking;

/// What is to be crawled, and how.
#[derive(Debug)]
pub struct Crawl<N> {
    /// Reaches peers.
    pub network: N,
    /// The crawl's name.
    pub id: RunId,
    /// The network's name.
    pub network_name: String,
    /// The names of the network's kad protocol, `/ipfs/kad/1.0.0` for instance; a peer that does not speak the first
    /// one is asked for the next.
    pub protocols: Vec<String>,
    /// The peers to begin with.
    pub bootstrap: Vec<Contact>,
    /// What the user has set.
    pub config: CrawlConfig,
    /// Who asked not to be measured: not visited, and nothing about them is kept.
    pub opt_out: Arc<OptOut>,
    /// The time of the run.
    pub clock: Clock,
}

/// Where a crawl reports to, and what stops it.
#[derive(Debug, Clone)]
pub struct Outlets {
    /// Takes the rows; the crawl waits while it is full. `None` keeps nothing.
    pub rows: Option<mpsc::Sender<Row>>,
    /// Told after each visit.
    pub progress: watch::Sender<Progress>,
    /// Counts what came of addresses, where others can look on.
    pub fates: FateCounts,
    /// Stops the crawl: visits under way end at once with what they have.
    pub cancel: CancellationToken,
}

/// How far a crawl is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Peers heard of.
    pub discovered: u64,
    /// Peers reached.
    pub reachable: u64,
    /// Peers that were visited and not reached.
    pub unreachable: u64,
    /// Peers that turned us away, likewise.
    pub turned_away: u64,
    /// Peers in the queue.
    pub waiting: u64,
    /// Visits under way.
    pub under_way: u64,
    /// Visits made.
    pub visits: u64,
    /// Edges found.
    pub edges: u64,
    /// Whether only second chances are left.
    pub second_chances: bool,
    /// Walks that are over.
    pub walks: u64,
}

/// What came of one of the peers to begin with.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapOutcome {
    /// Its id.
    pub id: PeerId,
    /// Why it could not be reached; `None` if it was, or if its visit did not come to an end.
    pub error: Option<Failure>,
    /// Whether it was reached.
    pub reached: bool,
    /// Why requests failed, though it was reached; `None` if none did.
    pub crawl_error: Option<Failure>,
    /// What came of each of its addresses.
    pub addresses: Vec<AddressVisit>,
}

/// What a crawl came to.
#[derive(Debug)]
pub struct Crawled {
    /// The numbers.
    pub summary: Summary,
    /// The peers to begin with, by their last visits.
    pub bootstrap: Vec<BootstrapOutcome>,
    /// Whether the rows' receiver went away, so that the crawl could not go on.
    pub rows_lost: bool,
}

impl<N: Network> Crawl<N> {
    /// Crawls until every peer was visited, the limit is reached or the run is cancelled.
    pub async fn run(self, outlets: Outlets) -> Crawled {
        let mut run = Run::new(self, outlets);
        run.seed().await;
        loop {
            run.start_visits();
            run.start_walks();
            if run.is_busy() {
                run.wait().await;
            } else if run.is_stopping() || !run.wait_idly().await {
                break;
            }
        }
        run.send_parked().await;
        run.send_in_degrees().await;
        run.finish()
    }
}

/// A crawl under way.
struct Run<N> {
    network: N,
    begun: Instant,
    id: RunId,
    network_name: String,
    bootstrap: Vec<(PeerNumber, BootstrapOutcome)>,
    given: Vec<Contact>,
    config: CrawlConfig,
    outlets: Outlets,
    manner: Arc<Manner>,
    frontier: Frontier,
    tally: Tally,
    /// How many peers were known after each table was read.
    growth: Vec<u32>,
    tasks: JoinSet<Option<Visited>>,
    started: u64,
    /// What visits left out.
    left_out: LeftOut,
    rows_lost: bool,
    /// The walks; `None` where tables are read.
    walking: Option<Walking<N>>,
}

impl<N: Network> Run<N> {
    fn new(crawl: Crawl<N>, outlets: Outlets) -> Self {
        let Crawl { network, id, network_name, protocols, bootstrap, config, opt_out, clock } = crawl;
        let walking = Walking::of((&network, &bootstrap), (&protocols, &opt_out), &config);
        let manner = Manner {
            protocols: protocols.into(),
            request_timeout: config.request_timeout,
            whole_tables: config.whole_tables,
            is_brief: config.strategy.walk().is_some(),
            clock,
            cancel: outlets.cancel.clone(),
            pending: Pending::default(),
            prefixes: Arc::default(),
        };
        let tally = Tally::counting(outlets.fates.clone());
        let (local, seed) = (network.local(), config.seed.unwrap_or(0));
        Self {
            frontier: Frontier::new(&local, seed, config.max_peers as usize, opt_out),
            begun: Instant::now(),
            network,
            id,
            network_name,
            bootstrap: Vec::new(),
            given: bootstrap,
            config,
            outlets,
            manner: Arc::new(manner),
            tally,
            growth: Vec::new(),
            tasks: JoinSet::new(),
            started: 0,
            left_out: LeftOut::default(),
            rows_lost: false,
            walking,
        }
    }

    /// Takes the peers in that the user named.
    async fn seed(&mut self) {
        for Contact { peer: id, addrs } in std::mem::take(&mut self.given) {
            let network = &self.network;
            let Some(peer) = self.frontier.add(&id, &addrs, &|address| network.admits(address)) else {
                continue;
            };
            let outcome = BootstrapOutcome {
                id,
                error: None,
                reached: false,
                crawl_error: None,
                addresses: Vec::new(),
            };
            self.bootstrap.push((peer, outcome));
            self.send(Row::Peer(peer, id)).await;
        }
    }

    fn is_busy(&self) -> bool {
        !self.tasks.is_empty() || self.walking.as_ref().is_some_and(Walking::is_under_way)
    }

    fn is_stopping(&self) -> bool {
        self.rows_lost || self.outlets.cancel.is_cancelled() || self.limit_reached()
    }

    fn limit_reached(&self) -> bool {
        self.config.limit.is_some_and(|limit| self.started >= limit)
    }

    /// Starts as many visits as there is room for. Dials that wait for silent hosts take a socket, but no place of a
    /// conversation.
    fn start_visits(&mut self) {
        while !self.is_stopping() && self.has_room() {
            let Some(job) = self.frontier.pop(self.begun.elapsed()) else { break };
            self.started += 1;
            self.start_visit(job);
        }
    }

    fn has_room(&self) -> bool {
        let waiting = self.manner.pending.waiting();
        self.tasks.len().saturating_sub(waiting) < self.config.parallelism as usize
            && self.tasks.len() < self.config.max_dials as usize + self.config.parallelism as usize
    }

    fn start_visit(&mut self, mut job: Job) {
        if self.config.all_prefixes {
            job.wave = PREFIXES;
        }
        if self.manner.is_brief {
            job.wave = 1;
        }
        let network = self.network.clone();
        let manner = Arc::clone(&self.manner);
        self.tasks.spawn(async move { visit(network, job, &manner).await });
    }

    async fn wait(&mut self) {
        let pending = self.manner.pending.clone();
        // Whose time has come and who still waits has found no room, and will when a visit ends.
        let now = self.begun.elapsed();
        let next = self.frontier.next_at().filter(|&next| next > now);
        tokio::select! {
            biased;
            Some(done) = self.tasks.join_next() => match done {
                Ok(Some(visited)) => self.absorb(visited).await,
                Ok(None) => {}
                // A visit is made of total functions; if one panics after all, its peer is not lost silently.
                Err(error) => tracing::error!(%error, "a visit did not come to its end"),
            },
            Some(found) = walking::next(&mut self.walking) => self.walked(found).await,
            () = pending.more() => {}
            () = sleep_until(self.begun + next.unwrap_or_default()), if next.is_some() => {}
        }
    }

    /// Nobody is under way: waits for the next turn that is worth it. Says whether there is one.
    async fn wait_idly(&mut self) -> bool {
        let Some(next) = self.frontier.idle(self.begun.elapsed()) else { return false };
        tokio::select! {
            () = sleep_until(self.begun + next) => true,
            () = self.outlets.cancel.cancelled() => false,
        }
    }

    /// Takes in what a visit brought, and sends its rows on.
    async fn absorb(&mut self, visited: Visited) {
        let Visited { mut visit, found, left_out } = visited;
        let network = &self.network;
        let now = self.begun.elapsed();
        // Whoever a walk visits names others, too; they are not among those that chance has chosen.
        let is_read = !self.manner.is_brief;
        let extended = is_read
            .then(|| self.frontier.extend(visit.peer, &found, now, &|address| network.admits(address)));
        let Extended { neighbors, new, .. } = extended.unwrap_or_default();
        visit.connected_claims = self.frontier.connected_claims(visit.peer);
        self.left_out += left_out;
        self.frontier.finish(&visit, now);
        self.tally.edges += neighbors.len() as u64;
        self.tally.add(&visit);
        if is_read && self.tally.crawled > self.growth.len() as u64 {
            self.growth.push(u32::try_from(self.frontier.len()).unwrap_or(u32::MAX));
        }
        self.note_bootstrap(&visit);
        for (peer, id) in new {
            self.send(Row::Peer(peer, id)).await;
        }
        if self.config.neighbors && visit.is_reachable() {
            visit.neighbors = Some(neighbors);
        }
        self.send(Row::Visit(visit)).await;
        self.outlets.progress.send_replace(self.progress());
    }

    fn note_bootstrap(&mut self, visit: &Visit) {
        if let Some((_, outcome)) = self.bootstrap.iter_mut().find(|(peer, _)| *peer == visit.peer) {
            outcome.reached |= visit.is_reachable();
            outcome.error.clone_from(&visit.met.connect_error);
            outcome.crawl_error.clone_from(&visit.crawl_error);
            outcome.addresses.clone_from(&visit.met.addresses);
        }
    }

    /// Peers whose addresses would not be dialled get their row too: they are known, and why they were not visited.
    async fn send_parked(&mut self) {
        if self.is_stopping() {
            return;
        }
        let now = self.manner.clock.at(Instant::now());
        let parked: Vec<_> = self.frontier.parked().collect();
        for (peer, addrs) in parked {
            let mut visit = Visit::begun(peer, VisitKind::First, now);
            visit.connected_claims = self.frontier.connected_claims(peer);
            visit.met.addresses =
                addrs.into_iter().map(|address| not_dialled(&self.network, address)).collect();
            visit.met.addresses.extend(self.frontier.malformed_addresses(peer).into_iter().map(malformed));
            self.tally.add(&visit);
            self.note_bootstrap(&visit);
            self.send(Row::Visit(Box::new(visit))).await;
        }
        self.outlets.progress.send_replace(self.progress());
    }

    async fn send(&mut self, row: Row) {
        if let Some(rows) = &self.outlets.rows {
            self.rows_lost |= rows.send(row).await.is_err();
        }
    }

    fn progress(&self) -> Progress {
        Progress {
            discovered: self.frontier.len() as u64,
            reachable: self.tally.reachable,
            unreachable: self.tally.unreachable(),
            turned_away: self.tally.turned_away(),
            waiting: self.frontier.waiting() as u64,
            under_way: self.tasks.len() as u64,
            visits: self.started - self.tasks.len() as u64,
            edges: self.tally.edges,
            second_chances: self.frontier.has_only_second_chances(),
            walks: self.walking.as_ref().map_or(0, |walking| walking.summary().walks),
        }
    }
}

fn not_dialled(network: &impl Network, address: Multiaddr) -> AddressVisit {
    let reason = network.admits(&address).err().unwrap_or(SkipReason::OverLimit);
    skipped(address.into(), reason)
}
