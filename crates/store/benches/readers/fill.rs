//! Fills the store through its own writer: every half hour a crawl of the same peers, then monitors that visit each of them every half
//! hour, a run a day; and between them small runs, as of who looks at some peers by hand.

use std::{fs, path::Path, time::Duration};

use kadscope_store::{Store, StoreUrl};
use schema::{PeerNumber, Row, RunEnd, RunId, RunStart, RunState, Tool, Visit, VisitKind};

use super::{ASKED_FOR, Spent, rows};

/// Peers of each crawl and of each monitor.
const PEERS: u32 = 20_000;

/// Crawls before the monitors begin.
const CRAWLS: u32 = 50;

/// How often a monitor visits each peer in a day.
const ROUNDS: u32 = 48;

/// One peer of so many has another address and another program than in the run before.
const CHANGED: u32 = 20;

/// Small runs, of the peers that are asked for later.
const SMALL_RUNS: u32 = 1000;

/// Writes so many visits, and those of the small runs.
pub(super) fn fill(path: &Path, visits: u32, neighbors: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let spent = Spent::begin();
    let store = Store::open(&StoreUrl::Sqlite(path.to_owned())).unwrap().unwrap();
    let runs = planned(visits);
    let mut filling = Filling { store, neighbors, runs: 0, seen: (0..PEERS).map(rows::visit).collect() };
    let mut small = 0;
    for (position, &(tool, rounds, peers)) in (1..).zip(&runs) {
        runtime.block_on(filling.run(tool, rounds, &(0..peers).collect::<Vec<_>>()));
        while small * runs.len() < SMALL_RUNS as usize * position {
            runtime.block_on(filling.run(Tool::Crawl, 1, &ASKED_FOR));
            small += 1;
        }
        filling.change();
    }
    let all = visits as usize + small * ASKED_FOR.len();
    spent.tell(&format!("written, {} runs, {neighbors} neighbors", filling.runs), all);
    drop(filling);
    let bytes = fs::metadata(path).unwrap().len();
    println!("    {:.1} bytes a visit with its peer, addresses and indexes", bytes as f64 / all as f64);
}

/// The large runs of so many visits: who makes each, in how many rounds, of how many peers.
fn planned(visits: u32) -> Vec<(Tool, u32, u32)> {
    let (mut left, mut runs) = (visits, Vec::new());
    while left > 0 {
        let (tool, rounds) =
            if runs.len() < CRAWLS as usize { (Tool::Crawl, 1) } else { (Tool::Monitor, ROUNDS) };
        let rounds = rounds.min(left.div_ceil(PEERS));
        let peers = PEERS.min(left / rounds);
        runs.push((tool, rounds, peers));
        left -= rounds * peers;
    }
    runs
}

struct Filling {
    store: Store,
    neighbors: u32,
    runs: u32,
    /// What the last visit of each peer showed.
    seen: Vec<Visit>,
}

impl Filling {
    async fn run(&mut self, tool: Tool, rounds: u32, peers: &[u32]) {
        let started_at = rows::start(0).started_at.after(Duration::from_secs(u64::from(self.runs) * 1800));
        let mut random = [0; 10];
        random[..4].copy_from_slice(&self.runs.to_be_bytes());
        self.runs += 1;
        let long =
            |what: &str| serde_json::json!({ "text": "as long as that of a crawl ".repeat(what.len()) });
        let parameters = long("parameters, and the names of whom they are about");
        let id = RunId::new(started_at, random);
        let start = RunStart { id, tool, started_at, parameters, ..rows::start(0) };
        let writer = self.store.begin_run(&start).unwrap();
        let sender = writer.sender();
        for (number, &peer) in (0..).zip(peers) {
            sender.send(Row::Peer(PeerNumber(number), rows::peer(peer))).await.unwrap();
        }
        for round in 0..rounds {
            let round_began = started_at.after(Duration::from_secs(u64::from(round) * 1800));
            for (number, &peer) in (0..).zip(peers) {
                let mut visit = self.seen[peer as usize].clone();
                visit.peer = PeerNumber(number);
                visit.kind = if tool == Tool::Crawl { VisitKind::First } else { VisitKind::Scheduled };
                visit.met.started_at =
                    round_began.after(Duration::from_micros(u64::from(number) * 14_999 + 7));
                visit.met.ended_at =
                    visit.met.started_at.after(Duration::from_micros(150_000 + u64::from(round)));
                let neighbors = (0..self.neighbors).map(|n| PeerNumber(n * 97 + number % 97));
                visit.neighbors = (self.neighbors > 0).then(|| neighbors.collect());
                sender.send(visit.into()).await.unwrap();
            }
        }
        let finished_at = started_at.after(Duration::from_secs(u64::from(rounds) * 1800));
        let summary =
            long("a summary, which says of every class of failures how many peers met it, and more");
        writer.finish(RunEnd { finished_at, state: RunState::Succeeded, summary }).await.unwrap();
    }

    /// Some peers move, to where none was before.
    fn change(&mut self) {
        for n in (self.runs % CHANGED..PEERS).step_by(CHANGED as usize) {
            self.seen[n as usize] = rows::visit(self.runs.wrapping_mul(PEERS) + n);
        }
    }
}
