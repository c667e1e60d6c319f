//! Keeps what a study tells in a file, as the program does, and counts it.

use std::{collections::HashMap, time::Duration};

use kad::PeerId;
use kadscope_hoard::{HoardFact, KeyRound, hoard_peers, hoard_rows};
use schema::{
    HolderAnswer, PeerNumber, Row, RunEnd, RunId, RunStart, RunState, Timestamp, Tool, Whereabouts,
};
use store::{Store, StoreUrl};
use tokio::sync::mpsc;

/// When the run began, as far as the file knows.
const BEGAN: Timestamp = Timestamp(1_795_000_000_000_000);

/// What was told of rounds.
#[derive(Default)]
pub(crate) struct Kept {
    lags: Vec<Duration>,
    took: Vec<Duration>,
    pub(crate) most_at_once: u32,
    pub(crate) sights: usize,
    /// Those that found the holder where it is, with what it was given.
    pub(crate) right: usize,
}

impl Kept {
    /// How late so many percent of the rounds began at the most.
    pub(crate) fn lag(&self, percent: usize) -> Duration {
        quantile(&self.lags, percent)
    }

    /// How long so many percent of the rounds took at the most.
    pub(crate) fn took(&self, percent: usize) -> Duration {
        quantile(&self.took, percent)
    }

    fn count(&mut self, round: &KeyRound) {
        if round.round == 0 {
            return;
        }
        self.lags.push(round.lag());
        self.took.push(round.ended_at.since(round.began_at));
        self.most_at_once = self.most_at_once.max(round.in_flight.rounds);
        self.sights += round.sights.len();
        let is_right = |sight: &&kadscope_hoard::HolderSight| {
            (sight.whereabouts, sight.said.answer) == (Whereabouts::SameAddress, HolderAnswer::WithAddresses)
        };
        self.right += round.sights.iter().filter(is_right).count();
    }
}

fn quantile(of: &[Duration], percent: usize) -> Duration {
    let mut sorted = of.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// Keeps all facts in a file that goes with the benchmark.
pub(crate) async fn keep(mut facts: mpsc::Receiver<HoardFact>) -> Kept {
    let directory = tempfile::tempdir().expect("a directory");
    let url = StoreUrl::Sqlite(directory.path().join("a.sqlite"));
    let store = Store::open(&url).expect("a store").expect("one that keeps");
    let writer = store.begin_run(&start()).expect("a run");
    let rows = writer.sender();
    let mut numbers: HashMap<PeerId, PeerNumber> = HashMap::new();
    let mut kept = Kept::default();
    while let Some(fact) = facts.recv().await {
        if let HoardFact::Round(round) = &fact {
            kept.count(round);
        }
        for peer in hoard_peers(&fact) {
            let next = PeerNumber(u32::try_from(numbers.len()).expect("some thousands"));
            if *numbers.entry(peer).or_insert(next) == next {
                rows.send(Row::Peer(next, peer)).await.expect("it is kept");
            }
        }
        for row in hoard_rows(&fact, &|peer| numbers.get(peer).copied()) {
            rows.send(row).await.expect("it is kept");
        }
    }
    drop(rows);
    let end = RunEnd { finished_at: BEGAN, state: RunState::Succeeded, summary: serde_json::json!({}) };
    writer.finish(end).await.expect("all of it is kept");
    kept
}

fn start() -> RunStart {
    RunStart {
        id: RunId::new(BEGAN, [18; 10]),
        tool: Tool::Hoard,
        network: "loopback".to_owned(),
        started_at: BEGAN,
        version: "0.1.0".to_owned(),
        seed: 18,
        vantage: "a benchmark".to_owned(),
        parameters: serde_json::json!({}),
    }
}
