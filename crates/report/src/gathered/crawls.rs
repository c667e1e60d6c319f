//! Crawls by what they came to at each peer: of several visits of one crawl to one peer the one that reached it counts, else the last.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kad::failure::FailureClass;
use schema::{RunId, Timestamp};
use store::RunInfo;

use super::SeenCrawl;

/// For how long after the end of a run rows of it may still come: a store takes them in batches.
const LATE: Duration = Duration::from_secs(3600);

/// What a crawl came to at a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PeerFate {
    /// It answered all that it was asked.
    Answered,
    /// It was connected to, and did not.
    Unresponsive,
    /// It was not reached, by the position of the failure's class among all of them; `None` if nothing was dialled.
    Failed(Option<u8>),
}

impl PeerFate {
    pub(super) fn of(is_reached: bool, connect: Option<&Arc<str>>, asked: Option<&Arc<str>>) -> Self {
        match (is_reached, asked) {
            (true, None) => Self::Answered,
            (true, Some(_)) => Self::Unresponsive,
            (false, _) => Self::Failed(connect.and_then(|class| position(class))),
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Answered => 1,
            Self::Unresponsive => 2,
            Self::Failed(None) => 3,
            Self::Failed(Some(class)) => 4 + class,
        }
    }
}

fn position(class: &str) -> Option<u8> {
    FailureClass::ALL.iter().position(|one| one.name() == class).and_then(|at| u8::try_from(at).ok())
}

/// Crawls while their rows come.
#[derive(Debug)]
pub(super) struct CrawlTallies {
    under_way: HashMap<RunId, (SeenCrawl, Vec<u8>)>,
    done: Vec<SeenCrawl>,
}

impl CrawlTallies {
    pub(super) fn of<'a>(runs: impl Iterator<Item = &'a RunInfo>) -> Self {
        let seen = |run: &RunInfo| SeenCrawl {
            run: run.start.id,
            started_at: run.start.started_at,
            finished_at: run.end.as_ref().map(|end| end.finished_at),
            state: run.state,
            visited: 0,
            reached: 0,
            failures: Vec::new(),
            unresponsive: 0,
        };
        let under_way = runs.map(|run| (run.start.id, (seen(run), Vec::new()))).collect();
        Self { under_way, done: Vec::new() }
    }

    /// A visit of a run; of one that is no crawl of the period nothing is counted.
    pub(super) fn saw(&mut self, run: RunId, peer: u32, fate: PeerFate) {
        let Some((_, fates)) = self.under_way.get_mut(&run) else { return };
        let peer = peer as usize;
        if fates.len() <= peer {
            fates.resize(peer + 1, 0);
        }
        if let Some(kept) = fates.get_mut(peer)
            && *kept != PeerFate::Answered.code()
        {
            let was_reached = *kept == PeerFate::Unresponsive.code();
            if !was_reached || matches!(fate, PeerFate::Answered) {
                *kept = fate.code();
            }
        }
    }

    /// Counts the crawls of which no row is to come any more.
    pub(super) fn passed(&mut self, now: Timestamp) {
        let over: Vec<RunId> = self
            .under_way
            .iter()
            .filter(|(_, (crawl, fates))| {
                !fates.is_empty() && crawl.finished_at.is_some_and(|at| at.after(LATE) < now)
            })
            .map(|(run, _)| *run)
            .collect();
        for run in over {
            self.close(run);
        }
    }

    fn close(&mut self, run: RunId) {
        let Some((mut crawl, fates)) = self.under_way.remove(&run) else { return };
        let mut counts = [0_u64; 256];
        for code in &fates {
            if let Some(count) = counts.get_mut(usize::from(*code)) {
                *count += 1;
            }
        }
        let count = |fate: PeerFate| counts.get(usize::from(fate.code())).copied().unwrap_or_default();
        crawl.unresponsive = count(PeerFate::Unresponsive);
        crawl.reached = count(PeerFate::Answered) + crawl.unresponsive;
        crawl.visited = counts.iter().skip(1).sum();
        let failed = FailureClass::ALL.iter().zip(0_u8..).map(|(class, at)| (class.name(), Some(at)));
        crawl.failures = failed
            .chain([("not_dialled", None)])
            .map(|(name, class)| (name, count(PeerFate::Failed(class))))
            .filter(|(_, count)| *count > 0)
            .collect();
        self.done.push(crawl);
    }

    pub(super) fn into_crawls(mut self) -> Vec<SeenCrawl> {
        let left: Vec<RunId> = self.under_way.keys().copied().collect();
        for run in left {
            self.close(run);
        }
        self.done.sort_by_key(|crawl| (crawl.started_at, crawl.run.0));
        self.done
    }
}
