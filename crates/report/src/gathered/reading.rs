//! Reads visits of a period, column by column.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use kad::{network::Transport, opt_out::OptOut};
use schema::{RowType as _, RunId, Timestamp, Tool, Visit, VisitType};
use store::{ColumnBatch, RunFilter, RunInfo, Scan, Store, StorePeer};

use super::{
    GatherError, Gathered, MAX_PEERS, SeenPeer,
    columns::Columns,
    crawls::{CrawlTallies, PeerFate},
    interned::Interned,
    looks::{CrawlLook, CrawlLooks},
};
use crate::period::{Period, Watched};

/// The columns that are read.
const COLUMNS: [&str; 13] = [
    "run_id",
    "peer_id",
    "type",
    "started_at",
    "ended_at",
    "reachable",
    "connect_error_class",
    "crawl_error_class",
    "agent",
    "protocols",
    "transport",
    "socket",
    "rtt_us",
];

/// What to gather.
#[derive(Debug, Clone)]
pub struct GatherOrder {
    /// Of which network.
    pub network: String,
    /// Over which period.
    pub period: Period,
    /// Of which runs: those of one view of the network. Others that look at it, and see it otherwise, are passed over.
    pub runs: HashSet<RunId>,
}

impl Gathered {
    /// Reads all that a store has of a network over a period. `on_rows` is told how many visits were read, batch by batch.
    /// Whose id is on the list of those who asked not to be measured is left out, and so is each address that is on it.
    pub fn read(
        store: &Store,
        order: &GatherOrder,
        opt_out: &OptOut,
        on_rows: impl FnMut(u64),
    ) -> Result<Self, GatherError> {
        let mut gathered = Self::read_visits((store, opt_out), order, on_rows)?;
        gathered.read_sessions(store, &order.runs)?;
        Ok(gathered)
    }

    fn read_visits(
        (store, opt_out): (&Store, &OptOut),
        order: &GatherOrder,
        mut on_rows: impl FnMut(u64),
    ) -> Result<Self, GatherError> {
        let GatherOrder { network, period, runs: meant } = order;
        let runs = RunFilter {
            network: Some(network.clone()),
            since: Some(period.from),
            until: Some(period.until),
            ..RunFilter::default()
        };
        let mut told = store.runs(&runs)?;
        told.retain(|run| meant.contains(&run.start.id));
        let crawls =
            told.iter().filter(|run| run.start.tool == Tool::Crawl && period.holds(run.start.started_at));
        let mut reading = Reading::new((store, opt_out), meant, CrawlTallies::of(crawls));
        let scan = Scan { runs, table: &Visit::TABLE, columns: &COLUMNS };
        for batch in store.scan(&scan)? {
            let batch = batch?;
            reading.take(&batch)?;
            on_rows(batch.rows as u64);
        }
        Ok(reading.end(order, &told))
    }
}

/// What was read so far.
#[derive(Debug)]
struct Reading<'a> {
    store: &'a Store,
    opt_out: &'a OptOut,
    meant: &'a HashSet<RunId>,
    /// `None` for whoever is left out.
    positions: HashMap<StorePeer, Option<u32>>,
    peers: Vec<SeenPeer>,
    agents: Interned,
    protocols: Interned,
    sockets: HashMap<Arc<str>, Option<IpAddr>>,
    ips: BTreeMap<IpAddr, Vec<u32>>,
    crawls: CrawlTallies,
    looks: Vec<CrawlLooks>,
    visits: [u64; 2],
    last_look: Option<Timestamp>,
    first_look: Option<Timestamp>,
}

/// One visit, as far as it is read.
struct SeenVisit<'a> {
    is_crawl: bool,
    started_at: Timestamp,
    ended_at: Timestamp,
    is_reached: bool,
    agent: Option<&'a Arc<str>>,
    protocols: Option<&'a Arc<str>>,
    transport: Option<&'a Arc<str>>,
    socket: Option<&'a Arc<str>>,
    rtt_us: Option<i64>,
}

impl<'a> Reading<'a> {
    fn new(
        (store, opt_out): (&'a Store, &'a OptOut),
        meant: &'a HashSet<RunId>,
        crawls: CrawlTallies,
    ) -> Self {
        Self {
            store,
            opt_out,
            meant,
            positions: HashMap::new(),
            peers: Vec::new(),
            agents: Interned::default(),
            protocols: Interned::default(),
            sockets: HashMap::new(),
            ips: BTreeMap::new(),
            crawls,
            looks: Vec::new(),
            visits: [0; 2],
            last_look: None,
            first_look: None,
        }
    }

    fn take(&mut self, batch: &ColumnBatch) -> Result<(), GatherError> {
        let columns = Columns::of(batch, &COLUMNS);
        let (runs, peers) = (columns.runs("run_id")?, columns.peers("peer_id")?);
        let (started, ended) = (columns.times("started_at")?, columns.times("ended_at")?);
        let (reachable, rtts) = (columns.numbers("reachable")?, columns.numbers("rtt_us")?);
        let (types, connect) = (columns.texts("type")?, columns.texts("connect_error_class")?);
        let (asked, agents) = (columns.texts("crawl_error_class")?, columns.texts("agent")?);
        let (protocols, transports) = (columns.texts("protocols")?, columns.texts("transport")?);
        let sockets = columns.texts("socket")?;
        for row in 0..batch.rows {
            let text = |texts: &'_ [Option<Arc<str>>]| texts.get(row).and_then(Option::as_ref).cloned();
            let Some(run) = runs.get(row).filter(|run| self.meant.contains(run)) else { continue };
            let Some(peer) = peers.get(row) else { continue };
            let (Some(started_at), Some(ended_at)) =
                (started.get(row).copied().flatten(), ended.get(row).copied().flatten())
            else {
                continue;
            };
            let is_reached = reachable.get(row).copied().flatten() == Some(1);
            let (agent, spoken) = (text(agents), text(protocols));
            let (transport, socket) = (text(transports), text(sockets));
            let visit = SeenVisit {
                is_crawl: text(types).as_deref() != Some(VisitType::Monitor.name()),
                started_at,
                ended_at,
                is_reached,
                agent: agent.as_ref(),
                protocols: spoken.as_ref(),
                transport: transport.as_ref(),
                socket: socket.as_ref(),
                rtt_us: rtts.get(row).copied().flatten(),
            };
            let Some(position) = self.position(*peer)? else { continue };
            self.saw(position, &visit);
            if visit.is_crawl {
                let fate = PeerFate::of(is_reached, text(connect).as_ref(), text(asked).as_ref());
                self.crawls.saw(*run, position, fate);
                if let Some(looks) = self.looks.get_mut(position as usize) {
                    looks.saw(CrawlLook { run: *run, began: started_at, ended: ended_at, is_up: is_reached });
                }
            }
        }
        if let Some(latest) = started.last().copied().flatten() {
            self.crawls.passed(latest);
        }
        Ok(())
    }

    /// Where a peer stands; `None` of one that is left out.
    fn position(&mut self, peer: StorePeer) -> Result<Option<u32>, GatherError> {
        if let Some(position) = self.positions.get(&peer) {
            return Ok(*position);
        }
        if self.peers.len() >= MAX_PEERS {
            return Err(GatherError::TooManyPeers);
        }
        if !self.opt_out.is_empty() && self.opt_out.has_peer(&self.store.peer_id(peer)?) {
            self.positions.insert(peer, None);
            return Ok(None);
        }
        let position = u32::try_from(self.peers.len()).map_err(|_| GatherError::TooManyPeers)?;
        self.positions.insert(peer, Some(position));
        self.peers.push(SeenPeer::met(peer));
        self.looks.push(CrawlLooks::default());
        Ok(Some(position))
    }

    fn saw(&mut self, position: u32, visit: &SeenVisit<'_>) {
        if let Some(count) = self.visits.get_mut(usize::from(!visit.is_crawl)) {
            *count += 1;
        }
        self.last_look = self.last_look.max(Some(visit.ended_at));
        self.first_look = Some(self.first_look.map_or(visit.started_at, |first| first.min(visit.started_at)));
        let agent = visit.agent.map(|agent| self.agents.number(agent));
        let protocols =
            visit.protocols.filter(|_| agent.is_some()).map(|spoken| self.protocols.number(spoken));
        let ip = visit.socket.and_then(|socket| self.ip(socket));
        if let Some(ip) = ip {
            let there = self.ips.entry(ip).or_default();
            if let Err(at) = there.binary_search(&position) {
                there.insert(at, position);
            }
        }
        let Some(peer) = self.peers.get_mut(position as usize) else { return };
        peer.is_found |= visit.is_crawl;
        if visit.is_reached {
            peer.last_up = peer.last_up.max(Some(visit.started_at));
        }
        if let Some(agent) = agent {
            peer.agent_changes += u32::from(peer.agent.is_some_and(|before| before != agent));
            peer.agent = Some(agent);
            peer.protocols = protocols;
        }
        let transport =
            visit.transport.and_then(|name| Transport::ALL.iter().position(|one| one.name() == &**name));
        peer.transports |= transport.map_or(0, |at| 1 << at);
        match ip {
            Some(IpAddr::V4(_)) => peer.ip_versions[0] = true,
            Some(IpAddr::V6(_)) => peer.ip_versions[1] = true,
            None => {}
        }
        peer.rtt_us = match (peer.rtt_us, visit.rtt_us) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    /// The IP address of a socket, which is read once.
    fn ip(&mut self, socket: &Arc<str>) -> Option<IpAddr> {
        if let Some(ip) = self.sockets.get(socket) {
            return *ip;
        }
        let ip = socket.parse::<SocketAddr>().ok().map(|socket| socket.ip().to_canonical());
        let ip = ip.filter(|ip| !self.opt_out.has_ip(*ip));
        self.sockets.insert(Arc::clone(socket), ip);
        ip
    }

    fn end(mut self, order: &GatherOrder, runs: &[RunInfo]) -> Gathered {
        let monitors = runs.iter().filter(|run| run.start.tool == Tool::Monitor).count() as u64;
        if monitors == 0 {
            for (peer, looks) in self.peers.iter_mut().zip(self.looks) {
                peer.stays = looks.into_stays();
            }
        }
        let crawls = self.crawls.into_crawls();
        // Before a first crawl was through there was no view of everybody. With a monitor one that was through before the period is such a
        // view; without, nobody says of whom it saw where they were when the period began.
        let is_view = |run: &&RunInfo| {
            run.start.tool == Tool::Crawl && (monitors > 0 || order.period.holds(run.start.started_at))
        };
        let ends = runs.iter().filter(is_view).filter_map(|run| Some(run.end.as_ref()?.finished_at));
        let viewed = ends.min().or(self.first_look);
        let watched = self.last_look.zip(viewed).map(|(until, viewed)| {
            let from = viewed.max(order.period.from).min(until);
            Watched { from, until: until.min(order.period.until).max(from) }
        });
        let protocols = self.protocols.into_texts();
        let protocols = protocols.iter().map(|list| serde_json::from_str(list).unwrap_or_default());
        Gathered {
            network: order.network.clone(),
            period: order.period,
            watched,
            crawls,
            peers: self.peers,
            agents: self.agents.into_texts(),
            protocols: protocols.collect(),
            ips: self.ips.into_iter().collect(),
            visits: self.visits,
            monitors,
        }
    }
}

impl SeenPeer {
    const fn met(peer: StorePeer) -> Self {
        Self {
            peer,
            agent: None,
            agent_changes: 0,
            protocols: None,
            is_found: false,
            last_up: None,
            transports: 0,
            ip_versions: [false; 2],
            rtt_us: None,
            stays: Vec::new(),
        }
    }
}
